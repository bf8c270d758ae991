//! AV1: planes of luma and chroma, and the colours they stand for.
//!
//! In: the units of one image. Out: its planes, decoded by rav1d, and from them colours of eight bits (ITU-T H.273, 8.3, for
//! the matrices).

use re_rav1d::dav1d::{
    pixel::{MatrixCoefficients, YUVRange},
    Decoder, Error, Picture, PixelLayout, PlanarImageComponent, Settings,
};

use super::super::raster::{Layout, Raster};
use super::{invalid, raster_of, DecodeError};

/// A decoded image.
pub struct Planes {
    image: Picture,
    bits: u32,
}

impl Planes {
    /// Decodes an image that says it has these sides.
    pub fn decode(data: Vec<u8>, width: u32, height: u32) -> Result<Planes, DecodeError> {
        let mut settings = Settings::new();
        // The threads are ours to give out.
        settings.set_n_threads(1);
        settings.set_max_frame_delay(1);
        settings.set_all_layers(false);
        let limit =
            u32::try_from(u64::from(width) * u64::from(height)).map_err(|_| DecodeError::TooLarge(width, height))?;
        settings.set_frame_size_limit(limit);
        let broken = |error: Error| invalid(format!("its image cannot be decoded: {error}"));
        let mut decoder = Decoder::with_settings(&settings).map_err(broken)?;
        let mut sent = decoder.send_data(data, None, None, None);
        let image = loop {
            match decoder.get_picture() {
                Ok(image) => break image,
                Err(error) if !error.is_again() => return Err(broken(error)),
                Err(_) => {}
            }
            // Nothing came of all that there is.
            match sent {
                Ok(()) => return Err(invalid("its image is incomplete")),
                Err(error) if !error.is_again() => return Err(broken(error)),
                Err(_) => sent = decoder.send_pending_data(),
            }
        };
        if (image.width(), image.height()) != (width, height) {
            return Err(invalid("its image has other sides than it says"));
        }
        let bits = image.bits_per_component().map_or(8, |bits| bits.0 as u32);
        Ok(Planes { image, bits })
    }

    fn plane(&self, component: PlanarImageComponent) -> Plane {
        Plane {
            stride: self.image.stride(component) as usize,
            bytes: self.image.plane(component),
            wide: self.bits > 8,
        }
    }
}

struct Plane {
    bytes: re_rav1d::dav1d::Plane,
    /// Bytes of a row.
    stride: usize,
    /// Whether a sample has two bytes.
    wide: bool,
}

impl Plane {
    /// The samples of a row, as far as there are any.
    fn row(&self, row: usize, width: usize) -> impl Iterator<Item = f32> + '_ {
        let size = if self.wide { 2 } else { 1 };
        let start = row * self.stride;
        let bytes = self.bytes.get(start..start + width * size).unwrap_or_default();
        let wide = self.wide;
        bytes.chunks_exact(size).map(move |sample| match sample {
            [low, high] if wide => f32::from(u16::from_ne_bytes([*low, *high])),
            [value, ..] => f32::from(*value),
            [] => 0.0,
        })
    }
}

/// How luma and chroma become colours.
struct Matrix {
    red_cr: f32,
    green_cb: f32,
    green_cr: f32,
    blue_cb: f32,
}

impl Matrix {
    /// From the weights of red and blue in luma.
    fn of(red: f32, blue: f32) -> Matrix {
        let green = 1.0 - red - blue;
        Matrix {
            red_cr: 2.0 * (1.0 - red),
            green_cb: 2.0 * (1.0 - blue) * blue / green,
            green_cr: 2.0 * (1.0 - red) * red / green,
            blue_cb: 2.0 * (1.0 - blue),
        }
    }

    /// By its number in H.273; `None` for green, blue and red themselves.
    fn by_number(number: u16) -> Result<Option<Matrix>, DecodeError> {
        match number {
            0 => Ok(None),
            1 => Ok(Some(Matrix::of(0.2126, 0.0722))),
            2 | 5 | 6 => Ok(Some(Matrix::of(0.299, 0.114))),
            4 => Ok(Some(Matrix::of(0.30, 0.11))),
            7 => Ok(Some(Matrix::of(0.212, 0.087))),
            9 => Ok(Some(Matrix::of(0.2627, 0.0593))),
            other => Err(invalid(format!("colours by matrix {other} are not supported"))),
        }
    }
}

fn matrix_number(matrix: MatrixCoefficients) -> u16 {
    match matrix {
        MatrixCoefficients::Identity => 0,
        MatrixCoefficients::BT709 => 1,
        MatrixCoefficients::Unspecified => 2,
        MatrixCoefficients::BT470M => 4,
        MatrixCoefficients::BT470BG => 5,
        MatrixCoefficients::ST170M => 6,
        MatrixCoefficients::ST240M => 7,
        MatrixCoefficients::BT2020NonConstantLuminance => 9,
        _ => u16::MAX,
    }
}

/// The colours of an image. `colours` is what its file says of them; else the image itself does.
pub fn to_raster(planes: &Planes, colours: Option<(u16, bool)>) -> Result<Raster, DecodeError> {
    let Planes { image, bits } = planes;
    let (number, full) = colours.unwrap_or_else(|| {
        let full = image.color_range() == YUVRange::Full;
        (matrix_number(image.matrix_coefficients()), full)
    });
    let (width, height) = (image.width(), image.height());
    let columns = width as usize;
    let step = f32::from(1u16 << (bits - 8));
    // Where black and white are, and how far chroma reaches from its middle.
    let (black, white, reach) = if full {
        let top = f32::from((1u32 << bits) as u16 - 1);
        (0.0, top, top)
    } else {
        (16.0 * step, 235.0 * step, 224.0 * step)
    };
    let luma_scale = 255.0 / (white - black);
    let chroma_scale = 255.0 / reach;
    let middle = 128.0 * step;
    let luma = planes.plane(PlanarImageComponent::Y);
    let (across, down) = match image.pixel_layout() {
        PixelLayout::I400 => {
            let mut pixels = Vec::with_capacity(columns * height as usize);
            for row in 0..height as usize {
                pixels.extend(luma.row(row, columns).map(|y| byte((y - black) * luma_scale)));
            }
            return raster_of(width, height, Layout::Gray, pixels);
        }
        PixelLayout::I420 => (2, 2),
        PixelLayout::I422 => (2, 1),
        PixelLayout::I444 => (1, 1),
    };
    let matrix = Matrix::by_number(number)?;
    if matrix.is_none() && across != 1 {
        return Err(invalid("its colours need planes of one size"));
    }
    let (blue, red) = (
        planes.plane(PlanarImageComponent::U),
        planes.plane(PlanarImageComponent::V),
    );
    let chroma_columns = columns.div_ceil(across);
    let mut pixels = Vec::with_capacity(columns * height as usize * 3);
    let (mut cb, mut cr) = (Vec::new(), Vec::new());
    for row in 0..height as usize {
        if row % down == 0 {
            cb.clear();
            cb.extend(blue.row(row / down, chroma_columns));
            cr.clear();
            cr.extend(red.row(row / down, chroma_columns));
        }
        for (column, y) in luma.row(row, columns).enumerate() {
            let at = column / across;
            let (Some(&cb), Some(&cr)) = (cb.get(at), cr.get(at)) else {
                return Err(invalid("its planes end early"));
            };
            let colour = match &matrix {
                None => [
                    (cr - black) * luma_scale,
                    (y - black) * luma_scale,
                    (cb - black) * luma_scale,
                ],
                Some(matrix) => {
                    let y = (y - black) * luma_scale;
                    let (cb, cr) = ((cb - middle) * chroma_scale, (cr - middle) * chroma_scale);
                    [
                        y + matrix.red_cr * cr,
                        y - matrix.green_cb * cb - matrix.green_cr * cr,
                        y + matrix.blue_cb * cb,
                    ]
                }
            };
            pixels.extend(colour.map(byte));
        }
    }
    raster_of(width, height, Layout::Rgb, pixels)
}

/// Rounded, and kept within its eight bits.
fn byte(value: f32) -> u8 {
    (value + 0.5).clamp(0.0, 255.0) as u8
}

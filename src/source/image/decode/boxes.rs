//! The boxes around the images of an AVIF file.
//!
//! In: the bytes of a file. Out: its items, what is said of them, and where their bytes are (ISO/IEC 14496-12 for boxes,
//! 23008-12 for items and their properties, and the AVIF specification 1.1). Only what a still image needs is read. Every
//! number is taken for hostile: nothing is sized by it, and every place is looked up.

use super::{invalid, DecodeError};

/// Items, properties and references of one file. Real files have a handful; a grid of 8 x 8 tiles with alpha has 260 properties
/// and references.
const MAX_ENTRIES: usize = 4096;

/// Bytes of all the extents of one item.
const MAX_ITEM: usize = 256 << 20;

/// A file's items.
#[derive(Debug, Default)]
pub struct Items<'a> {
    file: &'a [u8],
    inner: &'a [u8],
    /// The item that is the image.
    pub primary: u32,
    items: Vec<Item>,
    places: Vec<Place>,
    properties: Vec<Property<'a>>,
    /// Items and the places of their properties in `properties`, counted from 1.
    associations: Vec<(u32, Vec<usize>)>,
    references: Vec<Reference>,
}

#[derive(Debug)]
struct Item {
    id: u32,
    kind: [u8; 4],
}

#[derive(Debug)]
struct Place {
    id: u32,
    /// Whether offsets count from the `idat` box.
    inner: bool,
    extents: Vec<(u64, u64)>,
}

#[derive(Debug)]
struct Reference {
    kind: [u8; 4],
    from: u32,
    to: Vec<u32>,
}

/// What is said of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Property<'a> {
    /// `ispe`: its sides.
    Size(u32, u32),
    /// `av1C`: what comes before its own bytes.
    Codec(&'a [u8]),
    /// `colr` of kind `prof` or `rICC`.
    Profile(&'a [u8]),
    /// `colr` of kind `nclx`: how luma and chroma are made of colours, and whether they use all values.
    Colours { matrix: u16, full_range: bool },
    /// `irot`: quarter turns against the clock.
    Turn(u8),
    /// `imir`: 0 exchanges top and bottom, 1 left and right.
    Mirror(u8),
    /// `clap`: only a part of it is to be seen.
    Crop,
    /// `auxC`: what it is for, when it belongs to another.
    Purpose(&'a [u8]),
    /// Anything else.
    Other,
}

/// Reads numbers and boxes; every read may find that there is nothing left.
#[derive(Debug, Clone, Copy)]
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number of so many bytes, at most eight.
    fn number(&mut self, bytes: usize) -> Option<u64> {
        Some(
            self.take(bytes)?
                .iter()
                .fold(0, |sum, &byte| sum << 8 | u64::from(byte)),
        )
    }

    fn byte(&mut self) -> Option<u8> {
        self.number(1).map(|value| value as u8)
    }

    fn short(&mut self) -> Option<u16> {
        self.number(2).map(|value| value as u16)
    }

    fn long(&mut self) -> Option<u32> {
        self.number(4).map(|value| value as u32)
    }

    fn fourcc(&mut self) -> Option<[u8; 4]> {
        self.take(4)?.try_into().ok()
    }

    /// The next box: its name and what is in it.
    fn next_box(&mut self) -> Option<([u8; 4], Reader<'a>)> {
        let mut head = *self;
        let size = head.long()?;
        let name = head.fourcc()?;
        let size = match size {
            0 => self.0.len() as u64,
            1 => head.number(8)?,
            size => u64::from(size),
        };
        let whole = self.take(usize::try_from(size).ok()?)?;
        let head_bytes = if whole.starts_with(&[0, 0, 0, 1]) { 16 } else { 8 };
        Some((name, Reader(whole.get(head_bytes..)?)))
    }

    /// Version and flags of a box that has them.
    fn version(&mut self) -> Option<(u8, u32)> {
        let value = self.long()?;
        Some(((value >> 24) as u8, value & 0x00ff_ffff))
    }
}

impl<'a> Items<'a> {
    /// Reads the items of a file.
    pub fn parse(file: &'a [u8]) -> Result<Items<'a>, DecodeError> {
        let mut items = Items {
            file,
            ..Items::default()
        };
        let mut reader = Reader(file);
        while let Some((name, mut content)) = reader.next_box() {
            if &name == b"meta" {
                items
                    .read_meta(&mut content)
                    .ok_or_else(|| invalid("its boxes are broken"))?;
                return Ok(items);
            }
        }
        Err(invalid("it has no items"))
    }

    fn read_meta(&mut self, meta: &mut Reader<'a>) -> Option<()> {
        meta.version()?;
        while let Some((name, mut content)) = meta.next_box() {
            match &name {
                b"pitm" => {
                    let (version, _) = content.version()?;
                    self.primary = content.number(if version == 0 { 2 } else { 4 })? as u32;
                }
                b"iinf" => self.read_infos(&mut content)?,
                b"iloc" => self.read_places(&mut content)?,
                b"iref" => self.read_references(&mut content)?,
                b"iprp" => self.read_properties(&mut content)?,
                b"idat" => self.inner = content.0,
                _ => {}
            }
        }
        Some(())
    }

    fn read_infos(&mut self, infos: &mut Reader<'a>) -> Option<()> {
        let (version, _) = infos.version()?;
        infos.number(if version == 0 { 2 } else { 4 })?;
        while let Some((name, mut info)) = infos.next_box() {
            let (version, _) = info.version()?;
            if &name != b"infe" || version < 2 || self.items.len() >= MAX_ENTRIES {
                continue;
            }
            let id = info.number(if version == 2 { 2 } else { 4 })? as u32;
            info.short()?;
            self.items.push(Item {
                id,
                kind: info.fourcc()?,
            });
        }
        Some(())
    }

    fn read_places(&mut self, places: &mut Reader<'a>) -> Option<()> {
        let (version, _) = places.version()?;
        let sizes = places.short()?;
        let width = |shift: u16| usize::from(sizes >> shift & 0xf);
        let (offset_bytes, length_bytes, base_bytes) = (width(12), width(8), width(4));
        let index_bytes = if version == 0 { 0 } else { width(0) };
        if [offset_bytes, length_bytes, base_bytes, index_bytes]
            .iter()
            .any(|&bytes| bytes > 8)
        {
            return None;
        }
        let count = places.number(if version < 2 { 2 } else { 4 })?;
        for _ in 0..count.min(MAX_ENTRIES as u64) {
            let id = places.number(if version < 2 { 2 } else { 4 })? as u32;
            let method = if version == 0 { 0 } else { places.short()? & 0xf };
            places.short()?;
            let base = places.number(base_bytes)?;
            let extents = places.short()?;
            let mut place = Place {
                id,
                inner: method == 1,
                extents: Vec::new(),
            };
            for _ in 0..extents {
                places.number(index_bytes)?;
                let offset = base.checked_add(places.number(offset_bytes)?)?;
                place.extents.push((offset, places.number(length_bytes)?));
            }
            if method <= 1 {
                self.places.push(place);
            }
        }
        Some(())
    }

    fn read_references(&mut self, references: &mut Reader<'a>) -> Option<()> {
        let (version, _) = references.version()?;
        let id_bytes = if version == 0 { 2 } else { 4 };
        while let Some((kind, mut content)) = references.next_box() {
            if self.references.len() >= MAX_ENTRIES {
                break;
            }
            let from = content.number(id_bytes)? as u32;
            let count = content.short()?;
            let to = (0..count)
                .map(|_| content.number(id_bytes).map(|id| id as u32))
                .collect::<Option<_>>()?;
            self.references.push(Reference { kind, from, to });
        }
        Some(())
    }

    fn read_properties(&mut self, both: &mut Reader<'a>) -> Option<()> {
        while let Some((name, mut content)) = both.next_box() {
            match &name {
                b"ipco" => {
                    while let Some((name, property)) = content.next_box() {
                        if self.properties.len() >= MAX_ENTRIES {
                            break;
                        }
                        self.properties
                            .push(property_of(&name, property).unwrap_or(Property::Other));
                    }
                }
                b"ipma" => self.read_associations(&mut content)?,
                _ => {}
            }
        }
        Some(())
    }

    fn read_associations(&mut self, content: &mut Reader<'a>) -> Option<()> {
        let (version, flags) = content.version()?;
        let wide = flags & 1 == 1;
        let count = content.long()?;
        for _ in 0..count.min(MAX_ENTRIES as u32) {
            let id = content.number(if version == 0 { 2 } else { 4 })? as u32;
            let count = content.byte()?;
            // The first bit says that a reader must know the property.
            let index = |content: &mut Reader<'a>| {
                Some(if wide {
                    usize::from(content.short()? & 0x7fff)
                } else {
                    usize::from(content.byte()? & 0x7f)
                })
            };
            let indices = (0..count).map(|_| index(content)).collect::<Option<_>>()?;
            self.associations.push((id, indices));
        }
        Some(())
    }

    /// The four letters of an item's kind.
    pub fn kind(&self, id: u32) -> Option<[u8; 4]> {
        self.items.iter().find(|item| item.id == id).map(|item| item.kind)
    }

    /// What is said of an item, in the order in which it is to be applied.
    pub fn properties(&self, id: u32) -> impl Iterator<Item = Property<'a>> + '_ {
        self.associations
            .iter()
            .filter(move |(item, _)| *item == id)
            .flat_map(|(_, indices)| indices)
            .filter_map(|&index| self.properties.get(index.checked_sub(1)?).copied())
    }

    /// The items that an item refers to.
    pub fn referred(&self, kind: &[u8; 4], from: u32) -> Option<&[u32]> {
        let found = self
            .references
            .iter()
            .find(|reference| &reference.kind == kind && reference.from == from);
        found.map(|reference| reference.to.as_slice())
    }

    /// The items that refer to an item.
    pub fn referring(&self, kind: &'static [u8; 4], to: u32) -> impl Iterator<Item = u32> + '_ {
        self.references
            .iter()
            .filter(move |reference| &reference.kind == kind && reference.to.contains(&to))
            .map(|reference| reference.from)
    }

    /// The bytes of an item.
    pub fn bytes(&self, id: u32) -> Result<Vec<u8>, DecodeError> {
        let missing = || invalid("the bytes of an item are missing");
        let place = self.places.iter().find(|place| place.id == id).ok_or_else(missing)?;
        let from = if place.inner { self.inner } else { self.file };
        let mut bytes = Vec::new();
        for &(offset, length) in &place.extents {
            let start = usize::try_from(offset).map_err(|_| missing())?;
            let rest = from.get(start..).ok_or_else(missing)?;
            let length = if length == 0 { rest.len() as u64 } else { length };
            let extent = usize::try_from(length)
                .ok()
                .and_then(|length| rest.get(..length))
                .ok_or_else(missing)?;
            if bytes.len() + extent.len() > MAX_ITEM {
                return Err(invalid("an item is too large"));
            }
            bytes.extend_from_slice(extent);
        }
        Ok(bytes)
    }
}

fn property_of<'a>(name: &[u8; 4], mut content: Reader<'a>) -> Option<Property<'a>> {
    match name {
        b"ispe" => {
            content.version()?;
            Some(Property::Size(content.long()?, content.long()?))
        }
        // Four bytes that the image itself repeats, then whole units.
        b"av1C" => Some(Property::Codec(content.0.get(4..)?)),
        b"colr" => match &content.fourcc()? {
            b"prof" | b"rICC" => Some(Property::Profile(content.0)),
            b"nclx" => {
                content.long()?;
                let matrix = content.short()?;
                let full_range = content.byte()? & 0x80 != 0;
                Some(Property::Colours { matrix, full_range })
            }
            _ => Some(Property::Other),
        },
        b"irot" => Some(Property::Turn(content.byte()? & 3)),
        b"imir" => Some(Property::Mirror(content.byte()? & 1)),
        b"clap" => Some(Property::Crop),
        b"auxC" => {
            content.version()?;
            let end = content.0.iter().position(|&byte| byte == 0).unwrap_or(content.0.len());
            Some(Property::Purpose(&content.0[..end]))
        }
        _ => Some(Property::Other),
    }
}

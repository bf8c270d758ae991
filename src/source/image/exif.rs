//! Which way up an image is.
//!
//! In: an EXIF block, with or without its `Exif\0\0`. Out: its orientation, 1 to 8; 1 when it says nothing that can be used.
//! One tag is read, so that no more of an untrusted block is looked at (EXIF 2.32, 4.6.4: tag 0x0112 of IFD0).

const ORIENTATION: u16 = 0x0112;
const SHORT: u16 = 3;

/// The orientation that an EXIF block names.
pub fn orientation(exif: &[u8]) -> u8 {
    read(exif.strip_prefix(b"Exif\0\0".as_slice()).unwrap_or(exif)).unwrap_or(1)
}

fn read(tiff: &[u8]) -> Option<u8> {
    let little = match tiff.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let bytes: [u8; 2] = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    };
    let offset: [u8; 4] = tiff.get(4..8)?.try_into().ok()?;
    let offset = if little {
        u32::from_le_bytes(offset)
    } else {
        u32::from_be_bytes(offset)
    } as usize;
    let count = usize::from(short(offset)?);
    (0..count)
        .map(|index| offset + 2 + index * 12)
        .find(|&entry| short(entry) == Some(ORIENTATION))
        .filter(|&entry| short(entry + 2) == Some(SHORT))
        .and_then(|entry| short(entry + 8))
        .and_then(|value| u8::try_from(value).ok())
        .filter(|value| (1..=8).contains(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block(value: u16, little: bool) -> Vec<u8> {
        let short = |value: u16| {
            if little {
                value.to_le_bytes()
            } else {
                value.to_be_bytes()
            }
        };
        let long = |value: u32| {
            if little {
                value.to_le_bytes()
            } else {
                value.to_be_bytes()
            }
        };
        let mut out = b"Exif\0\0".to_vec();
        out.extend(if little { b"II*\0" } else { b"MM\0*" });
        out.extend(long(8));
        out.extend(short(2));
        for (tag, value) in [(0x010f, 1), (ORIENTATION, value)] {
            out.extend(short(tag));
            out.extend(short(SHORT));
            out.extend(long(1));
            out.extend(short(value));
            out.extend([0, 0]);
        }
        out
    }

    #[test]
    fn one_tag_is_read_in_both_orders() {
        for little in [true, false] {
            for value in 1..=8 {
                assert_eq!(orientation(&block(value, little)), value as u8);
                assert_eq!(orientation(&block(value, little)[6..]), value as u8);
            }
            assert_eq!(orientation(&block(9, little)), 1);
            assert_eq!(orientation(&block(0, little)), 1);
        }
        assert_eq!(orientation(b""), 1);
    }

    proptest! {
        #[test]
        fn any_block_is_harmless(bytes in proptest::collection::vec(any::<u8>(), 0..64), little in any::<bool>()) {
            let mut block = block(6, little);
            block.truncate(14);
            block.extend(bytes);
            prop_assert!((1..=8).contains(&orientation(&block)));
        }
    }
}

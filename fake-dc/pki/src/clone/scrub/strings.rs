//! Strings of ASN.1, and bytes in which strings may hide.

use super::Scrubber;

const UTF8: u8 = 0x0c;
const UNIVERSAL: u8 = 0x1c;
const BMP: u8 = 0x1e;

/// Whether an element of this tag is a string.
pub(super) fn is_string(tag: u8) -> bool {
    // UTF8, Numeric, Printable, T61, Videotex, IA5, Graphic, Visible, General, Universal, BMP.
    matches!(tag, UTF8 | 0x12..=0x16 | 0x19..=UNIVERSAL | BMP)
}

/// Whether three octets of four are of text, in ASCII or UTF-16.
fn is_mostly_text(bytes: &[u8]) -> bool {
    let printable = bytes.iter().filter(|&&octet| octet == 0 || (0x20..0x7f).contains(&octet));
    let letters = bytes.iter().filter(|octet| octet.is_ascii_alphanumeric()).count();
    printable.count() * 4 >= bytes.len() * 3 && letters >= TEXT_MIN
}

/// Printable characters that make text of bytes.
const TEXT_MIN: usize = 3;
/// The same where most bytes are no text.
const TEXT_MIN_AMONG_BYTES: usize = 6;

impl Scrubber<'_> {
    /// The content of a string of type `tag` with names exchanged.
    pub(super) fn string(&mut self, tag: u8, content: &[u8]) -> Vec<u8> {
        let decoded: Option<String> = match tag {
            UTF8 => std::str::from_utf8(content).ok().map(str::to_owned),
            BMP => content
                .chunks(2)
                .map(|unit| match unit {
                    [high, low] => char::from_u32(u32::from(u16::from_be_bytes([*high, *low]))),
                    _ => None,
                })
                .collect(),
            UNIVERSAL => content
                .chunks(4)
                .map(|unit| char::from_u32(u32::from_be_bytes(unit.try_into().ok()?)))
                .collect(),
            // ASCII, and T61String, which is used as Latin-1; UTF-8 stands in any of them.
            _ => match std::str::from_utf8(content) {
                Ok(text) => Some(text.to_owned()),
                Err(_) => Some(content.iter().copied().map(char::from).collect()),
            },
        };
        let Some(decoded) = decoded else { return self.raw(content) };
        let is_latin =
            !matches!(tag, UTF8 | BMP | UNIVERSAL) && std::str::from_utf8(content).is_err();
        let exchanged = self.text(&decoded);
        match tag {
            BMP => exchanged.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            UNIVERSAL => {
                exchanged.chars().flat_map(|letter| u32::from(letter).to_be_bytes()).collect()
            }
            _ if is_latin => exchanged
                .chars()
                .map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?'))
                .collect(),
            _ => exchanged.into_bytes(),
        }
    }

    /// Bytes that may be text, a digest, or anything.
    pub(super) fn unknown(&mut self, bytes: &[u8]) -> Vec<u8> {
        match bytes.len() {
            _ if is_mostly_text(bytes) => self.raw(bytes),
            // In digests and identifiers letters occur by chance.
            16 | 20 | 28 | 32 | 48 | 64 => bytes.to_vec(),
            _ => self.raw_from(bytes, TEXT_MIN_AMONG_BYTES),
        }
    }

    /// Bytes of unknown make, in which whatever looks like text is exchanged in its place: ASCII,
    /// and UTF-16 of either order.
    pub(in crate::clone) fn raw(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.raw_from(bytes, TEXT_MIN)
    }

    fn raw_from(&mut self, bytes: &[u8], text_min: usize) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for (step, offset) in [(1, 0), (2, 0), (2, 1)] {
            self.raw_runs(&mut bytes, step, offset, text_min);
        }
        bytes
    }

    /// Text of which every `step`th byte from `offset` on is a character, and the rest is zero.
    fn raw_runs(&mut self, bytes: &mut [u8], step: usize, offset: usize, text_min: usize) {
        let mut at = offset;
        while at < bytes.len() {
            let mut end = at;
            while end < bytes.len()
                && (0x20..0x7f).contains(&bytes[end])
                && (step == 1 || bytes.get(end + 1).is_none_or(|&zero| zero == 0))
            {
                end += step;
            }
            let places: Vec<usize> = (at..end.min(bytes.len())).step_by(step).collect();
            if places.len() >= text_min {
                let text: String = places.iter().map(|&place| char::from(bytes[place])).collect();
                // As many bytes come back: in ASCII, inventions are ASCII.
                for (&place, octet) in places.iter().zip(self.raw_text(&text).bytes()) {
                    bytes[place] = octet;
                }
            }
            at = end.max(at) + step;
        }
    }
}

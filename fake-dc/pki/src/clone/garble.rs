//! What cannot be taken apart as a certificate: it is kept as it is, unless it holds a key.
//!
//! Then it is gone through octet by octet, as far as its elements can be told: outline and length
//! stay, so that it is as broken as before and in the same place, and what may be a key, a
//! signature or an identifier made from one is exchanged for noise.

use crate::clone::scrub::Scrubber;

/// Object identifiers of key types, as they stand in DER: RSA and its relatives, elliptic curves,
/// DSA, Ed25519 and the others of RFC 8410.
const KEY_TYPES: [&[u8]; 4] = [
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01],
    &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01],
    &[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01],
    &[0x06, 0x03, 0x2b, 0x65],
];

/// A serial number has 20 octets at most (RFC 5280, section 4.1.2.2).
const NUMBER_MAX: usize = 21;
/// Shorter strings of octets are flags.
const OCTETS_MIN: usize = 8;

/// `bytes` without keys, and without names if there is a scrubber.
pub(super) fn entry(
    bytes: &[u8],
    noise: &impl Fn(usize) -> Vec<u8>,
    scrubber: Option<&mut Scrubber<'_>>,
) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let holds_key = KEY_TYPES.iter().any(|id| find(&bytes, id).is_some());
    if !holds_key {
        return match scrubber {
            Some(scrubber) => scrubber.raw(&bytes),
            None => bytes,
        };
    }
    let noise = noise(bytes.len());
    let mut walk = Walk { bytes: &mut bytes, noise: &noise, scrubber };
    let end = walk.bytes.len();
    walk.elements(0, end, 0);
    bytes
}

/// Noise in the outline of a public key of unknown make; `bits` is the content of a BIT STRING.
pub(super) fn key(bits: &[u8], noise: &impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    let mut bytes = bits.to_vec();
    let noise = noise(bytes.len());
    let mut walk = Walk { bytes: &mut bytes, noise: &noise, scrubber: None };
    let end = walk.bytes.len();
    walk.bits(0, end, 0);
    bytes
}

/// The place of `wanted` in `bytes`.
pub(super) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

struct Walk<'a, 'b, 'm> {
    bytes: &'a mut Vec<u8>,
    noise: &'a [u8],
    scrubber: Option<&'b mut Scrubber<'m>>,
}

/// Deeper than any certificate.
const DEPTH_MAX: usize = 32;

impl Walk<'_, '_, '_> {
    /// A run of elements, of which the last may be cut off.
    fn elements(&mut self, mut at: usize, end: usize, depth: usize) {
        while at < end {
            let Some((tag, content, length)) = head(&self.bytes[at..end]) else {
                return self.fill(at, end);
            };
            let (from, to) = (at + content, end.min((at + content).saturating_add(length)));
            match tag {
                0x02 if to - from > NUMBER_MAX => self.fill(from + 1, to),
                0x03 => self.bits(from, to, depth),
                0x04 => self.octets(from, to, depth),
                tag if tag & 0x20 != 0 && depth < DEPTH_MAX => self.elements(from, to, depth + 1),
                0x01 | 0x02 | 0x05 | 0x06 | 0x0a | 0x17 | 0x18 if to - from <= NUMBER_MAX => {}
                // Key identifiers and serial numbers have context tags, and so do names.
                tag if tag & 0xc0 != 0 && !self.is_text(from, to) => {
                    if to - from >= OCTETS_MIN {
                        self.fill(from, to);
                    }
                }
                _ if self.is_text(from, to) || to - from <= NUMBER_MAX => self.names(from, to),
                // A string in another alphabet, or a key under a wrong tag.
                _ => self.fill(from, to),
            }
            at = to;
        }
    }

    fn bits(&mut self, from: usize, to: usize, depth: usize) {
        let inner = from.saturating_add(1).min(to);
        if self.holds_elements(inner, to) {
            self.elements(inner, to, depth + 1);
        } else if to - from > OCTETS_MIN {
            // The number of unused bits stays, and what tells the form of a point.
            let mark = usize::from(self.bytes.get(inner).is_some_and(|form| *form <= 4));
            self.fill(inner + mark, to);
        }
    }

    fn octets(&mut self, from: usize, to: usize, depth: usize) {
        if self.holds_elements(from, to) {
            self.elements(from, to, depth + 1);
        } else if self.is_text(from, to) {
            self.names(from, to);
        } else if to - from >= OCTETS_MIN {
            self.fill(from, to);
        }
    }

    fn names(&mut self, from: usize, to: usize) {
        if let Some(scrubber) = &mut self.scrubber {
            let exchanged = scrubber.raw(&self.bytes[from..to]);
            self.bytes[from..to].copy_from_slice(&exchanged);
        }
    }

    fn fill(&mut self, from: usize, to: usize) {
        if from < to {
            self.bytes[from..to].copy_from_slice(&self.noise[from..to]);
        }
    }

    /// Whether there is an element that reaches to the end, or would.
    fn holds_elements(&self, from: usize, to: usize) -> bool {
        let Some((tag, content, length)) = head(&self.bytes[from..to]) else { return false };
        let known = matches!(tag, 0x02..=0x06 | 0x0a | 0x30 | 0x31);
        known && content.saturating_add(length) >= to - from
    }

    fn is_text(&self, from: usize, to: usize) -> bool {
        self.bytes[from..to].iter().all(|octet| (0x20..0x7f).contains(octet))
    }
}

/// Tag, octets of tag and length, and length of the element at the start.
fn head(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (&tag, &first) = (bytes.first()?, bytes.get(1)?);
    if tag & 0x1f == 0x1f {
        return None;
    }
    if first < 0x80 {
        return Some((tag, 2, first.into()));
    }
    let octets = usize::from(first & 0x7f);
    if !(1..=4).contains(&octets) {
        return None;
    }
    let length = bytes.get(2..2 + octets)?;
    let length = length.iter().fold(0, |length, &octet| length << 8 | usize::from(octet));
    Some((tag, 2 + octets, length))
}

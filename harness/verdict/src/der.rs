//! A reader for DER as libtasn1 reads it: definite lengths only, but lengths need not be minimal.
//!
//! It cuts bytes into elements and says why it could not. What an element means is up to others.

use crate::steps::{self, Step};

/// Universal and context tags that certificates use, with class and constructed bits.
pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const NULL: u8 = 0x05;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const UTF8_STRING: u8 = 0x0c;
    pub(crate) const PRINTABLE_STRING: u8 = 0x13;
    pub(crate) const TELETEX_STRING: u8 = 0x14;
    pub(crate) const IA5_STRING: u8 = 0x16;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const BMP_STRING: u8 = 0x1e;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;

    /// `[n]`, primitive.
    pub(crate) const fn context(number: u8) -> u8 {
        0x80 | number
    }

    /// `[n]`, constructed.
    pub(crate) const fn context_constructed(number: u8) -> u8 {
        0xa0 | number
    }
}

/// Why bytes are not the wanted element, in GnuTLS' terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DerError {
    /// The structure is broken: cut short, impossible length, trailing bytes.
    Structure,
    /// Another element than the wanted one stands here.
    Tag,
    /// A time is not written as DER wants it.
    Time,
}

/// One element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    /// Tag, length and content.
    pub(crate) whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// A reader of the elements inside.
    pub(crate) fn inner(&self) -> Reader<'a> {
        Reader::new(self.content)
    }

    /// The bits of a BIT STRING that is a whole number of octets.
    pub(crate) fn octet_bits(&self) -> Result<&'a [u8], DerError> {
        match self.content.split_first() {
            Some((0, bits)) => Ok(bits),
            _ => Err(DerError::Structure),
        }
    }

    /// The value of a non-negative INTEGER that fits.
    pub(crate) fn small_integer(&self) -> Option<u32> {
        let significant = self.content.iter().position(|&octet| octet != 0);
        let digits = significant.map_or(&[][..], |start| &self.content[start..]);
        if self.content.is_empty() || self.content[0] >= 0x80 || digits.len() > 4 {
            return None;
        }
        Some(digits.iter().fold(0, |value, &octet| value << 8 | u32::from(octet)))
    }
}

/// Reads elements one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The only element of `bytes`, which has the given tag.
    pub(crate) fn only(bytes: &'a [u8], tag: u8) -> Result<Element<'a>, DerError> {
        let mut reader = Self::new(bytes);
        let element = reader.expect(tag)?;
        reader.end()?;
        Ok(element)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Nothing may be left.
    pub(crate) fn end(&self) -> Result<(), DerError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DerError::Structure) }
    }

    /// Tag of the next element; `None` at the end.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next element, whatever it is.
    pub(crate) fn element(&mut self) -> Result<Element<'a>, DerError> {
        steps::count(Step::Element);
        let bytes = self.rest;
        let (&tag, after_tag) = bytes.split_first().ok_or(DerError::Structure)?;
        let mut header = 1;
        let mut after_tag = after_tag;
        if tag & 0x1f == 0x1f {
            // High tag numbers occur in no certificate; they are skipped as whole elements.
            let end = after_tag.iter().position(|octet| octet & 0x80 == 0);
            let end = end.ok_or(DerError::Structure)? + 1;
            header += end;
            after_tag = &after_tag[end..];
        }
        let (&first, after_length) = after_tag.split_first().ok_or(DerError::Structure)?;
        header += 1;
        let length = if first < 0x80 {
            usize::from(first)
        } else {
            let count = usize::from(first & 0x7f);
            if count == 0 || after_length.len() < count {
                return Err(DerError::Structure);
            }
            header += count;
            after_length[..count].iter().try_fold(0_usize, |length, &octet| {
                length
                    .checked_mul(256)
                    .and_then(|length| length.checked_add(usize::from(octet)))
                    .ok_or(DerError::Structure)
            })?
        };
        let end = header.checked_add(length).filter(|&end| end <= bytes.len());
        let end = end.ok_or(DerError::Structure)?;
        self.rest = &bytes[end..];
        Ok(Element { tag, content: &bytes[header..end], whole: &bytes[..end] })
    }

    /// The next element, which has the given tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<Element<'a>, DerError> {
        match self.peek() {
            Some(found) if found == tag => self.element(),
            _ => Err(DerError::Tag),
        }
    }

    /// The next element if it has the given tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, DerError> {
        if self.peek() == Some(tag) { self.element().map(Some) } else { Ok(None) }
    }
}

/// Dotted text of an OBJECT IDENTIFIER's content.
pub(crate) fn oid_text(content: &[u8]) -> String {
    let mut numbers = Vec::new();
    let mut number = 0_u128;
    for &octet in content {
        number = number.wrapping_shl(7) | u128::from(octet & 0x7f);
        if octet & 0x80 == 0 {
            if numbers.is_empty() {
                let first = (number / 40).min(2);
                numbers.push(first);
                number -= first * 40;
            }
            numbers.push(number);
            number = 0;
        }
    }
    let texts: Vec<_> = numbers.iter().map(u128::to_string).collect();
    texts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_cut_by_length() {
        let mut reader = Reader::new(&[0x02, 0x81, 0x01, 0x05, 0x05, 0x00]);
        assert_eq!(reader.expect(tag::INTEGER).map(|e| e.small_integer()), Ok(Some(5)));
        assert_eq!(reader.expect(tag::INTEGER), Err(DerError::Tag));
        assert_eq!(reader.element().map(|e| e.tag), Ok(tag::NULL));
        assert_eq!(reader.element(), Err(DerError::Structure));
    }

    #[test]
    fn indefinite_and_overlong_lengths_are_refused() {
        assert_eq!(Reader::new(&[0x30, 0x80, 0, 0]).element(), Err(DerError::Structure));
        assert!(Reader::new(&[0x30, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1]).element().is_err());
        assert_eq!(Reader::new(&[0x30, 0x02, 0]).element(), Err(DerError::Structure));
    }

    #[test]
    fn oids_are_written_with_dots() {
        assert_eq!(oid_text(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]), "1.2.840.113549");
    }
}

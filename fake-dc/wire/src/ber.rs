//! The part of BER that LDAP uses (RFC 4511 §5.1): definite lengths, tags of one byte.

use crate::error::{DecodeError, DecodeErrorKind};

/// Tag bytes.
pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const ENUMERATED: u8 = 0x0a;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;
    /// Context-specific and primitive.
    pub(crate) const CONTEXT: u8 = 0x80;
    /// Context-specific and constructed.
    pub(crate) const CONTEXT_CONSTRUCTED: u8 = 0xa0;
}

/// The header of an element: its tag and where its content lies.
pub(crate) struct Header {
    pub(crate) tag: u8,
    /// Bytes of tag and length.
    pub(crate) size: usize,
    /// Bytes of the content.
    pub(crate) content: usize,
}

impl Header {
    /// Reads a header; `None` if `bytes` ends before the header does.
    pub(crate) fn read(bytes: &[u8], offset: usize) -> Result<Option<Self>, DecodeError> {
        let (Some(&tag), Some(&first)) = (bytes.first(), bytes.get(1)) else {
            return Ok(None);
        };
        if first < 0x80 {
            return Ok(Some(Self { tag, size: 2, content: usize::from(first) }));
        }
        let count = usize::from(first & 0x7f);
        if count == 0 {
            return Err(DecodeError::new(offset + 1, DecodeErrorKind::IndefiniteLength));
        }
        if count > 8 {
            return Err(DecodeError::new(offset + 1, DecodeErrorKind::LongLength { bytes: count }));
        }
        let Some(length) = bytes.get(2..2 + count) else {
            return Ok(None);
        };
        let length = length.iter().fold(0_u64, |length, &byte| length << 8 | u64::from(byte));
        let content = usize::try_from(length).unwrap_or(usize::MAX);
        Ok(Some(Self { tag, size: 2 + count, content }))
    }
}

/// Reads the elements of one sequence. Knows its place in the whole message, for errors.
#[derive(Clone)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    pub(crate) fn at(bytes: &'a [u8], offset: usize) -> Self {
        Self { bytes, offset }
    }

    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The tag of the next element, if there is one.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.first().copied()
    }

    /// The next element, of any tag.
    pub(crate) fn element(
        &mut self,
        expected: &'static str,
    ) -> Result<(u8, Reader<'a>), DecodeError> {
        let header = Header::read(self.bytes, self.offset)?
            .ok_or(DecodeError::new(self.offset, DecodeErrorKind::Missing { expected }))?;
        let available = self.bytes.len() - header.size;
        if header.content > available {
            return Err(DecodeError::new(
                self.offset,
                DecodeErrorKind::Overrun { size: header.content, available },
            ));
        }
        let (content, rest) = self.bytes[header.size..].split_at(header.content);
        let content = Reader { bytes: content, offset: self.offset + header.size };
        self.offset += header.size + header.content;
        self.bytes = rest;
        Ok((header.tag, content))
    }

    /// The next element, of this tag.
    pub(crate) fn tagged(
        &mut self,
        tag: u8,
        expected: &'static str,
    ) -> Result<Reader<'a>, DecodeError> {
        match self.peek() {
            Some(found) if found != tag => Err(DecodeError::new(
                self.offset,
                DecodeErrorKind::UnexpectedTag { expected, found },
            )),
            _ => Ok(self.element(expected)?.1),
        }
    }

    /// The next element if it has this tag.
    pub(crate) fn optional(
        &mut self,
        tag: u8,
        expected: &'static str,
    ) -> Result<Option<Reader<'a>>, DecodeError> {
        if self.peek() == Some(tag) { self.tagged(tag, expected).map(Some) } else { Ok(None) }
    }

    pub(crate) fn sequence(&mut self, expected: &'static str) -> Result<Reader<'a>, DecodeError> {
        self.tagged(tag::SEQUENCE, expected)
    }

    pub(crate) fn octets(&mut self, tag: u8, field: &'static str) -> Result<&'a [u8], DecodeError> {
        Ok(self.tagged(tag, field)?.bytes)
    }

    pub(crate) fn text(&mut self, tag: u8, field: &'static str) -> Result<String, DecodeError> {
        self.tagged(tag, field)?.into_text(field)
    }

    pub(crate) fn unsigned(&mut self, tag: u8, field: &'static str) -> Result<u32, DecodeError> {
        self.tagged(tag, field)?.into_unsigned(field)
    }

    pub(crate) fn boolean(&mut self, tag: u8, field: &'static str) -> Result<bool, DecodeError> {
        self.tagged(tag, field)?.into_boolean(field)
    }

    /// Fails if anything is left.
    pub(crate) fn end(&self, what: &'static str) -> Result<(), DecodeError> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let kind = DecodeErrorKind::TrailingBytes { count: self.bytes.len(), what };
        Err(DecodeError::new(self.offset, kind))
    }

    /// The content as bytes.
    pub(crate) fn into_octets(self) -> &'a [u8] {
        self.bytes
    }

    /// The content as text.
    pub(crate) fn into_text(self, field: &'static str) -> Result<String, DecodeError> {
        std::str::from_utf8(self.bytes)
            .map(str::to_owned)
            .map_err(|_| DecodeError::new(self.offset, DecodeErrorKind::NotUtf8 { field }))
    }

    /// The content as a number from 0 to 2³¹−1, the range of LDAP's integers.
    pub(crate) fn into_unsigned(self, field: &'static str) -> Result<u32, DecodeError> {
        let out_of_range = DecodeError::new(self.offset, DecodeErrorKind::OutOfRange { field });
        let significant = match self.bytes.iter().position(|&byte| byte != 0) {
            _ if self.bytes.is_empty() || self.bytes[0] >= 0x80 => return Err(out_of_range),
            None => return Ok(0),
            Some(start) => &self.bytes[start..],
        };
        if significant.len() > 4 || (significant.len() == 4 && significant[0] >= 0x80) {
            return Err(out_of_range);
        }
        Ok(significant.iter().fold(0, |number, &byte| number << 8 | u32::from(byte)))
    }

    /// The content as a truth value; any byte but zero is true.
    pub(crate) fn into_boolean(self, field: &'static str) -> Result<bool, DecodeError> {
        match self.bytes {
            [byte] => Ok(*byte != 0),
            _ => Err(DecodeError::new(self.offset, DecodeErrorKind::OutOfRange { field })),
        }
    }
}

/// Writes elements with shortest lengths.
#[derive(Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn with_bytes(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// An element whose content `write` writes.
    pub(crate) fn nest(&mut self, tag: u8, write: impl FnOnce(&mut Self)) {
        self.bytes.push(tag);
        // One byte for the length. A longer length moves the content, which is rare and short.
        self.bytes.push(0);
        let start = self.bytes.len();
        write(self);
        let length = self.bytes.len() - start;
        if length < 0x80 {
            self.bytes[start - 1] = low_byte(length);
            return;
        }
        let (count, digits) = length_digits(length);
        self.bytes[start - 1] = 0x80 | low_byte(count);
        self.bytes.splice(start..start, digits[digits.len() - count..].iter().copied());
    }

    pub(crate) fn octets(&mut self, tag: u8, octets: &[u8]) {
        self.bytes.push(tag);
        let length = octets.len();
        if length < 0x80 {
            self.bytes.push(low_byte(length));
        } else {
            let (count, digits) = length_digits(length);
            self.bytes.push(0x80 | low_byte(count));
            self.bytes.extend_from_slice(&digits[digits.len() - count..]);
        }
        self.bytes.extend_from_slice(octets);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.octets(tag::OCTET_STRING, text.as_bytes());
    }

    pub(crate) fn unsigned(&mut self, tag: u8, number: u32) {
        let bytes = u64::from(number).to_be_bytes();
        // Leave a zero byte in front of a set sign bit.
        let mut start = bytes.iter().position(|&byte| byte != 0).unwrap_or(bytes.len() - 1);
        if bytes[start] >= 0x80 {
            start -= 1;
        }
        self.octets(tag, &bytes[start..]);
    }

    pub(crate) fn boolean(&mut self, tag: u8, truth: bool) {
        self.octets(tag, &[if truth { 0xff } else { 0x00 }]);
    }
}

fn length_digits(length: usize) -> (usize, [u8; 8]) {
    let digits = (length as u64).to_be_bytes();
    let count = digits.iter().position(|&byte| byte != 0).map_or(1, |zeros| digits.len() - zeros);
    (count, digits)
}

const fn low_byte(number: usize) -> u8 {
    (number & 0xff) as u8
}

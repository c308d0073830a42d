//! The small part of DER (X.690) that Kerberos and SPNEGO use.
//!
//! Reading is lenient where deployed clients are: lengths may be longer than needed (Heimdal), and
//! whatever follows the known elements of a sequence is passed over. Writing is DER.

use ground::Timestamp;
use time::{Date, Month, PrimitiveDateTime, Time};

use crate::{error::Error, limits};

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const GENERAL_STRING: u8 = 0x1b;
pub(crate) const SEQUENCE: u8 = 0x30;

/// `[APPLICATION number]`.
pub(crate) const fn application(number: u8) -> u8 {
    0x60 | number
}

/// `[number]`, constructed.
pub(crate) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// A cursor over the content of one element.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    what: &'static str,
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads `bytes`, which errors call `what`.
    pub(crate) fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Self { what, bytes }
    }

    /// Reads an element that is all of `bytes`.
    pub(crate) fn whole(what: &'static str, bytes: &'a [u8], tag: u8) -> Result<Self, Error> {
        let mut reader = Self::new(what, bytes);
        let content = reader.element(tag)?;
        reader.end()?;
        Ok(content)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    pub(crate) fn end(&self) -> Result<(), Error> {
        match self.bytes.len() {
            0 => Ok(()),
            count => Err(Error::TrailingBytes { what: self.what, count }),
        }
    }

    /// The next element, whatever it is: identifier octet and content.
    pub(crate) fn any(&mut self) -> Result<(u8, Reader<'a>), Error> {
        let &[tag, first, ref rest @ ..] = self.bytes else {
            return Err(Error::Truncated { what: self.what, missing: 2 - self.bytes.len() });
        };
        if tag & 0x1f == 0x1f {
            return Err(self.malformed());
        }
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let count = usize::from(first & 0x7f);
                let Some((octets, rest)) = rest.split_at_checked(count) else {
                    return Err(Error::Truncated { what: self.what, missing: count - rest.len() });
                };
                (octets.iter().fold(0, |length, &octet| length << 8 | usize::from(octet)), rest)
            }
            _ => return Err(self.malformed()),
        };
        let Some((content, rest)) = rest.split_at_checked(length) else {
            return Err(Error::Truncated { what: self.what, missing: length - rest.len() });
        };
        self.bytes = rest;
        Ok((tag, Reader { what: self.what, bytes: content }))
    }

    /// The content of the next element, which must be `tag`.
    pub(crate) fn element(&mut self, tag: u8) -> Result<Reader<'a>, Error> {
        let (found, content) = self.any()?;
        if found == tag {
            Ok(content)
        } else {
            Err(Error::Tag { what: self.what, expected: tag, found })
        }
    }

    /// The content of `[number]` if that comes next.
    pub(crate) fn optional(&mut self, number: u8) -> Result<Option<Reader<'a>>, Error> {
        if self.bytes.first() == Some(&context(number)) {
            Ok(Some(self.element(context(number))?))
        } else {
            Ok(None)
        }
    }

    /// The content of `[number]`, read by `read`.
    pub(crate) fn field<T>(
        &mut self,
        number: u8,
        read: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        read(&mut self.element(context(number))?)
    }

    /// The content of `[number]` if that comes next, read by `read`.
    pub(crate) fn optional_field<T>(
        &mut self,
        number: u8,
        read: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        self.optional(number)?.map(|mut content| read(&mut content)).transpose()
    }

    pub(crate) fn sequence(&mut self) -> Result<Reader<'a>, Error> {
        self.element(SEQUENCE)
    }

    /// SEQUENCE OF.
    pub(crate) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut content = self.sequence()?;
        let mut list = Vec::new();
        while !content.is_empty() {
            if list.len() == limits::ELEMENTS_MAX {
                return Err(Error::TooLarge {
                    what: self.what,
                    found: list.len() + 1,
                    limit: limits::ELEMENTS_MAX,
                });
            }
            list.push(read(&mut content)?);
        }
        Ok(list)
    }

    /// An INTEGER. Unsigned values may come as negative ones: Heimdal's nonces do.
    pub(crate) fn integer(&mut self) -> Result<i64, Error> {
        self.integer_of(INTEGER)
    }

    pub(crate) fn enumerated(&mut self) -> Result<i64, Error> {
        self.integer_of(ENUMERATED)
    }

    fn integer_of(&mut self, tag: u8) -> Result<i64, Error> {
        let content = self.element(tag)?;
        let &[first, ..] = content.bytes else { return Err(self.malformed()) };
        if content.bytes.len() > 8 {
            return Err(self.malformed());
        }
        let sign = if first & 0x80 == 0 { 0 } else { -1 };
        Ok(content.bytes.iter().fold(sign, |value, &octet| value << 8 | i64::from(octet)))
    }

    pub(crate) fn int32(&mut self) -> Result<i32, Error> {
        i32::try_from(self.integer()?).map_err(|_| self.malformed())
    }

    /// A UInt32, which some write as the Int32 of the same bits.
    pub(crate) fn uint32(&mut self) -> Result<u32, Error> {
        let value = self.integer()?;
        u32::try_from(value)
            .or_else(|_| i32::try_from(value).map(i32::cast_unsigned))
            .map_err(|_| self.malformed())
    }

    pub(crate) fn octets(&mut self) -> Result<&'a [u8], Error> {
        Ok(self.element(OCTET_STRING)?.bytes)
    }

    pub(crate) fn text(&mut self) -> Result<String, Error> {
        let bytes = self.element(GENERAL_STRING)?.bytes;
        String::from_utf8(bytes.to_vec()).map_err(|_| self.malformed())
    }

    /// KerberosFlags: at least 32 bits, of which the first 32 count.
    pub(crate) fn flags(&mut self) -> Result<u32, Error> {
        match self.element(BIT_STRING)?.bytes {
            [unused, bits @ ..] if *unused < 8 => Ok((0..4)
                .fold(0, |flags, index| flags << 8 | u32::from(*bits.get(index).unwrap_or(&0)))),
            _ => Err(self.malformed()),
        }
    }

    /// KerberosTime: `19700101000000Z`.
    pub(crate) fn time(&mut self) -> Result<Timestamp, Error> {
        let text = self.element(GENERALIZED_TIME)?.bytes;
        parse_time(text).ok_or_else(|| self.malformed())
    }

    pub(crate) fn malformed(&self) -> Error {
        Error::Malformed { what: self.what }
    }
}

fn parse_time(text: &[u8]) -> Option<Timestamp> {
    let digits = text.strip_suffix(b"Z").filter(|digits| digits.len() == 14)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        digits[range].iter().fold(0_u16, |number, digit| number * 10 + u16::from(digit - b'0'))
    };
    // Two digits fit.
    let two = |at: usize| u8::try_from(number(at..at + 2)).unwrap_or(u8::MAX);
    let month = Month::try_from(two(4)).ok()?;
    let date = Date::from_calendar_date(i32::from(number(0..4)), month, two(6)).ok()?;
    let time = Time::from_hms(two(8), two(10), two(12)).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc().into())
}

/// One element with this content.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut bytes = Vec::with_capacity(length + 6);
    bytes.push(tag);
    if length < 0x80 {
        // Just compared.
        bytes.push(length as u8);
    } else {
        let octets = length.to_be_bytes();
        let zeros = octets.iter().take_while(|&&octet| octet == 0).count();
        bytes.push(0x80 | (octets.len() - zeros) as u8);
        bytes.extend(&octets[zeros..]);
    }
    bytes.extend(content);
    bytes
}

/// `[number]` around one element.
pub(crate) fn field(number: u8, content: Vec<u8>) -> Vec<u8> {
    element(context(number), &content)
}

/// `[number]` around one element, or nothing.
pub(crate) fn optional_field(number: u8, content: Option<Vec<u8>>) -> Vec<u8> {
    content.map_or_else(Vec::new, |content| field(number, content))
}

pub(crate) fn sequence<I>(parts: I) -> Vec<u8>
where
    I: IntoIterator,
    I::Item: AsRef<[u8]>,
{
    let mut content = Vec::new();
    for part in parts {
        content.extend_from_slice(part.as_ref());
    }
    element(SEQUENCE, &content)
}

pub(crate) fn integer(value: impl Into<i64>) -> Vec<u8> {
    element(INTEGER, minimal(&value.into().to_be_bytes()))
}

pub(crate) fn enumerated(value: u8) -> Vec<u8> {
    element(ENUMERATED, &[value])
}

/// Drops the leading octets that only repeat the sign.
fn minimal(mut octets: &[u8]) -> &[u8] {
    while let [first, second, ..] = octets
        && ((*first == 0 && second & 0x80 == 0) || (*first == 0xff && second & 0x80 != 0))
    {
        octets = &octets[1..];
    }
    octets
}

pub(crate) fn octets(value: &[u8]) -> Vec<u8> {
    element(OCTET_STRING, value)
}

pub(crate) fn text(value: &str) -> Vec<u8> {
    element(GENERAL_STRING, value.as_bytes())
}

pub(crate) fn flags(value: u32) -> Vec<u8> {
    let [a, b, c, d] = value.to_be_bytes();
    element(BIT_STRING, &[0, a, b, c, d])
}

pub(crate) fn time(value: Timestamp) -> Vec<u8> {
    let at = value.to_date_time();
    let text = format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    );
    element(GENERALIZED_TIME, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_minimal_and_signed() {
        for (value, bytes) in [
            (0_i64, &[2, 1, 0][..]),
            (127, &[2, 1, 0x7f]),
            (128, &[2, 2, 0, 0x80]),
            (-1, &[2, 1, 0xff]),
            (-129, &[2, 2, 0xff, 0x7f]),
            (0x7fff_ffff, &[2, 4, 0x7f, 0xff, 0xff, 0xff]),
        ] {
            assert_eq!(integer(value), bytes);
            assert_eq!(Reader::new("test", bytes).integer(), Ok(value));
        }
        let negative = [2, 4, 0xff, 0xff, 0xff, 0xfe];
        assert_eq!(Reader::new("test", &negative).uint32(), Ok(0xffff_fffe));
    }

    #[test]
    fn times_go_both_ways() {
        let at = Timestamp::from_unix(1_786_845_623);
        assert_eq!(Reader::new("test", &time(at)).time(), Ok(at));
        assert_eq!(&time(Timestamp::from_unix(0))[2..], b"19700101000000Z");
        for wrong in [&b"20261301000000Z"[..], b"20260101000000", b"2026010100000+Z", b"Z"] {
            assert_eq!(parse_time(wrong), None);
        }
    }

    #[test]
    fn lengths_are_checked() {
        let truncated = [0x30, 0x82, 0x01, 0x00, 1];
        assert_eq!(
            Reader::new("test", &truncated).sequence().unwrap_err(),
            Error::Truncated { what: "test", missing: 255 }
        );
        assert!(Reader::new("test", &[0x30, 0x80, 0, 0]).sequence().is_err());
        assert_eq!(element(4, &[0; 300])[..4], [4, 0x82, 0x01, 0x2c]);
    }
}

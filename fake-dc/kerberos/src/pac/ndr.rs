//! The form in which the structures of a PAC are written (NDR, [MS-RPCE] 2.2.6): fixed parts first,
//! behind them what they point to.

use super::{put_u16, put_u32, size_at, utf16};

/// Referent of a pointer: any number but zero, which is the null pointer.
const FIRST_REFERENT: u32 = 0x0002_0000;
/// SE_GROUP_MANDATORY, ENABLED_BY_DEFAULT and ENABLED.
const GROUP_ATTRIBUTES: u32 = 7;
/// The headers of a serialized type, and the pointer to it.
const HEADERS_BYTES: usize = 20;

/// A structure being written: its fixed part, and behind it what it points to.
#[derive(Default)]
pub(super) struct Ndr {
    fixed: Vec<u8>,
    pub(super) later: Vec<u8>,
    pointers: u32,
}

impl Ndr {
    pub(super) fn u32(&mut self, value: u32) {
        self.fixed.extend(value.to_le_bytes());
    }

    pub(super) fn time(&mut self, value: i64) {
        self.fixed.extend(value.to_le_bytes());
    }

    pub(super) fn pointer(&mut self) {
        self.u32(FIRST_REFERENT + 4 * self.pointers);
        self.pointers += 1;
    }

    /// RPC_UNICODE_STRING.
    pub(super) fn text(&mut self, text: &str) {
        let units = utf16(text);
        put_u16(&mut self.fixed, units.len());
        put_u16(&mut self.fixed, units.len());
        self.pointer();
        for count in [units.len() / 2, 0, units.len() / 2] {
            put_u32(&mut self.later, count);
        }
        self.later.extend(units);
        self.align();
    }

    pub(super) fn groups(&mut self, rids: &[u32]) {
        put_u32(&mut self.fixed, rids.len());
        self.pointer();
        put_u32(&mut self.later, rids.len());
        for rid in rids {
            self.later.extend(rid.to_le_bytes());
            self.later.extend(GROUP_ATTRIBUTES.to_le_bytes());
        }
    }

    pub(super) fn extra_sids(&mut self, sids: &[Vec<u8>]) {
        put_u32(&mut self.fixed, sids.len());
        if sids.is_empty() {
            return self.u32(0);
        }
        self.pointer();
        put_u32(&mut self.later, sids.len());
        for _ in sids {
            self.later.extend((FIRST_REFERENT + 4 * self.pointers).to_le_bytes());
            self.pointers += 1;
            self.later.extend(GROUP_ATTRIBUTES.to_le_bytes());
        }
        sids.iter().for_each(|one| self.later.extend(sid(one)));
    }

    fn align(&mut self) {
        self.later.resize(self.later.len().next_multiple_of(4), 0);
    }

    /// With the headers of a serialized type ([MS-RPCE] 2.2.6.1 and 2.2.6.2).
    pub(super) fn finish(self) -> Vec<u8> {
        /// Version 1, little endian, 8 bytes of header.
        const COMMON: [u8; 8] = [1, 0x10, 8, 0, 0xcc, 0xcc, 0xcc, 0xcc];
        let mut body = [self.fixed, self.later].concat();
        body.resize(body.len().next_multiple_of(8), 0);
        let mut bytes = COMMON.to_vec();
        put_u32(&mut bytes, body.len());
        put_u32(&mut bytes, 0);
        bytes.extend(body);
        bytes
    }
}

/// RPC_SID: as in its binary form, behind the number of its parts.
pub(super) fn sid(binary: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_u32(&mut bytes, usize::from(binary.get(1).copied().unwrap_or(0)));
    bytes.extend_from_slice(binary);
    bytes
}

/// A structure being read, in the order in which it was written.
pub(super) struct NdrReader<'a> {
    rest: &'a [u8],
}

impl<'a> NdrReader<'a> {
    pub(super) fn of_structure(bytes: &'a [u8]) -> Option<Self> {
        Some(Self { rest: bytes.get(HEADERS_BYTES..)? })
    }

    fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(size)?;
        self.rest = rest;
        Some(taken)
    }

    pub(super) fn skip(&mut self, size: usize) -> Option<()> {
        self.take(size).map(|_| ())
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn count(&mut self) -> Option<usize> {
        size_at(self.take(4)?, 0)
    }

    pub(super) fn time(&mut self) -> Option<i64> {
        Some(i64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    /// Whether a pointer points to something.
    pub(super) fn pointer(&mut self) -> Option<bool> {
        Some(self.u32()? != 0)
    }

    /// The fixed part of an RPC_UNICODE_STRING, whose lengths are repeated with the text.
    pub(super) fn text_pointer(&mut self) -> Option<bool> {
        self.skip(4)?;
        self.pointer()
    }

    /// What such a pointer points to.
    pub(super) fn text(&mut self, is_there: bool) -> Option<String> {
        if !is_there {
            return Some(String::new());
        }
        self.skip(8)?;
        let size = self.count()?.checked_mul(2)?;
        let units = self.take(size)?.chunks_exact(2);
        let units = units.map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
        let text = char::decode_utf16(units).collect::<Result<String, _>>().ok()?;
        self.skip(size.next_multiple_of(4) - size)?;
        Some(text)
    }

    /// An array behind its length.
    pub(super) fn list<T>(
        &mut self,
        mut one: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let count = self.count()?;
        (0..count).map(|_| one(self)).collect()
    }

    /// RPC_SID, in its binary form.
    pub(super) fn sid(&mut self) -> Option<Vec<u8>> {
        let parts = self.count().filter(|&parts| parts <= SID_PARTS_MAX)?;
        Some(self.take(8 + 4 * parts)?.to_vec())
    }
}

const SID_PARTS_MAX: usize = 15;

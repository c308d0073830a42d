//! The bytes of an answer.

use std::net::Ipv4Addr;

use uuid::Uuid;

use super::version;

/// The names that an answer is made of.
pub(super) struct Names<'a> {
    pub(super) forest: &'a str,
    pub(super) domain: &'a str,
    pub(super) netbios_domain: &'a str,
    pub(super) dc: &'a str,
    pub(super) netbios_dc: &'a str,
    pub(super) user: &'a str,
    /// The site of the DC.
    pub(super) site: &'a str,
    /// That of the client; empty if it is in none.
    pub(super) client_site: &'a str,
}

/// Kinds of answer, with their codes in the old forms ([MS-ADTS] 6.3.1.3).
#[derive(Clone, Copy, Debug)]
pub(super) enum Code {
    Response = 0x13,
    Paused = 0x14,
    UserUnknown = 0x15,
}

/// What codes of the extended form are more than those of the others.
const EXTENDED: u16 = 0x4;

impl Names<'_> {
    /// NETLOGON_SAM_LOGON_RESPONSE_EX ([MS-ADTS] 6.3.1.9), with the DC's address if it is given.
    pub(super) fn extended(
        &self,
        code: Code,
        flags: u32,
        guid: Uuid,
        address: Option<Ipv4Addr>,
    ) -> Vec<u8> {
        let mut answer = Packer::default();
        answer.u16(code as u16 + EXTENDED);
        answer.u16(0);
        answer.u32(flags);
        answer.bytes(&guid.to_bytes_le());
        answer.name(self.forest);
        answer.name(self.domain);
        answer.name(self.dc);
        answer.name(self.netbios_domain);
        answer.name(self.netbios_dc);
        answer.name(self.user);
        answer.name(self.site);
        answer.name(self.client_site);
        let Some(address) = address else { return answer.end(version::V5EX | version::V1) };
        // A `sockaddr_in` of Windows: family, port, address, nothing.
        answer.bytes(&[16, 2, 0, 0, 0]);
        answer.bytes(&address.octets());
        answer.bytes(&[0; 8]);
        answer.end(version::V5EX_WITH_IP | version::V5EX | version::V1)
    }

    /// NETLOGON_SAM_LOGON_RESPONSE ([MS-ADTS] 6.3.1.8).
    pub(super) fn version_5(
        &self,
        code: Code,
        flags: u32,
        guid: Uuid,
        address: Ipv4Addr,
    ) -> Vec<u8> {
        let mut answer = self.old_head(code);
        answer.bytes(&guid.to_bytes_le());
        answer.bytes(Uuid::nil().as_bytes());
        answer.name(self.forest);
        answer.name(self.domain);
        answer.name(self.dc);
        answer.u32(u32::from(address));
        answer.u32(flags);
        answer.end(version::V5 | version::V1)
    }

    /// NETLOGON_SAM_LOGON_RESPONSE_NT40 ([MS-ADTS] 6.3.1.7).
    pub(super) fn version_1(&self, code: Code) -> Vec<u8> {
        self.old_head(code).end(version::V1)
    }

    fn old_head(&self, code: Code) -> Packer {
        let mut answer = Packer::default();
        answer.u16(code as u16);
        answer.wide(&format!("\\\\{}", self.netbios_dc));
        answer.wide(self.user);
        answer.wide(self.netbios_domain);
        answer
    }
}

/// Writes numbers little-endian and names with the compression of DNS (RFC 1035 §4.1.4).
#[derive(Default)]
struct Packer {
    bytes: Vec<u8>,
    /// Where each name written so far can be pointed at. A pointer keeps the letter case.
    suffixes: Vec<(String, u16)>,
}

impl Packer {
    fn u16(&mut self, number: u16) {
        self.bytes(&number.to_le_bytes());
    }

    fn u32(&mut self, number: u32) {
        self.bytes(&number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// UTF-16 with a zero at the end.
    fn wide(&mut self, text: &str) {
        text.encode_utf16().chain([0]).for_each(|unit| self.u16(unit));
    }

    /// A name of several labels, pointing back at the longest end that was written before.
    fn name(&mut self, name: &str) {
        let mut rest = name;
        while !rest.is_empty() {
            if let Some((_, at)) = self.suffixes.iter().find(|(known, _)| known == rest) {
                self.bytes(&(0xc000 | at).to_be_bytes());
                return;
            }
            if let Ok(at) = u16::try_from(self.bytes.len()) {
                self.suffixes.push((rest.to_owned(), at));
            }
            let (label, after) = rest.split_once('.').unwrap_or((rest, ""));
            self.octets(label);
            rest = after;
        }
        self.bytes.push(0);
    }

    fn octets(&mut self, label: &str) {
        // A label has at most 63 bytes.
        let label = &label.as_bytes()[..label.len().min(63)];
        self.bytes.push(u8::try_from(label.len()).unwrap_or(63));
        self.bytes(label);
    }

    fn end(mut self, version: u32) -> Vec<u8> {
        self.u32(version);
        // The tokens of LAN Manager.
        self.u32(u32::MAX);
        self.bytes
    }
}

//! The answer to a CLDAP netlogon ping: NETLOGON_SAM_LOGON_RESPONSE_EX.
//!
//! Layout: \[MS-ADTS\] 6.3.1.9, with names compressed as in DNS (RFC 1035 §4.1.4). Sample bytes:
//! fixtures of a Samba AD DC 4.22. Samba's client asks for this form only, and takes an answer in
//! any older form as no answer.

use uuid::Uuid;

/// Pointers followed in one name, as a guard against loops.
const JUMPS_MAX: usize = 16;
/// Characters in one name, as in DNS.
const NAME_MAX: usize = 255;
/// Bytes before the first name: opcode, padding, flags, GUID.
const NAMES_START: usize = 24;
/// Bytes after the last name: version and two tokens.
const TRAILER: usize = 8;

/// Bits of [`NetlogonAnswer::flags`] (DS_FLAG), by the bit they occupy.
pub(super) mod flags {
    /// The DC serves LDAP.
    pub(crate) const LDAP: u32 = 0x08;
    /// The DC is in the closest site.
    pub(crate) const CLOSEST: u32 = 0x80;
    /// The three bits that a client sets itself: DNS name, default NC, forest root.
    pub(crate) const SET_BY_CLIENT: u32 = 0xe000_0000;
}

/// NtVer bits \[MS-ADTS\] 6.3.1.1: the answer holds the client's address.
const WITH_IP: u32 = 0x08;
/// The answer holds the next closest site.
const WITH_CLOSEST_SITE: u32 = 0x10;

/// A DC's description of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NetlogonAnswer {
    /// Kind of answer.
    pub(super) opcode: Opcode,
    /// DS_FLAG bits.
    pub(super) flags: u32,
    /// GUID of the domain.
    pub(super) domain_guid: Uuid,
    /// DNS name of the forest.
    pub(super) forest: String,
    /// DNS name of the domain.
    pub(super) domain: String,
    /// DNS name of the DC.
    pub(super) dns_name: String,
    /// NetBIOS name of the domain.
    pub(super) netbios_domain: String,
    /// NetBIOS name of the DC.
    pub(super) netbios_name: String,
    /// Name of the user asked about; empty here.
    pub(super) user: String,
    /// Site of the DC.
    pub(super) server_site: String,
    /// Site of the client; empty if unknown.
    pub(super) client_site: String,
    /// Version bits of the answer.
    pub(super) nt_version: u32,
    /// `ffff`.
    pub(super) lmnt_token: u16,
    /// `ffff`.
    pub(super) lm20_token: u16,
}

/// Kind of answer in the extended form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    /// LOGON_SAM_LOGON_PAUSE_RESPONSE_EX.
    Paused,
    /// LOGON_SAM_LOGON_RESPONSE_EX.
    Response,
    /// LOGON_SAM_LOGON_USER_UNKNOWN_EX.
    UserUnknown,
}

/// Bytes that are no extended netlogon answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NetlogonError {
    /// Too few bytes.
    #[error("netlogon answer ends at byte {at}")]
    Cut {
        /// Where more was expected.
        at: usize,
    },
    /// Another form than the one asked for.
    #[error("netlogon answer has opcode {found}, not the extended form")]
    Opcode {
        /// The opcode.
        found: u16,
    },
    /// A name that is no name.
    #[error("netlogon answer has an invalid name at byte {at}")]
    Name {
        /// Where the name starts.
        at: usize,
    },
}

impl NetlogonAnswer {
    /// Reads the value of the `netlogon` attribute.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, NetlogonError> {
        let mut reader = Reader { bytes, at: 0 };
        let opcode = match reader.u16()? {
            23 => Opcode::Response,
            24 => Opcode::Paused,
            25 => Opcode::UserUnknown,
            found => return Err(NetlogonError::Opcode { found }),
        };
        reader.take(2)?;
        let flags = reader.u32()?;
        let domain_guid = Uuid::from_bytes_le(reader.array()?);
        debug_assert_eq!(reader.at, NAMES_START);
        let forest = reader.name()?;
        let domain = reader.name()?;
        let dns_name = reader.name()?;
        let netbios_domain = reader.name()?;
        let netbios_name = reader.name()?;
        let user = reader.name()?;
        let server_site = reader.name()?;
        let client_site = reader.name()?;
        let version_at =
            bytes.len().checked_sub(TRAILER).ok_or(NetlogonError::Cut { at: bytes.len() })?;
        let version = Reader { bytes, at: version_at }.u32()?;
        if version & WITH_IP != 0 {
            let size = usize::from(reader.array::<1>()?[0]);
            reader.take(size)?;
        }
        if version & WITH_CLOSEST_SITE != 0 {
            reader.name()?;
        }
        Ok(Self {
            opcode,
            flags,
            domain_guid,
            forest,
            domain,
            dns_name,
            netbios_domain,
            netbios_name,
            user,
            server_site,
            client_site,
            nt_version: reader.u32()?,
            lmnt_token: reader.u16()?,
            lm20_token: reader.u16()?,
        })
    }

    /// Whether the DC says that it serves LDAP and its Netlogon service is not paused. Samba passes
    /// over one that does not (`ads_fill_cldap_reply` of Samba 4.22).
    pub(super) fn serves_ldap(&self) -> bool {
        self.opcode != Opcode::Paused && self.flags & flags::LDAP != 0
    }

    /// Whether Samba takes the DC as close: `ads_closest_dc` of Samba 4.22.
    pub(super) fn is_closest(&self) -> bool {
        self.flags & flags::CLOSEST != 0
            || self.client_site.is_empty()
            || self.server_site == self.client_site
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], NetlogonError> {
        let taken = self
            .at
            .checked_add(count)
            .and_then(|end| self.bytes.get(self.at..end))
            .ok_or(NetlogonError::Cut { at: self.bytes.len() })?;
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], NetlogonError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn u16(&mut self) -> Result<u16, NetlogonError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32, NetlogonError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// A compressed name. Pointers count from the start of the answer.
    fn name(&mut self) -> Result<String, NetlogonError> {
        let wrong = NetlogonError::Name { at: self.at };
        let mut name = String::new();
        let mut after = None;
        let mut jumps = 0;
        loop {
            let length = usize::from(self.array::<1>()?[0]);
            match length & 0xc0 {
                0x00 if length == 0 => break,
                0x00 => {
                    if !name.is_empty() {
                        name.push('.');
                    }
                    name.push_str(&String::from_utf8_lossy(self.take(length)?));
                }
                0xc0 => {
                    let low = usize::from(self.array::<1>()?[0]);
                    after.get_or_insert(self.at);
                    self.at = (length & 0x3f) << 8 | low;
                    jumps += 1;
                }
                _ => return Err(wrong),
            }
            if jumps > JUMPS_MAX || name.len() > NAME_MAX {
                return Err(wrong);
            }
        }
        self.at = after.unwrap_or(self.at);
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The answer of a Samba AD DC 4.22 to the ping of `net ads lookup`.
    const CAPTURED: &[u8] = b"\x17\x00\x00\x00\xfd\x13\x00\x00\xef\x6b\xaf\x4c\x14\x5e\x66\x45\
        \xb8\x2e\x17\x9f\x54\xb7\xf0\x96\x03lab\x07example\x00\xc0\x18\x03dc1\xc0\x18\x03LAB\x00\
        \x03DC1\x00\x00\x17Default-First-Site-Name\x00\xc0\x38\x05\x00\x00\x00\xff\xff\xff\xff";

    #[test]
    fn the_captured_answer() {
        let answer = NetlogonAnswer::parse(CAPTURED).unwrap();
        assert_eq!(answer.opcode, Opcode::Response);
        assert_eq!(answer.flags, 0x13fd);
        assert_eq!(answer.domain_guid.to_string(), "4caf6bef-5e14-4566-b82e-179f54b7f096");
        assert_eq!((&*answer.forest, &*answer.domain), ("lab.example", "lab.example"));
        assert_eq!(answer.dns_name, "dc1.lab.example");
        assert_eq!((&*answer.netbios_domain, &*answer.netbios_name), ("LAB", "DC1"));
        assert_eq!((&*answer.user, &*answer.client_site), ("", "Default-First-Site-Name"));
        assert_eq!((answer.nt_version, answer.lmnt_token, answer.lm20_token), (5, 0xffff, 0xffff));
        assert!(answer.is_closest());
    }

    #[test]
    fn older_forms_are_refused() {
        let error = NetlogonAnswer::parse(b"\x13\x00\\\x00\\\x00").unwrap_err();
        assert_eq!(error, NetlogonError::Opcode { found: 19 });
    }

    #[test]
    fn a_name_that_points_at_itself_ends() {
        let mut bytes = CAPTURED[..NAMES_START].to_vec();
        bytes.extend(b"\xc0\x18");
        assert_eq!(NetlogonAnswer::parse(&bytes), Err(NetlogonError::Name { at: NAMES_START }));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = NetlogonAnswer::parse(&bytes);
        }

        #[test]
        fn any_change_of_an_answer_is_read_or_refused(
            at in 0..CAPTURED.len(), byte: u8, length in 0..=CAPTURED.len(),
        ) {
            let mut bytes = CAPTURED.to_vec();
            bytes[at] = byte;
            let _ = NetlogonAnswer::parse(&bytes[..length]);
        }
    }
}

//! The privilege attribute certificate: what a ticket tells a service of its client beyond the name
//! ([MS-PAC]).
//!
//! A ticket-granting ticket has the account's own; tickets for services copy it and are signed with
//! their keys.

mod logon_info;
mod ndr;

use std::collections::BTreeMap;

use ground::Timestamp;

pub use self::logon_info::LogonInfo;
use crate::{
    crypto::{Key, Usage},
    message::EncTicketPart,
};

/// The buffers of a PAC by their types, without its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pac {
    buffers: BTreeMap<u32, Vec<u8>>,
}

/// Types of buffers ([MS-PAC] 2.4).
mod kind {
    pub(super) const LOGON_INFO: u32 = 1;
    pub(super) const SERVER_SIGNATURE: u32 = 6;
    pub(super) const KDC_SIGNATURE: u32 = 7;
    pub(super) const CLIENT_INFO: u32 = 10;
    pub(super) const UPN_DNS_INFO: u32 = 12;
    pub(super) const TICKET_SIGNATURE: u32 = 16;
    pub(super) const ATTRIBUTES: u32 = 17;
    pub(super) const REQUESTER: u32 = 18;
    pub(super) const FULL_SIGNATURE: u32 = 19;
}

impl Pac {
    /// That of a client which logs on at `now` under `name`.
    pub(crate) fn of_client(logon: &LogonInfo, name: &str, now: Timestamp) -> Self {
        /// PAC_WAS_REQUESTED, of two bits.
        const ATTRIBUTES: [u32; 2] = [2, 1];
        let buffers = [
            (kind::LOGON_INFO, logon.encode(now.to_file_time())),
            (kind::CLIENT_INFO, client_info(name, now)),
            (kind::UPN_DNS_INFO, upn_dns_info(logon)),
            (kind::ATTRIBUTES, ATTRIBUTES.map(u32::to_le_bytes).concat()),
            (kind::REQUESTER, logon.sid()),
        ];
        Self { buffers: buffers.into() }
    }

    /// Reads what a KDC has written; `None` if it cannot be one.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let count = size_at(bytes, 0).filter(|&count| count <= BUFFERS_MAX)?;
        let mut buffers = BTreeMap::new();
        for number in 0..count {
            let entry = bytes.get(HEADER_BYTES + ENTRY_BYTES * number..)?;
            let (size, offset) = (size_at(entry, 4)?, size_at(entry, 8)?);
            let data = bytes.get(offset..offset.checked_add(size)?)?;
            buffers.insert(u32::try_from(size_at(entry, 0)?).ok()?, data.to_vec());
        }
        buffers.retain(|kind, _| !SIGNATURES.contains(kind));
        Some(Self { buffers })
    }

    /// What of it goes into tickets for services.
    #[must_use]
    pub(crate) fn for_service(mut self) -> Self {
        self.buffers.retain(|kind, _| ![kind::ATTRIBUTES, kind::REQUESTER].contains(kind));
        self
    }

    /// What of it a partner with that SID may say; `None` if it is of an account of another domain.
    pub(crate) fn filtered(mut self, domain_sid: &[u8]) -> Option<Self> {
        let logon = self.buffers.get_mut(&kind::LOGON_INFO)?;
        let (info, since) = LogonInfo::read(logon)?;
        if info.domain_sid != domain_sid {
            return None;
        }
        if let Some(requester) = self.buffers.get(&kind::REQUESTER)
            && *requester != info.sid()
        {
            return None;
        }
        let is_theirs = |sid: &Vec<u8>| {
            let domain = sid.len().checked_sub(4).and_then(|length| sid.get(8..length));
            sid.starts_with(&AUTHENTICATION_AUTHORITY) || domain == domain_sid.get(8..)
        };
        let extra_sids: Vec<_> =
            info.extra_sids.iter().filter(|sid| is_theirs(sid)).cloned().collect();
        if extra_sids != info.extra_sids {
            let info = LogonInfo { extra_sids, ..info };
            self.buffers.insert(kind::LOGON_INFO, info.encode(since));
        }
        Some(self)
    }

    /// Who it is of.
    pub(crate) fn logon_info(&self) -> Option<LogonInfo> {
        LogonInfo::read(self.buffers.get(&kind::LOGON_INFO)?).map(|(info, _)| info)
    }

    /// Its bytes, without signatures.
    pub(crate) fn unsigned(&self) -> Vec<u8> {
        encode(&self.buffers)
    }

    /// Signs it for the ticket that it becomes part of.
    ///
    /// Tickets for services also have a signature of the ticket and one of the whole PAC
    /// ([MS-PAC] 2.8.3 and 2.8.4).
    pub(crate) fn sign(
        mut self,
        ticket: &EncTicketPart,
        is_granting: bool,
        service_key: &Key,
        kdc_key: &Key,
    ) -> Vec<u8> {
        let buffers = &mut self.buffers;
        buffers.insert(kind::SERVER_SIGNATURE, signature(service_key, None));
        buffers.insert(kind::KDC_SIGNATURE, signature(kdc_key, None));
        if !is_granting {
            let bare = EncTicketPart { pac: Some(vec![0]), ..ticket.clone() };
            let seal = kdc_key.checksum(Usage::PAC, &[&bare.encode()]);
            buffers.insert(kind::TICKET_SIGNATURE, signature(kdc_key, Some(&seal)));
            buffers.insert(kind::FULL_SIGNATURE, signature(kdc_key, None));
            let full = kdc_key.checksum(Usage::PAC, &[&encode(buffers)]);
            buffers.insert(kind::FULL_SIGNATURE, signature(kdc_key, Some(&full)));
        }
        let server = service_key.checksum(Usage::PAC, &[&encode(buffers)]);
        let kdc = kdc_key.checksum(Usage::PAC, &[&server]);
        buffers.insert(kind::SERVER_SIGNATURE, signature(service_key, Some(&server)));
        buffers.insert(kind::KDC_SIGNATURE, signature(kdc_key, Some(&kdc)));
        encode(buffers)
    }
}

const SIGNATURES: [u32; 4] =
    [kind::SERVER_SIGNATURE, kind::KDC_SIGNATURE, kind::TICKET_SIGNATURE, kind::FULL_SIGNATURE];

/// How SIDs begin that say who has asserted an identity: `S-1-18-`.
const AUTHENTICATION_AUTHORITY: [u8; 8] = [1, 1, 0, 0, 0, 0, 0, 18];

const HEADER_BYTES: usize = 8;
const ENTRY_BYTES: usize = 16;
/// [MS-PAC] has not even half as many types.
const BUFFERS_MAX: usize = 64;

/// PACTYPE ([MS-PAC] 2.3): a directory of the buffers, and they, each at a multiple of 8.
fn encode(buffers: &BTreeMap<u32, Vec<u8>>) -> Vec<u8> {
    let mut offset = HEADER_BYTES + ENTRY_BYTES * buffers.len();
    let mut bytes = Vec::new();
    let mut data = Vec::new();
    put_u32(&mut bytes, buffers.len());
    put_u32(&mut bytes, 0);
    for (kind, buffer) in buffers {
        bytes.extend(kind.to_le_bytes());
        put_u32(&mut bytes, buffer.len());
        put_u32(&mut bytes, offset);
        put_u32(&mut bytes, 0);
        data.extend_from_slice(buffer);
        data.resize(data.len().next_multiple_of(8), 0);
        offset = HEADER_BYTES + ENTRY_BYTES * buffers.len() + data.len();
    }
    bytes.extend(data);
    bytes
}

/// PAC_SIGNATURE_DATA: zeros stand for a signature that is to come.
fn signature(key: &Key, value: Option<&[u8]>) -> Vec<u8> {
    let kind = key.etype().checksum_number().to_le_bytes();
    let zeros = vec![0; key.etype().checksum_bytes()];
    [&kind, value.unwrap_or(&zeros)].concat()
}

/// PAC_CLIENT_INFO ([MS-PAC] 2.7).
fn client_info(name: &str, now: Timestamp) -> Vec<u8> {
    let name = utf16(name);
    let mut bytes = now.to_file_time().to_le_bytes().to_vec();
    put_u16(&mut bytes, name.len());
    bytes.extend(name);
    bytes
}

/// UPN_DNS_INFO with the account's name and SID ([MS-PAC] 2.10).
fn upn_dns_info(logon: &LogonInfo) -> Vec<u8> {
    /// The name is made up: the account has no `userPrincipalName`.
    const U_FLAG: usize = 1;
    /// Name and SID follow.
    const S_FLAG: usize = 2;
    const HEADER_BYTES: usize = 24;
    let made_up = || format!("{}@{}", logon.account, logon.dns_domain);
    let upn = logon.user_principal_name.clone().unwrap_or_else(made_up);
    let flags = if logon.user_principal_name.is_none() { U_FLAG | S_FLAG } else { S_FLAG };
    let realm = logon.dns_domain.to_uppercase();
    let parts = [utf16(&upn), utf16(&realm), utf16(&logon.account), logon.sid()];
    let mut header = Vec::new();
    let mut data = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        if number == 2 {
            put_u32(&mut header, flags);
        }
        put_u16(&mut header, part.len());
        put_u16(&mut header, HEADER_BYTES + data.len());
        data.extend_from_slice(part);
        data.resize(data.len().next_multiple_of(8), 0);
    }
    header.resize(HEADER_BYTES, 0);
    [header, data].concat()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Writes a size: names and groups of an account are far from the limit.
fn put_u16(bytes: &mut Vec<u8>, value: usize) {
    bytes.extend(u16::try_from(value).unwrap_or(u16::MAX).to_le_bytes());
}

fn put_u32(bytes: &mut Vec<u8>, value: usize) {
    bytes.extend(u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes());
}

fn size_at(bytes: &[u8], place: usize) -> Option<usize> {
    let (value, _) = bytes.get(place..)?.split_first_chunk::<4>()?;
    usize::try_from(u32::from_le_bytes(*value)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOMAIN: [u8; 24] =
        [1, 4, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0];
    const OTHER: [u8; 24] =
        [1, 4, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0];

    fn in_domain(domain: [u8; 24], rid: u32) -> Vec<u8> {
        LogonInfo { domain_sid: domain.to_vec(), rid, ..LogonInfo::default() }.sid()
    }

    fn alice(extra_sids: Vec<Vec<u8>>) -> LogonInfo {
        LogonInfo {
            account: "alice".to_owned(),
            full_name: "Alice".to_owned(),
            logon_server: "DC1".to_owned(),
            netbios_domain: "CORP".to_owned(),
            domain_sid: DOMAIN.to_vec(),
            rid: 1103,
            primary_group: 513,
            groups: vec![513, 1111],
            extra_sids,
            control: 0x200,
            password_set: 5,
            password_expires: i64::MAX,
            ..LogonInfo::default()
        }
    }

    #[test]
    fn a_partner_speaks_for_its_own_domain_alone() {
        let asserted = vec![1, 1, 0, 0, 0, 0, 0, 18, 1, 0, 0, 0];
        let kept = vec![asserted, in_domain(DOMAIN, 1200)];
        // Administrators of the other domain.
        let claimed = [kept.clone(), vec![in_domain(OTHER, 512)]].concat();
        let (since, info) = (Timestamp::from_unix(1_780_000_000), alice(claimed));
        let pac = Pac::of_client(&info, "alice", since);
        assert_eq!(pac.logon_info(), Some(info));
        assert_eq!(pac.clone().filtered(&OTHER), None);
        let filtered = pac.filtered(&DOMAIN).unwrap();
        assert_eq!(filtered.logon_info(), Some(alice(kept.clone())));
        assert_eq!(filtered, Pac::of_client(&alice(kept), "alice", since));
    }

    #[test]
    fn what_is_cut_short_is_nobody() {
        let bytes = alice(vec![in_domain(OTHER, 512)]).encode(0);
        let whole = (0..bytes.len()).filter(|&size| LogonInfo::read(&bytes[..size]).is_some());
        // Only padding may be missing.
        assert!(whole.min().unwrap_or(bytes.len()) > bytes.len() - 8);
    }
}

//! KERB_VALIDATION_INFO: who a client is and which groups it is in ([MS-PAC] 2.5), in the form of
//! NDR ([MS-RPCE] 2.2.6).

use ground::Timestamp;

use super::{put_u16, put_u32, utf16};

/// An account as a PAC tells of it. SIDs are in their binary form ([MS-DTYP] 2.4.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogonInfo {
    /// `sAMAccountName`.
    pub account: String,
    /// `userPrincipalName`.
    pub user_principal_name: Option<String>,
    /// `displayName`.
    pub full_name: String,
    /// NetBIOS name of the DC that lets it log on.
    pub logon_server: String,
    /// NetBIOS name of its domain.
    pub netbios_domain: String,
    /// DNS name of its domain.
    pub dns_domain: String,
    /// SID of its domain.
    pub domain_sid: Vec<u8>,
    /// Its own RID.
    pub rid: u32,
    /// RID of its primary group.
    pub primary_group: u32,
    /// RIDs of its groups in its domain, the primary one included.
    pub groups: Vec<u32>,
    /// SIDs of its other groups.
    pub extra_sids: Vec<Vec<u8>>,
    /// `userAccountControl`.
    pub control: u32,
    /// `pwdLastSet`, a FILETIME.
    pub password_set: i64,
    /// When the password expires, a FILETIME.
    pub password_expires: i64,
}

/// Referent of a pointer: any number but zero, which is the null pointer.
const FIRST_REFERENT: u32 = 0x0002_0000;
/// A time that never comes.
const NEVER: i64 = i64::MAX;
/// SE_GROUP_MANDATORY, ENABLED_BY_DEFAULT and ENABLED.
const GROUP_ATTRIBUTES: u32 = 7;

impl LogonInfo {
    /// Its SID.
    pub(super) fn sid(&self) -> Vec<u8> {
        let mut sid = self.domain_sid.clone();
        if let Some(count) = sid.get_mut(1) {
            *count = count.saturating_add(1);
        }
        sid.extend(self.rid.to_le_bytes());
        sid
    }

    pub(super) fn encode(&self, now: Timestamp) -> Vec<u8> {
        /// LOGON_EXTRA_SIDS.
        const EXTRA_SIDS: u32 = 0x20;
        let mut ndr = Ndr::default();
        ndr.pointer();
        for time in [now.to_file_time(), NEVER, NEVER, self.password_set, self.password_set] {
            ndr.time(time);
        }
        ndr.time(self.password_expires);
        ndr.text(&self.account);
        ndr.text(&self.full_name);
        // Logon script, profile path, home directory and its drive.
        (0..4).for_each(|_| ndr.text(""));
        // Logons and bad passwords: not kept in tickets by Windows since they go stale.
        ndr.u32(0);
        ndr.u32(self.rid);
        ndr.u32(self.primary_group);
        ndr.groups(&self.groups);
        ndr.u32(if self.extra_sids.is_empty() { 0 } else { EXTRA_SIDS });
        // The session key of other ways to log on.
        (0..4).for_each(|_| ndr.u32(0));
        ndr.text(&self.logon_server);
        ndr.text(&self.netbios_domain);
        ndr.pointer();
        ndr.later.extend(sid(&self.domain_sid));
        // Reserved.
        (0..2).for_each(|_| ndr.u32(0));
        ndr.u32(sam_control(self.control));
        // Status, times and number of failed logons, reserved.
        (0..7).for_each(|_| ndr.u32(0));
        ndr.extra_sids(&self.extra_sids);
        // Resource groups: none.
        (0..3).for_each(|_| ndr.u32(0));
        ndr.finish()
    }
}

/// `userAccountControl` in the bits of the account database (USER_ACCOUNT codes, [MS-SAMR]
/// 2.2.1.12).
fn sam_control(control: u32) -> u32 {
    const PAIRS: [(u32, u32); 12] = [
        (0x2, 0x1),
        (0x8, 0x2),
        (0x20, 0x4),
        (0x200, 0x10),
        (0x800, 0x40),
        (0x1000, 0x80),
        (0x2000, 0x100),
        (0x1_0000, 0x200),
        (0x4_0000, 0x1000),
        (0x8_0000, 0x2000),
        (0x10_0000, 0x4000),
        (0x40_0000, 0x1_0000),
    ];
    PAIRS.iter().filter(|(from, _)| control & from != 0).fold(0, |bits, (_, to)| bits | to)
}

/// A structure being written: its fixed part, and behind it what it points to.
#[derive(Default)]
struct Ndr {
    fixed: Vec<u8>,
    later: Vec<u8>,
    pointers: u32,
}

impl Ndr {
    fn u32(&mut self, value: u32) {
        self.fixed.extend(value.to_le_bytes());
    }

    fn time(&mut self, value: i64) {
        self.fixed.extend(value.to_le_bytes());
    }

    fn pointer(&mut self) {
        self.u32(FIRST_REFERENT + 4 * self.pointers);
        self.pointers += 1;
    }

    /// RPC_UNICODE_STRING.
    fn text(&mut self, text: &str) {
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

    fn groups(&mut self, rids: &[u32]) {
        put_u32(&mut self.fixed, rids.len());
        self.pointer();
        put_u32(&mut self.later, rids.len());
        for rid in rids {
            self.later.extend(rid.to_le_bytes());
            self.later.extend(GROUP_ATTRIBUTES.to_le_bytes());
        }
    }

    fn extra_sids(&mut self, sids: &[Vec<u8>]) {
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
    fn finish(self) -> Vec<u8> {
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
fn sid(binary: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_u32(&mut bytes, usize::from(binary.get(1).copied().unwrap_or(0)));
    bytes.extend_from_slice(binary);
    bytes
}

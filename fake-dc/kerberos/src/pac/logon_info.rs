//! KERB_VALIDATION_INFO: who a client is and which groups it is in ([MS-PAC] 2.5), in the form of
//! NDR ([MS-RPCE] 2.2.6).

use super::ndr::{Ndr, NdrReader, sid};

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

/// A time that never comes.
const NEVER: i64 = i64::MAX;

impl LogonInfo {
    /// Its SID.
    pub fn sid(&self) -> Vec<u8> {
        let mut sid = self.domain_sid.clone();
        if let Some(count) = sid.get_mut(1) {
            *count = count.saturating_add(1);
        }
        sid.extend(self.rid.to_le_bytes());
        sid
    }

    /// What the KDC of a domain has written, and when (FILETIME) its account has logged on; `None` if it
    /// cannot be that.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, i64)> {
        let mut ndr = NdrReader::of_structure(bytes)?;
        let since = ndr.time()?;
        // End of the session.
        ndr.skip(16)?;
        let password_set = ndr.time()?;
        ndr.skip(8)?;
        let password_expires = ndr.time()?;
        let names = [(); 6].map(|()| ndr.text_pointer());
        ndr.skip(4)?;
        let (rid, primary_group) = (ndr.u32()?, ndr.u32()?);
        let (_, has_groups) = (ndr.u32()?, ndr.pointer()?);
        // Flags and session key.
        ndr.skip(20)?;
        let servers = [(); 2].map(|()| ndr.text_pointer());
        let has_domain = ndr.pointer()?;
        ndr.skip(8)?;
        let sam_control = ndr.u32()?;
        ndr.skip(28)?;
        let (_, has_extra_sids) = (ndr.u32()?, ndr.pointer()?);
        // Resource groups are those of a service's domain, and in tickets for services alone.
        ndr.skip(12)?;

        let mut names = names.into_iter().map(|pointer| ndr.text(pointer?));
        let (account, full_name) = (names.next()??, names.next()??);
        names.try_for_each(|name| name.map(drop))?;
        let groups =
            if has_groups { ndr.list(|ndr| Some((ndr.u32()?, ndr.u32()?)))? } else { vec![] };
        let [logon_server, netbios_domain] = servers.map(|pointer| ndr.text(pointer?));
        let domain_sid = if has_domain { ndr.sid()? } else { return None };
        let mut extra_sids = Vec::new();
        if has_extra_sids {
            let pointers = ndr.list(|ndr| Some((ndr.u32()?, ndr.u32()?)))?;
            for _ in pointers {
                extra_sids.push(ndr.sid()?);
            }
        }
        let info = Self {
            account,
            full_name,
            logon_server: logon_server?,
            netbios_domain: netbios_domain?,
            domain_sid,
            rid,
            primary_group,
            groups: groups.into_iter().map(|(rid, _)| rid).collect(),
            extra_sids,
            control: account_control(sam_control),
            password_set,
            password_expires,
            // In a buffer of their own.
            user_principal_name: None,
            dns_domain: String::new(),
        };
        Some((info, since))
    }

    pub(super) fn encode(&self, since: i64) -> Vec<u8> {
        /// LOGON_EXTRA_SIDS.
        const EXTRA_SIDS: u32 = 0x20;
        let mut ndr = Ndr::default();
        ndr.pointer();
        for time in [since, NEVER, NEVER, self.password_set, self.password_set] {
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
    CONTROL_BITS.iter().filter(|(from, _)| control & from != 0).fold(0, |bits, (_, to)| bits | to)
}

/// The opposite of [`sam_control`].
fn account_control(sam: u32) -> u32 {
    CONTROL_BITS.iter().filter(|(_, from)| sam & from != 0).fold(0, |bits, (to, _)| bits | to)
}

const CONTROL_BITS: [(u32, u32); 12] = [
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

//! Trusts between domains, as `trustedDomain` objects ([MS-ADTS] 6.1.6).
//!
//! Each side has an object below `CN=System` that names the other; a side that the other trusts
//! has an account besides, called by the NetBIOS name of the other with a `$`. Both share one
//! password, from which the keys between the realms derive. The attributes are those that
//! `samba-tool domain trust create` made on two DCs of Samba 4.22.6, and the documented ones of
//! Windows.

use ground::{Secret, Seed};

use crate::{
    build, config::Flavour, defaults, directory::Directory, dn::Dn, entry::Entry,
    error::DirectoryError, sid::Sid, state::State,
};

/// A domain at the other end of a trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustPartner {
    /// Its DNS name (`trustPartner`).
    pub dns_name: String,
    /// Its NetBIOS name (`flatName`).
    pub netbios_name: String,
    /// Its SID (`securityIdentifier`).
    pub sid: Sid,
}

impl TrustPartner {
    /// The domain of that name as it is made from `seed` when nothing else is said: so two
    /// programs that serve a domain each need no more than the seed in common.
    pub fn drawn(dns_name: &str, seed: Seed) -> Self {
        Self {
            dns_name: dns_name.to_owned(),
            netbios_name: build::default_netbios_name(dns_name),
            sid: build::drawn_sid(dns_name, seed),
        }
    }
}

/// Where the domains of a trust stand to each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrustKind {
    /// Of different forests, for these two domains alone; SIDs are filtered.
    External,
    /// The roots of different forests, for all of their domains.
    #[default]
    Forest,
    /// Of one forest.
    WithinForest,
}

impl TrustKind {
    /// `trustAttributes` ([MS-ADTS] 6.1.6.7.9).
    const fn attributes(self) -> i64 {
        match self {
            Self::External => 0x4,
            Self::Forest => 0x8,
            Self::WithinForest => 0x20,
        }
    }
}

/// Who trusts whom, as one side of a trust sees it (`trustDirection`, [MS-ADTS] 6.1.6.7.12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrustDirection {
    /// Each the other.
    #[default]
    Both,
    /// The other domain trusts this one.
    Inbound,
    /// This domain trusts the other.
    Outbound,
}

impl TrustDirection {
    const fn number(self) -> i64 {
        match self {
            Self::Inbound => 1,
            Self::Outbound => 2,
            Self::Both => 3,
        }
    }

    /// As the other side sees it.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::Both => Self::Both,
            Self::Inbound => Self::Outbound,
            Self::Outbound => Self::Inbound,
        }
    }
}

/// One trust, with the password that its two domains share. `Debug` hides the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// The other domain.
    pub partner: TrustPartner,
    /// Where the two stand to each other.
    pub kind: TrustKind,
    /// Who trusts whom.
    pub direction: TrustDirection,
    /// The password (`trustAuthIncoming` and `trustAuthOutgoing`, the same in both directions).
    pub password: Secret,
    /// How often it was set.
    pub password_version: u32,
}

impl Directory {
    /// What a partner needs to know of this domain.
    pub fn as_trust_partner(&self) -> TrustPartner {
        TrustPartner {
            dns_name: self.domain.dns_name.clone(),
            netbios_name: self.domain.netbios.clone(),
            sid: self.domain.sid.clone(),
        }
    }

    /// Makes a trust between two domains, on both sides. `direction` is as this one sees it.
    ///
    /// # Errors
    /// If it is the same domain, or a name of one is taken in the other.
    pub fn trust(
        &self,
        other: &Self,
        kind: TrustKind,
        direction: TrustDirection,
    ) -> Result<(), DirectoryError> {
        self.trust_partner(&other.as_trust_partner(), kind, direction)?;
        other.trust_partner(&self.as_trust_partner(), kind, direction.reversed())?;
        if kind == TrustKind::WithinForest {
            self.replicate_with(other);
        }
        Ok(())
    }

    /// Makes this domain's side of a trust. The password follows from the seed and the names of
    /// both, so that the other side comes by the same.
    ///
    /// # Errors
    /// If the partner is this domain, or its name is taken here.
    pub fn trust_partner(
        &self,
        partner: &TrustPartner,
        kind: TrustKind,
        direction: TrustDirection,
    ) -> Result<(), DirectoryError> {
        let taken = || DirectoryError::TrustPartner { name: partner.dns_name.clone() };
        let system = self.domain.dn.child("CN", "System");
        let object = system.child("CN", &partner.dns_name);
        let account = format!("{}$", partner.netbios_name);
        let mut state = self.write();
        let same = partner.dns_name.eq_ignore_ascii_case(&self.domain.dns_name)
            || partner.netbios_name.eq_ignore_ascii_case(&self.domain.netbios);
        if same
            || state.store.find(&object).is_some()
            || state.store.by_account_name(&account).is_some()
        {
            return Err(taken());
        }
        let password = self.trust_password(&partner.dns_name);
        let mut entry = self.trusted_domain(object, partner, kind, direction);
        entry.password = Some(password.clone());
        self.put_in(&mut state, entry);
        if direction != TrustDirection::Outbound {
            let dn = self.domain.dn.child("CN", "Users").child("CN", &account);
            let mut entry = Entry { password_version: 1, ..Entry::new(dn) };
            entry.set("objectClass", ["user"]);
            entry.set("sAMAccountName", [account]);
            // INTERDOMAIN_TRUST_ACCOUNT, on Windows with PASSWD_NOTREQD.
            let is_windows = self.domain.flavour == Flavour::WindowsServer2022;
            entry.set("userAccountControl", [if is_windows { "2080" } else { "2048" }]);
            if is_windows {
                entry.set("isCriticalSystemObject", ["TRUE"]);
                entry.set("showInAdvancedViewOnly", ["TRUE"]);
            }
            let sid = self.domain.sid.with_rid(state.take_rid());
            entry.set("objectSid", [sid.as_bytes()]);
            entry.password = Some(password);
            self.put_in(&mut state, entry);
        }
        if kind == TrustKind::WithinForest {
            let cross_reference = self.cross_reference(partner);
            self.know_parent(&mut state, partner, &cross_reference.dn);
            if state.store.find(&cross_reference.dn).is_none() {
                self.put_in(&mut state, cross_reference);
            }
        }
        Ok(())
    }

    /// The trusts of this domain, in order of the partners' names.
    pub fn trusts(&self) -> Vec<Trust> {
        let state = self.read();
        let mut trusts: Vec<Trust> =
            state.store.of_class("trustedDomain").filter_map(read_trust).collect();
        trusts.sort_by(|one, other| one.partner.dns_name.cmp(&other.partner.dns_name));
        trusts
    }

    /// Heads and DNS names of the other domains of the forest, as the configuration lists them.
    pub(crate) fn other_domains<'s>(&self, state: &'s State) -> &'s [(Dn, String)] {
        state.other_domains.get_or_init(|| self.find_other_domains(state))
    }

    fn find_other_domains(&self, state: &State) -> Vec<(Dn, String)> {
        let partitions = self.domain.configuration().child("CN", "Partitions");
        let other = |entry: &Entry| {
            if !entry.has("nETBIOSName") || !entry.dn.is_at_or_below(&partitions) {
                return None;
            }
            let head = entry.text("nCName").filter(|head| *head != self.domain.dn.as_str())?;
            let head = Dn::parse(head).ok()?;
            let is_own = self.domain.naming_contexts.contains(&head);
            (!is_own).then_some((head, entry.text("dnsRoot")?.to_owned()))
        };
        state.store.of_class("crossRef").filter_map(other).collect()
    }

    fn trusted_domain(
        &self,
        dn: Dn,
        partner: &TrustPartner,
        kind: TrustKind,
        direction: TrustDirection,
    ) -> Entry {
        let mut entry = Entry { password_version: 1, ..Entry::new(dn) };
        entry.set("objectClass", ["trustedDomain"]);
        entry.set("showInAdvancedViewOnly", ["TRUE"]);
        entry.set("securityIdentifier", [partner.sid.as_bytes()]);
        entry.set("trustDirection", [direction.number().to_string()]);
        entry.set("trustPartner", [partner.dns_name.as_str()]);
        // TRUST_TYPE_UPLEVEL: an Active Directory.
        entry.set("trustType", ["2"]);
        entry.set("trustAttributes", [kind.attributes().to_string()]);
        entry.set("flatName", [partner.netbios_name.as_str()]);
        // AES with 128 and 256 bits.
        entry.set("msDS-SupportedEncryptionTypes", ["24"]);
        if kind == TrustKind::Forest {
            let info = forest_info(partner, self.domain.now().to_file_time());
            entry.set("msDS-TrustForestTrustInfo", [info]);
        }
        if self.domain.flavour == Flavour::WindowsServer2022 {
            entry.set("trustPosixOffset", ["0"]);
            entry.set("isCriticalSystemObject", ["TRUE"]);
        }
        entry
    }

    /// What the configuration of the forest says of another domain of it ([MS-ADTS] 6.1.1.2.1.1).
    fn cross_reference(&self, partner: &TrustPartner) -> Entry {
        let partitions = self.domain.configuration().child("CN", "Partitions");
        let mut entry = Entry::new(partitions.child("CN", &partner.netbios_name));
        let head = Dn::of_domain(&partner.dns_name);
        entry.set("objectClass", ["crossRef"]);
        entry.set("nCName", [head.to_string()]);
        entry.set("nETBIOSName", [partner.netbios_name.as_str()]);
        entry.set("dnsRoot", [partner.dns_name.as_str()]);
        entry.set("systemFlags", ["3"]);
        entry.set("showInAdvancedViewOnly", ["TRUE"]);
        if head.parent().as_ref() == Some(&self.domain.dn) {
            let own = partitions.child("CN", &self.domain.netbios);
            entry.set("trustParent", [own.to_string()]);
        }
        entry
    }

    /// Notes the entry of the parent domain in the domain's own, if `partner` is the parent.
    fn know_parent(&self, state: &mut State, partner: &TrustPartner, parent: &Dn) {
        let is_parent = self.domain.dn.parent() == Some(Dn::of_domain(&partner.dns_name));
        if let Some(own) = state.store.find(&self.own_cross_reference()).filter(|_| is_parent) {
            let parent = parent.to_string();
            state.store.update(own, |entry| entry.set("trustParent", [parent]));
        }
    }

    fn put_in(&self, state: &mut State, mut entry: Entry) {
        let usn = state.next_usn();
        defaults::complete(&self.domain, &mut entry, usn);
        state.store.insert(entry);
    }

    fn trust_password(&self, partner: &str) -> Secret {
        let mut names = [self.domain.dns_name.to_lowercase(), partner.to_lowercase()];
        names.sort();
        let drawn = self.domain.seed.uuid(&format!("trust {} {}", names[0], names[1]));
        Secret::new(drawn.simple().to_string())
    }
}

/// Which names and which domain the other forest has ([MS-ADTS] 6.1.6.9.3): one top-level name and
/// one domain.
fn forest_info(partner: &TrustPartner, since: i64) -> Vec<u8> {
    const TOP_LEVEL_NAME: u8 = 0;
    const DOMAIN: u8 = 2;
    let sized = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
        [&length[..], bytes].concat()
    };
    let record = |kind: u8, content: Vec<u8>| {
        let flags = 0_u32.to_le_bytes();
        let since = since.to_le_bytes();
        sized(&[&flags[..], &since[..], &[kind], &content].concat())
    };
    let name = sized(partner.dns_name.as_bytes());
    let domain =
        [sized(partner.sid.as_bytes()), name.clone(), sized(partner.netbios_name.as_bytes())];
    let (version, count) = (1_u32.to_le_bytes(), 2_u32.to_le_bytes());
    let records = [record(TOP_LEVEL_NAME, name), record(DOMAIN, domain.concat())].concat();
    [&version[..], &count[..], &records].concat()
}

/// What an entry of the class trustedDomain says; `None` for a trust that is switched off.
fn read_trust(entry: &Entry) -> Option<Trust> {
    let kind = match entry.number("trustAttributes")? {
        bits if bits & TrustKind::WithinForest.attributes() != 0 => TrustKind::WithinForest,
        bits if bits & TrustKind::Forest.attributes() != 0 => TrustKind::Forest,
        _ => TrustKind::External,
    };
    let direction = match entry.number("trustDirection")? {
        1 => TrustDirection::Inbound,
        2 => TrustDirection::Outbound,
        3 => TrustDirection::Both,
        // Disabled.
        _ => return None,
    };
    Some(Trust {
        partner: TrustPartner {
            dns_name: entry.text("trustPartner")?.to_owned(),
            netbios_name: entry.text("flatName")?.to_owned(),
            sid: Sid::from_bytes(entry.values("securityIdentifier").first()?).ok()?,
        },
        kind,
        direction,
        password: entry.password.clone()?,
        password_version: entry.password_version,
    })
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::*;

    /// `msDS-TrustForestTrustInfo` of a forest trust between two DCs of Samba 4.22.6.
    #[test]
    fn forest_information_is_that_of_samba() {
        let real = STANDARD
            .decode(
                "AQAAAAIAAAAeAAAAAAAAAEy3AMtUet0BAA0AAABvdGhlci5leGFtcGxlQwAAAAAAAABMtwDLVHrdAQIY\
                 AAAAAQQAAAAAAAUVAAAAopnHdVQo2qmFM/r1DQAAAG90aGVyLmV4YW1wbGUFAAAAT1RIRVI=",
            )
            .unwrap();
        let partner = TrustPartner {
            dns_name: "other.example".into(),
            netbios_name: "OTHER".into(),
            sid: "S-1-5-21-1976015266-2849646676-4126815109".parse().unwrap(),
        };
        let since = i64::from_le_bytes(real[16..24].try_into().unwrap());
        assert_eq!(forest_info(&partner, since), real);
    }
}

//! What SAM keeps right about accounts and groups: kinds, flags, primary groups
//! ([MS-SAMR] 3.1.1.8; `samldb` of Samba 4.22).

use ldap_wire::LdapResult;

use crate::{
    account::control, config::Flavour, defaults, directory::Directory, dn::Dn, entry::Entry,
    state::State, store::EntryId,
};

/// Flags that say what kind of account it is.
const KINDS: i64 = control::NORMAL_ACCOUNT
    | control::INTERDOMAIN_TRUST_ACCOUNT
    | control::WORKSTATION_TRUST_ACCOUNT
    | control::SERVER_TRUST_ACCOUNT;
const PASSWORD_NOT_REQUIRED: i64 = 0x20;

/// Bits of `groupType` ([MS-ADTS] 2.2.12).
mod group {
    pub(super) const BUILTIN: i64 = 0x1;
    pub(super) const GLOBAL: i64 = 0x2;
    pub(super) const LOCAL: i64 = 0x4;
    pub(super) const UNIVERSAL: i64 = 0x8;
    pub(super) const SCOPES: i64 = BUILTIN | GLOBAL | LOCAL | UNIVERSAL;
}

/// Whether SAM watches over an entry.
pub(super) fn is_account(entry: &Entry) -> bool {
    entry.is_a("user") || entry.is_a("group")
}

impl Directory {
    /// Settles flags and kind of a new account.
    pub(super) fn new_account(&self, dn: &Dn, entry: &mut Entry) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        if entry.has("primaryGroupID") {
            let text = "The primary group isn't settable on add operations!";
            return Err(diagnostics.sam_refuses(text));
        }
        if entry.is_a("group") {
            entry.set_default("groupType", "-2147483646");
            if scope(entry.number("groupType")).is_none() {
                return Err(diagnostics.sam_refuses("samldb: Unrecognized account type!"));
            }
            return Ok(());
        }
        let is_computer = entry.is_a("computer");
        let kind =
            if is_computer { control::WORKSTATION_TRUST_ACCOUNT } else { control::NORMAL_ACCOUNT };
        let fresh = kind | control::ACCOUNT_DISABLE | PASSWORD_NOT_REQUIRED;
        let asked = entry.number("userAccountControl").unwrap_or(fresh);
        self.check_kind(dn, entry, asked)?;
        let bits = settled(asked);
        entry.set("userAccountControl", [bits.to_string()]);
        follow_kind(entry, bits);
        if entry.password.is_none() {
            entry.set_default("pwdLastSet", "0");
        }
        Ok(())
    }

    fn check_kind(&self, dn: &Dn, entry: &Entry, bits: i64) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let kinds = bits & KINDS;
        if kinds.count_ones() > 1 {
            return Err(diagnostics.two_account_types(dn));
        }
        if kinds == control::INTERDOMAIN_TRUST_ACCOUNT {
            return Err(diagnostics.trust_account(dn));
        }
        if kinds == control::WORKSTATION_TRUST_ACCOUNT && !entry.is_a("computer") {
            return Err(diagnostics.needs_computer());
        }
        Ok(())
    }

    /// Settles what follows from changed flags of an account. `before` is what they were.
    pub(super) fn changed_control(
        &self,
        dn: &Dn,
        entry: &mut Entry,
        before: Option<i64>,
    ) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let Some(asked) = entry.number("userAccountControl") else {
            return Err(diagnostics.needed_by_sam("'userAccountControl' can't be deleted!"));
        };
        let bits = settled(asked);
        let before = before.unwrap_or(bits);
        // Samba 4.22 lets a user become a machine, Windows does not.
        if self.domain.flavour == Flavour::WindowsServer2022 {
            self.check_kind(dn, entry, bits)?;
            let enabled =
                bits & control::ACCOUNT_DISABLE == 0 && before & control::ACCOUNT_DISABLE != 0;
            let normal = bits & control::NORMAL_ACCOUNT != 0;
            if enabled && normal && entry.password.is_none() && bits & PASSWORD_NOT_REQUIRED == 0 {
                return Err(diagnostics.password_restriction("no password", true));
            }
        } else if (bits & KINDS).count_ones() > 1 {
            return Err(diagnostics.two_account_types(dn));
        }
        entry.set("userAccountControl", [bits.to_string()]);
        if bits & KINDS != before & KINDS {
            for follows in ["sAMAccountType", "primaryGroupID"] {
                entry.set::<Vec<u8>>(follows, []);
            }
            follow_kind(entry, bits);
            entry.set("primaryGroupID", [defaults::primary_group(bits)]);
        }
        Ok(())
    }

    /// A group may change between some scopes only ([MS-SAMR] 3.1.1.8.3).
    pub(super) fn changed_group(&self, entry: &Entry, before: &Entry) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let Some(now) = scope(entry.number("groupType")) else {
            return Err(diagnostics.sam_refuses_silently());
        };
        let Some(before) = scope(before.number("groupType")) else { return Ok(()) };
        let forbidden = |what| {
            let text = format!("samldb: Change from security/distribution {what} group forbidden!");
            Err(diagnostics.sam_refuses(&text))
        };
        match (before, now) {
            (group::GLOBAL, group::LOCAL) => forbidden("global"),
            (group::LOCAL, group::GLOBAL) => forbidden("local"),
            _ => Ok(()),
        }
    }

    /// The primary group must be one of the groups that the account is in.
    pub(super) fn changed_primary_group(
        &self,
        state: &State,
        id: EntryId,
        entry: &mut Entry,
        before: Option<i64>,
    ) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let (now, member) = (entry.number("primaryGroupID"), entry.dn.clone());
        if now == before {
            return Ok(());
        }
        let group = now
            .and_then(|rid| u32::try_from(rid).ok())
            .and_then(|rid| state.store.by_sid(&self.domain.sid.with_rid(rid)));
        let groups = state.store.with_value("member", member.key().as_bytes());
        match group {
            Some(group) if groups.is_some_and(|groups| groups.contains(&group)) => Ok(()),
            _ if state.store.get(id).is_none() => Ok(()),
            _ => Err(diagnostics.sam_refuses_silently()),
        }
    }

    /// Who has a group as primary group is no member of it besides.
    pub(super) fn check_new_member(
        &self,
        state: &State,
        group: &Entry,
        member: &str,
    ) -> Result<(), LdapResult> {
        let rid = group.sid().and_then(|sid| sid.split_rid()).map(|(_, rid)| rid);
        let primary = self
            .resolve(state, member)
            .ok()
            .and_then(|id| state.store.get(id))
            .and_then(|entry| entry.number("primaryGroupID"));
        match (rid, primary) {
            (Some(rid), Some(primary)) if primary == i64::from(rid) => {
                Err(self.domain.diagnostics().already_primary(member, rid))
            }
            _ => Ok(()),
        }
    }
}

/// The flags as they are stored: without those that are computed, and of one kind at least.
fn settled(bits: i64) -> i64 {
    let bits = bits & !(control::LOCKOUT | control::PASSWORD_EXPIRED);
    if bits & KINDS == 0 { bits | control::NORMAL_ACCOUNT } else { bits }
}

fn follow_kind(entry: &mut Entry, bits: i64) {
    let machine = control::WORKSTATION_TRUST_ACCOUNT | control::SERVER_TRUST_ACCOUNT;
    if bits & machine != 0 {
        let critical = bits & control::SERVER_TRUST_ACCOUNT != 0;
        entry.set("isCriticalSystemObject", [if critical { "TRUE" } else { "FALSE" }]);
    }
}

/// The one scope of a group; `None` if the number names none, or what only the directory makes.
fn scope(group_type: Option<i64>) -> Option<i64> {
    let scope = group_type? & group::SCOPES;
    let known = [group::GLOBAL, group::LOCAL, group::UNIVERSAL].contains(&scope);
    known.then_some(scope)
}

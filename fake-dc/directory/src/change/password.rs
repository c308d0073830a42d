//! Passwords through `unicodePwd` ([MS-ADTS] 3.1.1.3.1.5.1, [MS-SAMR] 3.1.1.7).

use ground::Secret;
use ldap_wire::{Change, LdapResult, ModifyOperation};

use crate::{
    account::control,
    config::Flavour,
    directory::Directory,
    domain::Domain,
    entry::Entry,
    session::{Protection, Session},
    state::State,
};

/// Bit of `pwdProperties`: DOMAIN_PASSWORD_COMPLEX.
pub(crate) const COMPLEX: i64 = 0x1;

impl Directory {
    /// Carries out the changes of `unicodePwd` in a request. An administrator puts a new password
    /// in place of any; who knows the old one takes it away and adds a new one.
    pub(super) fn change_password(
        &self,
        session: &Session,
        state: &State,
        entry: &mut Entry,
        changes: &[&Change],
        administrator: bool,
    ) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let values = |change: &Change| change.modification.values.clone();
        let given = |operation| changes.iter().filter(move |c| c.operation == operation);
        use ModifyOperation::{Add, Delete, Replace};
        let old: Vec<Vec<u8>> = given(Delete).flat_map(|change| values(change)).collect();
        let new: Vec<Vec<u8>> =
            given(Add).chain(given(Replace)).flat_map(|change| values(change)).collect();
        let is_reset = given(Replace).count() > 0;
        if is_reset && !administrator {
            return Err(diagnostics.may_not());
        }
        match (is_reset, old.as_slice(), new.as_slice()) {
            (true, [], [new]) => {
                let new = self.read_password(session, new)?;
                self.check_password(state, entry, &new, true)?;
                set(&self.domain, state, entry, new);
                Ok(())
            }
            (false, [old], [new]) => {
                let old = self.read_password(session, old)?;
                let new = self.read_password(session, new)?;
                if entry.password.as_ref() != Some(&old) {
                    return Err(diagnostics.wrong_password());
                }
                self.check_password(state, entry, &new, false)?;
                set(&self.domain, state, entry, new);
                Ok(())
            }
            (true, _, _) => Err(diagnostics
                .password_form("setup_io: it's only allowed to set the old password once!")),
            (false, [], _) => {
                Err(diagnostics
                    .password_form("Only the add action for a password change specified!"))
            }
            (false, _, _) => Err(diagnostics.password_form(
                "setup_io: It's not possible to delete the password (changes using the LAN \
                 Manager hash alone could be deactivated)!",
            )),
        }
    }

    /// The password of a new account.
    pub(super) fn first_password(
        &self,
        session: &Session,
        state: &State,
        entry: &mut Entry,
        values: &[Vec<u8>],
    ) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let [value] = values else {
            let text = "setup_io: it's only allowed to set the old password once!";
            return Err(diagnostics.password_form(text));
        };
        let password = self.read_password(session, value)?;
        self.check_password(state, entry, &password, true)?;
        set(&self.domain, state, entry, password);
        // It is the first one.
        entry.password_version = 1;
        Ok(())
    }

    /// Reads a password from the form that clients send: UTF-16 in quotes, on a protected
    /// connection.
    fn read_password(&self, session: &Session, value: &[u8]) -> Result<Secret, LdapResult> {
        let diagnostics = self.domain.diagnostics();
        if session.protection == Protection::None {
            return Err(diagnostics.not_protected());
        }
        let units: Vec<u16> =
            value.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
        String::from_utf16(&units)
            .ok()
            .filter(|_| value.len().is_multiple_of(2))
            .as_deref()
            .and_then(|text| text.strip_prefix('"')?.strip_suffix('"'))
            .map(Secret::new)
            .ok_or_else(|| {
                diagnostics.password_form(
                    "setup_io: it's not allowed to set the NT hash password directly'",
                )
            })
    }

    /// Whether the domain's policy allows a password.
    fn check_password(
        &self,
        state: &State,
        entry: &Entry,
        password: &Secret,
        is_reset: bool,
    ) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let refuse = |text: &str| Err(diagnostics.password_restriction(text, is_reset));
        let policy = policy(&self.domain, state);
        let text = password.expose();
        let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
        let shortest = policy("minPwdLength");
        if length < shortest {
            return refuse(&format!(
                "the password is too short. It should be equal to or longer than {shortest} \
                 characters!"
            ));
        }
        if policy("pwdProperties") & COMPLEX != 0 && !is_machine(entry) && !is_complex(entry, text)
        {
            return refuse("the password does not meet the complexity criteria!");
        }
        if is_reset {
            return Ok(());
        }
        let kept = usize::try_from(policy("pwdHistoryLength")).unwrap_or(0);
        let own = entry.password.iter();
        if own.chain(&entry.old_passwords).take(kept).any(|old| old == password) {
            return refuse("the password was already used (in history)!");
        }
        let set = entry.number("pwdLastSet").unwrap_or(0);
        let age = self.domain.now().to_file_time().saturating_sub(set);
        // A machine may change its password as often as it likes (measured: a Samba AD DC 4.22).
        if set != 0 && age < policy("minPwdAge").saturating_neg() && !is_machine(entry) {
            return refuse("password is too young to change!");
        }
        Ok(())
    }

    /// Carries out a change of `pwdLastSet`, which has two values only ([MS-SAMR] 3.1.1.8.8).
    pub(super) fn changed_last_set(
        &self,
        entry: &mut Entry,
        before: Option<i64>,
    ) -> Result<(), LdapResult> {
        let now = self.domain.now().to_file_time();
        let value = match entry.number("pwdLastSet") {
            Some(0) => 0,
            Some(-1) => before.filter(|&at| at != 0).unwrap_or(now),
            _ => return Err(self.domain.diagnostics().last_set()),
        };
        entry.set("pwdLastSet", [value.to_string()]);
        Ok(())
    }
}

/// The numbers of the password policy, which the head of the domain holds.
pub(crate) fn policy<'a>(domain: &Domain, state: &'a State) -> impl Fn(&str) -> i64 + 'a {
    let head = state.store.find(&domain.dn).and_then(|id| state.store.get(id));
    move |name| head.and_then(|head| head.number(name)).unwrap_or(0)
}

pub(crate) fn is_machine(entry: &Entry) -> bool {
    const MACHINES: i64 = control::WORKSTATION_TRUST_ACCOUNT
        | control::SERVER_TRUST_ACCOUNT
        | control::INTERDOMAIN_TRUST_ACCOUNT;
    entry.number("userAccountControl").unwrap_or(0) & MACHINES != 0
}

/// Three kinds of characters out of five, and neither the account's name nor a part of the
/// displayed one (`check_password_quality` and `samdb_check_password` of Samba 4.22; "Password
/// must meet complexity requirements" of Windows).
pub(crate) fn is_complex(entry: &Entry, password: &str) -> bool {
    let kinds: [fn(char) -> bool; 5] = [
        |c| c.is_ascii_uppercase(),
        |c| c.is_ascii_lowercase(),
        |c| c.is_ascii_digit(),
        |c| c.is_ascii() && !c.is_ascii_alphanumeric(),
        |c| !c.is_ascii(),
    ];
    if kinds.iter().filter(|kind| password.chars().any(kind)).count() < 3 {
        return false;
    }
    let lower = password.to_lowercase();
    let account = entry.text("sAMAccountName").unwrap_or_default();
    let displayed = entry.text("displayName").unwrap_or_default();
    let parts = displayed.split(|c: char| ",.-_ #\t".contains(c)).chain([account]);
    !parts.filter(|part| part.chars().count() >= 3).any(|part| lower.contains(&part.to_lowercase()))
}

/// Gives an account its new password.
pub(crate) fn set(domain: &Domain, state: &State, entry: &mut Entry, password: Secret) {
    let kept = usize::try_from(policy(domain, state)("pwdHistoryLength")).unwrap_or(0);
    if let Some(old) = entry.password.replace(password) {
        entry.old_passwords.insert(0, old);
    }
    entry.old_passwords.truncate(kept);
    entry.password_version += 1;
    // Samba moves what it writes to the end of the entry.
    if domain.flavour == Flavour::Samba4_22 {
        entry.set::<Vec<u8>>("pwdLastSet", []);
    }
    entry.set("pwdLastSet", [domain.now().to_file_time().to_string()]);
}

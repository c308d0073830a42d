//! Passwords changed by another protocol than LDAP: by `kpasswd`, above all.

use ground::Secret;

use crate::{
    change::password, directory::Directory, entry::Entry, logon::AccountName, state::State,
};

/// What a domain asks of new passwords: attributes of its head, ages as positive numbers of 100 ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// `minPwdLength`.
    pub length_min: u32,
    /// `pwdHistoryLength`.
    pub history: u32,
    /// `pwdProperties`, of which bit 1 asks for several kinds of characters.
    pub properties: u32,
    /// `maxPwdAge`.
    pub age_max: i64,
    /// `minPwdAge`.
    pub age_min: i64,
}

/// Why a password is not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordRestriction {
    /// It was an account's password before.
    InHistory,
    /// It has too few kinds of characters, or the account's name in it.
    NotComplex,
    /// The old one is too new, or there is no such account.
    NotPermitted,
    /// It is too short.
    TooShort,
}

impl Directory {
    /// What the domain asks of new passwords.
    pub fn password_policy(&self) -> PasswordPolicy {
        self.policy_of(&self.read())
    }

    /// Gives an account the password that its owner wants, who has proved to know the old one.
    ///
    /// # Errors
    ///
    /// The policy of the domain forbids it. Checks come in the order of Samba 4.22
    /// (`password_hash.c`, `check_password_restrictions`).
    pub fn change_own_password(
        &self,
        account: AccountName<'_>,
        new: &Secret,
    ) -> Result<(), PasswordRestriction> {
        let mut state = self.write();
        let id = self.find_account(&state, account).ok_or(PasswordRestriction::NotPermitted)?;
        let mut entry = state.store.get(id).cloned().ok_or(PasswordRestriction::NotPermitted)?;
        if let Some(restriction) = self.restriction(&state, &entry, new) {
            return Err(restriction);
        }
        password::set(&self.domain, &state, &mut entry, new.clone());
        state.store.update(id, |stored| *stored = entry);
        Ok(())
    }

    fn restriction(
        &self,
        state: &State,
        entry: &Entry,
        new: &Secret,
    ) -> Option<PasswordRestriction> {
        let policy = self.policy_of(state);
        let set = entry.number("pwdLastSet").unwrap_or(0);
        if set.saturating_add(policy.age_min) > self.domain.now().to_file_time() {
            return Some(PasswordRestriction::NotPermitted);
        }
        let length = new.expose().chars().count();
        if length < usize::try_from(policy.length_min).unwrap_or(usize::MAX) {
            return Some(PasswordRestriction::TooShort);
        }
        let asks_for_kinds =
            i64::from(policy.properties) & password::COMPLEX != 0 && !password::is_machine(entry);
        if asks_for_kinds && !password::is_complex(entry, new.expose()) {
            return Some(PasswordRestriction::NotComplex);
        }
        let kept = usize::try_from(policy.history).unwrap_or(usize::MAX);
        let mut known = entry.password.iter().chain(&entry.old_passwords).take(kept);
        known.any(|old| old == new).then_some(PasswordRestriction::InHistory)
    }

    /// The DN of an account.
    pub fn account_dn(&self, account: AccountName<'_>) -> Option<String> {
        let state = self.read();
        let id = self.find_account(&state, account)?;
        Some(state.store.get(id)?.dn.to_string())
    }

    fn policy_of(&self, state: &State) -> PasswordPolicy {
        let number = password::policy(&self.domain, state);
        let small = |name| u32::try_from(number(name)).unwrap_or(0);
        PasswordPolicy {
            length_min: small("minPwdLength"),
            history: small("pwdHistoryLength"),
            properties: small("pwdProperties"),
            age_max: number("maxPwdAge").saturating_neg(),
            age_min: number("minPwdAge").saturating_neg(),
        }
    }
}

//! States of accounts, computed from the clock.

use crate::{diagnostic::LogonError, domain::Domain, entry::Entry, stamp::NEVER, state::State};

/// Bits of `userAccountControl` ([MS-ADTS] 2.2.16).
pub(crate) mod control {
    pub(crate) const ACCOUNT_DISABLE: i64 = 0x2;
    pub(crate) const NORMAL_ACCOUNT: i64 = 0x200;
    pub(crate) const INTERDOMAIN_TRUST_ACCOUNT: i64 = 0x800;
    pub(crate) const WORKSTATION_TRUST_ACCOUNT: i64 = 0x1000;
    pub(crate) const SERVER_TRUST_ACCOUNT: i64 = 0x2000;
    pub(crate) const DONT_EXPIRE_PASSWORD: i64 = 0x1_0000;
    pub(crate) const SMARTCARD_REQUIRED: i64 = 0x4_0000;
    /// Computed only.
    pub(crate) const LOCKOUT: i64 = 0x10;
    /// Computed only.
    pub(crate) const PASSWORD_EXPIRED: i64 = 0x80_0000;
}

/// An account at one moment.
pub(crate) struct Account<'a> {
    entry: &'a Entry,
    /// The head of the domain, which holds the password policy.
    policy: Option<&'a Entry>,
    now: i64,
}

impl<'a> Account<'a> {
    pub(crate) fn new(domain: &Domain, state: &'a State, entry: &'a Entry) -> Self {
        let policy = state.store.find(&domain.dn).and_then(|id| state.store.get(id));
        Self { entry, policy, now: domain.now().to_file_time() }
    }

    /// Why this account may not log on, in the order in which AD looks (README of the captures:
    /// a lockout counts before the password is looked at, everything else after).
    pub(crate) fn logon_error(&self, password: &[u8]) -> Option<LogonError> {
        if self.is_locked_out() {
            return Some(LogonError::AccountLockedOut);
        }
        let right =
            self.entry.password.as_ref().is_some_and(|own| own.expose().as_bytes() == password);
        if !right {
            return Some(LogonError::LogonFailure);
        }
        self.restriction()
    }

    /// Why nobody may log on with this account, whatever the password.
    pub(crate) fn restriction_of_any_password(&self) -> Option<LogonError> {
        if self.is_locked_out() { Some(LogonError::AccountLockedOut) } else { self.restriction() }
    }

    fn restriction(&self) -> Option<LogonError> {
        if self.control() & control::ACCOUNT_DISABLE != 0 {
            return Some(LogonError::AccountDisabled);
        }
        let expires = self.number("accountExpires").filter(|&at| at != 0).unwrap_or(NEVER);
        if expires <= self.now {
            return Some(LogonError::AccountExpired);
        }
        match self.password_expiry() {
            0 => Some(LogonError::PasswordMustChange),
            expiry if expiry <= self.now => Some(LogonError::PasswordExpired),
            _ => None,
        }
    }

    /// `msDS-User-Account-Control-Computed` ([MS-ADTS] 3.1.1.4.5.17).
    pub(crate) fn computed_control(&self) -> i64 {
        let lockout = if self.is_locked_out() { control::LOCKOUT } else { 0 };
        let expired =
            if self.password_expiry() <= self.now { control::PASSWORD_EXPIRED } else { 0 };
        lockout | expired
    }

    /// `msDS-UserPasswordExpiryTimeComputed` ([MS-ADTS] 3.1.1.4.5.32).
    pub(crate) fn password_expiry(&self) -> i64 {
        const NO_EXPIRY: i64 = control::DONT_EXPIRE_PASSWORD
            | control::SMARTCARD_REQUIRED
            | control::WORKSTATION_TRUST_ACCOUNT
            | control::SERVER_TRUST_ACCOUNT
            | control::INTERDOMAIN_TRUST_ACCOUNT;
        if self.control() & NO_EXPIRY != 0 {
            return NEVER;
        }
        let set = self.number("pwdLastSet").unwrap_or(0);
        if set == 0 {
            return 0;
        }
        match self.policy_number("maxPwdAge") {
            0 | i64::MIN => NEVER,
            age => set.saturating_add(age.saturating_neg()),
        }
    }

    /// What a wrong password does: the new `badPwdCount`, and whether that locks the account.
    pub(crate) fn after_wrong_password(&self) -> (i64, bool) {
        let window = self.policy_number("lockOutObservationWindow").saturating_neg();
        let last = self.number("badPasswordTime").unwrap_or(0);
        let recent = last != 0 && self.now.saturating_sub(last) < window;
        let count = if recent { self.number("badPwdCount").unwrap_or(0) + 1 } else { 1 };
        let threshold = self.policy_number("lockoutThreshold");
        (count, threshold > 0 && count >= threshold)
    }

    fn is_locked_out(&self) -> bool {
        let since = self.number("lockoutTime").unwrap_or(0);
        if since == 0 {
            return false;
        }
        match self.policy_number("lockoutDuration") {
            // Until an administrator unlocks.
            0 | i64::MIN => true,
            duration => since.saturating_add(duration.saturating_neg()) > self.now,
        }
    }

    fn control(&self) -> i64 {
        self.number("userAccountControl").unwrap_or(control::NORMAL_ACCOUNT)
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.entry.number(name)
    }

    fn policy_number(&self, name: &str) -> i64 {
        self.policy.and_then(|policy| policy.number(name)).unwrap_or(0)
    }
}

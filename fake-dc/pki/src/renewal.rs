//! A CA whose certificates are renewed, and the certificates that a DC asks it for by date.
//!
//! In AD CS a CA keeps its name through all renewals. Whoever renews it chooses between the old key
//! pair and a new one ("Renew CA Certificate", AD CS of Windows Server 2022; [MS-WCCE] 3.2.1.1.4
//! counts both). What it has issued before stays as it is, and so does what was issued below its
//! former certificates: a DC shows the old chain until it has enrolled anew.
//!
//! Here root and issuing CA are renewed together.

use ground::Timestamp;

use crate::{
    certificate::CertificatePlan,
    error::PkiError,
    key::{Authority, KeyOwner},
    pki::Pki,
    plan::ChainPlan,
};

/// How often the CA of a domain can be renewed.
pub const RENEWALS_MAX: usize = 6;

/// How long the certificate of an issuing CA lasts at most.
const ISSUING_DAYS_MAX: i64 = 5 * 365;

/// Which key a CA has after a renewal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RenewalKey {
    /// A new one: nobody who trusts the old certificate alone trusts what it issues from now on.
    #[default]
    New,
    /// The one it had: whoever trusts the old certificate trusts what it issues until that ends.
    Same,
}

/// The last renewal of a CA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Renewal {
    at: Timestamp,
    days: i64,
    times: usize,
    /// How many of them brought a new key.
    keys: usize,
}

impl Pki {
    /// This CA after its root was renewed at `now` for so many days, and its issuing CA for as long
    /// but five years at most.
    ///
    /// # Errors
    ///
    /// It has been renewed [`RENEWALS_MAX`] times.
    pub fn renewed(&self, now: Timestamp, key: RenewalKey, days: u32) -> Result<Self, PkiError> {
        let (times, keys) = self.renewal.map_or((0, 0), |before| (before.times, before.keys));
        if times == RENEWALS_MAX {
            return Err(PkiError::TooManyRenewals { max: RENEWALS_MAX });
        }
        let keys = keys + usize::from(key == RenewalKey::New);
        let mut renewed = self.clone();
        renewed.renewal = Some(Renewal { at: now, days: i64::from(days), times: times + 1, keys });
        renewed.write_own()?;
        Ok(renewed)
    }
}

impl Renewal {
    /// Replaces the CA certificates of a sound chain.
    pub(crate) fn apply(self, plan: &mut ChainPlan) {
        let Self { at, days, keys, .. } = self;
        let renew = |certificate: &mut CertificatePlan, authority, days: i64| {
            certificate.valid(begun(at), at.plus_days(days));
            if keys > 0 {
                certificate.keyed(KeyOwner::Renewed(authority, keys));
            }
        };
        renew(plan.anchor(), Authority::Root, days);
        renew(plan.intermediate(), Authority::Intermediate, days.min(ISSUING_DAYS_MAX));
        plan.leaf_within_issuer();
    }
}

impl ChainPlan {
    /// Has the leaf issued for so many days from when it was enrolled for.
    pub fn enrolled_for(&mut self, days: i64) -> &mut Self {
        let at = self.now();
        self.leaf().valid(begun(at), at.plus_days(days));
        self.leaf_within_issuer();
        self
    }

    /// A CA issues nothing that would outlive its own certificate (AD CS of Windows Server 2022).
    fn leaf_within_issuer(&mut self) {
        let (from, until) = (self.intermediate().not_before(), self.intermediate().not_after());
        let leaf = self.leaf();
        let (not_before, not_after) = (leaf.not_before(), leaf.not_after());
        leaf.valid(not_before.max(from), not_after.min(until));
    }
}

/// When a certificate issued at `at` begins: a CA allows for clocks that are slow
/// (`CA\ClockSkewMinutes`, 10 by default).
const fn begun(at: Timestamp) -> Timestamp {
    at.plus_seconds(-600)
}

//! Which calls a pool has beside those that every xapi has (xapi-flows.md §§0.1 P5, 5.1, 5.3).

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{ApiError, Profile, Purpose, xapi::Pool};

/// The call by which design-v1 gets certificates out of a pool: the sources leave it open (§5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DownloadVariant {
    /// `pool.download_trusted_certificate`, one certificate at a time: the request.
    D1,
    /// `pool.download_trusted_certificates` with a list of certificates: the proposed change.
    #[default]
    D2,
    /// `pool.download_trusted_certificates` with one purpose: a reviewer's proposal.
    D3,
}

/// What differs from pool to pool.
/// Clones differ from then on.
#[derive(Debug, Default)]
pub(crate) struct Offered(Mutex<Differences>);

#[derive(Clone, Debug, Default)]
struct Differences {
    download: DownloadVariant,
    missing: BTreeSet<String>,
    unknown_purposes: BTreeSet<Purpose>,
}

impl Offered {
    fn lock(&self) -> MutexGuard<'_, Differences> {
        // Consistent after every statement under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clone for Offered {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.lock().clone()))
    }
}

impl Pool {
    /// Which download call it has, if it runs design-v1.
    pub fn download_variant(&self) -> DownloadVariant {
        self.offered().lock().download
    }

    /// Gives it another download call.
    pub fn set_download_variant(&self, variant: DownloadVariant) {
        self.offered().lock().download = variant;
    }

    /// Makes it an older xapi, which does not know these calls.
    pub fn set_missing_calls(&self, names: impl IntoIterator<Item = impl Into<String>>) {
        self.offered().lock().missing = names.into_iter().map(Into::into).collect();
    }

    /// Makes it a xapi whose enumeration of purposes lacks these.
    pub fn set_unknown_purposes(&self, purposes: impl IntoIterator<Item = Purpose>) {
        self.offered().lock().unknown_purposes = purposes.into_iter().collect();
    }

    /// What a certificate is for, in words of the enumeration. One that it does not have is an
    /// `INTERNAL_ERROR`.
    pub(super) fn parse_purposes(&self, words: &[String]) -> Result<Vec<Purpose>, ApiError> {
        words.iter().map(|word| self.parse_purpose(word)).collect()
    }

    pub(super) fn parse_purpose(&self, word: &str) -> Result<Purpose, ApiError> {
        let purpose: Purpose = word.parse().map_err(ApiError::internal)?;
        if self.offered().lock().unknown_purposes.contains(&purpose) {
            return Err(ApiError::internal(format!("unknown purpose `{word}`")));
        }
        Ok(purpose)
    }

    /// Whether it has the call of this name, such as `pool.sync_trusted_certificates_from`. Of a
    /// name that no xapi knows this is not the place to ask.
    pub fn has_call(&self, name: &str) -> bool {
        let offered = self.offered().lock();
        let one_at_a_time = offered.download == DownloadVariant::D1;
        let is_of_profile = match name {
            "pool.download_trusted_certificate" => {
                self.profile() == Profile::DesignV1 && one_at_a_time
            }
            "pool.download_trusted_certificates" => {
                self.profile() == Profile::DesignV1 && !one_at_a_time
            }
            "pool.sync_trusted_certificates_from" => self.profile() == Profile::Landed,
            _ => true,
        };
        is_of_profile && !offered.missing.contains(name)
    }

    /// What a call ends with that the pool does not have.
    pub(super) fn check_has_call(&self, name: &str) -> Result<(), ApiError> {
        if self.has_call(name) {
            return Ok(());
        }
        Err(ApiError::new("MESSAGE_METHOD_UNKNOWN", [name]))
    }
}

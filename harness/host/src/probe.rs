//! What xapi concludes from one probe of a DC, for whoever has run the program by himself.

use serde::Serialize;

use crate::{
    HostError, HostRoot, Output,
    trust_store::TrustStore,
    xapi::{Tag, probe_tag},
};

/// Why `pool.external_auth_set_ldaps` of xapi 26.16 fails on a host whose only DC was probed so
/// (xapi-flows.md §§6.6, 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ProbeFailure {
    /// The tag that xapi gives the failure: `invalid-trusted-certs`.
    pub tag: &'static str,
    /// Code of the error: `AUTH_INVALID_TRUSTED_CERTS`.
    pub code: &'static str,
}

impl ProbeFailure {
    /// The failure of a probe over LDAPS; `None` if the call succeeds. xapi looks for a bundle first
    /// and does not probe without one.
    ///
    /// # Errors
    ///
    /// The host's files cannot be looked at.
    pub fn of(root: &HostRoot, output: &Output) -> Result<Option<Self>, HostError> {
        let trust = TrustStore::new(root.clone()).ldaps_trust(false)?;
        let tag = if trust.is_none() { Some(Tag::NoTrustedCerts) } else { probe_tag(output) };
        Ok(tag.map(|tag| Self { tag: tag.name(), code: tag.set_ldaps_code() }))
    }
}

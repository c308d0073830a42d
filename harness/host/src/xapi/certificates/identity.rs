//! `host.get_server_certificate` (xapi-flows.md §4.6).

use crate::{ApiError, identity::Identity, xapi::on_host::OnHost};

impl OnHost<'_> {
    /// The certificate that the host shows to clients: without its key, and without the chain
    /// behind it.
    pub(in crate::xapi) fn get_server_certificate(&self) -> Result<String, ApiError> {
        let found = Identity::External.read(self.host.root());
        let corrupt = || ApiError::bare("CERTIFICATE_LIBRARY_CORRUPT");
        found.ok().flatten().map(|certificate| certificate.pem).ok_or_else(corrupt)
    }
}

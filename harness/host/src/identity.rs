//! The two certificates that identify a host (xapi-flows.md §2.1): one towards clients, one
//! towards the other hosts of its pool.
//!
//! A host makes both itself when it is set up, self-signed and for ten years. Each file holds the
//! private key and the certificate.

use fake_dc_pki::{AltName, CertificatePlan, PkiError};
use ground::{Seed, Timestamp};

use crate::{CertificateType, HostError, HostRecord, HostRoot, certificate::ParsedCertificate};

/// What a host shows to clients.
pub(crate) const EXTERNAL: &str = "/etc/xensource/xapi-ssl.pem";
/// What it shows to hosts of its pool.
pub(crate) const INTERNAL: &str = "/etc/xensource/xapi-pool-tls.pem";

/// By this name a client asks for the internal one.
pub(crate) const INTERNAL_NAME: &str = "pool";

const LIFE_DAYS: i64 = 3_650;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    External,
    Internal,
}

impl Identity {
    pub(crate) const ALL: [Self; 2] = [Self::External, Self::Internal];

    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::External => EXTERNAL,
            Self::Internal => INTERNAL,
        }
    }

    pub(crate) const fn kind(self) -> CertificateType {
        match self {
            Self::External => CertificateType::Host,
            Self::Internal => CertificateType::HostInternal,
        }
    }

    /// Makes the file of a host that has none, and reads it.
    pub(crate) fn establish(
        self,
        root: &HostRoot,
        host: &HostRecord,
        seed: &Seed,
        now: Timestamp,
    ) -> Result<ParsedCertificate, HostError> {
        if !root.exists(self.path())? {
            let text = self.make(host, seed, now).map_err(|error| self.unusable(error))?;
            root.write(self.path(), text.as_bytes(), 0o600)?;
        }
        self.read(root)?.ok_or_else(|| self.unusable("it holds no certificate"))
    }

    /// The leaf of the file: the first certificate of it. `None` if the file is there and holds
    /// none that can be read.
    pub(crate) fn read(self, root: &HostRoot) -> Result<Option<ParsedCertificate>, HostError> {
        let text = root.read(self.path())?;
        Ok(ParsedCertificate::first_of(&String::from_utf8_lossy(&text)))
    }

    /// A host calls itself by its name and address outside, and by its uuid inside its pool.
    fn make(self, host: &HostRecord, seed: &Seed, now: Timestamp) -> Result<String, PkiError> {
        let mut plan = CertificatePlan::server(self.path());
        plan.valid(now, now.plus_days(LIFE_DAYS));
        match self {
            Self::External => {
                let address = host.address.parse().map(AltName::Ip).ok();
                let name = AltName::Dns(host.hostname.clone());
                plan.named(&host.hostname).also_named(std::iter::once(name).chain(address));
            }
            Self::Internal => {
                let uuid = host.uuid.to_string();
                plan.named(&uuid).also_named([uuid.as_str()]);
            }
        }
        let chain = plan.issue_alone(&seed.child(self.path()))?;
        Ok(format!("{}{}", chain.key.to_pem(), chain.leaf_pem()))
    }

    fn unusable(self, cause: impl ToString) -> HostError {
        HostError::Identity { path: self.path(), cause: cause.to_string() }
    }
}

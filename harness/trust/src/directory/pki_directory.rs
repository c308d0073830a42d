//! The recommended directory, so that applications on one machine can use the same data.

use std::path::{Path, PathBuf};

use super::{
    data::{CertData, DataKind},
    error::DataError,
};

/// Where applications keep their data unless they have a particular need not to:
///
/// ```text
/// ca/cert.pem          must be there
/// ca/ca-crl.pem        may be missing
/// client/cert.pem      may be missing, with the key
/// client/key.pem       may be missing, with the certificate
/// server/trusted.pem   is made by the first permanent acceptance
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PkiDirectory {
    path: PathBuf,
    called: PathBuf,
}

impl PkiDirectory {
    /// The directory with that path.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { called: path.clone(), path }
    }

    /// The same under the name by which errors call it: what it is elsewhere, such as below the root of a simulated
    /// machine.
    #[must_use]
    pub fn called(self, called: impl Into<PathBuf>) -> Self {
        Self { called: called.into(), ..self }
    }

    /// The file of a kind of data.
    pub fn path(&self, kind: DataKind) -> PathBuf {
        self.path.join(place(kind))
    }

    /// All that is there. It is no more than five calls of [`CertData::add_file`].
    ///
    /// # Errors
    ///
    /// The CA certificate is missing, or a file is not what it should be.
    pub fn load(&self) -> Result<CertData, DataError> {
        let mut data = CertData::new();
        for kind in DataKind::ALL {
            let path = self.path(kind);
            let may_be_missing =
                kind != DataKind::CaCertificate && kind != DataKind::TrustedServers;
            if !(may_be_missing && is_missing(&path)) {
                data.add_file_called(kind, &path, &self.called.join(place(kind)))?;
            }
        }
        Ok(data)
    }
}

const fn place(kind: DataKind) -> &'static str {
    match kind {
        DataKind::CaCertificate => "ca/cert.pem",
        DataKind::CaRevocationList => "ca/ca-crl.pem",
        DataKind::ClientKey => "client/key.pem",
        DataKind::ClientCertificate => "client/cert.pem",
        DataKind::TrustedServers => "server/trusted.pem",
    }
}

/// Whether nothing stands there. What cannot be looked at is tried, and told.
fn is_missing(path: &Path) -> bool {
    path.try_exists().is_ok_and(|exists| !exists)
}

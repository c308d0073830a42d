//! Why a domain cannot be built.

use std::fmt;

use crate::ldif::LdifError;

/// Why a domain cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The DNS name of the domain is none.
    #[error("`{name}` is not a domain name such as `corp.example`")]
    DomainName {
        /// The name.
        name: String,
    },
    /// The NetBIOS name of the domain is none.
    #[error("`{name}` is not a NetBIOS name: 1 to 15 letters, digits or hyphens")]
    NetbiosName {
        /// The name.
        name: String,
    },
    /// A DC has a name that is none, or has another's.
    #[error("`{name}` cannot be the name of one more domain controller")]
    DcName {
        /// The name.
        name: String,
    },
    /// A domain cannot be trusted.
    #[error("`{name}` cannot be a trust partner: it is this domain, or the name is taken here")]
    TrustPartner {
        /// DNS name of the partner.
        name: String,
    },
    /// The LDIF has mistakes.
    #[error(transparent)]
    Ldif(#[from] LdifErrors),
}

/// All mistakes of all LDIF texts. `Display` writes each with its remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LdifErrors(pub Vec<LdifError>);

impl fmt::Display for LdifErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{error}\n  help: {}", error.remedy())?;
        }
        Ok(())
    }
}

impl std::error::Error for LdifErrors {}

//! Certificates of a fake domain: sound chains, and chains that are wrong in one named way.
//!
//! A [`Pki`] is what an AD CS installation gives a domain: a root, an intermediate that issues,
//! and one leaf per domain controller. A [`ChainPlan`] is such a chain before anything is signed:
//! a few [`CertificatePlan`]s and the order in which the server sends them. A fault is a small
//! edit of that plan, so faults compose; whatever the plan says in the end is what is issued.
//!
//! The same seed and time give the same bytes: keys come from a pool or from the seed, serials
//! from the seed, dates are relative to the time passed in, and every signature is deterministic.
//!
//! This crate knows no socket and no LDAP, and does not judge what it makes: that is
//! `trust-verdict`.
//!
//! ```
//! use fake_dc_pki::{DcIdentity, Pki, fault};
//! use ground::{Seed, Timestamp};
//!
//! let now: Timestamp = "2026-08-21T02:00:00Z".parse().unwrap();
//! let pki = Pki::new(&Seed::new(1), now, "corp.example")?;
//! let dc1 = DcIdentity::new("dc1", "corp.example", [127, 0, 1, 11].into());
//!
//! let sound = pki.chain(&dc1, &[])?;
//! assert_eq!(sound.certificates.len(), 2, "leaf and intermediate; the root is never sent");
//!
//! let expired = pki.chain(&dc1, &[fault("time.leaf-expired").unwrap()])?;
//! assert_ne!(expired.certificates[0], sound.certificates[0]);
//! assert_eq!(expired.certificates[1], sound.certificates[1]);
//! # Ok::<(), fake_dc_pki::PkiError>(())
//! ```

mod algorithm;
mod body;
mod certificate;
mod chain;
pub mod clone;
mod crl;
mod der;
mod error;
mod extension;
mod faults;
mod issue;
mod key;
mod name;
mod oid;
mod pem_file;
mod pki;
mod plan;
mod register;
mod renewal;
mod store;

pub use algorithm::{Hash, SignatureAlgorithm};
pub use certificate::{AlgorithmName, CertificatePlan, Signer, TimeForm};
pub use chain::Chain;
pub use crl::{Crl, CrlPlan, Crls, RevocationReason};
pub use error::{PemCause, PemError, PkiError};
pub use extension::{AltName, BasicConstraints, Extension, KeyUsage, Purpose};
pub use faults::{ChainFault, FaultInfo, catalogue, fault};
pub use issue::serial_number;
pub use key::{Authority, KeyChoice, KeyKind, KeyOwner, PrivateKey, SigningKey};
pub use name::{Name, NameAttribute, Spelling};
pub use pem_file::PemFile;
pub use pki::{CaCertificate, DcIdentity, Pki};
pub use plan::{CertificateId, ChainPlan, Sent};
pub use renewal::{RENEWALS_MAX, RenewalKey};
pub use store::{CertificateStore, StoreLocation, StoredCertificate, Unfit};

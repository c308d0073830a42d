//! What Samba's LDAP client, with GnuTLS below it, concludes about a server's certificates.
//!
//! A [`Client`] is made from the settings of `smb.conf` and the contents of the files they name;
//! it judges what a server [`Presented`] and returns a [`Verdict`]: the class of the ending, the
//! status bits, the [`Words`] Samba prints, the [`Reason`]s, and [`Advice`]. Bytes go in, a verdict
//! comes out: no socket, no file, no clock.
//!
//! A judgement ends on any bytes: more than 16 certificates are not judged, and the steps it takes
//! have bounds that tests count up to (`steps`).
//!
//! Modelled on Samba 4.22.11 with GnuTLS 3.8.9 (Debian 13), by rule and not by table. It is no
//! verifier to protect a connection with: it accepts what that client accepts.
//!
//! ```
//! use ground::Timestamp;
//! use trust_verdict::*;
//!
//! let config = ClientConfig {
//!     mode: VerifyPeer::CaAndNameIfAvailable,
//!     trust: TrustFiles { cafile: Some(PemFile::missing("/etc/ca.pem")), ..Default::default() },
//!     priority: XAPI_PRIORITY.to_owned(),
//! };
//! let error = Client::new(config).expect_err("there is nothing to trust");
//! let verdict = error.verdict(&PeerName::new("dc1.corp.example"), Timestamp::from_unix(0));
//! assert_eq!(verdict.class, Class::ConfigError);
//! assert_eq!(verdict.words(0).last, "An invalid combination of parameters was specified.");
//! ```

mod advice;
mod algorithm;
mod certificate;
mod chain;
mod client;
mod comparison;
mod constraints;
mod crl;
mod der;
mod evidence;
mod explain;
mod extensions;
mod facts;
mod findings;
mod hash;
mod judge;
mod key;
mod name;
mod openssl;
mod pem;
mod priority;
mod priority_tables;
mod reason;
mod remedy;
mod small_curve;
mod status;
mod steps;
mod subject;
mod suites;
mod trust;
mod verdict;
mod when;
mod words;

pub use client::{
    Client, ClientConfig, ConfigError, HandshakeFailure, VerifyPeer, VerifyPeerError,
};
pub use comparison::Comparison;
pub use evidence::{CERTIFICATES_MAX, EvidenceError, Presented, TlsVersion};
pub use name::PeerName;
pub use priority::{PriorityError, SAMBA_PRIORITY, TlsOffer, XAPI_PRIORITY};
pub use reason::{AnchorRef, Check, Fingerprint, Reason, WireCertificate};
pub use remedy::{Advice, Holder, Property, Remedy, Wanted};
pub use status::{GnutlsError, NtStatus, StatusBits};
pub use trust::{FileContent, PemFile, TrustDirectory, TrustFiles};
pub use verdict::{Class, Link, OtherMode, Verdict};
pub use words::{Words, XapiTag};

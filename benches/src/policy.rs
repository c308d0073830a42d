//! The two ways of TLS that are measured.

use std::sync::Arc;

use fake_dc_pki::KeyKind;
use rustls::{
    SupportedProtocolVersion,
    crypto::{CryptoProvider, aws_lc_rs},
    version::{TLS12, TLS13},
};
use trust_verdict::{TlsVersion, XAPI_PRIORITY};

/// What a client offers, and the key of the DC's certificate that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// TLS 1.3 with X25519, a P-256 key.
    ModernP256,
    /// TLS 1.3 with X25519, an RSA-2048 key.
    ModernRsa2048,
    /// What xapi writes into smb.conf: TLS 1.2, ECDHE-RSA, P-384. No P-256 key goes with it.
    XapiRsa2048,
}

const ONLY_TLS12: &[&SupportedProtocolVersion] = &[&TLS12];
const ONLY_TLS13: &[&SupportedProtocolVersion] = &[&TLS13];

impl Policy {
    /// All of them; xapi's first.
    pub const ALL: [Self; 3] = [Self::XapiRsa2048, Self::ModernRsa2048, Self::ModernP256];

    /// As ids of figures have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ModernP256 => "modern-p256",
            Self::ModernRsa2048 => "modern-rsa2048",
            Self::XapiRsa2048 => "xapi-rsa2048",
        }
    }

    /// The key of the DC's certificate. Those of its CAs are RSA-2048 in any case.
    pub const fn leaf(self) -> KeyKind {
        match self {
            Self::ModernP256 => KeyKind::EcdsaP256,
            Self::ModernRsa2048 | Self::XapiRsa2048 => KeyKind::Rsa2048,
        }
    }

    pub(crate) const fn version(self) -> TlsVersion {
        match self {
            Self::ModernP256 | Self::ModernRsa2048 => TlsVersion::Tls13,
            Self::XapiRsa2048 => TlsVersion::Tls12,
        }
    }

    pub(crate) fn versions(self) -> &'static [&'static SupportedProtocolVersion] {
        match self {
            Self::ModernP256 | Self::ModernRsa2048 => ONLY_TLS13,
            Self::XapiRsa2048 => ONLY_TLS12,
        }
    }

    /// The string of GnuTLS that a verdict is made under.
    pub(crate) const fn priority(self) -> &'static str {
        match self {
            Self::ModernP256 | Self::ModernRsa2048 => "NORMAL",
            Self::XapiRsa2048 => XAPI_PRIORITY,
        }
    }

    pub(crate) fn provider(self) -> Arc<CryptoProvider> {
        let (suite, group) = match self {
            Self::ModernP256 | Self::ModernRsa2048 => {
                (aws_lc_rs::cipher_suite::TLS13_AES_256_GCM_SHA384, aws_lc_rs::kx_group::X25519)
            }
            Self::XapiRsa2048 => (
                aws_lc_rs::cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
                aws_lc_rs::kx_group::SECP384R1,
            ),
        };
        Arc::new(CryptoProvider {
            cipher_suites: vec![suite],
            kx_groups: vec![group],
            ..aws_lc_rs::default_provider()
        })
    }
}

//! The cipher suites that rustls has not got, and two that it has.

use super::{TLS10, TLS12, prf::Prf};

/// A cipher suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Suite {
    /// Number in the IANA registry.
    pub(crate) number: u16,
    /// Name in the IANA registry.
    pub(crate) name: &'static str,
    pub(super) exchange: Exchange,
    pub(super) protection: Kind,
    pub(super) key_bytes: usize,
    hash: Prf,
}

/// How the premaster secret comes to both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exchange {
    /// A signed ephemeral key on a curve.
    Ecdhe,
    /// Encrypted with the certificate's key: no forward secrecy, no signature.
    Rsa,
}

/// How records are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// CBC with HMAC-SHA-1.
    CbcSha1,
    /// CBC with HMAC-SHA-256.
    CbcSha256,
    Gcm,
}

impl Suite {
    const fn new(
        number: u16,
        name: &'static str,
        exchange: Exchange,
        protection: Kind,
        key_bytes: usize,
        hash: Prf,
    ) -> Self {
        Self { number, name, exchange, protection, key_bytes, hash }
    }

    /// Whether a version of TLS has it here. The signature of ECDHE in TLS 1.0 is one over MD5 and
    /// SHA-1 together, which the signers of rustls do not make.
    pub(super) fn is_in(self, version: u16) -> bool {
        let is_old = self.exchange == Exchange::Rsa && self.protection == Kind::CbcSha1;
        version == TLS12 || (is_old && version >= TLS10)
    }

    pub(super) fn prf(self, version: u16) -> Prf {
        if version == TLS12 { self.hash } else { Prf::Md5Sha1 }
    }
}

macro_rules! suites {
    ($($name:ident = $number:literal, $exchange:ident, $protection:ident, $key:literal, $hash:ident;)*) => {
        $(pub(crate) const $name: Suite = Suite::new(
            $number, stringify!($name), Exchange::$exchange, Kind::$protection, $key, Prf::$hash,
        );)*
    };
}

suites! {
    TLS_RSA_WITH_AES_128_CBC_SHA = 0x002f, Rsa, CbcSha1, 16, Sha256;
    TLS_RSA_WITH_AES_256_CBC_SHA = 0x0035, Rsa, CbcSha1, 32, Sha256;
    TLS_RSA_WITH_AES_128_CBC_SHA256 = 0x003c, Rsa, CbcSha256, 16, Sha256;
    TLS_RSA_WITH_AES_256_CBC_SHA256 = 0x003d, Rsa, CbcSha256, 32, Sha256;
    TLS_RSA_WITH_AES_128_GCM_SHA256 = 0x009c, Rsa, Gcm, 16, Sha256;
    TLS_RSA_WITH_AES_256_GCM_SHA384 = 0x009d, Rsa, Gcm, 32, Sha384;
    TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA = 0xc013, Ecdhe, CbcSha1, 16, Sha256;
    TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA = 0xc014, Ecdhe, CbcSha1, 32, Sha256;
    TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 = 0xc027, Ecdhe, CbcSha256, 16, Sha256;
    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 = 0xc02f, Ecdhe, Gcm, 16, Sha256;
    TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 = 0xc030, Ecdhe, Gcm, 32, Sha384;
}

/// What Windows Server 2008 R2 prefers, as far as it is here (Microsoft, "TLS Cipher Suites in
/// Windows 7"). RC4 and 3DES are not.
pub(crate) const WINDOWS_2008_R2: &[Suite] = &[
    TLS_RSA_WITH_AES_128_CBC_SHA256,
    TLS_RSA_WITH_AES_128_CBC_SHA,
    TLS_RSA_WITH_AES_256_CBC_SHA256,
    TLS_RSA_WITH_AES_256_CBC_SHA,
    TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
    TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
    TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
];

pub(crate) const STATIC_RSA: &[Suite] = &[
    TLS_RSA_WITH_AES_256_GCM_SHA384,
    TLS_RSA_WITH_AES_128_GCM_SHA256,
    TLS_RSA_WITH_AES_256_CBC_SHA256,
    TLS_RSA_WITH_AES_128_CBC_SHA256,
    TLS_RSA_WITH_AES_256_CBC_SHA,
    TLS_RSA_WITH_AES_128_CBC_SHA,
];

pub(crate) const ECDHE_CBC: &[Suite] = &[
    TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
    TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
    TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
];

pub(crate) const ECDHE_GCM: &[Suite] =
    &[TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256];

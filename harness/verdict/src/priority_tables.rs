//! The names GnuTLS 3.8.9 knows in priority strings, and the numbers behind them.

use crate::evidence::TlsVersion;

/// An initial keyword.
#[derive(Debug)]
pub(crate) struct Level {
    pub(crate) names: &'static [&'static str],
    pub(crate) versions: Option<&'static [&'static str]>,
    pub(crate) ciphers: &'static [&'static str],
    pub(crate) macs: &'static [&'static str],
    pub(crate) exchanges: &'static [&'static str],
    pub(crate) signatures: &'static [&'static str],
    pub(crate) groups: &'static [&'static str],
    /// Least bits of an RSA or DSA key, and of an elliptic curve.
    pub(crate) key_bits_min: Option<(u64, u64)>,
}

/// Datagram versions can be the only ones left, and then the string is fine and the handshake not.
pub(crate) const NORMAL_VERSIONS: [&str; 6] =
    ["TLS1.3", "TLS1.2", "TLS1.1", "TLS1.0", "DTLS1.2", "DTLS1.0"];
pub(crate) const VERSIONS: [&str; 8] =
    ["TLS1.3", "TLS1.2", "TLS1.1", "TLS1.0", "DTLS1.2", "DTLS1.0", "DTLS0.9", "SSL3.0"];
pub(crate) const NORMAL_CIPHERS: [&str; 7] = [
    "AES-256-GCM",
    "CHACHA20-POLY1305",
    "AES-256-CCM",
    "AES-256-CBC",
    "AES-128-GCM",
    "AES-128-CCM",
    "AES-128-CBC",
];
const PERFORMANCE_CIPHERS: [&str; 7] = [
    "AES-128-GCM",
    "AES-256-GCM",
    "CHACHA20-POLY1305",
    "AES-128-CCM",
    "AES-256-CCM",
    "AES-128-CBC",
    "AES-256-CBC",
];
const SECURE192_CIPHERS: [&str; 4] =
    ["AES-256-GCM", "CHACHA20-POLY1305", "AES-256-CBC", "AES-256-CCM"];
pub(crate) const NORMAL_MACS: [&str; 2] = ["SHA1", "AEAD"];
const SECURE192_MACS: [&str; 1] = ["AEAD"];
pub(crate) const NORMAL_EXCHANGES: [&str; 4] = ["ECDHE-ECDSA", "ECDHE-RSA", "RSA", "DHE-RSA"];
const PERFORMANCE_EXCHANGES: [&str; 4] = ["RSA", "ECDHE-ECDSA", "ECDHE-RSA", "DHE-RSA"];
const PFS_EXCHANGES: [&str; 3] = ["ECDHE-ECDSA", "ECDHE-RSA", "DHE-RSA"];
pub(crate) const NORMAL_GROUPS: [&str; 10] = [
    "SECP256R1",
    "SECP384R1",
    "SECP521R1",
    "X25519",
    "X448",
    "FFDHE2048",
    "FFDHE3072",
    "FFDHE4096",
    "FFDHE6144",
    "FFDHE8192",
];
const SECURE192_GROUPS: [&str; 3] = ["SECP384R1", "SECP521R1", "FFDHE8192"];
pub(crate) const NORMAL_SIGNATURES: [&str; 19] = [
    "RSA-SHA256",
    "RSA-PSS-SHA256",
    "RSA-PSS-RSAE-SHA256",
    "ECDSA-SHA256",
    "ECDSA-SECP256R1-SHA256",
    "EDDSA-ED25519",
    "RSA-SHA384",
    "RSA-PSS-SHA384",
    "RSA-PSS-RSAE-SHA384",
    "ECDSA-SHA384",
    "ECDSA-SECP384R1-SHA384",
    "EDDSA-ED448",
    "RSA-SHA512",
    "RSA-PSS-SHA512",
    "RSA-PSS-RSAE-SHA512",
    "ECDSA-SHA512",
    "ECDSA-SECP521R1-SHA512",
    "RSA-SHA1",
    "ECDSA-SHA1",
];
const SECURE128_SIGNATURES: [&str; 17] = {
    let mut signatures = [""; 17];
    let mut index = 0;
    while index < 17 {
        signatures[index] = NORMAL_SIGNATURES[index];
        index += 1;
    }
    signatures
};
const SECURE192_SIGNATURES: [&str; 11] = [
    "RSA-SHA384",
    "RSA-PSS-SHA384",
    "RSA-PSS-RSAE-SHA384",
    "ECDSA-SHA384",
    "ECDSA-SECP384R1-SHA384",
    "EDDSA-ED448",
    "RSA-SHA512",
    "RSA-PSS-SHA512",
    "RSA-PSS-RSAE-SHA512",
    "ECDSA-SHA512",
    "ECDSA-SECP521R1-SHA512",
];
const LOW: (u64, u64) = (1024, 160);
const HIGH: (u64, u64) = (3072, 256);

pub(crate) const LEVELS: [Level; 8] = [
    Level {
        names: &["NORMAL"],
        versions: None,
        ciphers: &NORMAL_CIPHERS,
        macs: &NORMAL_MACS,
        exchanges: &NORMAL_EXCHANGES,
        signatures: &NORMAL_SIGNATURES,
        groups: &NORMAL_GROUPS,
        key_bits_min: Some(LOW),
    },
    Level {
        names: &["PFS"],
        versions: None,
        ciphers: &NORMAL_CIPHERS,
        macs: &NORMAL_MACS,
        exchanges: &PFS_EXCHANGES,
        signatures: &NORMAL_SIGNATURES,
        groups: &NORMAL_GROUPS,
        key_bits_min: Some(LOW),
    },
    Level {
        names: &["SECURE128", "SECURE"],
        versions: None,
        ciphers: &NORMAL_CIPHERS,
        macs: &NORMAL_MACS,
        exchanges: &NORMAL_EXCHANGES,
        signatures: &SECURE128_SIGNATURES,
        groups: &NORMAL_GROUPS,
        key_bits_min: Some(LOW),
    },
    Level {
        names: &["SECURE192", "SECURE256"],
        versions: None,
        ciphers: &SECURE192_CIPHERS,
        macs: &SECURE192_MACS,
        exchanges: &NORMAL_EXCHANGES,
        signatures: &SECURE192_SIGNATURES,
        groups: &SECURE192_GROUPS,
        key_bits_min: Some(HIGH),
    },
    Level {
        names: &["SUITEB128"],
        versions: Some(&["TLS1.2"]),
        ciphers: &["AES-256-GCM", "AES-128-GCM"],
        macs: &["AEAD"],
        exchanges: &["ECDHE-ECDSA"],
        signatures: &[
            "ECDSA-SHA256",
            "ECDSA-SECP256R1-SHA256",
            "ECDSA-SHA384",
            "ECDSA-SECP384R1-SHA384",
        ],
        groups: &["SECP256R1", "SECP384R1"],
        key_bits_min: Some(HIGH),
    },
    Level {
        names: &["SUITEB192"],
        versions: Some(&["TLS1.2"]),
        ciphers: &["AES-256-GCM"],
        macs: &["AEAD"],
        exchanges: &["ECDHE-ECDSA"],
        signatures: &["ECDSA-SHA384", "ECDSA-SECP384R1-SHA384"],
        groups: &["SECP384R1"],
        key_bits_min: Some((7680, 384)),
    },
    Level {
        names: &["LEGACY"],
        versions: None,
        ciphers: &NORMAL_CIPHERS,
        macs: &NORMAL_MACS,
        exchanges: &NORMAL_EXCHANGES,
        signatures: &NORMAL_SIGNATURES,
        groups: &NORMAL_GROUPS,
        key_bits_min: None,
    },
    Level {
        names: &["PERFORMANCE"],
        versions: None,
        ciphers: &PERFORMANCE_CIPHERS,
        macs: &NORMAL_MACS,
        exchanges: &PERFORMANCE_EXCHANGES,
        signatures: &NORMAL_SIGNATURES,
        groups: &NORMAL_GROUPS,
        key_bits_min: Some(LOW),
    },
];

pub(crate) const MACS: [&str; 20] = [
    "SHA1",
    "SHA256",
    "SHA384",
    "SHA512",
    "SHA224",
    "UMAC-96",
    "UMAC-128",
    "AEAD",
    "MD5",
    "GOSTR341194",
    "STREEBOG-256",
    "STREEBOG-512",
    "AES-CMAC-128",
    "AES-CMAC-256",
    "AES-GMAC-128",
    "AES-GMAC-192",
    "AES-GMAC-256",
    "GOST28147-TC26Z-IMIT",
    "OMAC-MAGMA",
    "OMAC-KUZNYECHIK",
];
pub(crate) const CIPHERS: [&str; 40] = [
    "AES-256-CBC",
    "AES-192-CBC",
    "AES-128-CBC",
    "AES-128-GCM",
    "AES-192-GCM",
    "AES-256-GCM",
    "AES-128-CCM",
    "AES-256-CCM",
    "AES-128-CCM-8",
    "AES-256-CCM-8",
    "ARCFOUR-128",
    "ESTREAM-SALSA20-256",
    "SALSA20-256",
    "CHACHA20-32",
    "CHACHA20-64",
    "CAMELLIA-256-CBC",
    "CAMELLIA-192-CBC",
    "CAMELLIA-128-CBC",
    "CHACHA20-POLY1305",
    "CAMELLIA-128-GCM",
    "CAMELLIA-256-GCM",
    "GOST28147-TC26Z-CFB",
    "GOST28147-CPA-CFB",
    "GOST28147-CPB-CFB",
    "GOST28147-CPC-CFB",
    "GOST28147-CPD-CFB",
    "AES-128-CFB8",
    "AES-192-CFB8",
    "AES-256-CFB8",
    "AES-128-XTS",
    "AES-256-XTS",
    "AES-128-SIV",
    "AES-256-SIV",
    "GOST28147-TC26Z-CNT",
    "MAGMA-CTR-ACPKM",
    "KUZNYECHIK-CTR-ACPKM",
    "3DES-CBC",
    "DES-CBC",
    "RC2-40",
    "NULL",
];
pub(crate) const EXCHANGES: [&str; 16] = [
    "ECDHE-RSA",
    "ECDHE-ECDSA",
    "RSA",
    "DHE-RSA",
    "DHE-DSS",
    "PSK",
    "RSA-PSK",
    "DHE-PSK",
    "ECDHE-PSK",
    "SRP-DSS",
    "SRP-RSA",
    "SRP",
    "ANON-DH",
    "ANON-ECDH",
    "VKO-GOST-12",
    "RSA-EXPORT",
];
/// Words about Russian algorithms: accepted, and of no consequence here.
pub(crate) const GOST: [&str; 16] = [
    "GOST",
    "GROUP-GOST-ALL",
    "SIGN-GOST-ALL",
    "CIPHER-GOST-ALL",
    "KX-GOST-ALL",
    "MAC-GOST-ALL",
    "GROUP-GC256A",
    "GROUP-GC256B",
    "GROUP-GC256C",
    "GROUP-GC256D",
    "GROUP-GC512A",
    "GROUP-GC512B",
    "GROUP-GC512C",
    "SIGN-GOSTR341012-512",
    "SIGN-GOSTR341012-256",
    "SIGN-GOSTR341001",
];
pub(crate) const CERTIFICATE_TYPES: [&str; 11] = [
    "ALL",
    "X509",
    "X.509",
    "OPENPGP",
    "RAWPK",
    "CLI-ALL",
    "SRV-ALL",
    "CLI-X509",
    "SRV-X509",
    "CLI-RAWPK",
    "SRV-RAWPK",
];
pub(crate) const GROUPS: [(&str, u16); 12] = [
    ("SECP192R1", 19),
    ("SECP224R1", 21),
    ("SECP256R1", 23),
    ("SECP384R1", 24),
    ("SECP521R1", 25),
    ("X25519", 29),
    ("X448", 30),
    ("FFDHE2048", 256),
    ("FFDHE3072", 257),
    ("FFDHE4096", 258),
    ("FFDHE6144", 259),
    ("FFDHE8192", 260),
];
/// Signature algorithms and their TLS scheme numbers; 0 for those without one.
pub(crate) const SIGNATURES: [(&str, u16); 42] = [
    ("RSA-SHA256", 0x0401),
    ("RSA-SHA384", 0x0501),
    ("RSA-SHA512", 0x0601),
    ("RSA-PSS-SHA256", 0x0809),
    ("RSA-PSS-SHA384", 0x080a),
    ("RSA-PSS-SHA512", 0x080b),
    ("RSA-PSS-RSAE-SHA256", 0x0804),
    ("RSA-PSS-RSAE-SHA384", 0x0805),
    ("RSA-PSS-RSAE-SHA512", 0x0806),
    ("EDDSA-ED25519", 0x0807),
    ("EDDSA-ED448", 0x0808),
    ("ECDSA-SHA256", 0x0403),
    ("ECDSA-SHA384", 0x0503),
    ("ECDSA-SHA512", 0x0603),
    ("ECDSA-SECP256R1-SHA256", 0x0403),
    ("ECDSA-SECP384R1-SHA384", 0x0503),
    ("ECDSA-SECP521R1-SHA512", 0x0603),
    ("RSA-SHA1", 0x0201),
    ("ECDSA-SHA1", 0x0203),
    ("RSA-SHA224", 0x0301),
    ("ECDSA-SHA224", 0x0303),
    ("DSA-SHA1", 0x0202),
    ("DSA-SHA224", 0x0302),
    ("DSA-SHA256", 0x0402),
    ("DSA-SHA384", 0),
    ("DSA-SHA512", 0),
    ("RSA-MD5", 0),
    ("RSA-SHA3-256", 0),
    ("ECDSA-SHA3-256", 0),
    ("RSA-RMD160", 0),
    ("RSA-SHA3-224", 0),
    ("RSA-SHA3-384", 0),
    ("RSA-SHA3-512", 0),
    ("ECDSA-SHA3-224", 0),
    ("ECDSA-SHA3-384", 0),
    ("ECDSA-SHA3-512", 0),
    ("DSA-SHA3-224", 0),
    ("DSA-SHA3-256", 0),
    ("DSA-SHA3-384", 0),
    ("DSA-SHA3-512", 0),
    ("RSA-RAW", 0),
    ("RSA-MD2", 0),
];
/// The last three came with GnuTLS 3.8.
pub(crate) const OPTIONS: [&str; 30] = [
    "ALLOW_SMALL_RECORDS",
    "COMPAT",
    "DEBUG_ALLOW_KEY_USAGE_VIOLATIONS",
    "DISABLE_SAFE_RENEGOTIATION",
    "DISABLE_TLS13_COMPAT_MODE",
    "DISABLE_WILDCARDS",
    "DUMBFW",
    "FALLBACK_SCSV",
    "FORCE_ETM",
    "LATEST_RECORD_VERSION",
    "NEW_PADDING",
    "NO_ETM",
    "NO_EXTENSIONS",
    "NO_SESSION_HASH",
    "NO_TICKETS",
    "NO_TICKETS_TLS12",
    "PARTIAL_RENEGOTIATION",
    "SAFE_RENEGOTIATION",
    "SERVER_PRECEDENCE",
    "SSL3_RECORD_VERSION",
    "STATELESS_COMPRESSION",
    "UNSAFE_RENEGOTIATION",
    "VERIFY_ALLOW_BROKEN",
    "VERIFY_ALLOW_SIGN_RSA_MD5",
    "VERIFY_ALLOW_SIGN_WITH_SHA1",
    "VERIFY_ALLOW_X509_V1_CA_CRT",
    "VERIFY_DISABLE_CRL_CHECKS",
    "FORCE_SESSION_HASH",
    "NO_STATUS_REQUEST",
    "NO_SHUFFLE_EXTENSIONS",
];

pub(crate) fn version(name: &str) -> Option<TlsVersion> {
    Some(match name {
        "TLS1.0" => TlsVersion::Tls10,
        "TLS1.1" => TlsVersion::Tls11,
        "TLS1.2" => TlsVersion::Tls12,
        "TLS1.3" => TlsVersion::Tls13,
        _ => return None,
    })
}

/// Key sizes of `%PROFILE_…`.
pub(crate) fn profile(option: &str) -> Option<(u64, u64)> {
    Some(match option {
        "PROFILE_VERY_WEAK" => (768, 128),
        "PROFILE_LOW" => LOW,
        "PROFILE_LEGACY" => (1776, 192),
        "PROFILE_MEDIUM" => (2048, 224),
        "PROFILE_HIGH" | "PROFILE_SUITEB128" => HIGH,
        "PROFILE_ULTRA" => (8192, 384),
        "PROFILE_FUTURE" => (15_360, 512),
        "PROFILE_SUITEB192" => (7680, 384),
        _ => return None,
    })
}

//! The TLS cipher suites GnuTLS 3.8.9 can build from a priority string.

/// Kinds of keys a server proves itself with in TLS 1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerKey {
    Ecdsa,
    Rsa,
}

/// A cipher suite before TLS 1.3.
#[derive(Debug)]
pub(crate) struct Suite {
    pub(crate) exchange: &'static str,
    pub(crate) key: ServerKey,
    pub(crate) cipher: &'static str,
    pub(crate) mac: &'static str,
    pub(crate) number: u16,
}

const fn suite(
    exchange: &'static str,
    cipher: &'static str,
    mac: &'static str,
    number: u16,
) -> Suite {
    // Only one of the exchanges here is not for RSA keys, and it is the only one of 11 letters.
    let key = if exchange.len() == 11 { ServerKey::Ecdsa } else { ServerKey::Rsa };
    Suite { exchange, key, cipher, mac, number }
}

pub(crate) const SUITES: [Suite; 41] = [
    suite("ECDHE-RSA", "AES-128-GCM", "AEAD", 0xc02f),
    suite("ECDHE-RSA", "AES-256-GCM", "AEAD", 0xc030),
    suite("ECDHE-RSA", "CHACHA20-POLY1305", "AEAD", 0xcca8),
    suite("ECDHE-RSA", "AES-128-CBC", "SHA1", 0xc013),
    suite("ECDHE-RSA", "AES-256-CBC", "SHA1", 0xc014),
    suite("ECDHE-RSA", "AES-128-CBC", "SHA256", 0xc027),
    suite("ECDHE-RSA", "AES-256-CBC", "SHA384", 0xc028),
    suite("ECDHE-RSA", "3DES-CBC", "SHA1", 0xc012),
    suite("ECDHE-ECDSA", "AES-128-GCM", "AEAD", 0xc02b),
    suite("ECDHE-ECDSA", "AES-256-GCM", "AEAD", 0xc02c),
    suite("ECDHE-ECDSA", "CHACHA20-POLY1305", "AEAD", 0xcca9),
    suite("ECDHE-ECDSA", "AES-128-CBC", "SHA1", 0xc009),
    suite("ECDHE-ECDSA", "AES-256-CBC", "SHA1", 0xc00a),
    suite("ECDHE-ECDSA", "AES-128-CBC", "SHA256", 0xc023),
    suite("ECDHE-ECDSA", "AES-256-CBC", "SHA384", 0xc024),
    suite("ECDHE-ECDSA", "AES-128-CCM", "AEAD", 0xc0ac),
    suite("ECDHE-ECDSA", "AES-256-CCM", "AEAD", 0xc0ad),
    suite("ECDHE-ECDSA", "AES-128-CCM-8", "AEAD", 0xc0ae),
    suite("ECDHE-ECDSA", "AES-256-CCM-8", "AEAD", 0xc0af),
    suite("ECDHE-ECDSA", "3DES-CBC", "SHA1", 0xc008),
    suite("RSA", "AES-128-GCM", "AEAD", 0x009c),
    suite("RSA", "AES-256-GCM", "AEAD", 0x009d),
    suite("RSA", "AES-128-CCM", "AEAD", 0xc09c),
    suite("RSA", "AES-256-CCM", "AEAD", 0xc09d),
    suite("RSA", "AES-128-CBC", "SHA1", 0x002f),
    suite("RSA", "AES-256-CBC", "SHA1", 0x0035),
    suite("RSA", "AES-128-CBC", "SHA256", 0x003c),
    suite("RSA", "AES-256-CBC", "SHA256", 0x003d),
    suite("RSA", "3DES-CBC", "SHA1", 0x000a),
    suite("DHE-RSA", "AES-128-GCM", "AEAD", 0x009e),
    suite("DHE-RSA", "AES-256-GCM", "AEAD", 0x009f),
    suite("DHE-RSA", "CHACHA20-POLY1305", "AEAD", 0xccaa),
    suite("DHE-RSA", "AES-128-CCM", "AEAD", 0xc09e),
    suite("DHE-RSA", "AES-256-CCM", "AEAD", 0xc09f),
    suite("DHE-RSA", "AES-128-CBC", "SHA1", 0x0033),
    suite("DHE-RSA", "AES-256-CBC", "SHA1", 0x0039),
    suite("DHE-RSA", "AES-128-CBC", "SHA256", 0x0067),
    suite("DHE-RSA", "AES-256-CBC", "SHA256", 0x006b),
    suite("DHE-RSA", "3DES-CBC", "SHA1", 0x0016),
    suite("RSA", "AES-128-CCM-8", "AEAD", 0xc0a0),
    suite("RSA", "AES-256-CCM-8", "AEAD", 0xc0a1),
];

pub(crate) fn tls13_suite(cipher: &str) -> Option<u16> {
    Some(match cipher {
        "AES-128-GCM" => 0x1301,
        "AES-256-GCM" => 0x1302,
        "CHACHA20-POLY1305" => 0x1303,
        "AES-128-CCM" => 0x1304,
        "AES-128-CCM-8" => 0x1305,
        _ => return None,
    })
}

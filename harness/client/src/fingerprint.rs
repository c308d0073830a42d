//! Fingerprints as records have them (xapi-flows.md §1.1).

use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use sha2::{Digest as _, Sha256};

/// The SHA-256 of the first certificate of a PEM text: upper-case octets between colons.
pub(crate) fn fingerprint_of_pem(pem: &str) -> Option<String> {
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
    let octets: Vec<_> =
        Sha256::digest(&certificate).iter().map(|octet| format!("{octet:02X}")).collect();
    Some(octets.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_the_pem_holds() {
        let pem = "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n";
        let fingerprint = fingerprint_of_pem(pem).unwrap();
        // SHA-256 of "abc", FIPS 180-2.
        assert!(fingerprint.starts_with("BA:78:16:BF:8F:01:CF:EA:41:41:40:DE"), "{fingerprint}");
        assert_eq!(fingerprint.len(), 32 * 3 - 1);
        assert_eq!(fingerprint_of_pem("abc"), None);
    }
}

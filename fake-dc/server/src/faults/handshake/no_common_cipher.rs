use std::sync::Arc;

use rustls::CipherSuite;

use crate::{
    faults::{FaultInfo, ServerFault},
    tls::TlsPolicy,
};

/// ChaCha20-Poly1305 and nothing else: an order of suites that was cut down to what a scanner
/// likes best. A client that offers AES alone, such as xapi's, finds none in common.
#[derive(Debug)]
pub(crate) struct NoCommonCipher;

impl ServerFault for NoCommonCipher {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.no-common-cipher",
            "the server has no AES suite, only ChaCha20-Poly1305",
            "the list of cipher suites was cut down by a hardening policy",
            "client → DC   ClientHello with AES suites alone\n\
             DC → client   alert, fatal: handshake_failure\n\
             DC → client   end of the connection",
        )
    }

    fn tls_policy(&self, policy: &mut TlsPolicy) {
        Arc::make_mut(&mut policy.provider).cipher_suites.retain(|suite| {
            matches!(
                suite.suite(),
                CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
                    | CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
                    | CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
            )
        });
    }
}

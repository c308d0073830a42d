use std::sync::Arc;

use crate::{
    faults::{FaultInfo, ServerFault},
    tls::{ONLY_TLS12, TlsPolicy},
};

/// TLS 1.2 with ECDSA suites, and a certificate with an RSA key: nobody can connect.
#[derive(Debug)]
pub(crate) struct EcdsaSuitesOnly;

impl ServerFault for EcdsaSuitesOnly {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.ecdsa-suites-only",
            "the server has suites for ECDSA certificates alone, and its certificate is RSA",
            "a list of cipher suites for Schannel was copied from a place where all certificates are ECDSA",
            "client → DC   ClientHello\n\
             DC → client   alert, fatal: handshake_failure [for whatever client]\n\
             DC → client   end of the connection",
        )
    }

    fn tls_policy(&self, policy: &mut TlsPolicy) {
        policy.versions = ONLY_TLS12;
        Arc::make_mut(&mut policy.provider).cipher_suites.retain(|suite| {
            suite.tls13().is_none()
                && suite.suite().as_str().is_some_and(|name| name.contains("_ECDHE_ECDSA_"))
        });
    }
}

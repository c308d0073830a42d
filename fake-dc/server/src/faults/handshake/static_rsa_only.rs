use crate::{
    faults::{FaultInfo, ServerFault},
    tls::{TlsPolicy, own},
};

/// RSA key exchange alone, without forward secrecy: the premaster secret is encrypted with the key of
/// the certificate.
#[derive(Debug)]
pub(crate) struct StaticRsaOnly;

impl ServerFault for StaticRsaOnly {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.static-rsa-only",
            "the server has no suite with an ephemeral key exchange",
            "an appliance that decrypts traffic for inspection forbids ECDHE and DHE",
            "client → DC   ClientHello with RSA suites\n\
             DC → client   ServerHello, Certificate, ServerHelloDone [no ServerKeyExchange]\n\
             client → DC   ClientKeyExchange, ChangeCipherSpec, Finished\n\
             \n\
             client → DC   ClientHello without them\n\
             DC → client   alert, fatal: handshake_failure",
        )
    }

    fn tls_policy(&self, policy: &mut TlsPolicy) {
        policy.own = Some(RULES);
    }
}

const RULES: own::Rules = own::Rules::new(own::TLS10, own::TLS12, own::STATIC_RSA);

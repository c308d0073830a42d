use crate::{
    faults::{FaultInfo, ServerFault},
    tls::{TlsPolicy, own},
};

/// TLS 1.0 with the suites that Windows Server 2008 R2 prefers: RSA key exchange and AES in CBC.
///
/// A client that offers TLS 1.0 and an old suite gets a whole connection. One that offers newer versions
/// too, and an old suite, gets a ServerHello of TLS 1.0 to like or not, as before TLS 1.3 a ClientHello
/// says its newest version alone. One without such a suite, as xapi's, gets handshake_failure.
#[derive(Debug)]
pub(crate) struct Tls10Only;

impl ServerFault for Tls10Only {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.tls10-only",
            "the server has no version newer than TLS 1.0, and no suite newer either",
            "Windows Server 2008, or 2008 R2 without the updates and settings for TLS 1.2",
            "client → DC   ClientHello with an old suite\n\
             DC → client   ServerHello [TLS 1.0], Certificate, ServerHelloDone\n\
             client → DC   ClientKeyExchange, or alert\n\
             \n\
             client → DC   ClientHello without one\n\
             DC → client   alert, fatal: handshake_failure",
        )
    }

    fn tls_policy(&self, policy: &mut TlsPolicy) {
        policy.own = Some(RULES);
    }
}

const RULES: own::Rules = own::Rules::new(own::TLS10, own::TLS10, own::WINDOWS_2008_R2);

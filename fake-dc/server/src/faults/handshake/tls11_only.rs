use crate::{
    faults::{FaultInfo, ServerFault},
    tls::{TlsPolicy, own},
};

/// TLS 1.1 with the suites that Windows Server 2008 R2 prefers: RSA key exchange and AES in CBC.
///
/// A client that offers TLS 1.1 and an old suite gets a whole connection. One that offers newer versions
/// too, and an old suite, gets a ServerHello of TLS 1.1 to like or not, as before TLS 1.3 a ClientHello
/// says its newest version alone. One without such a suite, as xapi's, gets handshake_failure.
#[derive(Debug)]
pub(crate) struct Tls11Only;

impl ServerFault for Tls11Only {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.tls11-only",
            "the server has no version newer than TLS 1.1, and no suite newer either",
            "TLS 1.0 was turned off and TLS 1.2 never on, in the registry of Windows Server 2008 R2",
            "client → DC   ClientHello with an old suite\n\
             DC → client   ServerHello [TLS 1.1], Certificate, ServerHelloDone\n\
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

const RULES: own::Rules = own::Rules::new(own::TLS11, own::TLS11, own::WINDOWS_2008_R2);

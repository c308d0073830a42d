use crate::{
    faults::{FaultInfo, ServerFault},
    tls::{ONLY_TLS13, TlsPolicy},
};

/// TLS 1.3 and nothing older: a policy that turned TLS 1.2 off in Schannel (Windows Server 2022).
#[derive(Debug)]
pub(crate) struct Tls13Only;

impl ServerFault for Tls13Only {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.tls13-only",
            "the server offers no version but TLS 1.3",
            "a hardening policy turned TLS 1.2 off on Windows Server 2022",
            "client → DC   ClientHello without TLS 1.3\n\
             DC → client   alert, fatal: protocol_version\n\
             DC → client   end of the connection",
        )
    }

    fn tls_policy(&self, policy: &mut TlsPolicy) {
        policy.versions = ONLY_TLS13;
    }
}

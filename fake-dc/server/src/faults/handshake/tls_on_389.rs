use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// TLS from the first byte on the LDAP port: a port forwarding to 636.
#[derive(Debug)]
pub(crate) struct TlsOn389;

impl ServerFault for TlsOn389 {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.tls-on-389",
            "the LDAP port expects TLS from the first byte",
            "a port forwarding or load balancer leads from port 389 to port 636",
            "client → DC   LDAP request, such as StartTLS\n\
             DC → client   alert, fatal: decode_error [no LDAP]\n\
             DC → client   end of the connection",
        )
        .at(&[Listener::Ldap])
    }

    fn speaks_tls(&self, _listener: Listener) -> Option<bool> {
        Some(true)
    }
}

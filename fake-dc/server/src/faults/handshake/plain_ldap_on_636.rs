use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// LDAP in clear on the LDAPS port: a port forwarding to 389.
#[derive(Debug)]
pub(crate) struct PlainLdapOn636;

impl ServerFault for PlainLdapOn636 {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.plain-ldap-on-636",
            "the LDAPS port speaks LDAP without TLS",
            "a port forwarding or load balancer leads from port 636 to port 389",
            "client → DC   ClientHello\n\
             DC → client   notice of disconnection, in LDAP [no record]\n\
             DC → client   end of the connection",
        )
        .at(&[Listener::Ldaps])
    }

    fn speaks_tls(&self, _listener: Listener) -> Option<bool> {
        Some(false)
    }
}

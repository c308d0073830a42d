use std::sync::Arc;

use crate::{
    facts::Listener,
    faults::{FaultInfo, Greeting, ServerFault},
};

/// One port shows the sound chain, the other an expired one. A DC by itself has one certificate for
/// both; a proxy in front of one of them has its own.
#[derive(Debug)]
pub(crate) struct DiffersPerPort {
    wrong: Listener,
}

impl DiffersPerPort {
    pub(super) const USUAL: Self = Self { wrong: Listener::Ldap };
}

impl ServerFault for DiffersPerPort {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.differs-per-port",
            "LDAPS is sound and StartTLS shows an expired certificate, or the reverse",
            "a load balancer ends TLS for one port, and only its certificate, or only that of the DC, was renewed",
            "client → DC   ClientHello on 636\n\
             DC → client   ServerHello, Certificate [leaf, intermediate], …\n\
             \n\
             client → DC   ClientHello on 389, after StartTLS\n\
             DC → client   ServerHello, Certificate [expired leaf, intermediate], …",
        )
        .taking("the listener that is wrong: `ldap` or `ldaps`; ldap by default")
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        let wrong = match value {
            "ldap" => Listener::Ldap,
            "ldaps" => Listener::Ldaps,
            _ => return None,
        };
        Some(Arc::new(Self { wrong }))
    }

    fn other_chain(&self) -> Option<&'static [&'static str]> {
        Some(&["time.leaf-expired"])
    }

    fn shows_other_chain(&self, greeting: &Greeting<'_>) -> bool {
        greeting.listener == self.wrong
    }
}

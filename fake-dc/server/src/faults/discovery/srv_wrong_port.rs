use std::sync::Arc;

use crate::{
    dns::Registration,
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// The DC's SRV records give a port at which nothing is.
#[derive(Debug)]
pub(crate) struct SrvWrongPort {
    port: u16,
}

impl SrvWrongPort {
    /// Reserved for multiplexing services, which nobody runs.
    pub(crate) const USUAL: Self = Self { port: 1 };
}

impl ServerFault for SrvWrongPort {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "discovery.srv-wrong-port",
            "the DC's SRV records give a port at which nothing is",
            "the records were written by hand, or by an AD LDS instance on the same machine",
            "client → DNS   _ldap._tcp.dc._msdcs.corp.example SRV\n\
             DNS → client   0 100 1 dc1.corp.example\n\
             client → DC:1  SYN\n\
             DC → client    RST; clients that believe in 88, 389 and 636 do not notice",
        )
        .taking("the port; `1` by default")
        .at(&[Listener::Dns])
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(Self { port: value.parse().ok()? }))
    }

    fn registers(&self, registration: &mut Registration) {
        registration.ldap_port = self.port;
        registration.gc_port = self.port;
        registration.kerberos_port = self.port;
    }
}

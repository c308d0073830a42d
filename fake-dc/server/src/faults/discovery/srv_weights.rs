use std::sync::Arc;

use crate::{
    dns::Registration,
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// The DC's SRV records have another priority and weight than the 0 and 100 of the others.
#[derive(Debug)]
pub(crate) struct SrvWeights {
    priority: u16,
    weight: u16,
}

impl SrvWeights {
    pub(crate) const USUAL: Self = Self { priority: 10, weight: 0 };
}

impl ServerFault for SrvWeights {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "discovery.srv-weights",
            "the DC's SRV records put it behind all others, or before them",
            "LdapSrvPriority and LdapSrvWeight are set, to spare the PDC or to prefer a data centre",
            "client → DNS   _ldap._tcp.dc._msdcs.corp.example SRV\n\
             DNS → client   10 0 389 dc1.corp.example\n\
             DNS → client   0 100 389 dc2.corp.example\n\
             client         asks dc2 first, whatever the order of the answer",
        )
        .taking("priority and weight as `10/0`, which is the default")
        .at(&[Listener::Dns])
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        let (priority, weight) = value.split_once('/')?;
        let (priority, weight) = (priority.parse().ok()?, weight.parse().ok()?);
        Some(Arc::new(Self { priority, weight }))
    }

    fn registers(&self, registration: &mut Registration) {
        (registration.priority, registration.weight) = (self.priority, self.weight);
    }
}

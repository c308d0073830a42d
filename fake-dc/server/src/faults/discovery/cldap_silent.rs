use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
    gate::Passage,
};

/// Netlogon pings over UDP get no answer. LDAP over TCP works.
#[derive(Debug)]
pub(crate) struct CldapSilent;

impl ServerFault for CldapSilent {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "discovery.cldap-silent",
            "netlogon pings over UDP get no answer",
            "a firewall lets TCP 389 pass but not UDP 389",
            "client → DC   netlogon ping over UDP, again after 2 s\n\
             client        takes the DC for dead, whatever its other ports say",
        )
        .at(&[Listener::Cldap])
        .on_route()
    }

    fn passage(&self, _listener: Listener) -> Passage {
        Passage::Swallow
    }
}

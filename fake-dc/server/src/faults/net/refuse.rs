use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
    gate::Passage,
};

/// The LDAP ports answer a SYN with a reset and pings with "port unreachable": the directory service
/// is stopped, or starts still, while the machine is up. DNS, another service, works.
#[derive(Debug)]
pub(crate) struct Refuse;

impl ServerFault for Refuse {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "net.refuse",
            "LDAP and LDAPS refuse connections, and the netlogon port is unreachable",
            "the directory service is stopped or still starting while the machine is up",
            "",
        )
    }

    fn passage(&self, _listener: Listener) -> Passage {
        Passage::Refuse
    }
}

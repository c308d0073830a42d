use super::WAYS;
use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
    gate::Passage,
};

/// The ports answer a SYN with a reset and datagrams with "port unreachable": the directory service
/// is stopped, or starts still, while the machine is up.
#[derive(Debug)]
pub(crate) struct Refuse;

impl ServerFault for Refuse {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "net.refuse",
            "LDAP, LDAPS and Kerberos refuse connections, and the netlogon port is unreachable",
            "the directory service is stopped or still starting while the machine is up",
            "client → DC   SYN\n\
             DC → client   RST\n\
             client → DC   netlogon ping over UDP\n\
             DC → client   ICMP port unreachable",
        )
        .at(WAYS)
        .on_route()
    }

    fn passage(&self, _listener: Listener) -> Passage {
        Passage::Refuse
    }
}

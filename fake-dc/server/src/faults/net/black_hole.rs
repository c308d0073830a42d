use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
    gate::Passage,
};

/// The LDAP ports swallow every SYN and pings get no answer: the machine is off, or a packet
/// filter drops what is for it. Its DNS answers all the same, so that a client's name server may
/// be the same DC; add `discovery.dns-timeout` for a machine that is gone altogether.
#[derive(Debug)]
pub(crate) struct BlackHole;

impl ServerFault for BlackHole {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "net.black-hole",
            "LDAP, LDAPS and netlogon pings are swallowed: no answer, no reset",
            "the machine is off, or a packet filter drops packets to its LDAP ports",
            "",
        )
    }

    fn passage(&self, _listener: Listener) -> Passage {
        Passage::Swallow
    }
}

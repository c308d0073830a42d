use super::WAYS;
use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
    gate::Passage,
    line::Line,
};

/// The ports swallow every SYN and every datagram: the machine is off, or a packet filter drops
/// what is for it.
#[derive(Debug)]
pub(crate) struct BlackHole;

impl ServerFault for BlackHole {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "net.black-hole",
            "LDAP, LDAPS, Kerberos and netlogon pings are swallowed: no answer, no reset",
            "the machine is off, or a packet filter drops packets to its ports",
            "client → DC   SYN\n\
             client → DC   SYN, again after 1 s, 2 s, 4 s\n\
             client        gives up when its own time limit is over",
        )
        .at(WAYS)
        .on_route()
    }

    fn passage(&self, _listener: Listener) -> Passage {
        Passage::Swallow
    }

    fn line(&self, _listener: Listener, line: &mut Line) {
        line.go_dark();
    }
}

use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
    gate::Passage,
    line::Line,
};

/// LDAP swallows every SYN and pings get no answer; LDAPS works. A firewall hardened to "TLS
/// only", which also cuts off the ping that precedes every LDAPS connection of Samba.
#[derive(Debug)]
pub(crate) struct Only389Filtered;

impl ServerFault for Only389Filtered {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "net.only-389-filtered",
            "LDAP and netlogon pings are swallowed; LDAPS works",
            "a firewall was hardened to let only port 636 pass",
            "client → DC:389   netlogon ping over UDP: no answer\n\
             client → DC:389   SYN: no answer\n\
             client ⇄ DC:636   all is well, for whoever still tries",
        )
        .at(&[Listener::Cldap, Listener::Ldap])
        .on_route()
    }

    fn passage(&self, _listener: Listener) -> Passage {
        Passage::Swallow
    }

    fn line(&self, _listener: Listener, line: &mut Line) {
        line.go_dark();
    }
}

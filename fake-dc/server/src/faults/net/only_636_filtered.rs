use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
    gate::Passage,
    line::Line,
};

/// LDAPS swallows every SYN; everything else works. A firewall that was opened for LDAP only, the
/// usual one when LDAPS is switched on.
#[derive(Debug)]
pub(crate) struct Only636Filtered;

impl ServerFault for Only636Filtered {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "net.only-636-filtered",
            "connections to LDAPS are swallowed; LDAP and netlogon pings work",
            "a firewall between the sites lets port 389 pass but not port 636",
            "client ⇄ DC:389   netlogon ping and LDAP: all is well\n\
             client → DC:636   SYN, again after 1 s, 2 s, 4 s: no answer",
        )
        .at(&[Listener::Ldaps])
        .on_route()
    }

    fn passage(&self, _listener: Listener) -> Passage {
        Passage::Swallow
    }

    fn line(&self, _listener: Listener, line: &mut Line) {
        line.go_dark();
    }
}

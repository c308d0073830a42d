use super::CONNECTIONS;
use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
    gate::Passage,
    line::Line,
};

/// Connections are swallowed while pings are answered: the client finds the DC, prefers it, and
/// hangs.
#[derive(Debug)]
pub(crate) struct TcpBlocked;

impl ServerFault for TcpBlocked {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "net.tcp-blocked",
            "connections are swallowed; netlogon pings and Kerberos over UDP are answered",
            "a firewall lets UDP pass for discovery, or the DC has no connection left to give",
            "client ⇄ DC:389   netlogon ping over UDP: answered\n\
             client → DC:389   SYN, again after 1 s, 2 s, 4 s: no answer\n\
             client → DC:636   the same",
        )
        .at(CONNECTIONS)
        .on_route()
    }

    fn passage(&self, _listener: Listener) -> Passage {
        Passage::Swallow
    }

    fn datagram_passage(&self, _listener: Listener) -> Passage {
        Passage::Open
    }

    fn line(&self, _listener: Listener, line: &mut Line) {
        line.go_dark();
    }
}

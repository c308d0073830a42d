use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
    gate::Passage,
};

/// Datagrams are swallowed: netlogon pings, and Kerberos until the client tries TCP.
#[derive(Debug)]
pub(crate) struct UdpBlocked;

impl ServerFault for UdpBlocked {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "net.udp-blocked",
            "netlogon pings and Kerberos over UDP are swallowed; TCP works",
            "the firewall rules were written for TCP alone",
            "client → DC:389   netlogon ping over UDP: no answer\n\
             client → DC:88    AS-REQ over UDP: no answer\n\
             client ⇄ DC       all is well over TCP",
        )
        .at(&[Listener::Cldap, Listener::Kdc, Listener::Kpasswd])
        .on_route()
    }

    fn datagram_passage(&self, _listener: Listener) -> Passage {
        Passage::Swallow
    }
}

use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
    gate::Passage,
};

/// Packets to the KDC's port do not arrive, or nothing listens there.
#[derive(Debug)]
pub(crate) struct Unreachable {
    id: &'static str,
    summary: &'static str,
    cause: &'static str,
    drawing: &'static str,
    tcp: Passage,
    udp: Passage,
}

pub(crate) const UNREACHABLE: Unreachable = Unreachable {
    id: "kerberos.unreachable",
    summary: "port 88 swallows what is sent to it",
    cause: "a firewall between the sites lets LDAP pass but not Kerberos",
    drawing: "client → KDC   AS-REQ over UDP, again after 1 s\n\
              client → KDC   SYN, again after 1 s\n\
              client         gives up; real Samba after 33 s",
    tcp: Passage::Swallow,
    udp: Passage::Swallow,
};

pub(crate) const STOPPED: Unreachable = Unreachable {
    id: "kerberos.stopped",
    summary: "nothing listens on port 88",
    cause: "the Kerberos Key Distribution Center service of the DC is stopped",
    drawing: "client → KDC   AS-REQ over UDP\n\
              KDC → client   ICMP port unreachable\n\
              client → KDC   SYN\n\
              KDC → client   RST",
    tcp: Passage::Refuse,
    udp: Passage::Refuse,
};

pub(crate) const UDP_BLOCKED: Unreachable = Unreachable {
    id: "kerberos.udp-blocked",
    summary: "port 88 answers over TCP, and swallows datagrams",
    cause: "a firewall lets TCP 88 pass but not UDP 88",
    drawing: "client → KDC   AS-REQ over UDP\n\
              client         waits 1 s\n\
              client → KDC   AS-REQ over TCP\n\
              KDC → client   25 KDC_ERR_PREAUTH_REQUIRED, and all is well but slow",
    tcp: Passage::Open,
    udp: Passage::Swallow,
};

impl ServerFault for Unreachable {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(self.id, self.summary, self.cause, self.drawing)
            .at(&[Listener::Kdc])
            .on_route()
    }

    fn passage(&self, _listener: Listener) -> Passage {
        self.tcp
    }

    fn datagram_passage(&self, _listener: Listener) -> Passage {
        self.udp
    }
}

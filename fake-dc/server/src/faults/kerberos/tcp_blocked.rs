use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
    gate::Passage,
    kdc::Conduct,
};

/// Over UDP every ticket is too big, and over TCP nothing arrives.
#[derive(Debug)]
pub(crate) struct TcpBlocked;

impl ServerFault for TcpBlocked {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "kerberos.tcp-blocked",
            "port 88 says over UDP that tickets are too big, and swallows connections over TCP",
            "a firewall lets UDP 88 pass but not TCP 88, and accounts are in many groups",
            "client → KDC   AS-REQ over UDP\n\
             KDC → client   25 KDC_ERR_PREAUTH_REQUIRED\n\
             client → KDC   AS-REQ over UDP, encrypted timestamp\n\
             KDC → client   52 KRB_ERR_RESPONSE_TOO_BIG\n\
             client → KDC   SYN, again after 1 s: no answer",
        )
        .at(&[Listener::Kdc])
    }

    fn passage(&self, _listener: Listener) -> Passage {
        Passage::Swallow
    }

    fn datagram_passage(&self, _listener: Listener) -> Passage {
        Passage::Open
    }

    fn kdc(&self, conduct: &mut Conduct) {
        conduct.policy.datagram_answer_bytes_max = 0;
    }
}

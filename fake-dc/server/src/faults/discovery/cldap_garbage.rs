use fake_dc_directory::Reply;
use ldap_wire::ProtocolOp;

use crate::{
    exchange::{Asked, Output},
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// Netlogon pings are answered with what cannot be read.
#[derive(Debug)]
pub(crate) struct CldapGarbage {
    id: &'static str,
    summary: &'static str,
    cause: &'static str,
    drawing: &'static str,
    listeners: &'static [Listener],
    cuts_datagram: bool,
}

pub(crate) const VALUE: CldapGarbage = CldapGarbage {
    id: "discovery.cldap-garbage",
    summary: "netlogon answers are LDAP, with a value that is no netlogon answer",
    cause: "a directory that imitates AD fills the attribute with what it has under that name",
    drawing: "client → DC   netlogon ping\n\
              DC → client   entry, netlogon: ff ff ff ff …\n\
              DC → client   0 success",
    listeners: Listener::PINGED,
    cuts_datagram: false,
};

pub(crate) const TRUNCATED: CldapGarbage = CldapGarbage {
    id: "discovery.cldap-truncated",
    summary: "the datagrams that answer netlogon pings are cut in the middle",
    cause: "a tunnel or a firewall drops the second fragment of datagrams and delivers the first",
    drawing: "client → DC   netlogon ping\n\
              DC → client   the first half of the answer",
    listeners: &[Listener::Cldap],
    cuts_datagram: true,
};

impl ServerFault for CldapGarbage {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(self.id, self.summary, self.cause, self.drawing).at(self.listeners)
    }

    fn on_reply(&self, _asked: &Asked<'_>, reply: &mut Reply) {
        if self.cuts_datagram {
            return;
        }
        for message in &mut reply.messages {
            let ProtocolOp::SearchResultEntry(entry) = &mut message.op else { continue };
            for attribute in &mut entry.attributes {
                if attribute.name.eq_ignore_ascii_case("netlogon") {
                    attribute.values.iter_mut().for_each(|value| value.fill(0xff));
                }
            }
        }
    }

    fn on_output(&self, _asked: &Asked<'_>, output: &mut Output) {
        if self.cuts_datagram {
            output.bytes.truncate(output.bytes.len() / 2);
        }
    }
}

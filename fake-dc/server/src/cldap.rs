//! Netlogon pings over UDP ([MS-ADTS] 6.3.3): one search in a datagram, its answer in another.

use std::net::IpAddr;

use fake_dc_directory::{Protection, Reply, Then};
use ground::Trail;
use ldap_wire::{Decoded, LdapMessage, Limits, ProtocolOp};

use crate::{
    exchange::Asked,
    facts::{CldapPing, Garbage, Listener},
    gate::Passage,
    route::Way,
};

/// The answer to a ping that a client at that address sent along `way`.
pub(crate) fn answer(way: &Way, trail: &Trail, client: IpAddr, datagram: &[u8]) -> Option<Vec<u8>> {
    let garbage = |reason| {
        trail.record(Garbage { listener: Listener::Cldap, layer: "ldap", reason });
    };
    let request = match ldap_wire::decode(datagram, &Limits::DEFAULT) {
        Ok(Decoded::Message { message, .. }) => message,
        Ok(Decoded::Incomplete { .. }) => {
            garbage(format!("{} bytes are no whole message", datagram.len()));
            return None;
        }
        Err(error) => {
            garbage(error.to_string());
            return None;
        }
    };
    let (dc, route) = (&way.dc, way.host());
    let ProtocolOp::SearchRequest(search) = &request.op else {
        garbage("a request other than a search".to_owned());
        if way.datagram_passage(Listener::Cldap) == Passage::Swallow {
            return None;
        }
        let directory = dc.directory(Listener::Cldap);
        let refusal = directory.handle_datagram(&dc.view, Some(client), request);
        return refusal.first().map(LdapMessage::encode);
    };
    let filter = search.filter.to_string();
    if way.datagram_passage(Listener::Cldap) == Passage::Swallow {
        trail.record(CldapPing { filter, answered: None, route });
        return None;
    }
    let faults = &dc.condition().faults;
    let view = dc.netlogon_view(Listener::Cldap);
    let directory = dc.directory(Listener::Cldap);
    let asked =
        Asked { message: &request, dc, listener: Listener::Cldap, protection: Protection::None };
    let (reply, output) = asked.answer(faults, || {
        let messages = directory.handle_datagram(&view, Some(client), request.clone());
        Reply { messages, then: Then::Continue }
    });
    let name = view.netlogon.dns_name.unwrap_or(view.dns_name);
    let answered = reply.messages.iter().any(is_entry).then_some(name);
    trail.record(CldapPing { filter, answered, route });
    (!output.bytes.is_empty()).then_some(output.bytes)
}

fn is_entry(message: &LdapMessage) -> bool {
    matches!(message.op, ProtocolOp::SearchResultEntry(_))
}

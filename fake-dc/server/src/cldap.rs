//! Netlogon pings over UDP ([MS-ADTS] 6.3.3): one search in a datagram, its answer in another.

use fake_dc_directory::{Protection, Reply, Then};
use ground::Trail;
use ldap_wire::{Decoded, LdapMessage, Limits, ProtocolOp};

use crate::{
    exchange::Asked,
    facts::{CldapPing, Garbage, Listener},
    gate::Passage,
    route::Way,
};

/// The answer to a ping that came along `way`.
pub(crate) fn answer(way: &Way, trail: &Trail, datagram: &[u8]) -> Option<Vec<u8>> {
    let garbage = |reason| {
        trail.record(Garbage { listener: Listener::Cldap, layer: "ldap", reason });
        None
    };
    let request = match ldap_wire::decode(datagram, &Limits::DEFAULT) {
        Ok(Decoded::Message { message, .. }) => message,
        Ok(Decoded::Incomplete { .. }) => {
            return garbage(format!("{} bytes are no whole message", datagram.len()));
        }
        Err(error) => return garbage(error.to_string()),
    };
    let ProtocolOp::SearchRequest(search) = &request.op else {
        return garbage("a request other than a search".to_owned());
    };
    let filter = search.filter.to_string();
    let (dc, route) = (&way.dc, way.host());
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
        let messages = directory.handle_datagram(&view, request.clone());
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

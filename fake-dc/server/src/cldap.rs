//! Netlogon pings over UDP ([MS-ADTS] 6.3.3): one search in a datagram, its answer in another.

use std::sync::Arc;

use fake_dc_directory::{Protection, Reply, Then};
use ground::{Trail, Transport};
use ldap_wire::{Decoded, LdapMessage, Limits, ProtocolOp};

use crate::{
    dc::Dc,
    exchange::Asked,
    facts::{CldapPing, Garbage, Listener},
    gate::Passage,
    limits,
};

/// Answers datagrams for ever.
pub(crate) async fn serve_datagrams(dc: Arc<Dc>) {
    let mut datagram = vec![0; limits::DATAGRAM_BYTES_MAX];
    loop {
        // An error here tells of an earlier datagram that a client did not take.
        let Ok((size, client)) = dc.cldap_gate.receive(&mut datagram).await else { continue };
        let cause = dc.trail.ledger().cause_of_flow(Transport::Udp, client);
        let trail = dc.trail.under(cause);
        if let Some(answer) = answer(&dc, &trail, &datagram[..size]) {
            dc.cldap_gate.send(&answer, client);
        }
    }
}

fn answer(dc: &Dc, trail: &Trail, datagram: &[u8]) -> Option<Vec<u8>> {
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
    let faults = &dc.condition().faults;
    if faults.datagram_passage(Listener::Cldap) == Passage::Swallow {
        trail.record(CldapPing { filter, answered: None });
        return None;
    }
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
    trail.record(CldapPing { filter, answered });
    (!output.bytes.is_empty()).then_some(output.bytes)
}

fn is_entry(message: &LdapMessage) -> bool {
    matches!(message.op, ProtocolOp::SearchResultEntry(_))
}

//! Netlogon pings and Kerberos over UDP: one datagram there, one back.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
};

use fake_dc_directory::{Protection, Reply, Then};
use ground::Trail;
use ldap_wire::{Decoded, LdapMessage, Limits, ProtocolOp};
use tokio::{net::UdpSocket, time::timeout};

use super::Behind;
use crate::{
    exchange::Asked,
    facts::{CldapPing, Listener},
    gate::Passage,
    limits,
    route::Way,
};

/// The answer to a datagram that came along `way`; `None` if nothing is sent.
pub(crate) async fn answer(
    behind: &Behind,
    way: &Way,
    listener: Listener,
    trail: &Trail,
    datagram: &[u8],
) -> Option<Vec<u8>> {
    if way.datagram_passage(listener) == Passage::Swallow {
        return None;
    }
    match listener {
        Listener::Cldap => ping(behind, way, trail, datagram).await,
        _ => behind.exchange(listener, trail, datagram).await,
    }
}

/// The answer to a netlogon ping, as the faults let it be.
async fn ping(behind: &Behind, way: &Way, trail: &Trail, datagram: &[u8]) -> Option<Vec<u8>> {
    let listener = Listener::Cldap;
    let Ok(Decoded::Message { message: request, .. }) =
        ldap_wire::decode(datagram, &Limits::DEFAULT)
    else {
        // The real DC knows what it says to that, if anything.
        return behind.exchange(listener, trail, datagram).await;
    };
    let dc = &way.dc;
    let faults = &dc.condition().faults;
    let asked = Asked { message: &request, dc, listener, protection: Protection::None };
    let instead = asked.instead(faults).or_else(|| behind.claimed(dc, listener, &request));
    let (reply, passed) = match instead {
        Some(reply) => (reply, None),
        None => {
            let bytes = behind.exchange(listener, trail, datagram).await?;
            (Reply { messages: messages(&bytes), then: Then::Continue }, Some(bytes))
        }
    };
    let unchanged = reply.messages.clone();
    let (reply, output) = asked.finish(faults, reply);
    record(way, trail, &request, &reply);
    let bytes = match passed {
        // As the real DC has written it, unless a fault has changed it.
        Some(bytes) if output.bytes == encoded(&unchanged) => bytes,
        _ => output.bytes,
    };
    (!bytes.is_empty()).then_some(bytes)
}

fn record(way: &Way, trail: &Trail, request: &LdapMessage, reply: &Reply) {
    let ProtocolOp::SearchRequest(search) = &request.op else { return };
    let is_entry = |message: &LdapMessage| matches!(message.op, ProtocolOp::SearchResultEntry(_));
    let view = way.dc.netlogon_view(Listener::Cldap);
    let name = view.netlogon.dns_name.unwrap_or(view.dns_name);
    let answered = reply.messages.iter().any(is_entry).then_some(name);
    trail.record(CldapPing { filter: search.filter.to_string(), answered, route: way.host() });
}

/// The messages of a datagram, up to the first that is none.
fn messages(mut bytes: &[u8]) -> Vec<LdapMessage> {
    let mut messages = Vec::new();
    while let Ok(Decoded::Message { message, consumed }) =
        ldap_wire::decode(bytes, &Limits::DEFAULT)
    {
        messages.push(message);
        bytes = &bytes[consumed..];
    }
    messages
}

fn encoded(messages: &[LdapMessage]) -> Vec<u8> {
    messages.iter().flat_map(|message| message.encode()).collect()
}

impl Behind {
    /// What the real DC answers to a datagram; `None` if it does not.
    pub(super) async fn exchange(
        &self,
        listener: Listener,
        trail: &Trail,
        datagram: &[u8],
    ) -> Option<Vec<u8>> {
        let asking = async {
            let address = (self.real.address(), self.real.port(listener, false)).into();
            let socket = UdpSocket::bind(any_like(address)).await?;
            socket.connect(address).await?;
            socket.send(datagram).await?;
            let mut answer = vec![0; usize::from(u16::MAX)];
            let size = socket.recv(&mut answer).await?;
            answer.truncate(size);
            Ok(answer)
        };
        let answer = timeout(limits::BEHIND_ANSWER, asking).await;
        self.recorded(answer.unwrap_or(Err(io::ErrorKind::TimedOut.into())), listener, trail)
    }
}

/// Any address of the same family.
fn any_like(address: SocketAddr) -> SocketAddr {
    if address.is_ipv4() {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (Ipv6Addr::UNSPECIFIED, 0).into()
    }
}

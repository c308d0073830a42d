//! DNS over UDP and TCP (RFC 1035, section 4.2; RFC 7766).

use std::sync::Arc;

use fake_dc_directory::Flavour;
use ground::{Trail, Transport};
use hickory_proto::op::{Message, Query};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::UdpSocket,
    time::timeout,
};

use super::{fact, is_question};
use crate::{
    behind::{self, Behind},
    dc::Dc,
    facts::{Garbage, Listener},
    limits,
    stream::Stream,
    tasks::Spawner,
};

/// Answers datagrams for ever.
pub(crate) async fn serve_datagrams(dc: Arc<Dc>, socket: UdpSocket, spawner: Spawner) {
    let socket = Arc::new(socket);
    let mut datagram = vec![0; limits::DATAGRAM_BYTES_MAX];
    loop {
        // An error here tells of an earlier datagram that a client did not take.
        let Ok((size, client)) = socket.recv_from(&mut datagram).await else { continue };
        let cause = dc.trail.ledger().cause_of_flow(Transport::Udp, client);
        let trail = dc.trail.under(cause);
        if let Some(behind) = passes(&dc, &datagram[..size]) {
            // Others do not wait for the real DC.
            let (dc, socket) = (Arc::clone(&dc), Arc::clone(&socket));
            let question = datagram[..size].to_vec();
            spawner.spawn(async move {
                let answer = behind::ask_dns(&behind, &dc, &trail, &question, Transport::Udp).await;
                if let Some(bytes) = answer {
                    let _ = socket.send_to(&bytes, client).await;
                }
            });
            continue;
        }
        let Some(bytes) = answer(&dc, &trail, &datagram[..size], Transport::Udp) else { continue };
        // The client may have gone.
        let _ = socket.send_to(&bytes, client).await;
    }
}

/// Answers the questions of one connection, in order.
pub(crate) async fn serve_stream(dc: &Dc, trail: &Trail, stream: Stream) {
    let mut stream = BufReader::new(stream);
    let mut question = Vec::new();
    loop {
        let received = timeout(limits::DNS_IDLE, async {
            let size = stream.read_u16().await?;
            question.resize(usize::from(size), 0);
            stream.read_exact(&mut question).await
        });
        let Ok(Ok(_)) = received.await else { return };
        let answered = match passes(dc, &question) {
            Some(behind) => behind::ask_dns(&behind, dc, trail, &question, Transport::Tcp).await,
            None => answer(dc, trail, &question, Transport::Tcp),
        };
        let Some(bytes) = answered else {
            if is_question(&question) {
                continue;
            }
            return;
        };
        let Ok(size) = u16::try_from(bytes.len()) else { return };
        let framed = [&size.to_be_bytes(), bytes.as_slice()].concat();
        let Ok(Ok(())) = timeout(limits::WRITE, stream.write_all(&framed)).await else { return };
    }
}

/// The real DC behind, if its name server is to answer.
fn passes(dc: &Dc, question: &[u8]) -> Option<Arc<Behind>> {
    dc.behind().filter(|behind| !behind.names(question)).map(Arc::clone)
}

/// What a DC answers to the bytes of a question; `None` for silence.
pub(crate) fn answer(dc: &Dc, trail: &Trail, bytes: &[u8], over: Transport) -> Option<Vec<u8>> {
    let request = match Message::from_vec(bytes) {
        Ok(request) => request,
        Err(error) => {
            let reason = error.to_string();
            trail.record(Garbage { listener: Listener::Dns, layer: "dns", reason });
            return super::answer_garbage(bytes);
        }
    };
    let condition = dc.condition();
    let faults = || condition.faults.server(Listener::Dns);
    let name = request.queries.first().map(Query::name);
    let mut response = match name.and_then(|name| dc.domain.forwarded_zone(name)) {
        Some(zone) => super::forward(&zone, &dc.host, &request),
        None => super::answer(&dc.domain.zone(), &dc.host, &request),
    };
    for fault in faults() {
        response = response.and_then(|response| fault.dns(response, over));
    }
    trail.record(fact(&request, response.as_ref()));
    let limit = match (over, dc.domain.directory.flavour()) {
        (Transport::Tcp, _) => u16::MAX,
        // It sends whatever the answer is, though it be more than the client has room for.
        (Transport::Udp, Flavour::Samba4_22) => u16::MAX,
        (Transport::Udp, _) => request.max_payload(),
    };
    let mut bytes = encode(&response?, usize::from(limit))?;
    faults().for_each(|fault| fault.dns_bytes(&mut bytes));
    Some(bytes)
}

/// The bytes of a response, with the truncation bit and no records if they are more than `limit`.
fn encode(response: &Message, limit: usize) -> Option<Vec<u8>> {
    let bytes = response.to_vec().ok()?;
    if bytes.len() <= limit { Some(bytes) } else { response.truncate().to_vec().ok() }
}

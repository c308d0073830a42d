//! DNS over UDP and TCP (RFC 1035, section 4.2; RFC 7766).

use std::sync::Arc;

use ground::{Trail, Transport};
use hickory_proto::op::Message;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::UdpSocket,
    time::timeout,
};

use super::fact;
use crate::{
    dc::Dc,
    facts::{Garbage, Listener},
    limits,
    stream::Stream,
};

/// Answers datagrams for ever.
pub(crate) async fn serve_datagrams(dc: Arc<Dc>, socket: UdpSocket) {
    let mut datagram = vec![0; limits::DATAGRAM_BYTES_MAX];
    loop {
        // An error here tells of an earlier datagram that a client did not take.
        let Ok((size, client)) = socket.recv_from(&mut datagram).await else { continue };
        let cause = dc.trail.ledger().cause_of_flow(Transport::Udp, client);
        let trail = dc.trail.under(cause);
        let Some(request) = decode(&datagram[..size], &trail) else { continue };
        let Some(response) = answer(&dc, &trail, &request, Transport::Udp) else { continue };
        let limit = usize::from(request.max_payload());
        let Some(bytes) = encode(&dc, &response, limit) else { continue };
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
        let Some(request) = decode(&question, trail) else { return };
        let Some(response) = answer(dc, trail, &request, Transport::Tcp) else { continue };
        let Some(bytes) = encode(dc, &response, usize::from(u16::MAX)) else { return };
        let Ok(size) = u16::try_from(bytes.len()) else { return };
        let framed = [&size.to_be_bytes(), bytes.as_slice()].concat();
        let Ok(Ok(())) = timeout(limits::WRITE, stream.write_all(&framed)).await else { return };
    }
}

fn decode(bytes: &[u8], trail: &Trail) -> Option<Message> {
    match Message::from_vec(bytes) {
        Ok(message) => Some(message),
        Err(error) => {
            trail.record(Garbage {
                listener: Listener::Dns,
                layer: "dns",
                reason: error.to_string(),
            });
            None
        }
    }
}

fn answer(dc: &Dc, trail: &Trail, request: &Message, over: Transport) -> Option<Message> {
    let mut response = super::answer(&dc.domain.zone(), &dc.host, request);
    for fault in dc.condition().faults.server(Listener::Dns) {
        response = response.and_then(|response| fault.dns(response, over));
    }
    trail.record(fact(request, response.as_ref()));
    response
}

/// The bytes of a response, with the truncation bit and no records if they are more than `limit`.
fn encode(dc: &Dc, response: &Message, limit: usize) -> Option<Vec<u8>> {
    let mut bytes = response.to_vec().ok()?;
    if bytes.len() > limit {
        bytes = response.truncate().to_vec().ok()?;
    }
    for fault in dc.condition().faults.server(Listener::Dns) {
        fault.dns_bytes(&mut bytes);
    }
    Some(bytes)
}

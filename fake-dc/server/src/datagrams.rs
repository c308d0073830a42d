//! Netlogon pings, Kerberos and its password service over UDP: the sockets, and the line that
//! answers travel on.

use std::{net::IpAddr, sync::Arc};

use ground::{Trail, Transport};
use tokio::time::sleep;

use crate::{behind, cldap, facts::Listener, kdc, kpasswd, limits, route::Way, tasks::Spawner};

/// Answers datagrams for ever.
pub(crate) async fn serve(way: Way, listener: Listener, spawner: Spawner) {
    let mut datagram = vec![0; limits::DATAGRAM_BYTES_MAX];
    let mut dice = way.dc.dice();
    loop {
        // An error here tells of an earlier datagram that a client did not take.
        let Ok((size, client)) = way.datagram_gate(listener).receive(&mut datagram).await else {
            continue;
        };
        let cause = way.dc.trail.ledger().cause_of_flow(Transport::Udp, client);
        let trail = way.dc.trail.under(cause);
        if let Some(behind) = way.dc.behind() {
            let (behind, way) = (Arc::clone(behind), way.clone());
            let delay = way.line(listener).draw_delay(&mut dice);
            let question = datagram[..size].to_vec();
            spawner.spawn(async move {
                let answer = behind::answer_datagram(&behind, &way, listener, &trail, &question);
                let Some(answer) = answer.await else { return };
                sleep(delay).await;
                way.datagram_gate(listener).send(&answer, client);
            });
            continue;
        }
        let answer = answer(&way, listener, &trail, client.ip(), &datagram[..size]);
        let Some(answer) = answer else { continue };
        let delay = way.line(listener).draw_delay(&mut dice);
        if delay.is_zero() {
            way.datagram_gate(listener).send(&answer, client);
        } else {
            let way = way.clone();
            spawner.spawn(async move {
                sleep(delay).await;
                way.datagram_gate(listener).send(&answer, client);
            });
        }
    }
}

/// What a DC with none behind it answers to a datagram; `None` for silence.
pub(crate) fn answer(
    way: &Way,
    listener: Listener,
    trail: &Trail,
    client: IpAddr,
    datagram: &[u8],
) -> Option<Vec<u8>> {
    match listener {
        Listener::Kdc => kdc::answer_datagram(way, trail, datagram),
        Listener::Kpasswd => kpasswd::answer_datagram(way, trail, datagram),
        _ => cldap::answer(way, trail, client, datagram),
    }
}

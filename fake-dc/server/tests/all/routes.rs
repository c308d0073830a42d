//! Routes: one client meets what another does not, and faults that undo themselves.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{io, net::SocketAddr, sync::Arc};

use crate::common::{PATIENCE, Way, ldap, tls, tls_error, trusting};
use fake_dc::{Domain, Fault, Ports, RouteSpec};
use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};

async fn domain() -> Domain {
    Domain::builder("corp.example").start().await.unwrap()
}

/// How a connection to `address` fails.
async fn refused(address: SocketAddr) -> io::ErrorKind {
    let brief = std::time::Duration::from_millis(300);
    let connecting = timeout(brief, TcpStream::connect(address));
    connecting.await.map_or(io::ErrorKind::TimedOut, |connected| connected.unwrap_err().kind())
}

fn texts(faults: &[Fault]) -> Vec<String> {
    faults.iter().map(Fault::to_string).collect()
}

#[tokio::test]
async fn three_faults_on_a_dc_and_one_on_the_route_of_one_of_two_clients() {
    let domain = domain().await;
    let dc = domain.dc("dc1").unwrap();
    let before = (dc.ldap(), dc.ldaps(), domain.route("host1", "dc1").unwrap());
    domain
        .set_faults("dc1", ["time.leaf-expired", "name.cldap-name-differs", "ldap.busy"])
        .unwrap();
    let route = domain.set_route_faults("host1", "dc1", ["net.refuse@ldaps"]).unwrap();
    assert_eq!((route.ldap, route.ldaps), (before.2.ldap, before.2.ldaps));

    // The client with the faulty route does not get as far as the certificate.
    assert_eq!(refused(route.ldaps).await, io::ErrorKind::ConnectionRefused);
    assert!(TcpStream::connect(route.ldap).await.is_ok());
    // The other one meets the DC's own three faults.
    let error = tls(dc.ldaps(), dc.dns_name(), trusting(&domain)).await.unwrap_err();
    assert!(matches!(tls_error(&error), rustls::Error::InvalidCertificate(_)), "{error}");
    let mut plain = ldap(dc, Way::Plain, trusting(&domain)).await.unwrap();
    assert_eq!(
        plain.simple_bind(crate::common::ADMINISTRATOR, crate::common::PASSWORD).await.unwrap().rc,
        51
    );

    domain.clear_route_faults("host1", "dc1").unwrap();
    let error = tls(route.ldaps, dc.dns_name(), trusting(&domain)).await.unwrap_err();
    assert!(matches!(tls_error(&error), rustls::Error::InvalidCertificate(_)), "{error}");
    domain.clear_faults("dc1").unwrap();
    tls(route.ldaps, dc.dns_name(), trusting(&domain)).await.unwrap();
    tls(dc.ldaps(), dc.dns_name(), trusting(&domain)).await.unwrap();
    assert_eq!((dc.ldap(), dc.ldaps(), domain.route("host1", "dc1").unwrap()), before);
}

#[tokio::test]
async fn a_fault_of_the_dc_is_met_along_every_route_and_the_ledger_says_along_which() {
    let domain = domain().await;
    let (one, two) = (domain.route("host1", "dc1").unwrap(), domain.route("host2", "dc1").unwrap());
    domain.set_faults("dc1", ["net.black-hole@ldap"]).unwrap();
    assert_eq!(refused(one.ldap).await, io::ErrorKind::TimedOut);
    domain.set_route_faults("host1", "dc1", ["net.refuse"]).unwrap();
    assert_eq!(refused(one.ldap).await, io::ErrorKind::ConnectionRefused, "the route comes first");
    assert_eq!(refused(two.ldap).await, io::ErrorKind::TimedOut);
    tls(two.ldaps, "dc1.corp.example", trusting(&domain)).await.unwrap();
    let event = crate::common::event(&domain, "dc1", "dc.connection").await;
    assert_eq!(event.fields()["route"], "host2");
    let routed: Vec<_> = domain
        .ledger()
        .events()
        .iter()
        .filter(|event| event.kind() == "fault.set")
        .map(|event| (event.fields()["fault"].clone(), event.fields().get("route").cloned()))
        .collect();
    assert_eq!(
        routed,
        [("net.black-hole@ldap".into(), None), ("net.refuse".into(), Some("host1".into()))]
    );
}

#[tokio::test]
async fn a_line_fault_of_a_route_reaches_its_open_connections_alone() {
    let domain = domain().await;
    let route = domain.route("host1", "dc1").unwrap();
    let mut routed = tls(route.ldaps, "dc1.corp.example", trusting(&domain)).await.unwrap();
    let mut other = ldap(domain.dc("dc1").unwrap(), Way::Ldaps, trusting(&domain)).await.unwrap();
    domain.set_route_faults("host1", "dc1", ["net.reset-at-byte:1"]).unwrap();
    let bind = [0x30, 12, 2, 1, 1, 0x60, 7, 2, 1, 3, 4, 0, 0x80, 0];
    tokio::io::AsyncWriteExt::write_all(&mut routed, &bind).await.unwrap();
    let reset = timeout(PATIENCE, routed.read_u8()).await.unwrap().unwrap_err();
    assert_eq!(reset.kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(
        other.simple_bind(crate::common::ADMINISTRATOR, crate::common::PASSWORD).await.unwrap().rc,
        0
    );
}

#[tokio::test]
async fn a_route_is_opened_where_it_is_wanted_and_closed_when_it_is_not() {
    let domain = domain().await;
    let free = |address: &str| std::net::TcpListener::bind(address).unwrap().local_addr().unwrap();
    let ldaps = free("127.0.0.77:0");
    let spec = RouteSpec::new("host1", "dc1")
        .address([127, 0, 0, 77].into())
        .ports(Ports { ldaps: ldaps.port(), ..Ports::SYSTEM });
    let route = domain.open_route(&spec).unwrap();
    assert_eq!(route.ldaps, ldaps);
    tls(ldaps, "dc1.corp.example", trusting(&domain)).await.unwrap();
    let error = domain.open_route(&spec).unwrap_err();
    assert_eq!(error.to_string(), "the route from host1 to dc1 is open already");
    assert_eq!(domain.routes(), std::slice::from_ref(&route));

    let mut open = TcpStream::connect(ldaps).await.unwrap();
    domain.remove_route("host1", "dc1").unwrap();
    assert!(!matches!(timeout(PATIENCE, open.read(&mut [0])).await.unwrap(), Ok(1..)));
    assert_eq!(refused(ldaps).await, io::ErrorKind::ConnectionRefused);
    for address in [route.ldap, route.ldaps, route.kdc] {
        std::net::TcpListener::bind(address).unwrap();
    }
    assert_eq!(domain.routes(), []);
    let error = domain.remove_route("host1", "dc1").unwrap_err();
    assert_eq!(error.to_string(), "there is no route from host1 to dc1; there is none");
}

#[tokio::test]
async fn a_fault_of_the_dc_itself_cannot_be_on_a_route() {
    let domain = domain().await;
    for fault in ["time.leaf-expired", "ldap.busy", "discovery.nxdomain"] {
        let error = domain.set_route_faults("host1", "dc1", [fault]).unwrap_err();
        let text = format!("`{fault}` cannot be on a route: it is a fault of the DC itself");
        assert_eq!(error.to_string(), text);
    }
    assert_eq!(domain.routes(), [], "a mistake opens nothing");
    for info in fake_dc::faults::catalogue() {
        assert!(info.on_route || !info.id.starts_with("net."), "{}", info.id);
    }
}

#[tokio::test]
async fn guards_take_away_what_they_added_and_nothing_else() {
    let domain = domain().await;
    let faults = || texts(&domain.dc("dc1").unwrap().faults());
    domain.set_faults("dc1", ["ldap.busy"]).unwrap();
    let outer = domain.fault_guard("dc1", ["ldap.busy", "net.latency:1ms"]).unwrap();
    let inner = domain.fault_guard("dc1", ["ldap.busy"]).unwrap();
    domain.add_faults("dc1", ["net.refuse@kdc"]).unwrap();
    drop(outer);
    assert_eq!(faults(), ["ldap.busy", "ldap.busy", "net.refuse@kdc"]);
    drop(inner);
    assert_eq!(faults(), ["ldap.busy", "net.refuse@kdc"]);

    // What somebody set anew in between is theirs.
    let guard = domain.fault_guard("dc1", ["ldap.unavailable"]).unwrap();
    domain.set_faults("dc1", ["ldap.unavailable"]).unwrap();
    drop(guard);
    assert_eq!(faults(), ["ldap.unavailable"]);

    let guard = domain.route_fault_guard("host1", "dc1", ["net.refuse"]).unwrap();
    let route = domain.add_route_faults("host1", "dc1", ["net.latency:1ms"]).unwrap();
    assert_eq!(refused(route.ldap).await, io::ErrorKind::ConnectionRefused);
    drop(guard);
    TcpStream::connect(route.ldap).await.unwrap();
    assert_eq!(texts(&domain.route("host1", "dc1").unwrap().faults), ["net.latency:1ms"]);
    let guard = domain.route_fault_guard("host1", "dc1", ["net.refuse"]).unwrap();
    domain.remove_route("host1", "dc1").unwrap();
    drop(guard);
    assert_eq!(domain.routes(), [], "a guard opens no route");
}

#[tokio::test]
async fn faults_are_taken_away_by_text_or_by_id_alone() {
    let domain = domain().await;
    let faults = || texts(&domain.dc("dc1").unwrap().faults());
    let given = ["net.latency:1ms@ldap", "net.latency:2ms@ldaps", "net.latency:3ms", "ldap.busy"];
    domain.set_faults("dc1", given).unwrap();
    domain.remove_faults("dc1", ["net.latency:2ms@ldaps"]).unwrap();
    assert_eq!(faults(), ["net.latency:1ms@ldap", "net.latency:3ms", "ldap.busy"]);
    let error = domain.remove_faults("dc1", ["ldap.busy", "net.refuse"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "dc1 does not have `net.refuse`; it has net.latency:1ms@ldap, net.latency:3ms"
    );
    assert_eq!(faults().len(), 3, "a mistake changes nothing");
    domain.remove_faults("dc1", ["net.latency"]).unwrap();
    assert_eq!(faults(), ["ldap.busy"]);
}

#[tokio::test]
async fn changes_from_many_threads_leave_no_mixture() {
    let domain = Arc::new(domain().await);
    let threads: Vec<_> = (0..4)
        .map(|number| {
            let domain = Arc::clone(&domain);
            std::thread::spawn(move || {
                let (host, other) = (format!("host{number}"), number % 2 == 0);
                for _ in 0..20 {
                    let fault = if other { "net.refuse" } else { "net.black-hole" };
                    let _guard = domain.route_fault_guard(&host, "dc1", [fault]).unwrap();
                    let _dc = domain.fault_guard("dc1", ["ldap.busy"]).unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(domain.dc("dc1").unwrap().faults().is_empty());
    for route in domain.routes() {
        assert!(route.faults.is_empty());
        tls(route.ldaps, "dc1.corp.example", trusting(&domain)).await.unwrap();
    }
}

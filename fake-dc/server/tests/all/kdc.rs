//! The KDC's sockets: garbage, several requests on one connection, and faults that close them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    io::{Read as _, Write as _},
    net::{TcpStream, UdpSocket},
    time::Duration,
};

use fake_dc::{Domain, facts::KdcRequest};
use fake_dc_kerberos::{
    AsExchange, AsOutcome, ClientSecret, Credential, Error, ErrorCode, Principal, PrincipalName,
    frame,
};
use ground::{Clock, Secret, Seed};

const PATIENCE: Duration = Duration::from_secs(5);

/// The exchange of a client that has this password.
fn exchange(password: &str) -> AsExchange {
    let name = PrincipalName::account("alice");
    let alice = Principal { name, realm: "CORP.EXAMPLE".to_owned() };
    let secret = ClientSecret::Password(Secret::new(password));
    let mut random = Seed::new(1).stream("client");
    AsExchange::new(alice, secret, Clock::system(), &mut random)
}

/// The first request of a client.
fn request() -> Vec<u8> {
    exchange("Passw0rd!Lab1").request().to_vec()
}

/// KRB-ERROR is `[APPLICATION 30]`.
const ERROR_TAG: u8 = 0x7e;

fn connect(domain: &Domain) -> TcpStream {
    let stream = TcpStream::connect(domain.dc("dc1").unwrap().kdc()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn datagrams(domain: &Domain) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(domain.dc("dc1").unwrap().kdc()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn is_answered(socket: &UdpSocket) -> bool {
    let mut answer = [0; 4_096];
    let sent = socket.send(&request());
    sent.and_then(|_| socket.recv(&mut answer)).is_ok() && answer[0] == ERROR_TAG
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_on_one_connection_are_answered_in_order() {
    let domain = Domain::builder("corp.example").start().await.unwrap();
    let mut stream = connect(&domain);
    let framed = frame(&request());
    // Two at once, the second in two parts.
    stream.write_all(&[framed.as_slice(), &framed[..9]].concat()).unwrap();
    for rest in [&framed[9..], &[]] {
        let mut length = [0; 4];
        stream.read_exact(&mut length).unwrap();
        let mut answer = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer[0], ERROR_TAG);
        stream.write_all(rest).unwrap();
    }
    let events = domain.ledger().events();
    assert_eq!(events.iter().filter_map(|event| event.fact::<KdcRequest>()).count(), 2);
    domain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_recorded_and_not_answered() {
    let domain = Domain::builder("corp.example").start().await.unwrap();
    let socket = datagrams(&domain);
    socket.send(b"garbage").unwrap();
    domain.ledger().wait_for(|event| event.kind() == "dc.garbage").await;
    assert!(is_answered(&socket));
    for bytes in [&b"GET / HTTP/1.0\r\n\r\n"[..], &[0, 0, 0, 1, 0], &[0x80, 0, 0, 0]] {
        let mut stream = connect(&domain);
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        // The connection ends; with unread bytes as a reset.
        let _ = stream.read_to_end(&mut answer);
        assert_eq!(answer, b"");
    }
    let garbage = |event: &&ground::Event| event.kind() == "dc.garbage";
    domain.quiet().await;
    assert_eq!(domain.ledger().events().iter().filter(garbage).count(), 4);
    assert!(is_answered(&socket));
    domain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_lock_the_account() {
    let policy = "dn: DC=corp,DC=example\nlockoutThreshold: 2\n\
                  lockoutDuration: -18000000000\nlockOutObservationWindow: -18000000000\n";
    let domain = Domain::builder("corp.example").ldif("policy.ldif", policy).start().await.unwrap();
    log_on(&domain, "Passw0rd!Lab1").unwrap();
    let codes = [
        ErrorCode::KDC_ERR_PREAUTH_FAILED,
        ErrorCode::KDC_ERR_PREAUTH_FAILED,
        ErrorCode::KDC_ERR_CLIENT_REVOKED,
    ];
    for code in codes {
        assert_eq!(log_on(&domain, "wrong").unwrap_err(), Error::Refused { code });
    }
    domain.stop().await;
}

/// Asks for a ticket over TCP: one that names the client's groups fits no datagram.
fn log_on(domain: &Domain, password: &str) -> Result<Credential, Error> {
    let mut stream = connect(domain);
    let mut random = Seed::new(1).stream("client");
    let mut exchange = exchange(password);
    loop {
        stream.write_all(&frame(exchange.request())).unwrap();
        let mut length = [0; 4];
        stream.read_exact(&mut length).unwrap();
        let mut answer = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut answer).unwrap();
        if let AsOutcome::Ticket(ticket) = exchange.answer(&answer, &mut random)? {
            return Ok(*ticket);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_the_net_close_both_ports() {
    let domain = Domain::builder("corp.example").start().await.unwrap();
    domain.set_faults("dc1", ["net.refuse"]).unwrap();
    assert!(TcpStream::connect(domain.dc("dc1").unwrap().kdc()).is_err());
    assert!(!is_answered(&datagrams(&domain)));
    domain.clear_faults("dc1").unwrap();
    assert!(is_answered(&datagrams(&domain)));
    connect(&domain);
    domain.stop().await;
}

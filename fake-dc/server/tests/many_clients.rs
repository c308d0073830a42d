//! Ten thousand silent clients, and some that are worse, keep nobody from being answered.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "says what a connection costs")]

mod common;
mod served;

use std::{collections::BTreeMap, io, net::SocketAddr, process::Command, sync::Arc};

use common::{ADMINISTRATOR, PASSWORD, PATIENCE, tls};
use ldap_wire::{
    Authentication, BindRequest, Decoded, Filter, LdapMessage, LdapResult, Limits, ProtocolOp,
    Scope, SearchRequest,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustls::ClientConfig;
use served::Served;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::client::TlsStream;

/// Silent connections: so many in clear, and so many on which TLS has been agreed.
const PLAIN: usize = 8_000;
const SECURE: usize = 2_000;

/// Connections of each kind that do harm.
const WORSE: usize = 50;

/// Resident bytes of the server for one silent connection, the average of the above.
const MEMORY_MAX: usize = 16 << 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_silent_clients_and_slow_ones_neither_starve_nor_kill_the_others() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    // On a slow machine this may take longer than a real DC would wait.
    let served = Served::start(&["--ldap-policy", "InitRecvTimeout=3600"]);
    let at = |service| SocketAddr::from(([127, 0, 0, 10], served.port(0, service)));
    let (config, _) = common::noting();

    let before = served.memory();
    let plain = [at("ldap"), at("gc")];
    let mut silent = many(PLAIN, |number| TcpStream::connect(plain[number % 2])).await;
    let secure = [at("ldaps"), at("gcs")];
    let mut silent_secure = many(SECURE, |number| {
        let config = Arc::clone(&config);
        async move { tls(secure[number % 2], "dc1.corp.example", config).await }
    })
    .await;
    let mut client = Client::new(at("ldaps"), &config).await;
    client.search().await;
    let each = (served.memory() - before) / (PLAIN + SECURE);
    eprintln!("a silent connection costs {each} bytes");
    assert!(each <= MEMORY_MAX, "{each} bytes");

    let slow = many(WORSE, |number| TcpStream::connect(at(SLOW[number % SLOW.len()].0))).await;
    let deaf = many(WORSE, |_| TcpStream::connect(at("ldap"))).await;
    for round in 0..200 {
        for (number, stream) in slow.iter().enumerate() {
            // Never the last byte of anything.
            let (_, bytes) = SLOW[number % SLOW.len()];
            let byte = bytes.get(round).copied().unwrap_or(0);
            // Whoever is slow for too long is closed.
            let _ = stream.try_write(&[byte]);
        }
        deaf.iter().for_each(press);
        client.search().await;
        if round % 20 == 0 {
            Client::new(at("ldaps"), &config).await.search().await;
            let mut plain = TcpStream::connect(at("ldap")).await.unwrap();
            answered(&mut plain, &root_dse(1)).await;
        }
    }

    // All are still there, and are answered as soon as they speak.
    for stream in &mut silent {
        let nothing = stream.try_read(&mut [0]).unwrap_err();
        assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
    }
    for stream in silent.iter_mut().step_by(100) {
        answered(stream, &root_dse(1)).await;
    }
    for stream in silent_secure.iter_mut().step_by(20) {
        answered(stream, &root_dse(1)).await;
    }
    drop((slow, deaf));
    assert_eq!(served.stop(), Some(0));
}

#[tokio::test]
async fn when_descriptors_run_out_the_silent_make_room() {
    const DESCRIPTORS: usize = 150;
    let mut command = Command::new("prlimit");
    command.arg(format!("--nofile={DESCRIPTORS}")).arg(env!("CARGO_BIN_EXE_fake-dc"));
    command.args(["serve", "--ports", "system", "--domain", "corp.example"]);
    let served = Served::start_command(command);
    let at = |service| SocketAddr::from(([127, 0, 0, 10], served.port(0, service)));
    let (config, _) = common::noting();
    let mut client = Client::new(at("ldaps"), &config).await;
    let silent = many(2 * DESCRIPTORS, |_| TcpStream::connect(at("ldap"))).await;
    for _ in 0..20 {
        let mut another = TcpStream::connect(at("ldap")).await.unwrap();
        answered(&mut another, &root_dse(1)).await;
        client.search().await;
    }
    drop(silent);
    let told = served.stop_and_hear();
    assert!(told.starts_with("warning: this process may have 150 files open, and "), "{told}");
}

/// What a slow client says, byte by byte, and where.
const SLOW: [(&str, &[u8]); 3] = [
    // A message of 4 KiB.
    ("ldap", &[0x30, 0x82, 0x10, 0x00, 0x02, 0x01, 0x01, 0x63, 0x82, 0x0f, 0xf9, 0x04, 0x82]),
    // A ClientHello of 512 bytes.
    ("ldaps", &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]),
    // A ticket request of 1 KiB.
    ("kdc", &[0x00, 0x00, 0x04, 0x00, 0x6a, 0x82, 0x03, 0xfc]),
];

/// So many connections in the order of their numbers, made a few at a time.
async fn many<C, F>(count: usize, connect: impl Fn(usize) -> F) -> Vec<C>
where
    C: Send + 'static,
    F: Future<Output = io::Result<C>> + Send + 'static,
{
    const AT_ONCE: usize = 100;
    let (mut connections, mut connecting) =
        (BTreeMap::new(), JoinSet::<(usize, io::Result<C>)>::new());
    for number in 0..count {
        if connecting.len() == AT_ONCE {
            connections.extend(connecting.join_next().await.map(Result::unwrap));
        }
        let connect = connect(number);
        connecting.spawn(async move { (number, connect.await) });
    }
    connections.extend(connecting.join_all().await);
    connections.into_values().map(Result::unwrap).collect()
}

/// Asks without ever reading, as long as the server takes it.
fn press(stream: &TcpStream) {
    let questions = root_dse(1).repeat(100);
    while stream.try_write(&questions).is_ok() {}
}

/// A client that wants answers.
struct Client {
    stream: TlsStream<TcpStream>,
    last: u32,
}

impl Client {
    async fn new(server: SocketAddr, config: &Arc<ClientConfig>) -> Self {
        let stream = tls(server, "dc1.corp.example", Arc::clone(config)).await.unwrap();
        let mut client = Self { stream, last: 0 };
        let bind = BindRequest {
            version: 3,
            name: ADMINISTRATOR.to_owned(),
            authentication: Authentication::Simple(PASSWORD.as_bytes().to_vec()),
        };
        client.ask(ProtocolOp::BindRequest(bind)).await;
        client
    }

    async fn search(&mut self) {
        let search = SearchRequest {
            base: "DC=corp,DC=example".to_owned(),
            scope: Scope::WholeSubtree,
            filter: Filter::parse("(sAMAccountName=krbtgt)").unwrap(),
            ..SearchRequest::default()
        };
        assert_eq!(self.ask(ProtocolOp::SearchRequest(search)).await, 1);
    }

    async fn ask(&mut self, request: ProtocolOp) -> usize {
        self.last += 1;
        let bytes = LdapMessage::new(self.last, request).encode();
        answered(&mut self.stream, &bytes).await
    }
}

/// A search that everybody may make.
fn root_dse(id: u32) -> Vec<u8> {
    LdapMessage::new(id, ProtocolOp::SearchRequest(SearchRequest::default())).encode()
}

/// Sends a request and waits for its success. Returns how many entries came.
async fn answered(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &[u8]) -> usize {
    stream.write_all(request).await.unwrap();
    let (mut received, mut entries) = (Vec::new(), 0);
    loop {
        assert!(timeout(PATIENCE, stream.read_buf(&mut received)).await.unwrap().unwrap() > 0);
        while let Decoded::Message { message, consumed } =
            ldap_wire::decode(&received, &Limits::DEFAULT).unwrap()
        {
            received.drain(..consumed);
            let result: LdapResult = match message.op {
                ProtocolOp::SearchResultEntry(_) => {
                    entries += 1;
                    continue;
                }
                ProtocolOp::SearchResultReference(_) => continue,
                ProtocolOp::SearchResultDone(result) => result,
                ProtocolOp::BindResponse(bind) => bind.result,
                other => panic!("{other:?}"),
            };
            assert!(result.is_success(), "{result:?}");
            return entries;
        }
    }
}

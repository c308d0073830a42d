//! Paths, headers, limits, and the life of the server.

use proptest::prelude::*;
use sim_host::Profile;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use xenapi_wire::facts::{Answered, Garbage};

use crate::world::{ROOT_PASSWORD, World, exchange, parse, request};

const CALL: &str = "<methodCall><methodName>pool.get_all</methodName></methodCall>";

#[tokio::test]
async fn paths_and_headers() {
    let world = World::alone(Profile::Landed).await;
    for (path, content_type) in
        [("/", "text/xml"), ("/RPC2", "text/xml"), ("/jsonrpc", "application/json")]
    {
        let body = if path == "/jsonrpc" {
            r#"{"method":"pool.get_all","params":[],"id":1}"#
        } else {
            CALL
        };
        let reply = world.post(path, body).await;
        assert_eq!(reply.status, 200);
        for header in [
            &format!("content-type: {content_type}\r\n"),
            "access-control-allow-origin: *\r\n",
            "access-control-allow-headers: x-requested-with\r\n",
        ] {
            assert!(reply.headers.contains(header), "{header} in {}", reply.headers);
        }
        let preflight = exchange(world.server.address(), &request("OPTIONS", path, b"")).await;
        assert_eq!(preflight.status, 200);
        assert!(preflight.headers.contains("access-control-allow-origin: *"));
        let read = exchange(world.server.address(), &request("GET", path, b"")).await;
        assert_eq!(read.status, 405);
    }
    assert_eq!(world.post("/cli", CALL).await.status, 404);
    world.server.stop().await;
}

#[tokio::test]
async fn the_body_has_a_limit() {
    let world = World::alone(Profile::Landed).await;
    let pad = |length: usize| format!("{CALL}{}", " ".repeat(length - CALL.len()));
    assert_eq!(world.post("/", &pad(300 * 1024)).await.status, 200);
    let reply = world.post("/", &pad(300 * 1024 + 1)).await;
    assert_eq!((reply.status, reply.body.as_str()), (413, "the body has more than 307200 bytes\n"));
    world.server.stop().await;
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let world = World::alone(Profile::Landed).await;
    let mut stream = TcpStream::connect(world.server.address()).await.unwrap();
    for version in ["1.1", "1.0"] {
        let length = CALL.len();
        let head = format!(
            "POST / HTTP/{version}\r\nHost: pool\r\nConnection: keep-alive\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        stream.write_all(format!("{head}{CALL}").as_bytes()).await.unwrap();
        let mut text = Vec::new();
        while !text.ends_with(b"</methodResponse>") {
            assert_ne!(stream.read_buf(&mut text).await.unwrap(), 0);
        }
        assert_eq!(parse(&String::from_utf8(text).unwrap()).status, 200);
    }
    // An idle connection does not keep the server, nor does one in the middle of a request.
    stream.write_all(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n<").await.unwrap();
    let address = world.server.address();
    world.server.stop().await;
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn dropping_closes_the_port() {
    let world = World::alone(Profile::Landed).await;
    let mut stream = TcpStream::connect(world.server.address()).await.unwrap();
    drop(world.server);
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
}

#[tokio::test]
async fn a_call_goes_on_when_the_client_hangs_up() {
    let world = World::in_domain(Profile::Landed).await;
    let session = world.log_in().await;
    let pool = world.pool.reference().to_string();
    let body = format!(
        "<methodCall><methodName>pool.enable_external_auth</methodName><params>\
         <param><value>{session}</value></param><param><value>{pool}</value></param>\
         <param><value><struct><member><name>user</name><value>Administrator</value></member>\
         <member><name>pass</name><value>Passw0rd!Lab1</value></member></struct></value></param>\
         <param><value>corp.example</value></param><param><value>AD</value></param>\
         </params></methodCall>"
    );
    let before = world.ledger.last();
    let mut stream = TcpStream::connect(world.server.address()).await.unwrap();
    stream.write_all(&request("POST", "/", body.as_bytes())).await.unwrap();
    world.ledger.wait_for(|event| Some(event.id) > before && event.kind() == "xapi.call").await;
    drop(stream);
    world.server.stop().await;
    let events = world.ledger.events_after(before);
    let ends: Vec<_> = events.iter().filter_map(|event| event.fact::<Answered>()).collect();
    assert_eq!(ends.len(), 1);
    assert_eq!(ends[0].error, None);
    let hosts = world.pool.database_view().hosts;
    assert!(hosts.iter().all(|host| host.external_auth_type == "AD"));
    world.domain.unwrap().stop().await;
}

#[tokio::test]
async fn garbage_is_refused_and_counted() {
    let world = World::alone(Profile::Landed).await;
    for (path, body, text) in [
        ("/", "<methodCall>", "expected methodName, found the end\n"),
        ("/", "<methodCall></other>", "byte 12: this is no XML\n"),
        ("/jsonrpc", "{", "line 1, column 1: this is no JSON\n"),
        ("/jsonrpc", "{}", "member `method` is missing or of the wrong type\n"),
    ] {
        let reply = world.post(path, body).await;
        assert_eq!((reply.status, reply.body.as_str()), (400, text));
    }
    let garbage = world.ledger.events();
    let statuses = garbage.iter().filter_map(|event| Some(event.fact::<Garbage>()?.status));
    assert_eq!(statuses.collect::<Vec<_>>(), [400; 4]);
    world.server.stop().await;
}

#[test]
fn arbitrary_bytes_end_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::alone(Profile::Landed));
    let address = world.server.address();
    let paths = prop::sample::select(vec!["/", "/RPC2", "/jsonrpc"]);
    let body = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        "[<>&a-z/\"{}:,\\[\\]]{0,80}".prop_map(String::into_bytes),
        "(<value>(<string>|<int>|<nil/>|x){0,3}</value>){0,3}".prop_map(|values| {
            format!("<methodCall><methodName>session.logout</methodName><params><param>{values}")
                .into_bytes()
        }),
    ];
    let mut runner = proptest::test_runner::TestRunner::default();
    runner
        .run(&(paths, body), |(path, body)| {
            let reply = runtime.block_on(exchange(address, &request("POST", path, &body)));
            prop_assert!(matches!(reply.status, 200 | 400), "{}", reply.status);
            Ok(())
        })
        .unwrap();
    let logged_in = runtime.block_on(world.log_in());
    assert!(logged_in.starts_with("OpaqueRef:"));
    world.assert_no_secrets(&[ROOT_PASSWORD]);
}

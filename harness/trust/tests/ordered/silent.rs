//! Who is silent is let go.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    thread,
    time::Duration,
};

use tokio::sync::oneshot;
use trust_models::ordered::facts::Connected;

use crate::cloud::Lab;

/// In real time. Nobody waits for so long unless the test fails.
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn nobody_waits_for_a_silent_client() {
    let lab = Lab::new().await;
    let console = lab.cloud.create_console("console1", &lab.trail).await.unwrap();
    let console = console.listens().await.unwrap();
    let storage = lab.cloud.storage("storage1").unwrap().https().await.unwrap();
    let events = lab.ledger.events();
    let connected = events.iter().find_map(|event| event.fact::<Connected>()).unwrap();
    let (api, management) = (lab.cloud.api_address(), connected.address);
    for (port, said) in [
        (api, ""),
        // The head of a record that never comes.
        (api, "\x16\x03\x01\x01\x00"),
        (api, "POST /client/api HTTP/1.1\r\nHost: "),
        (api, "POST /client/api HTTP/1.1\r\nHost: api\r\nContent-Length: 99\r\n\r\ncommand="),
        // It could ask for more.
        (api, "GET /client/api HTTP/1.1\r\nHost: api\r\n\r\n"),
        (management, ""),
        (storage, ""),
        (console, ""),
    ] {
        let mut client = TcpStream::connect(port).unwrap();
        client.write_all(said.as_bytes()).unwrap();
        let ended = is_let_go(client).await;
        assert!(ended.is_ok(), "whoever says {said:?} to {port} may stay: {ended:?}");
    }
}

/// Says nothing more until the other end closes, while the clock jumps to the next time that somebody waits for. It
/// waits on a thread of its own, so that all these times are the server's.
async fn is_let_go(mut client: TcpStream) -> io::Result<()> {
    client.set_read_timeout(Some(LIMIT))?;
    let (tell, told) = oneshot::channel();
    thread::spawn(move || tell.send(client.read_to_end(&mut Vec::new())));
    tokio::time::pause();
    let ended = told.await.expect("the thread tells how it ended");
    tokio::time::resume();
    match ended {
        // It is not waited for that what was said has been read.
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(()),
        ended => ended.map(drop),
    }
}

//! An HTTP listener for orchestrators: any request is answered with 200 once the domain is up.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::error::Failure;

/// Opens the listener on loopback and answers for ever in the background.
pub(crate) async fn open(port: u16) -> Result<SocketAddr, Failure> {
    let failed = |source| Failure::Health { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    // One after the other: this is for a probe every few seconds.
    tokio::spawn(async move {
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                let _ = tokio::time::timeout(PATIENCE, answer(stream)).await;
            }
        }
    });
    Ok(address)
}

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut request = [0; 4_096];
    // Whatever was asked gets the same answer.
    let _size = stream.read(&mut request).await?;
    stream.write_all(RESPONSE).await?;
    stream.shutdown().await
}

const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\n\
    Content-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";

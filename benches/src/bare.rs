//! A bare TLS handshake over loopback TCP: the yardstick of a probe.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::{Failure, Handshake};

/// A server that does handshakes and nothing else, on the runtime that asks for it.
#[derive(Debug)]
pub struct Bare {
    address: SocketAddr,
    handshake: Handshake,
}

impl Bare {
    /// Starts it; it ends with the runtime.
    pub async fn start(handshake: Handshake) -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let acceptor = TlsAcceptor::from(handshake.server.clone());
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // The client leaves without a word.
                    if let Ok(mut tls) = acceptor.accept(tcp).await {
                        let _ = tls.read(&mut [0; 16]).await;
                    }
                });
            }
        });
        Ok(Self { address, handshake })
    }

    /// Connects, shakes hands and leaves.
    pub async fn shake_hands(&self) -> Result<(), Failure> {
        let tcp = TcpStream::connect(self.address).await?;
        tcp.set_nodelay(true)?;
        let connector = TlsConnector::from(self.handshake.client.clone());
        drop(connector.connect(self.handshake.name.clone(), tcp).await?);
        Ok(())
    }
}

//! TLS on the port that takes plain HTTP, too: a handshake is known by its first byte
//! (xenapi-wire.md §1). Which of its certificates the host shows depends on the name that is asked
//! for.

use std::{io, sync::Arc};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::Acceptor,
};
use sim_host::Host;
use tokio::net::TcpStream;
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};

/// What a record of the handshake begins with; no HTTP method does.
const HANDSHAKE: u8 = 0x16;

/// A connection as it came, or what is inside its TLS.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Looks at the first byte, and does the handshake if it is one. The host's file is read each time,
/// as its certificate may have changed.
pub(crate) async fn open(stream: TcpStream, host: &Host) -> io::Result<Stream> {
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 || first != [HANDSHAKE] {
        return Ok(Stream::Plain(stream));
    }
    let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let pem = host.certificate_and_key(hello.client_hello().server_name());
    let pem = pem.map_err(io::Error::other)?;
    let config = configuration(&pem).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "the host's certificate cannot be used")
    })?;
    let stream = hello.into_stream(Arc::new(config)).await?;
    Ok(Stream::Tls(Box::new(stream)))
}

fn configuration(pem: &[u8]) -> Option<ServerConfig> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().ok()?;
    let key = PrivateKeyDer::from_pem_slice(pem).ok()?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_identity_is_refused() {
        assert!(configuration(b"").is_none());
        assert!(
            configuration(b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n")
                .is_none()
        );
    }
}

//! The certificates of a live server, whatever they are.

use std::{
    fmt, io,
    io::{Read, Write},
    net::{TcpStream, ToSocketAddrs},
    str::FromStr,
    sync::{Arc, Mutex},
    time::Duration,
};

use ldap_wire::{Decoded, ExtendedRequest, LdapMessage, Limits, ProtocolOp, decode, extended};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use crate::error::Failure;

/// A server with LDAPS, or with LDAP and StartTLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    host: String,
    port: u16,
    starts_plain: bool,
}

/// How long a server may take for each step.
const PATIENCE: Duration = Duration::from_secs(15);

impl FromStr for Server {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let (starts_plain, rest, usual) = match url.split_once("://") {
            Some(("ldaps", rest)) => (false, rest, 636),
            Some(("ldap", rest)) => (true, rest, 389),
            _ => return Err("write it as ldaps://HOST[:PORT] or ldap://HOST[:PORT]".to_owned()),
        };
        let rest = rest.trim_end_matches('/');
        // An IPv6 address stands in brackets.
        let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None => rest.rsplit_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
        };
        let port = match port {
            Some(port) => port.parse().map_err(|_| format!("`{port}` is no port"))?,
            None => usual,
        };
        if host.is_empty() {
            return Err("it names no host".to_owned());
        }
        Ok(Self { host: host.to_owned(), port, starts_plain })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.starts_plain { "ldap" } else { "ldaps" };
        match self.host.contains(':') {
            true => write!(f, "{scheme}://[{}]:{}", self.host, self.port),
            false => write!(f, "{scheme}://{}:{}", self.host, self.port),
        }
    }
}

impl Server {
    /// The certificates that it shows, over TLS 1.3 or 1.2. Nothing is verified.
    pub(crate) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, Failure> {
        let seen = Arc::new(Seen::default());
        let shaken = self.handshake(&seen);
        let shown = seen.certificates.lock().map(|mut shown| std::mem::take(&mut *shown));
        match (shown, shaken) {
            // A handshake may fail later, for want of a certificate of ours, say.
            (Ok(shown), _) if !shown.is_empty() => Ok(shown),
            (_, Err(source)) => Err(Failure::Fetch { server: self.to_string(), source }),
            _ => {
                let source = io::Error::other("it showed no certificate");
                Err(Failure::Fetch { server: self.to_string(), source })
            }
        }
    }

    fn handshake(&self, seen: &Arc<Seen>) -> io::Result<()> {
        let mut stream = self.connect()?;
        if self.starts_plain {
            start_tls(&mut stream)?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .map_err(io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(seen) as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
        let mut connection =
            ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        connection.send_close_notify();
        connection.complete_io(&mut stream).map(|_| ())
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in (self.host.as_str(), self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(PATIENCE))?;
                    stream.set_write_timeout(Some(PATIENCE))?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// Asks for TLS on port 389 (RFC 4511, section 4.14).
fn start_tls(stream: &mut TcpStream) -> io::Result<()> {
    let request = ExtendedRequest { name: extended::START_TLS.to_owned(), value: None };
    let request = LdapMessage::new(1, ProtocolOp::ExtendedRequest(request));
    stream.write_all(&request.encode())?;
    let mut received = Vec::new();
    loop {
        // One octet at a time: what follows the answer is TLS.
        let mut octet = [0];
        stream.read_exact(&mut octet)?;
        received.extend(octet);
        match decode(&received, &Limits::DEFAULT).map_err(io::Error::other)? {
            Decoded::Incomplete { .. } => {}
            Decoded::Message { message, .. } => {
                return match message.op {
                    ProtocolOp::ExtendedResponse(answer) if answer.result.is_success() => Ok(()),
                    ProtocolOp::ExtendedResponse(answer) => {
                        let result = answer.result;
                        let text =
                            format!("StartTLS: code {}, {}", result.code.0, result.diagnostic);
                        Err(io::Error::other(text))
                    }
                    _ => Err(io::Error::other("StartTLS was not answered")),
                };
            }
        }
    }
}

/// Takes every certificate and every signature, and remembers the certificates.
#[derive(Debug, Default)]
struct Seen {
    certificates: Mutex<Vec<CertificateDer<'static>>>,
}

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Ok(mut certificates) = self.certificates.lock() {
            *certificates = std::iter::once(leaf)
                .chain(others)
                .map(|certificate| certificate.clone().into_owned())
                .collect();
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        use SignatureScheme as Scheme;
        vec![
            Scheme::RSA_PSS_SHA256,
            Scheme::RSA_PSS_SHA384,
            Scheme::RSA_PSS_SHA512,
            Scheme::ECDSA_NISTP256_SHA256,
            Scheme::ECDSA_NISTP384_SHA384,
            Scheme::ECDSA_NISTP521_SHA512,
            Scheme::ED25519,
            Scheme::ED448,
            Scheme::RSA_PKCS1_SHA256,
            Scheme::RSA_PKCS1_SHA384,
            Scheme::RSA_PKCS1_SHA512,
            // Ending in the codes of RSASSA-PSS keys (RFC 8446, section 4.2.3), which have no name here.
            Scheme::Unknown(0x0809),
            Scheme::Unknown(0x080a),
            Scheme::Unknown(0x080b),
            Scheme::ECDSA_SHA1_Legacy,
            Scheme::RSA_PKCS1_SHA1,
        ]
    }
}

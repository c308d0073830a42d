//! The baseline of every ratio: what LDAPS costs at least on tokio and rustls. TLS is xapi's, every
//! bind succeeds, every search finds one fixed entry, and that is all. Written as one would who
//! wants it short and not slow.
//!
//! `baseline ADDRESS CHAIN KEY`

use std::{env, error::Error, io, ops::Range, sync::Arc};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::{CryptoProvider, aws_lc_rs},
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
        version::TLS12,
    },
};

const BOUND: &[u8] = b"\x61\x07\x0a\x01\0\x04\0\x04\0";
const ENTRY: &[u8] = b"\x64\x56\x04\x25CN=krbtgt,CN=Users,DC=corp,DC=example\
    \x30\x2d\x30\x2b\x04\x09objectSid\x31\x1e\x04\x1c\x01\x05\0\0\0\0\0\x05ABCDEFGHIJKLMNOPQRST";
const DONE: &[u8] = b"\x65\x07\x0a\x01\0\x04\0\x04\0";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: baseline ADDRESS CHAIN KEY");
    let (address, chain, key) = (next()?, next()?, next()?);
    let provider = CryptoProvider {
        cipher_suites: vec![aws_lc_rs::cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384],
        kx_groups: vec![aws_lc_rs::kx_group::SECP384R1],
        ..aws_lc_rs::default_provider()
    };
    let chain = CertificateDer::pem_file_iter(chain)?.collect::<Result<_, _>>()?;
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS12])?
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(address).await?;
    loop {
        let (socket, _) = listener.accept().await?;
        tokio::spawn(serve(socket, acceptor.clone()));
    }
}

async fn serve(socket: TcpStream, acceptor: TlsAcceptor) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut stream = acceptor.accept(socket).await?;
    let (mut asked, mut said) = (Vec::with_capacity(4_096), Vec::with_capacity(4_096));
    while stream.read_buf(&mut asked).await? > 0 {
        while let Some(message) = content(&asked) {
            let end = message.end;
            let message = &asked[message];
            let Some(id) = content(message) else { return stream.shutdown().await };
            let (id, op) = message.split_at(id.end);
            match op.first() {
                Some(0x60) => answer(&mut said, id, BOUND),
                Some(0x63) => {
                    answer(&mut said, id, ENTRY);
                    answer(&mut said, id, DONE);
                }
                _ => return stream.shutdown().await,
            }
            asked.drain(..end);
        }
        stream.write_all(&said).await?;
        stream.flush().await?;
        said.clear();
    }
    Ok(())
}

/// Where the content of the first BER element is, once all of it has come.
fn content(bytes: &[u8]) -> Option<Range<usize>> {
    let first = usize::from(*bytes.get(1)?);
    let long = first.saturating_sub(0x80);
    let length = bytes.get(2..2 + long)?.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
    let length = if long == 0 { first } else { length };
    let content = 2 + long..length.checked_add(2 + long)?;
    (content.end <= bytes.len()).then_some(content)
}

fn answer(said: &mut Vec<u8>, id: &[u8], op: &[u8]) {
    said.extend([0x30, (id.len() + op.len()) as u8]);
    said.extend_from_slice(id);
    said.extend_from_slice(op);
}

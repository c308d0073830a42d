//! The client: plain blocking sockets, so that as little as possible of what is measured is its own.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::Arc,
    time::Duration,
};

use ldap_wire::{
    Authentication, BindRequest, Filter, LdapMessage, ProtocolOp, Scope, SearchRequest,
};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    client::Resumption,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    version::TLS12,
};

use crate::Failure;

/// What all servers are asked for: the account that xapi's probe asks for.
const FILTER: &str = "(sAMAccountName=krbtgt)";
const ATTRIBUTE: &str = "objectSid";
const TIMEOUT: Duration = Duration::from_secs(10);

/// The messages of a probe.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    bind: Vec<u8>,
    search: LdapMessage,
}

impl Question {
    pub(crate) fn new(user: &str, password: &str, base: &str) -> Result<Self, Failure> {
        let bind = BindRequest {
            version: 3,
            name: user.to_owned(),
            authentication: Authentication::Simple(password.into()),
        };
        let search = SearchRequest {
            base: base.to_owned(),
            scope: Scope::WholeSubtree,
            filter: Filter::parse(FILTER)?,
            attributes: vec![ATTRIBUTE.to_owned()],
            ..SearchRequest::default()
        };
        Ok(Self {
            bind: LdapMessage::new(1, ProtocolOp::BindRequest(bind)).encode(),
            search: LdapMessage::new(2, ProtocolOp::SearchRequest(search)),
        })
    }
}

/// TLS as xapi's Samba speaks it; the chain must lead to `ca`.
pub(crate) fn xapi_policy(ca: &Path) -> Result<ClientConfig, Failure> {
    let provider = CryptoProvider {
        cipher_suites: vec![aws_lc_rs::cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384],
        kx_groups: vec![aws_lc_rs::kx_group::SECP384R1],
        ..aws_lc_rs::default_provider()
    };
    let mut roots = RootCertStore::empty();
    for certificate in
        CertificateDer::pem_file_iter(ca).map_err(|error| format!("{}: {error}", ca.display()))?
    {
        roots.add(certificate?)?;
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS12])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.enable_sni = false;
    Ok(config)
}

/// Asks one server.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    address: SocketAddr,
    tls: Arc<ClientConfig>,
    peer: ServerName<'static>,
    question: Question,
}

impl Client {
    pub(crate) fn new(
        address: SocketAddr,
        tls: ClientConfig,
        peer: &str,
        question: Question,
    ) -> Result<Self, Failure> {
        let peer = ServerName::try_from(peer.to_owned())?;
        Ok(Self { address, tls: Arc::new(tls), peer, question })
    }

    /// Connects, shakes hands, binds, searches, unbinds and closes.
    pub(crate) fn probe(&self) -> Result<(), Failure> {
        let mut session = self.connect()?;
        session.search()?;
        session.unbind()
    }

    /// A connection that is bound.
    pub(crate) fn connect(&self) -> Result<Session, Failure> {
        let socket = TcpStream::connect(self.address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(TIMEOUT))?;
        let tls = ClientConnection::new(self.tls.clone(), self.peer.clone())?;
        let mut session = Session {
            stream: StreamOwned::new(tls, socket),
            search: self.question.search.clone(),
            asked: Vec::new(),
            answer: Vec::new(),
        };
        session.stream.write_all(&self.question.bind)?;
        session.finish(BIND_RESPONSE)?;
        Ok(session)
    }
}

const BIND_RESPONSE: u8 = 0x61;
const ENTRY: u8 = 0x64;
const DONE: u8 = 0x65;
const REFERENCE: u8 = 0x73;

/// A connection.
#[derive(Debug)]
pub(crate) struct Session {
    stream: StreamOwned<ClientConnection, TcpStream>,
    search: LdapMessage,
    asked: Vec<u8>,
    answer: Vec<u8>,
}

impl Session {
    /// One search, which must find one entry.
    pub(crate) fn search(&mut self) -> Result<(), Failure> {
        self.search.id += 1;
        self.asked.clear();
        self.search.encode_into(&mut self.asked);
        self.stream.write_all(&self.asked)?;
        match self.finish(DONE)? {
            1 => Ok(()),
            entries => Err(format!("{entries} entries found").into()),
        }
    }

    /// Says goodbye, in LDAP and in TLS, and closes.
    pub(crate) fn unbind(mut self) -> Result<(), Failure> {
        self.search.id += 1;
        let unbind = LdapMessage::new(self.search.id, ProtocolOp::UnbindRequest);
        self.stream.conn.writer().write_all(&unbind.encode())?;
        self.stream.conn.send_close_notify();
        while self.stream.conn.wants_write() {
            match self.stream.conn.write_tls(&mut self.stream.sock) {
                Ok(_) => {}
                // It has closed first.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Reads up to the successful result `last`; the number of entries before it.
    fn finish(&mut self, last: u8) -> Result<usize, Failure> {
        let mut entries = 0;
        let mut read = 0;
        self.answer.clear();
        loop {
            while let Some((envelope, end)) = element(&self.answer[read..]) {
                let (op, content) = operation(envelope.content).ok_or("a broken message")?;
                match op {
                    ENTRY => entries += 1,
                    REFERENCE => {}
                    // A result begins with its code, an ENUMERATED of one byte.
                    op if op == last && content.starts_with(&[0x0a, 1, 0]) => return Ok(entries),
                    op => return Err(format!("answer {op:#04x}: {content:02x?}").into()),
                }
                read += end;
            }
            let had = self.answer.len();
            self.answer.resize(had + 4_096, 0);
            let more = self.stream.read(&mut self.answer[had..])?;
            self.answer.truncate(had + more);
            if more == 0 {
                return Err("the connection was closed".into());
            }
        }
    }
}

/// The operation of a message and what it contains, after the number.
fn operation(envelope: &[u8]) -> Option<(u8, &[u8])> {
    let (_, id) = element(envelope)?;
    let (op, _) = element(&envelope[id..])?;
    Some((op.tag, op.content))
}

struct Element<'a> {
    tag: u8,
    content: &'a [u8],
}

/// The first BER element, once all of it has come, and where it ends.
fn element(bytes: &[u8]) -> Option<(Element<'_>, usize)> {
    let (&tag, &first) = (bytes.first()?, bytes.get(1)?);
    let long = usize::from(first.saturating_sub(0x80));
    let length = bytes.get(2..2 + long)?.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
    let length = if long == 0 { usize::from(first) } else { length };
    let end = length.checked_add(2 + long)?;
    Some((Element { tag, content: bytes.get(2 + long..end)? }, end))
}

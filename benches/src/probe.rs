//! One LDAPS probe, part by part.
//!
//! The client does what a probe cannot do without: connect, shake hands, judge the chain, bind,
//! search, leave. What `net ads search` does around it is in [`Member`](crate::Member).

use std::{net::SocketAddr, ops::Index, sync::Arc, time::Duration};

use ground::Timestamp;
use ldap_wire::{
    Authentication, BindRequest, Decoded, Filter, LdapMessage, Limits, ProtocolOp, ResultCode,
    Scope, SearchRequest, decode,
};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use trust_verdict::{Client, PeerName, Presented, TlsVersion};

use crate::{DOMAIN, Failure, Handshake, PASSWORD, Scene};

/// A part of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// TCP.
    Connect,
    /// TLS.
    Handshake,
    /// The verdict on the chain.
    Judgement,
    /// A simple bind.
    Bind,
    /// xapi's search, which finds one entry.
    Search,
    /// Unbind, close_notify, and the end of the stream.
    Unbind,
}

impl Part {
    /// All of them, in order.
    pub const ALL: [Self; 6] =
        [Self::Connect, Self::Handshake, Self::Judgement, Self::Bind, Self::Search, Self::Unbind];

    /// As ids of figures have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Handshake => "handshake",
            Self::Judgement => "judgement",
            Self::Bind => "bind",
            Self::Search => "search",
            Self::Unbind => "unbind",
        }
    }
}

/// What each part of one probe took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parts([Duration; Part::ALL.len()]);

impl Parts {
    /// All together.
    pub fn whole(&self) -> Duration {
        self.0.iter().sum()
    }
}

impl Index<Part> for Parts {
    type Output = Duration;

    fn index(&self, part: Part) -> &Duration {
        &self.0[part as usize]
    }
}

/// Who probes one DC again and again.
#[derive(Debug)]
pub struct Prober {
    address: SocketAddr,
    connector: Arc<rustls::ClientConfig>,
    name: ServerName<'static>,
    judge: Client,
    peer: PeerName,
    at: Timestamp,
    version: TlsVersion,
}

impl Prober {
    /// A client of the DC at `address`, which shows the chain of `scene`.
    pub fn new(scene: &Scene, address: SocketAddr) -> Result<Self, Failure> {
        let Handshake { client, name, .. } = scene.handshake()?;
        Ok(Self {
            address,
            connector: client,
            name,
            judge: Client::new(scene.client.clone())?,
            peer: PeerName::new(scene.peer.as_str()),
            at: scene.at,
            version: scene.policy.version(),
        })
    }

    /// One probe; `now` is the clock that its parts are measured by.
    pub async fn probe(&self, now: fn() -> Duration) -> Result<Parts, Failure> {
        let mut parts = Parts::default();
        let mut last = now();
        let mut end = |part: Part| {
            let time = now();
            parts.0[part as usize] = time.saturating_sub(last);
            last = time;
        };
        let tcp = TcpStream::connect(self.address).await?;
        tcp.set_nodelay(true)?;
        end(Part::Connect);
        let connector = TlsConnector::from(self.connector.clone());
        let mut tls = connector.connect(self.name.clone(), tcp).await?;
        end(Part::Handshake);
        let shown = tls.get_ref().1.peer_certificates().unwrap_or_default();
        let certificates = shown.iter().map(|certificate| certificate.to_vec()).collect();
        let presented = Presented { certificates, tls: self.version };
        if !self.judge.judge(&self.peer, &presented, self.at).is_accept() {
            return Err("the chain was refused".into());
        }
        end(Part::Judgement);
        bind(&mut tls).await?;
        end(Part::Bind);
        search(&mut tls).await?;
        end(Part::Search);
        let unbind = LdapMessage::new(3, ProtocolOp::UnbindRequest).encode();
        tls.write_all(&unbind).await?;
        tls.shutdown().await?;
        while tls.read(&mut [0; 64]).await? > 0 {}
        end(Part::Unbind);
        Ok(parts)
    }

    /// A connection that has been shaken hands on, for whoever wants to keep it.
    pub async fn connect(&self) -> Result<TlsStream<TcpStream>, Failure> {
        let tcp = TcpStream::connect(self.address).await?;
        tcp.set_nodelay(true)?;
        Ok(TlsConnector::from(self.connector.clone()).connect(self.name.clone(), tcp).await?)
    }

    /// The same, after a bind and a search.
    pub async fn connect_and_search(&self) -> Result<TlsStream<TcpStream>, Failure> {
        let mut tls = self.connect().await?;
        bind(&mut tls).await?;
        search(&mut tls).await?;
        Ok(tls)
    }
}

async fn bind(tls: &mut TlsStream<TcpStream>) -> Result<(), Failure> {
    let request = BindRequest {
        version: 3,
        name: format!("Administrator@{DOMAIN}"),
        authentication: Authentication::Simple(PASSWORD.as_bytes().to_vec()),
    };
    match ask(tls, LdapMessage::new(1, ProtocolOp::BindRequest(request))).await? {
        (0, ProtocolOp::BindResponse(response)) if response.result.is_success() => Ok(()),
        (_, other) => Err(format!("bind: {other:?}").into()),
    }
}

async fn search(tls: &mut TlsStream<TcpStream>) -> Result<(), Failure> {
    match ask(tls, LdapMessage::new(2, ProtocolOp::SearchRequest(probe_search()?))).await? {
        (1, ProtocolOp::SearchResultDone(done)) if done.code == ResultCode::SUCCESS => Ok(()),
        (entries, other) => Err(format!("search: {entries} entries and {other:?}").into()),
    }
}

/// The search with which xapi probes a DC.
pub(crate) fn probe_search() -> Result<SearchRequest, Failure> {
    Ok(SearchRequest {
        base: "dc=CORP,dc=EXAMPLE".to_owned(),
        scope: Scope::WholeSubtree,
        filter: Filter::parse(PROBE_FILTER)?,
        attributes: vec!["objectSid".to_owned()],
        ..SearchRequest::default()
    })
}

/// The filter with which xapi probes a DC.
pub(crate) const PROBE_FILTER: &str = "(|(sAMAccountName=krbtgt)(name=krbtgt))";

/// The answer that ends the request, and how many entries came before it.
async fn ask(
    tls: &mut TlsStream<TcpStream>,
    request: LdapMessage,
) -> Result<(usize, ProtocolOp), Failure> {
    tls.write_all(&request.encode()).await?;
    let (mut unread, mut entries) = (Vec::with_capacity(1_024), 0);
    loop {
        match decode(&unread, &Limits::default())? {
            Decoded::Message { message, consumed } => {
                unread.drain(..consumed);
                match message.op {
                    ProtocolOp::SearchResultEntry(_) => entries += 1,
                    ProtocolOp::SearchResultReference(_) => {}
                    op => return Ok((entries, op)),
                }
            }
            Decoded::Incomplete { .. } => {
                if tls.read_buf(&mut unread).await? == 0 {
                    return Err("the DC closed the connection".into());
                }
            }
        }
    }
}

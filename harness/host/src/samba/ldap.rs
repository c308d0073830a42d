//! LDAP as the client speaks it: one request at a time over a plain or a TLS connection.

use std::{
    collections::BTreeSet,
    io,
    net::{IpAddr, SocketAddr},
};

use fake_dc_kerberos::gss::{Opened, SecurityLayer};
use ground::{Stream, Trail};
use ldap_wire::{
    AddRequest, Attribute, Authentication, BindRequest, BindResponse, Change, Control, DecodeError,
    DecodeErrorKind, Decoded, ExtendedRequest, LdapMessage, LdapResult, LimitName, Limits,
    ModifyOperation, ModifyRequest, ProtocolOp, SearchRequest, SearchResultEntry,
    controls::{DOMAIN_SCOPE, PAGED_RESULTS, PERMISSIVE_MODIFY, PagedResults},
    decode, extended,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use super::{
    facts::{LdapBound, LdapChanged, LdapFailed, LdapSearched, TcpConnecting, TcpFailed},
    sockets::{self, Tcp},
    timeouts::{LDAP_ANSWER, TCP_CONNECT},
    tls::{self, TlsStream},
};
use crate::{Network, Patience};

/// Entries per page that Samba asks for.
const PAGE_SIZE: u32 = 1000;
/// Entries taken from one search.
const ENTRIES_MAX: usize = 100_000;
/// Bytes that the size of a message is read from.
const HEADER_BYTES_MAX: usize = 16;
/// Pages taken from one search, against a server that hands out cookies for ever.
const PAGES_MAX: usize = 1_000;

/// Opens the TCP connection. Everything that happens on it lies below the returned trail.
pub(super) async fn connect(
    dc: IpAddr,
    port: u16,
    network: &Network,
    trail: &Trail,
) -> Result<(Tcp, Trail), ()> {
    let trail = trail.begin(TcpConnecting { dc, port });
    let to = network.route(SocketAddr::new(dc, port));
    let outcome =
        timeout(TCP_CONNECT.waited(network.patience), sockets::tcp(to, network, &trail)).await;
    let cause = match outcome {
        Ok(Ok(stream)) => return Ok((stream, trail)),
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => "refused",
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset => "reset",
        Ok(Err(_)) => "unreachable",
        Err(_) => "no answer",
    };
    let real_seconds = (cause == "no answer").then_some(TCP_CONNECT.real_seconds());
    trail.record(TcpFailed { dc, port, cause, real_seconds });
    Err(())
}

/// What carries the messages.
#[derive(Debug)]
pub(super) enum Channel {
    /// Bare TCP.
    Plain(Tcp),
    /// TLS.
    Tls(Box<TlsStream>),
}

/// A connection to a DC.
#[derive(Debug)]
pub(super) struct Ldap {
    channel: Channel,
    layer: Option<Layer>,
    unread: Vec<u8>,
    last_id: u32,
    dc: IpAddr,
    patience: Patience,
    trail: Trail,
}

/// What a bind has put between LDAP and the stream.
#[derive(Debug)]
struct Layer {
    protection: SecurityLayer,
    random: Stream,
    /// Received, and not yet taken out of its protection.
    received: Vec<u8>,
}

/// Why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum LdapError {
    /// The connection ended with notice.
    #[error("the connection was closed")]
    Closed,
    /// The connection ended without a TLS close_notify.
    #[error("the connection was cut")]
    Cut,
    /// The connection was reset while this many bytes were waited for.
    #[error("the connection was reset")]
    Reset {
        /// As Samba asks for them: eight for the head of a message, then the rest of it.
        wanted: usize,
    },
    /// What came is no LDAP answer.
    #[error("{0}")]
    Malformed(String),
    /// Nothing came.
    #[error("no answer")]
    TimedOut,
}

/// The outcome of a search.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// The entries in the order they came.
    pub(super) entries: Vec<SearchResultEntry>,
    /// The result.
    pub(super) result: LdapResult,
}

impl Ldap {
    /// Speaks LDAP over `channel` to the DC at `dc`.
    pub(super) fn new(channel: Channel, dc: IpAddr, patience: Patience, trail: Trail) -> Self {
        Self { channel, layer: None, unread: Vec::new(), last_id: 0, dc, patience, trail }
    }

    /// Binds.
    pub(super) async fn bind(
        &mut self,
        name: &str,
        user: &str,
        authentication: Authentication,
    ) -> Result<BindResponse, LdapError> {
        let name = name.to_owned();
        let request = BindRequest { version: 3, name, authentication };
        let response = match self.ask(ProtocolOp::BindRequest(request), Vec::new()).await?.op {
            ProtocolOp::BindResponse(response) => response,
            other => return Err(self.unexpected(&other)),
        };
        let result = response.result.code.0;
        self.trail.record(LdapBound { dc: self.dc, user: user.to_owned(), result });
        Ok(response)
    }

    /// Protects everything that is said from now on.
    pub(super) fn protect(&mut self, protection: SecurityLayer, random: Stream) {
        self.layer = Some(Layer { protection, random, received: Vec::new() });
    }

    /// Asks for TLS on a plain connection, and gives the connection back for the handshake, with what
    /// the server has said after its answer.
    pub(super) async fn start_tls(mut self) -> Result<(Tcp, Vec<u8>), LdapError> {
        let request = ExtendedRequest { name: extended::START_TLS.to_owned(), value: None };
        let response = match self.ask(ProtocolOp::ExtendedRequest(request), Vec::new()).await?.op {
            ProtocolOp::ExtendedResponse(response) => response,
            other => return Err(self.unexpected(&other)),
        };
        match self.channel {
            Channel::Plain(stream) if response.result.is_success() => Ok((stream, self.unread)),
            _ => Err(LdapError::Malformed(format!("StartTLS: {}", response.result.code))),
        }
    }

    /// Searches.
    pub(super) async fn search(&mut self, request: SearchRequest) -> Result<Found, LdapError> {
        let found = self.page(request.clone(), Vec::new()).await.map(|(found, _)| found)?;
        self.searched(&request, &found);
        Ok(found)
    }

    /// Searches as `net ads search` does: within the domain, page by page.
    pub(super) async fn paged_search(
        &mut self,
        request: SearchRequest,
    ) -> Result<Found, LdapError> {
        let mut all = Vec::new();
        let mut cookie = Vec::new();
        for _ in 0..PAGES_MAX {
            let page = PagedResults { size: PAGE_SIZE, cookie }.to_control(true);
            let controls = vec![Control::new(DOMAIN_SCOPE), page];
            let (found, next) = self.page(request.clone(), controls).await?;
            all.extend(found.entries);
            if next.is_empty() || !found.result.is_success() {
                let found = Found { entries: all, result: found.result };
                self.searched(&request, &found);
                return Ok(found);
            }
            if all.len() > ENTRIES_MAX {
                break;
            }
            cookie = next;
        }
        Err(self.failed(LdapError::Malformed("the search has no end".to_owned())))
    }

    /// Adds an entry.
    pub(super) async fn add(
        &mut self,
        dn: &str,
        attributes: Vec<Attribute>,
    ) -> Result<LdapResult, LdapError> {
        let names = attributes.iter().map(|attribute| attribute.name.clone()).collect();
        let request = ProtocolOp::AddRequest(AddRequest { entry: dn.to_owned(), attributes });
        let result = match self.ask(request, Vec::new()).await?.op {
            ProtocolOp::AddResponse(result) => result,
            other => return Err(self.unexpected(&other)),
        };
        self.changed("add", dn, names, &result);
        Ok(result)
    }

    /// Replaces attributes of an entry, with the permissive-modify control that Samba sends.
    pub(super) async fn replace(
        &mut self,
        dn: &str,
        attributes: Vec<Attribute>,
    ) -> Result<LdapResult, LdapError> {
        let changes = attributes
            .into_iter()
            .map(|modification| Change { operation: ModifyOperation::Replace, modification })
            .collect();
        self.modify(dn, changes).await
    }

    /// Takes one value of an attribute away and puts another in its place, as who changes its own
    /// password does.
    pub(super) async fn change_value(
        &mut self,
        dn: &str,
        attribute: &str,
        (old, new): (Vec<u8>, Vec<u8>),
    ) -> Result<LdapResult, LdapError> {
        let changes = [(ModifyOperation::Delete, old), (ModifyOperation::Add, new)];
        let changes = changes
            .map(|(operation, value)| Change {
                operation,
                modification: Attribute::new(attribute, [value]),
            })
            .to_vec();
        self.modify(dn, changes).await
    }

    async fn modify(&mut self, dn: &str, changes: Vec<Change>) -> Result<LdapResult, LdapError> {
        let names: BTreeSet<String> =
            changes.iter().map(|change| change.modification.name.clone()).collect();
        let request = ModifyRequest { object: dn.to_owned(), changes };
        let controls = vec![Control::new(PERMISSIVE_MODIFY)];
        let result = match self.ask(ProtocolOp::ModifyRequest(request), controls).await?.op {
            ProtocolOp::ModifyResponse(result) => result,
            other => return Err(self.unexpected(&other)),
        };
        self.changed("modify", dn, names.into_iter().collect(), &result);
        Ok(result)
    }

    /// Deletes an entry.
    pub(super) async fn delete(&mut self, dn: &str) -> Result<LdapResult, LdapError> {
        let request = ProtocolOp::DelRequest(dn.to_owned());
        let result = match self.ask(request, Vec::new()).await?.op {
            ProtocolOp::DelResponse(result) => result,
            other => return Err(self.unexpected(&other)),
        };
        self.changed("delete", dn, Vec::new(), &result);
        Ok(result)
    }

    /// Says goodbye and closes.
    pub(super) async fn unbind(mut self) {
        // The peer may be gone already.
        let _ = self.send(ProtocolOp::UnbindRequest, Vec::new()).await;
        match self.channel {
            Channel::Plain(mut stream) => tls::close(&mut stream, &[]).await,
            Channel::Tls(stream) => stream.close().await,
        }
    }

    async fn page(
        &mut self,
        request: SearchRequest,
        controls: Vec<Control>,
    ) -> Result<(Found, Vec<u8>), LdapError> {
        let id = self.send(ProtocolOp::SearchRequest(request), controls).await?;
        let mut entries = Vec::new();
        loop {
            let message = self.receive(id).await?;
            let cookie = next_page(&message);
            match message.op {
                ProtocolOp::SearchResultEntry(entry) if entries.len() < ENTRIES_MAX => {
                    entries.push(entry);
                }
                ProtocolOp::SearchResultReference(_) | ProtocolOp::IntermediateResponse(_) => {}
                ProtocolOp::SearchResultDone(result) => {
                    return Ok((Found { entries, result }, cookie));
                }
                other => return Err(self.unexpected(&other)),
            }
        }
    }

    async fn ask(
        &mut self,
        op: ProtocolOp,
        controls: Vec<Control>,
    ) -> Result<LdapMessage, LdapError> {
        let id = self.send(op, controls).await?;
        self.receive(id).await
    }

    async fn send(&mut self, op: ProtocolOp, controls: Vec<Control>) -> Result<u32, LdapError> {
        self.last_id += 1;
        let id = self.last_id;
        let mut bytes = LdapMessage { id, op, controls }.encode();
        if let Some(layer) = &mut self.layer {
            bytes = layer.protection.protect(&bytes, &mut layer.random);
        }
        let sent = match &mut self.channel {
            Channel::Plain(stream) => stream.write_all(&bytes).await,
            Channel::Tls(stream) => stream.send(&bytes).await,
        };
        sent.map(|()| id).map_err(|error| self.broken(&error))
    }

    /// The next message with that number. Others are passed over, as libldap does.
    async fn receive(&mut self, id: u32) -> Result<LdapMessage, LdapError> {
        let limit = LDAP_ANSWER.waited(self.patience);
        let answer = async {
            loop {
                match decode(&self.unread, &Limits::default()) {
                    Ok(Decoded::Message { message, consumed }) => {
                        self.unread.drain(..consumed);
                        if message.id == id {
                            return Ok(message);
                        }
                    }
                    Ok(Decoded::Incomplete { .. }) => self.read().await?,
                    // libldap has no limit: it waits for the rest. Of it, nothing need be kept.
                    Err(DecodeError {
                        kind: DecodeErrorKind::LimitCrossed { name: LimitName::MessageBytes, .. },
                        ..
                    }) => {
                        self.unread.truncate(HEADER_BYTES_MAX);
                        self.read().await?;
                    }
                    Err(error) => return Err(LdapError::Malformed(error.to_string())),
                }
            }
        };
        match timeout(limit, answer).await {
            Ok(Ok(message)) => Ok(message),
            Ok(Err(error)) => Err(self.failed(error)),
            Err(_) => Err(self.failed(LdapError::TimedOut)),
        }
    }

    async fn read(&mut self) -> Result<(), LdapError> {
        let buffer = match &mut self.layer {
            Some(layer) => &mut layer.received,
            None => &mut self.unread,
        };
        let (read, cut) = match &mut self.channel {
            Channel::Plain(stream) => (stream.read_buf(buffer).await, LdapError::Closed),
            Channel::Tls(stream) => (stream.receive(buffer).await, LdapError::Cut),
        };
        match read {
            Ok(0) => Err(LdapError::Closed),
            Ok(_) => self.unprotect(),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                Err(LdapError::Reset { wanted: self.wanted() })
            }
            Err(_) => Err(cut),
        }
    }

    /// How many bytes Samba would ask of TLS now: the head of a message first, then what is
    /// missing of it.
    fn wanted(&self) -> usize {
        const HEAD: usize = 8;
        let received = self.unread.len();
        match decode(&self.unread, &Limits::default()) {
            Ok(Decoded::Incomplete { at_least }) if received >= HEAD => {
                at_least.saturating_sub(received)
            }
            _ => HEAD.saturating_sub(received),
        }
    }

    fn unprotect(&mut self) -> Result<(), LdapError> {
        let Some(Layer { protection, received, .. }) = &mut self.layer else { return Ok(()) };
        loop {
            match protection.open(received) {
                Ok(Opened::Message { message, consumed }) => {
                    self.unread.extend(message);
                    received.drain(..consumed);
                }
                Ok(Opened::Incomplete { .. }) => return Ok(()),
                Err(error) => return Err(LdapError::Malformed(error.to_string())),
            }
        }
    }

    fn broken(&self, error: &io::Error) -> LdapError {
        let cause = error.kind().to_string();
        self.trail.record(LdapFailed { dc: self.dc, cause, real_seconds: None });
        LdapError::Cut
    }

    fn failed(&self, error: LdapError) -> LdapError {
        let real_seconds = (error == LdapError::TimedOut).then_some(LDAP_ANSWER.real_seconds());
        self.trail.record(LdapFailed { dc: self.dc, cause: error.to_string(), real_seconds });
        error
    }

    fn unexpected(&self, op: &ProtocolOp) -> LdapError {
        let cause = match op {
            ProtocolOp::ExtendedResponse(response) => {
                format!("unexpected extended response: {}", response.result.code)
            }
            _ => "unexpected kind of answer".to_owned(),
        };
        self.failed(LdapError::Malformed(cause))
    }

    fn searched(&self, request: &SearchRequest, found: &Found) {
        self.trail.record(LdapSearched {
            dc: self.dc,
            base: request.base.clone(),
            filter: request.filter.to_string(),
            entries: found.entries.len(),
            result: found.result.code.0,
        });
    }

    fn changed(&self, change: &'static str, dn: &str, names: Vec<String>, result: &LdapResult) {
        self.trail.record(LdapChanged {
            dc: self.dc,
            change,
            dn: dn.to_owned(),
            attributes: names,
            result: result.code.0,
        });
    }
}

/// The cookie of the paged results control; empty at the end, or if there is none.
fn next_page(message: &LdapMessage) -> Vec<u8> {
    message
        .control(PAGED_RESULTS)
        .and_then(|control| control.value.as_deref())
        .and_then(|value| PagedResults::decode(value).ok())
        .map(|page| page.cookie)
        .unwrap_or_default()
}

//! The client's resolvers: SRV, A and AAAA questions to the host's name servers in turn.
//!
//! Samba has one of its own (`libcli/dns`), for which whatever a name server answers is the answer,
//! and which turns to the next server when it cannot read one. Kerberos uses that of the C library,
//! which asks the next server when one fails or refuses, and waits on when an answer is not for it.
//! Both ask over UDP with EDNS (payload 1232), repeat over TCP what was truncated, and do not trust
//! the additional section: the address of each SRV target is asked for. Query numbers are counted, not drawn: a run is the same every time, and nobody on loopback
//! needs to guess them.

use std::{
    collections::BTreeSet,
    io,
    net::{IpAddr, SocketAddr},
    sync::atomic::{AtomicU16, Ordering},
};

use ground::Trail;
use hickory_proto::{
    op::{Edns, Message, MessageType, OpCode, Query, ResponseCode},
    rr::{Name, RData, RecordType},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use super::{
    facts::{DnsAnswered, DnsAsked},
    sockets,
    timeouts::DNS_QUESTION,
};
use crate::{Network, Patience};

/// Payload that the client says it takes: DNS flag day 2020, and what Samba's tools were seen
/// to send.
const UDP_PAYLOAD: u16 = 1232;
/// Bytes taken from one datagram or one TCP message.
const MESSAGE_MAX: usize = 65_535;
/// SRV targets followed.
const TARGETS_MAX: usize = 100;

/// Asks the name servers of one host.
#[derive(Debug)]
pub(super) struct Resolver<'a> {
    network: &'a Network,
    next_id: &'a AtomicU16,
    trail: &'a Trail,
    library: Library,
}

/// Whose resolver it is: they differ over a name server that answers that it cannot, or answers
/// something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Library {
    /// Believes every answer (`dns_lookup_recv` of 4.22; seen of 4.22.6).
    Samba,
    /// Asks the next server (`res_nsend` of glibc, which Heimdal uses).
    Libc,
}

impl<'a> Resolver<'a> {
    /// Samba's own resolver. Records on `trail`.
    pub(super) fn new(network: &'a Network, next_id: &'a AtomicU16, trail: &'a Trail) -> Self {
        Self { network, next_id, trail, library: Library::Samba }
    }

    /// The resolver that the Kerberos library uses.
    pub(super) fn of_libc(self) -> Self {
        Self { library: Library::Libc, ..self }
    }

    /// The addresses of a service, best SRV record first, each once. Empty if there are none or
    /// no name server answers.
    ///
    /// Order as in Samba's `dnssrvcmp`: lower priority first, then higher weight, then the order
    /// of the answer. Samba does not draw lots by weight as RFC 2782 asks.
    pub(super) async fn service(&self, name: &str) -> Vec<SocketAddr> {
        let Ok(mut service) = Name::from_ascii(name) else { return Vec::new() };
        service.set_fqdn(true);
        let mut records: Vec<_> = self
            .ask(&service, RecordType::SRV)
            .await
            .into_iter()
            .filter_map(|data| match data {
                RData::SRV(record) => Some(record),
                _ => None,
            })
            .collect();
        records.sort_by_key(|record| (record.priority, std::cmp::Reverse(record.weight)));
        records.truncate(TARGETS_MAX);
        let mut seen = BTreeSet::new();
        let mut addresses = Vec::new();
        for record in records {
            let found = self.addresses(&record.target).await;
            let found = found.into_iter().map(|address| SocketAddr::new(address, record.port));
            addresses.extend(found.filter(|address| seen.insert(address.ip())));
        }
        addresses
    }

    /// The addresses of the host that is called `name`, IPv4 first.
    pub(super) async fn host(&self, name: &str) -> Vec<IpAddr> {
        let Ok(mut name) = Name::from_ascii(name) else { return Vec::new() };
        name.set_fqdn(true);
        self.addresses(&name).await
    }

    /// The addresses of a host, IPv4 first.
    async fn addresses(&self, name: &Name) -> Vec<IpAddr> {
        let mut addresses = Vec::new();
        for record in [RecordType::A, RecordType::AAAA] {
            addresses.extend(self.ask(name, record).await.into_iter().filter_map(
                |data| match data {
                    RData::A(address) => Some(IpAddr::V4(address.0)),
                    RData::AAAA(address) => Some(IpAddr::V6(address.0)),
                    _ => None,
                },
            ));
        }
        addresses
    }

    /// The records of that type in the first answer that any name server gives.
    async fn ask(&self, name: &Name, record: RecordType) -> Vec<RData> {
        for server in &self.network.nameservers {
            match self.ask_server(*server, name, record).await {
                Outcome::Answer(records) => return records,
                Outcome::Failure if self.library == Library::Samba => return Vec::new(),
                Outcome::Failure | Outcome::Useless => {}
            }
        }
        Vec::new()
    }

    async fn ask_server(&self, server: SocketAddr, name: &Name, record: RecordType) -> Outcome {
        let mut query = Message::new(
            self.next_id.fetch_add(1, Ordering::Relaxed),
            MessageType::Query,
            OpCode::Query,
        );
        query.metadata.recursion_desired = true;
        query.add_query(Query::query(name.clone(), record));
        let mut edns = Edns::new();
        edns.set_max_payload(UDP_PAYLOAD);
        query.set_edns(edns);

        let udp = self.trail.begin(asked(server, name, record, "udp"));
        let mut answer = self.over_udp(server, &query, &udp).await;
        let mut trail = udp;
        if answer.as_ref().is_ok_and(|answer| answer.metadata.truncation) {
            trail.record(answered(name, record, "truncated", Vec::new(), None));
            trail = self.trail.begin(asked(server, name, record, "tcp"));
            answer = bounded(self.network.patience, over_tcp(server, self.network, &query, &trail))
                .await;
        }
        conclude(name, record, answer, &trail)
    }

    async fn over_udp(
        &self,
        server: SocketAddr,
        query: &Message,
        trail: &Trail,
    ) -> io::Result<Message> {
        let asking = async {
            let mut socket = sockets::udp(server, self.network, trail).await?;
            socket.send(&encoded(query)?).await?;
            loop {
                let answer = socket.recv(MESSAGE_MAX).await?;
                match (decoded(&answer, query), self.library) {
                    (Some(answer), _) => return Ok(answer),
                    (None, Library::Samba) => return Err(io::ErrorKind::InvalidData.into()),
                    // Late or forged answers are passed over: the right one may still come.
                    (None, Library::Libc) => {}
                }
            }
        };
        bounded(self.network.patience, asking).await
    }
}

/// What one name server is good for.
#[derive(Debug)]
enum Outcome {
    /// It answered; the answer may be that there is nothing.
    Answer(Vec<RData>),
    /// It answered that it has trouble, or does not want to.
    Failure,
    /// The next one must be asked.
    Useless,
}

fn asked(server: SocketAddr, name: &Name, record: RecordType, transport: &'static str) -> DnsAsked {
    DnsAsked { name: text(name), record: record.to_string(), server: server.ip(), transport }
}

fn answered(
    name: &Name,
    record: RecordType,
    outcome: impl Into<String>,
    answers: Vec<String>,
    real_seconds: Option<u64>,
) -> DnsAnswered {
    let outcome = outcome.into();
    DnsAnswered { name: text(name), record: record.to_string(), outcome, answers, real_seconds }
}

/// Reads the answer and records what came of the question.
fn conclude(
    name: &Name,
    record: RecordType,
    answer: io::Result<Message>,
    trail: &Trail,
) -> Outcome {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let (outcome, cost) = match error.kind() {
                io::ErrorKind::TimedOut => ("no answer", Some(DNS_QUESTION.real_seconds())),
                io::ErrorKind::ConnectionRefused => ("refused", None),
                io::ErrorKind::InvalidData => ("malformed", None),
                _ => ("unreachable", None),
            };
            trail.record(answered(name, record, outcome, Vec::new(), cost));
            return Outcome::Useless;
        }
    };
    let data: Vec<RData> = answer
        .answers
        .iter()
        .map(|answer| answer.data.clone())
        .filter(|data| data.record_type() == record)
        .collect();
    let outcome = match answer.metadata.response_code {
        ResponseCode::NoError if data.is_empty() => "no such record".to_owned(),
        ResponseCode::NoError => "answered".to_owned(),
        ResponseCode::NXDomain => "no such name".to_owned(),
        other => other.to_string().to_lowercase(),
    };
    let shown = data.iter().map(shown).collect();
    trail.record(answered(name, record, outcome, shown, None));
    match answer.metadata.response_code {
        ResponseCode::NoError => Outcome::Answer(data),
        ResponseCode::NXDomain => Outcome::Answer(Vec::new()),
        _ => Outcome::Failure,
    }
}

/// SRV data without the port: in the rig the system chooses it.
fn shown(data: &RData) -> String {
    match data {
        RData::SRV(record) => {
            format!("{} {} {}", record.priority, record.weight, text(&record.target))
        }
        other => other.to_string(),
    }
}

fn text(name: &Name) -> String {
    let mut name = name.to_ascii();
    if name.ends_with('.') {
        name.pop();
    }
    name
}

async fn bounded<T>(
    patience: Patience,
    answer: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    timeout(DNS_QUESTION.waited(patience), answer)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn over_tcp(
    server: SocketAddr,
    network: &Network,
    query: &Message,
    trail: &Trail,
) -> io::Result<Message> {
    let mut stream = sockets::tcp(server, network, trail).await?;
    let bytes = encoded(query)?;
    let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes()[..], &bytes].concat()).await?;
    let length = stream.read_u16().await?;
    let mut buffer = vec![0; usize::from(length)];
    stream.read_exact(&mut buffer).await?;
    decoded(&buffer, query).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn encoded(query: &Message) -> io::Result<Vec<u8>> {
    query.to_vec().map_err(io::Error::other)
}

/// The message, if it answers that query.
fn decoded(bytes: &[u8], query: &Message) -> Option<Message> {
    let answer = Message::from_vec(bytes).ok()?;
    let fits = answer.metadata.id == query.metadata.id
        && answer.metadata.message_type == MessageType::Response
        && answer.queries.iter().zip(&query.queries).all(|(theirs, ours)| {
            theirs.name() == ours.name() && theirs.query_type() == ours.query_type()
        });
    fits.then_some(answer)
}

#[cfg(test)]
mod tests;

//! LDAP between a client and the real DC: bytes pass as they are, and are read on their way.
//!
//! Reading them serves three ends: the ledger, StartTLS, which both sides of the front have to
//! enter together, and faults of LDAP, which answer in place of the real DC or change its answer.
//! What is no LDAP passes unread for the rest of the connection: that is what a bind with signing
//! or sealing makes of a connection (RFC 4513, section 5.2.1.1), and the keys are not ours.

use std::{collections::BTreeMap, io, time::Duration};

use fake_dc_directory::{Protection, Reply, Then};
use ground::Trail;
use ldap_wire::{Decoded, LdapMessage, Limits, ProtocolOp, ResultCode, extended::START_TLS};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional},
    time::timeout,
};

use super::{Behind, link::Link};
use crate::{
    crowd::Member,
    dc::Dc,
    exchange::{After, Asked, Output},
    facts::{Garbage, Listener},
    ldap::{send, stall, wait},
    limits,
    stream::{Stream, close},
    summary, tls,
};

/// Serves one connection to its end.
pub(crate) async fn serve(
    behind: &Behind,
    dc: &Dc,
    listener: Listener,
    mut stream: Stream,
    member: &mut Member,
    trail: &Trail,
) {
    if dc.condition().faults.closes_at_once(listener) {
        return close(stream).await;
    }
    let mut talk = Talk::new(behind, dc, listener, member, trail);
    let mut link = None;
    if talk.protection == Protection::None {
        let Some(plain) = behind.connect(listener, false, trail).await else {
            return close(stream).await;
        };
        match talk.hold(&mut stream, plain).await {
            Ok(protected) => link = Some(protected),
            Err(End::Left) => return,
            Err(End::Closed) => return close(stream).await,
            Err(End::Reset) => return stream.reset(),
        }
        talk.protection = Protection::Tls;
    }
    let Some((mut stream, _)) = tls::handshake(dc, stream, listener, trail).await else { return };
    let link = match link {
        Some(link) => Some(link),
        None => behind.connect(listener, true, trail).await,
    };
    let ended = match link {
        // In TLS nobody agrees to begin with it.
        Some(link) => talk.hold(&mut stream, link).await.err(),
        None => None,
    };
    match ended.unwrap_or(End::Closed) {
        End::Closed => {
            // Sends close_notify and the end of the stream.
            let _ = timeout(limits::WRITE, stream.shutdown()).await;
            close(tls::below(stream)).await;
        }
        End::Reset => tls::below(stream).reset(),
        End::Left => {}
    }
}

/// How a conversation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The front closes the connection.
    Closed,
    /// The client has gone.
    Left,
    /// The front resets the connection.
    Reset,
}

/// What passes between one client and the real DC.
struct Talk<'a> {
    behind: &'a Behind,
    dc: &'a Dc,
    listener: Listener,
    /// The client among the others of its port.
    member: &'a mut Member,
    trail: &'a Trail,
    protection: Protection,
    /// From the client, and not passed yet.
    asked: Vec<u8>,
    /// From the real DC, and not passed yet.
    answered: Vec<u8>,
    /// Requests that the real DC has, by their message ids.
    pending: BTreeMap<u32, Pending>,
}

/// A request that the real DC has not answered to the end.
struct Pending {
    request: LdapMessage,
    /// Whether answers are kept until the last, since faults look at all of them.
    is_held: bool,
    entries: usize,
    messages: Vec<LdapMessage>,
    /// The same, as they came.
    bytes: Vec<u8>,
}

/// What is to be done after what has been received.
enum Step {
    End(End),
    /// More is to be received.
    More,
    /// The real DC has agreed to go on in TLS.
    StartTls,
    /// What follows is no LDAP, or more than is kept in mind.
    Unread,
}

impl<'a> Talk<'a> {
    fn new(
        behind: &'a Behind,
        dc: &'a Dc,
        listener: Listener,
        member: &'a mut Member,
        trail: &'a Trail,
    ) -> Self {
        let speaks_tls = dc.condition().faults.speaks_tls(listener);
        Self {
            behind,
            dc,
            listener,
            member,
            trail,
            protection: if speaks_tls { Protection::Tls } else { Protection::None },
            asked: Vec::new(),
            answered: Vec::new(),
            pending: BTreeMap::new(),
        }
    }

    /// Passes messages until one end closes, or both have agreed to go on in TLS: the link does so
    /// already then.
    async fn hold<S>(&mut self, client: &mut S, mut link: Link) -> Result<Link, End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut step = match self.greeting() {
            Some(greeting) => self.emit(client, greeting).await,
            None => Step::More,
        };
        loop {
            match step {
                Step::More => {}
                Step::End(end) => {
                    // Sends close_notify, if it is TLS; the real DC may have gone.
                    let _ = timeout(limits::WRITE, link.shutdown()).await;
                    return Err(end);
                }
                Step::StartTls => return self.protect(link).await,
                Step::Unread => return Err(self.pass_unread(client, &mut link).await),
            }
            step = tokio::select! {
                read = client.read_buf(&mut self.asked) => match read {
                    Ok(size) if size > 0 => self.pass_requests(client, &mut link).await,
                    Ok(_) => Step::End(End::Closed),
                    Err(error) => Step::End(self.broken(&error)),
                },
                read = link.read_buf(&mut self.answered) => match read {
                    Ok(size) if size > 0 => match self.pass_answers(client).await {
                        // There may be requests that came behind a StartTLS that was refused.
                        Step::More => self.pass_requests(client, &mut link).await,
                        step => step,
                    },
                    // What a real DC does to a connection, the client sees as well.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                        Step::End(End::Reset)
                    }
                    _ => Step::End(End::Closed),
                },
            };
        }
    }

    /// Passes everything that comes, in both directions.
    async fn pass_unread<S>(&mut self, client: &mut S, link: &mut Link) -> End
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (asked, answered) = (&mut self.asked, &mut self.answered);
        if send(link, asked).await && send(client, answered).await {
            // Either end may close as it likes.
            let _ = copy_bidirectional(client, link).await;
        }
        End::Closed
    }

    /// Passes the whole requests that have come, or answers them in place of the real DC.
    async fn pass_requests<S>(&mut self, client: &mut S, link: &mut Link) -> Step
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        // What follows a StartTLS is looked at when that has been answered.
        while !self.pending.values().any(|pending| pending.asks_for_tls()) {
            let (request, mut bytes) = match next(&mut self.asked) {
                Ok(Some(message)) => message,
                Ok(None) => return Step::More,
                Err(()) => return Step::Unread,
            };
            self.member.speak();
            self.trail.record(summary::request(&request));
            let faults = &self.dc.condition().faults;
            let asked = self.asked(&request);
            let instead = asked
                .instead(faults)
                .or_else(|| self.behind.claimed(self.dc, self.listener, &request));
            if let Some(reply) = instead {
                let (reply, output) = asked.finish(faults, reply);
                self.record_result(&reply, None);
                match self.emit(client, output).await {
                    Step::More => continue,
                    step => return step,
                }
            }
            let is_held = faults.server(self.listener).next().is_some();
            match request.op {
                ProtocolOp::UnbindRequest => {}
                ProtocolOp::AbandonRequest(id) => drop(self.pending.remove(&id)),
                _ => drop(self.pending.insert(request.id, Pending::new(request, is_held))),
            }
            if !send(link, &mut bytes).await {
                return Step::End(End::Closed);
            }
            if self.pending.len() > limits::PENDING_MAX {
                return Step::Unread;
            }
        }
        Step::More
    }

    /// Passes the whole answers that have come, as the faults let them be.
    async fn pass_answers<S>(&mut self, client: &mut S) -> Step
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            let (answer, mut bytes) = match next(&mut self.answered) {
                Ok(Some(message)) => message,
                Ok(None) => return Step::More,
                Err(()) => return Step::Unread,
            };
            let id = answer.id;
            let is_last = is_last(&answer);
            let Some(pending) = self.pending.get_mut(&id) else {
                // Said unasked, or of a request that was abandoned.
                if !send(client, &mut bytes).await {
                    return Step::End(End::Left);
                }
                continue;
            };
            pending.take(answer, &bytes);
            if pending.is_held && !is_last {
                continue;
            }
            let output = if is_last {
                let Some(pending) = self.pending.remove(&id) else { continue };
                self.finish(pending)
            } else {
                Output { bytes, delay: Duration::ZERO, then: After::Continue }
            };
            match self.emit(client, output).await {
                Step::More => {}
                step => return step,
            }
        }
    }

    /// What goes to the client when the last message of an answer has come.
    fn finish(&self, pending: Pending) -> Output {
        let Pending { request, messages, bytes, entries, .. } = pending;
        let agrees = |message: &LdapMessage| {
            matches!(&message.op, ProtocolOp::ExtendedResponse(response)
                if response.result.code == ResultCode::SUCCESS)
        };
        let starts_tls = asks_for_tls(&request)
            && self.protection == Protection::None
            && messages.last().is_some_and(agrees);
        let then = if starts_tls { Then::StartTls } else { Then::Continue };
        let passed = Output::from(&Reply { messages: messages.clone(), then });
        let faults = &self.dc.condition().faults;
        let (reply, output) = self.asked(&request).finish(faults, Reply { messages, then });
        self.record_result(&reply, Some(entries));
        // As the real DC has written it, unless a fault has changed it.
        let bytes = if output.bytes == passed.bytes { bytes } else { output.bytes };
        Output { bytes, ..output }
    }

    /// The link in TLS, unless something came behind the request for it.
    async fn protect(&mut self, link: Link) -> Result<Link, End> {
        if !self.asked.is_empty() {
            // Sent in clear before TLS began: an attacker's words or a client's mistake.
            let reason = format!("{} bytes after StartTLS", self.asked.len());
            self.trail.record(Garbage { listener: self.listener, layer: "ldap", reason });
            return Err(End::Closed);
        }
        let protected = self.behind.connector.protect(link).await;
        self.behind.recorded(protected, self.listener, self.trail).ok_or(End::Closed)
    }

    /// What a fault says to whoever has connected. TLS that a client has asked for is no new
    /// connection.
    fn greeting(&self) -> Option<Output> {
        if self.protection == Protection::Tls && Listener::STARTTLS.contains(&self.listener) {
            return None;
        }
        let condition = self.dc.condition();
        let greeting = condition.faults.server(self.listener).find_map(|fault| fault.on_connect());
        greeting.as_ref().map(Output::from)
    }

    /// Sends it to the client, and does what follows.
    async fn emit<S>(&mut self, client: &mut S, mut output: Output) -> Step
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if !output.delay.is_zero() && !wait(client, &mut self.asked, output.delay).await {
            return Step::End(End::Left);
        }
        if !output.bytes.is_empty() && !send(client, &mut output.bytes).await {
            return Step::End(End::Left);
        }
        Step::End(match output.then {
            After::Continue => return Step::More,
            After::Close => End::Closed,
            After::Reset => End::Reset,
            After::StartTls => return Step::StartTls,
            After::Stall => {
                stall(client).await;
                End::Left
            }
        })
    }

    fn asked<'b>(&'b self, request: &'b LdapMessage) -> Asked<'b> {
        let (dc, listener, protection) = (self.dc, self.listener, self.protection);
        Asked { message: request, dc, listener, protection }
    }

    /// Records how a request was answered, with this number of entries if they have gone before.
    fn record_result(&self, reply: &Reply, entries: Option<usize>) {
        if let Some(mut result) = summary::result(reply) {
            result.entries = entries.unwrap_or(result.entries);
            self.trail.record(result);
        }
    }

    /// The client's side has failed.
    fn broken(&self, error: &io::Error) -> End {
        match tls::tls_reason(error) {
            Some(reason) => {
                self.trail.record(Garbage { listener: self.listener, layer: "tls", reason });
                End::Closed
            }
            None => End::Left,
        }
    }
}

impl Pending {
    fn new(request: LdapMessage, is_held: bool) -> Self {
        Self { request, is_held, entries: 0, messages: Vec::new(), bytes: Vec::new() }
    }

    fn asks_for_tls(&self) -> bool {
        asks_for_tls(&self.request)
    }

    /// Takes one message of the answer. Those that have been passed are only counted.
    fn take(&mut self, message: LdapMessage, bytes: &[u8]) {
        self.entries += usize::from(matches!(message.op, ProtocolOp::SearchResultEntry(_)));
        if !self.is_held {
            self.messages.clear();
            self.bytes.clear();
        }
        self.messages.push(message);
        self.bytes.extend_from_slice(bytes);
    }
}

/// The first whole message of `received` and its bytes, which are removed. An error if what is there
/// is no LDAP.
fn next(received: &mut Vec<u8>) -> Result<Option<(LdapMessage, Vec<u8>)>, ()> {
    match ldap_wire::decode(received, &Limits::DEFAULT) {
        Ok(Decoded::Message { message, consumed }) => {
            Ok(Some((message, received.drain(..consumed).collect())))
        }
        Ok(Decoded::Incomplete { .. }) => Ok(None),
        Err(_) => Err(()),
    }
}

fn asks_for_tls(request: &LdapMessage) -> bool {
    matches!(&request.op, ProtocolOp::ExtendedRequest(extended) if extended.name == START_TLS)
}

/// Whether nothing follows this message in the answer to a request.
fn is_last(answer: &LdapMessage) -> bool {
    !matches!(
        answer.op,
        ProtocolOp::SearchResultEntry(_)
            | ProtocolOp::SearchResultReference(_)
            | ProtocolOp::IntermediateResponse(_)
    )
}

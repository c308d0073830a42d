//! LDAP connections: bytes to requests, requests to the directory, answers to bytes.
//!
//! One connection is one session of the directory. Requests are answered in their order; a client
//! may send the next before the answer to the last. Bytes that are no LDAP message end the
//! connection without a word, as Samba 4.22.11 does it (capture `garbage` of
//! `fixtures/samba-ad/wire/ldap-pdus.json`).

use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use fake_dc_directory::{Protection, Reply, Session, Then};
use fake_dc_kerberos::gss::SecurityLayer;
use ground::Trail;
use ldap_wire::{Decoded, LdapMessage, LdapResult, Limits, ProtocolOp, ResultCode};
use rustls::pki_types::CertificateDer;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    task::yield_now,
    time::{Instant, Sleep, sleep, sleep_until, timeout},
};

use crate::{
    client_certificate,
    crowd::Member,
    dc::Dc,
    exchange::{After, Asked, Output},
    facts::{ClientCertificate, Garbage, Listener},
    limits,
    sasl::{Sasl, SaslAnswer},
    stream::{Stream, close, see_off},
    summary, tls,
};

/// Serves one connection to its end.
pub(crate) async fn serve(
    dc: &Arc<Dc>,
    listener: Listener,
    mut stream: Stream,
    member: &mut Member,
    trail: &Trail,
) {
    if dc.condition().faults.closes_at_once(listener) {
        return close(stream).await;
    }
    let speaks_tls = dc.condition().faults.speaks_tls(listener);
    let protection = if speaks_tls { Protection::Tls } else { Protection::None };
    let session = dc
        .domain
        .directory
        .open_session(&dc.netlogon_view(listener), protection)
        .coming_from(stream.client());
    let mut conversation = Conversation {
        session: if listener.is_global_catalog() { session.on_global_catalog() } else { session },
        sasl: Sasl::new(dc, listener),
        shown: None,
        input: Vec::new(),
        late: None,
        has_more: false,
        deadline: Instant::now() + dc.domain.ldap_policy.init_recv_timeout,
        member,
        dc,
        listener,
        trail,
        protection,
    };
    if !speaks_tls {
        match conversation.hold(&mut stream).await {
            End::Left => return,
            End::Closed => return close(stream).await,
            End::Reset => return stream.reset(),
            End::StartTls => conversation.protect(),
        }
    }
    // Boxed: what a handshake needs is not kept while the connection lasts.
    let shaken = Box::pin(tls::handshake(dc, stream, listener, trail)).await;
    let Some((mut stream, leaf)) = shaken else { return };
    conversation.shown = leaf;
    conversation.look_at_client(tls::client_chain(&stream));
    match conversation.hold(&mut stream).await {
        End::Closed => {
            // Sends close_notify and the end of the stream.
            if matches!(timeout(limits::WRITE, stream.shutdown()).await, Ok(Ok(()))) {
                see_off(tls::below(stream)).await;
            }
        }
        End::Reset => tls::below(stream).reset(),
        // TLS within TLS is refused by the directory.
        End::Left | End::StartTls => {}
    }
}

/// How a conversation ended.
enum End {
    /// The server closes the connection.
    Closed,
    /// The connection is gone.
    Left,
    /// The server resets the connection.
    Reset,
    /// The server has agreed to go on in TLS.
    StartTls,
}

/// One session on one stream.
struct Conversation<'a> {
    dc: &'a Dc,
    session: Session,
    listener: Listener,
    trail: &'a Trail,
    protection: Protection,
    sasl: Sasl,
    /// The certificate that the DC has shown as its own on this connection, if it is TLS.
    shown: Option<CertificateDer<'static>>,
    /// LDAP that has been received and not been read yet.
    input: Vec<u8>,
    /// An answer that takes its time, protected. Those before it have been sent.
    late: Option<Output>,
    /// Whether answering stopped before the end of the input, for others to have their turn.
    has_more: bool,
    /// When the next request must have come.
    deadline: Instant,
    /// The connection among the others of its port.
    member: &'a mut Member,
}

impl Conversation<'_> {
    /// Answers requests until the stream ends or changes.
    async fn hold<S>(&mut self, stream: &mut S) -> End
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut received = Vec::new();
        let mut output = Vec::new();
        let mut silence = pin!(sleep_until(self.deadline));
        let mut then = self.greet(&mut output);
        loop {
            if then == After::Continue {
                then = self.answer_all(&mut received, &mut output);
            }
            if !output.is_empty() && !send(stream, &mut output).await {
                return End::Left;
            }
            if let Some(late) = self.late.take() {
                if !wait(stream, &mut received, late.delay).await {
                    return End::Left;
                }
                (output, then) = (late.bytes, late.then);
                continue;
            }
            match then {
                After::StartTls if !self.input.is_empty() => {
                    // Sent in clear before TLS began: an attacker's words or a client's mistake.
                    self.garbage("ldap", format!("{} bytes after StartTLS", self.input.len()));
                    return End::Closed;
                }
                After::StartTls => return End::StartTls,
                After::Close => return End::Closed,
                After::Reset => return End::Reset,
                After::Stall => {
                    stall(stream).await;
                    return End::Left;
                }
                After::Continue if self.has_more => {
                    // Others first: there is no end to what a client may send at once.
                    yield_now().await;
                    continue;
                }
                After::Continue => {}
            }
            // A connection may be silent for long, and there may be thousands.
            for buffer in [&mut received, &mut output, &mut self.input] {
                release(buffer);
            }
            if self.deadline < silence.deadline() {
                silence.as_mut().reset(self.deadline);
            }
            match read_before(self.deadline, silence.as_mut(), stream, &mut received).await {
                Some(Ok(size)) if size > 0 => {}
                Some(Ok(_)) => return End::Closed,
                Some(Err(error)) => {
                    if let Some(reason) = tls::tls_reason(&error) {
                        self.garbage("tls", reason);
                        return End::Closed;
                    }
                    return End::Left;
                }
                None => return End::Closed,
            }
        }
    }

    /// Says what a fault says to whoever has connected. TLS that a client has asked for is no new
    /// connection.
    fn greet(&mut self, output: &mut Vec<u8>) -> After {
        if self.protection == Protection::Tls && !self.listener.begins_with_tls() {
            return After::Continue;
        }
        let condition = self.dc.condition();
        let greeting = condition.faults.server(self.listener).find_map(|fault| fault.on_connect());
        let Some(greeting) = greeting else { return After::Continue };
        let greeting = Output::from(&greeting);
        *output = greeting.bytes;
        greeting.then
    }

    /// Answers the whole messages at the front of what was received and removes them, until the
    /// output is full or an answer is late.
    fn answer_all(&mut self, received: &mut Vec<u8>, output: &mut Vec<u8>) -> After {
        loop {
            if let Err(error) = self.sasl.open(received, &mut self.input) {
                self.garbage("sasl", error.to_string());
                return After::Close;
            }
            let was_protected = self.sasl.protects();
            let then = self.answer_input(output);
            if was_protected == self.sasl.protects() || then != After::Continue {
                return then;
            }
            // What follows the bind is protected as the bind has agreed.
            received.append(&mut self.input);
        }
    }

    /// Answers messages of the input until a bind changes the protection.
    fn answer_input(&mut self, output: &mut Vec<u8>) -> After {
        let policy = &self.dc.domain.ldap_policy;
        let (mut used, mut answered) = (0, 0);
        let mut then = After::Continue;
        self.has_more = false;
        while then == After::Continue && self.late.is_none() {
            if output.len() >= OUTPUT_BYTES || answered == limits::REQUESTS_AT_ONCE {
                self.has_more = true;
                break;
            }
            let limits = policy.request(self.session.is_bound());
            match ldap_wire::decode(&self.input[used..], &limits) {
                Ok(Decoded::Message { message, consumed }) => {
                    used += consumed;
                    answered += 1;
                    self.member.speak();
                    self.deadline = Instant::now() + policy.max_conn_idle_time;
                    let (answer, layer) = self.answer(message);
                    if answer.delay.is_zero() {
                        self.sasl.protect(&answer.bytes, output);
                        then = answer.then;
                    } else {
                        let mut bytes = Vec::new();
                        self.sasl.protect(&answer.bytes, &mut bytes);
                        self.late = Some(Output { bytes, ..answer });
                    }
                    if let Some(layer) = layer {
                        self.sasl.put(layer);
                        break;
                    }
                }
                Ok(Decoded::Incomplete { .. }) => break,
                Err(error) => {
                    self.garbage("ldap", error.to_string());
                    if self.listener.begins_with_tls() && self.protection == Protection::None {
                        // The client meant TLS. What was measured for this mistake is a server that
                        // answers in LDAP (`samba-tls-verify.md` §9, plain LDAP on the port).
                        self.sasl.protect(&error.notice_of_disconnection().encode(), output);
                    }
                    then = After::Close;
                }
            }
        }
        self.input.drain(..used);
        then
    }

    /// The answer to a request, and what protects everything behind it.
    fn answer(&mut self, request: LdapMessage) -> (Output, Option<Box<SecurityLayer>>) {
        self.trail.record(summary::request(&request));
        let (dc, listener) = (self.dc, self.listener);
        let faults = &dc.condition().faults;
        if is_root_dse_search(&request) {
            // What the DC says of itself may have changed since the client connected.
            self.session.set_dc(dc.netlogon_view(listener));
        }
        let mut layer = None;
        let (reply, output) = if faults.server(listener).next().is_none() {
            let reply;
            (reply, layer) = self.ask(request);
            let output = Output::from(&reply);
            (reply, output)
        } else {
            let asked = Asked { message: &request, dc, listener, protection: self.protection };
            asked.answer(faults, || {
                let reply;
                (reply, layer) = self.ask(request.clone());
                reply
            })
        };
        if let Some(result) = summary::result(&reply) {
            self.trail.record(result);
        }
        (output, layer)
    }

    /// Asks the directory, or those who read the tokens of Kerberos.
    fn ask(&mut self, request: LdapMessage) -> (Reply, Option<Box<SecurityLayer>>) {
        if let ProtocolOp::BindRequest(bind) = &request.op {
            let certificate = self.shown.as_deref();
            if let Some(SaslAnswer { response, layer }) =
                self.sasl.answer(&mut self.session, bind, certificate, self.trail)
            {
                let message = LdapMessage::new(request.id, ProtocolOp::BindResponse(response));
                return (Reply { messages: vec![message], then: Then::Continue }, layer);
            }
        }
        self.sasl.abandon();
        let id = request.id;
        let mut reply = self.dc.directory(self.listener).handle(&mut self.session, request);
        if reply.then == Then::RenewCertificate
            && let Err(error) = self.dc.renew_certificate(self.trail)
        {
            let result = LdapResult::new(ResultCode::OPERATIONS_ERROR, error.to_string());
            let response = LdapMessage::new(id, ProtocolOp::ModifyResponse(result));
            reply = Reply { messages: vec![response], then: Then::Continue };
        }
        (reply, None)
    }

    fn protect(&mut self) {
        self.protection = Protection::Tls;
        self.session.tls_started();
    }

    /// Judges what the client has shown of itself, and whom it stands for.
    fn look_at_client(&mut self, chain: &[CertificateDer<'_>]) {
        let Some(leaf) = chain.first() else { return };
        let (dc, came_to_ldaps) = (self.dc, self.listener.begins_with_tls());
        let judged = client_certificate::judge(&dc.domain, chain, dc.clock(self.listener).now());
        let account = judged.is_ok().then(|| {
            let names = client_certificate::names(leaf);
            let directory = dc.directory(self.listener);
            directory.certificate_shown(&mut self.session, names, came_to_ldaps)
        });
        self.trail.record(ClientCertificate {
            leaf: tls::fingerprint(leaf),
            reason: judged.err().map(|error| error.to_string()),
            account: account.flatten(),
        });
    }

    fn garbage(&self, layer: &'static str, reason: String) {
        self.trail.record(Garbage { listener: self.listener, layer, reason });
    }
}

/// Room for what is read at once.
const INPUT_BYTES: usize = 8_192;

/// Answers are sent when they come to this size, even if more requests have arrived.
const OUTPUT_BYTES: usize = 65_536;

/// Reads what there is; `None` if nothing comes before `deadline`, which is at or behind that of
/// `silence`.
///
/// A deadline moves with every request. The timer is set anew when it runs out, and not before.
async fn read_before<S: AsyncRead + Unpin>(
    deadline: Instant,
    mut silence: Pin<&mut Sleep>,
    stream: &mut S,
    received: &mut Vec<u8>,
) -> Option<io::Result<usize>> {
    poll_fn(|cx| {
        if let Poll::Ready(read) = poll_read_more(stream, received, cx) {
            return Poll::Ready(Some(read));
        }
        while silence.as_mut().poll(cx).is_ready() {
            if silence.deadline() >= deadline {
                return Poll::Ready(None);
            }
            silence.as_mut().reset(deadline);
        }
        Poll::Pending
    })
    .await
}

/// Reads what there is. Room for it is on the stack, and only while there is something to read.
fn poll_read_more<S: AsyncRead + Unpin>(
    stream: &mut S,
    received: &mut Vec<u8>,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    let mut room = [const { MaybeUninit::uninit() }; INPUT_BYTES];
    let mut buffer = ReadBuf::uninit(&mut room);
    ready!(Pin::new(stream).poll_read(cx, &mut buffer))?;
    received.extend_from_slice(buffer.filled());
    Poll::Ready(Ok(buffer.filled().len()))
}

/// Gives back the memory of a buffer that is empty.
fn release(buffer: &mut Vec<u8>) {
    if buffer.is_empty() {
        *buffer = Vec::new();
    }
}

/// Sends everything and empties `output`. False if the client does not take it.
pub(crate) async fn send<S: AsyncWrite + Unpin>(stream: &mut S, output: &mut Vec<u8>) -> bool {
    let sent = {
        let mut sending = pin!(async {
            stream.write_all(output).await?;
            stream.flush().await
        });
        // Most often the socket takes everything at once, and no time limit need be set.
        match poll_fn(|cx| Poll::Ready(sending.as_mut().poll(cx))).await {
            Poll::Ready(sent) => sent,
            Poll::Pending => {
                timeout(limits::WRITE, sending).await.unwrap_or_else(|late| Err(late.into()))
            }
        }
    };
    output.clear();
    sent.is_ok()
}

fn is_root_dse_search(request: &LdapMessage) -> bool {
    matches!(&request.op, ProtocolOp::SearchRequest(search) if search.base.is_empty())
}

/// Lets `delay` pass, and takes what the client sends meanwhile. False if the client has gone.
pub(crate) async fn wait<S>(stream: &mut S, received: &mut Vec<u8>, delay: Duration) -> bool
where
    S: AsyncRead + Unpin,
{
    let over = sleep(delay);
    tokio::pin!(over);
    loop {
        if received.len() >= Limits::DEFAULT.message_bytes {
            over.await;
            return true;
        }
        tokio::select! {
            () = &mut over => return true,
            read = stream.read_buf(received) => {
                if !matches!(read, Ok(size) if size > 0) {
                    return false;
                }
            }
        }
    }
}

/// Reads and drops what the client sends, until it leaves or has been silent for too long.
pub(crate) async fn stall<S: AsyncRead + Unpin>(stream: &mut S) {
    let mut dropped = [0; 1_024];
    while let Ok(Ok(size)) = timeout(limits::LDAP_IDLE, stream.read(&mut dropped)).await {
        if size == 0 {
            return;
        }
    }
}

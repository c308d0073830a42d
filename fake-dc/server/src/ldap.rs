//! LDAP connections: bytes to requests, requests to the directory, answers to bytes.
//!
//! One connection is one session of the directory. Requests are answered in their order; a client
//! may send the next before the answer to the last. Bytes that are no LDAP message end the
//! connection without a word, as Samba 4.22.11 does it (capture `garbage` of
//! `fixtures/samba-ad/wire/ldap-pdus.json`).

use std::{io, sync::Arc};

use fake_dc_directory::{Protection, Reply, Session, Then};
use fake_dc_kerberos::gss::SecurityLayer;
use fake_dc_pki::Chain;
use ground::Trail;
use ldap_wire::{Decoded, LdapMessage, Limits, ProtocolOp};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    dc::Dc,
    facts::{Garbage, Listener},
    limits,
    sasl::{Sasl, SaslAnswer},
    stream::close,
    summary, tls,
};

/// Serves one connection to its end.
pub(crate) async fn serve(dc: Arc<Dc>, listener: Listener, mut stream: TcpStream, trail: Trail) {
    let speaks_tls = dc.condition().faults.speaks_tls(listener);
    let protection = if speaks_tls { Protection::Tls } else { Protection::None };
    let mut conversation = Conversation {
        session: dc.domain.directory.open_session(&dc.netlogon_view(listener), protection),
        sasl: Sasl::new(&dc),
        shown: None,
        input: Vec::new(),
        dc: &dc,
        listener,
        trail: &trail,
        protection,
    };
    if !speaks_tls {
        match conversation.hold(&mut stream).await {
            End::Left => return,
            End::Closed => return close(stream).await,
            End::StartTls => conversation.protect(),
        }
    }
    let condition = dc.condition();
    let on_hello = condition.faults.on_hello(listener);
    let shaken =
        tls::handshake(stream, listener, &condition.face(listener).identity, on_hello, &trail)
            .await;
    let Some(mut stream) = shaken else { return };
    conversation.shown = Some(Arc::clone(&condition.face(listener).chain));
    if let End::Closed = conversation.hold(&mut stream).await {
        // Sends close_notify and the end of the stream.
        let _ = timeout(limits::WRITE, stream.shutdown()).await;
        close(stream.into_inner().0.into_inner()).await;
    }
}

/// How a conversation ended.
enum End {
    /// The server closes the connection.
    Closed,
    /// The connection is gone.
    Left,
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
    /// What the DC has shown on this connection, if it is TLS.
    shown: Option<Arc<Chain>>,
    /// LDAP that has been received and not been read yet.
    input: Vec<u8>,
}

impl Conversation<'_> {
    /// Answers requests until the stream ends or changes.
    async fn hold<S>(&mut self, stream: &mut S) -> End
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut received = Vec::new();
        let mut output = Vec::new();
        loop {
            let end = self.answer_all(&mut received, &mut output);
            let is_full = output.len() >= OUTPUT_BYTES;
            if !output.is_empty() && !send(stream, &mut output).await {
                return End::Left;
            }
            match end {
                Some(End::StartTls) if !self.input.is_empty() => {
                    // Sent in clear before TLS began: an attacker's words or a client's mistake.
                    self.garbage("ldap", format!("{} bytes after StartTLS", self.input.len()));
                    return End::Closed;
                }
                Some(end) => return end,
                // More requests may have been read already.
                None if is_full => continue,
                None => {}
            }
            received.reserve(INPUT_BYTES);
            match timeout(limits::LDAP_IDLE, stream.read_buf(&mut received)).await {
                Ok(Ok(size)) if size > 0 => {}
                Ok(Ok(_)) => return End::Closed,
                Ok(Err(error)) => {
                    if let Some(reason) = tls::tls_reason(&error) {
                        self.garbage("tls", reason);
                        return End::Closed;
                    }
                    return End::Left;
                }
                Err(_) => return End::Closed,
            }
        }
    }

    /// Answers the whole messages at the front of what was received and removes them, until the
    /// output is full.
    fn answer_all(&mut self, received: &mut Vec<u8>, output: &mut Vec<u8>) -> Option<End> {
        loop {
            if let Err(error) = self.sasl.open(received, &mut self.input) {
                self.garbage("sasl", error.to_string());
                return Some(End::Closed);
            }
            let was_protected = self.sasl.protects();
            let end = self.answer_input(output);
            if was_protected == self.sasl.protects() || end.is_some() {
                return end;
            }
            // What follows the bind is protected as the bind has agreed.
            received.append(&mut self.input);
        }
    }

    /// Answers messages of the input until a bind changes the protection.
    fn answer_input(&mut self, output: &mut Vec<u8>) -> Option<End> {
        let mut used = 0;
        let mut end = None;
        while end.is_none() && output.len() < OUTPUT_BYTES {
            match ldap_wire::decode(&self.input[used..], &Limits::DEFAULT) {
                Ok(Decoded::Message { message, consumed }) => {
                    used += consumed;
                    let (reply, layer) = self.answer(message);
                    for message in &reply.messages {
                        self.sasl.write(message, output);
                    }
                    end = match reply.then {
                        Then::Continue => None,
                        Then::Close => Some(End::Closed),
                        Then::StartTls => Some(End::StartTls),
                    };
                    if let Some(layer) = layer {
                        self.sasl.put(layer);
                        break;
                    }
                }
                Ok(Decoded::Incomplete { .. }) => break,
                Err(error) => {
                    self.garbage("ldap", error.to_string());
                    if self.listener == Listener::Ldaps && self.protection == Protection::None {
                        // The client meant TLS. What was measured for this mistake is a server that
                        // answers in LDAP (`samba-tls-verify.md` §9, plain LDAP on the port).
                        self.sasl.write(&error.notice_of_disconnection(), output);
                    }
                    end = Some(End::Closed);
                }
            }
        }
        self.input.drain(..used);
        end
    }

    /// The answer to a request, and what protects everything behind it.
    fn answer(&mut self, request: LdapMessage) -> (Reply, Option<Box<SecurityLayer>>) {
        self.trail.record(summary::request(&request));
        let faults = &self.dc.condition().faults;
        let instead = faults
            .server(self.listener)
            .find_map(|fault| fault.on_request(&request, self.protection));
        let mut layer = None;
        let reply = match instead {
            Some(reply) => reply,
            None => {
                // Kept for faults alone: most DCs have none.
                let asked = faults.server(self.listener).next().map(|_| request.op.clone());
                let mut reply;
                (reply, layer) = self.ask(request);
                for fault in faults.server(self.listener) {
                    if let Some(asked) = &asked {
                        fault.on_reply(asked, &mut reply);
                    }
                }
                reply
            }
        };
        if let Some(result) = summary::result(&reply) {
            self.trail.record(result);
        }
        (reply, layer)
    }

    /// Asks the directory, or those who read the tokens of Kerberos.
    fn ask(&mut self, request: LdapMessage) -> (Reply, Option<Box<SecurityLayer>>) {
        if let ProtocolOp::BindRequest(bind) = &request.op {
            let certificate = self.shown.as_ref().and_then(|chain| chain.certificates.first());
            let certificate = certificate.map(AsRef::as_ref);
            if let Some(SaslAnswer { response, layer }) =
                self.sasl.answer(&mut self.session, bind, certificate, self.trail)
            {
                let message = LdapMessage::new(request.id, ProtocolOp::BindResponse(response));
                return (Reply { messages: vec![message], then: Then::Continue }, layer);
            }
        }
        self.sasl.abandon();
        (self.dc.domain.directory.handle(&mut self.session, request), None)
    }

    fn protect(&mut self) {
        self.protection = Protection::Tls;
        self.session.tls_started();
    }

    fn garbage(&self, layer: &'static str, reason: String) {
        self.trail.record(Garbage { listener: self.listener, layer, reason });
    }
}

/// Room for what is read at once.
const INPUT_BYTES: usize = 8_192;

/// Answers are sent when they come to this size, even if more requests have arrived.
const OUTPUT_BYTES: usize = 65_536;

/// Sends everything and empties `output`. False if the client does not take it.
async fn send<S: AsyncWrite + Unpin>(stream: &mut S, output: &mut Vec<u8>) -> bool {
    let sending = async {
        stream.write_all(output).await?;
        stream.flush().await
    };
    let sent: Result<io::Result<()>, _> = timeout(limits::WRITE, sending).await;
    output.clear();
    matches!(sent, Ok(Ok(())))
}

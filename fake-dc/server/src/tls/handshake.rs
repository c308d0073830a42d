//! From a TCP connection to one with TLS, or to the end of it.

use std::io;

use ground::Trail;
use rustls::{
    CipherSuite, NamedGroup, ProtocolVersion, crypto::CryptoProvider, pki_types::CertificateDer,
    server::Acceptor,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tokio_rustls::{LazyConfigAcceptor, StartHandshake, server::TlsStream};
use tokio_util::either::Either;

use super::{
    alert,
    flight::Flight,
    hello::ClientHello,
    identity::Identity,
    own::{self, Credentials, OwnStream, Rules},
};
use crate::{
    dc::Dc,
    facts::{Garbage, Handshake, HandshakeOutcome, Listener},
    faults::{Afterwards, Greeting, HelloVerdict},
    records::{Pauses, Records, through_pauses},
    stream::{Stream, close},
};

/// Takes the TLS handshake of a client and records how it went. Returns the connection and the first
/// certificate shown on it; `None` if it came to nothing, and the connection is closed then.
pub(crate) async fn handshake(
    dc: &Dc,
    stream: Stream,
    listener: Listener,
    trail: &Trail,
) -> Option<(Secured, Option<CertificateDer<'static>>)> {
    let patience = dc.domain.ldap_policy.init_recv_timeout;
    let pauses = Pauses::default();
    let shaken = shake(dc, Records::new(stream, &pauses), listener, trail);
    timeout(patience, through_pauses(&pauses, shaken)).await.ok().flatten()
}

async fn shake(
    dc: &Dc,
    mut records: Records,
    listener: Listener,
    trail: &Trail,
) -> Option<(Secured, Option<CertificateDer<'static>>)> {
    let Some(hello) = records.first_hello().await else {
        // rustls says what is wrong with it, to the client and to us.
        start(records, listener, trail).await?;
        return None;
    };
    let condition = dc.condition();
    let (dc_name, number) = (dc.dns_name(), dc.count_hello());
    let greeting = Greeting { listener, hello: &hello, dc_name, number };
    let face = condition.face(listener);
    let identity = face.identity(&greeting);
    if let Some(action) = condition.faults.on_hello(&greeting) {
        trail.record(Handshake {
            reason: Some(action.id.to_owned()),
            server_name: hello.server_name.clone(),
            leaf: action.verdict.shows_certificate().then(|| identity.leaf.clone()).flatten(),
            ..Handshake::default()
        });
        disturb(records, listener, identity, action.verdict, trail).await;
        return None;
    }
    records.damage_sealed(identity.damages_sealed_record);
    let secured = match &identity.own {
        Some(rules) => {
            let provider = identity.config.crypto_provider();
            complete_alone(records, &hello, rules, identity, provider, trail).await
        }
        None => {
            let start = start(records, listener, trail).await?;
            complete(start, identity, &hello, trail).await
        }
    };
    Some((secured?, identity.certified.cert.first().cloned()))
}

/// Gives rustls the hello. `None` if it does not like it; the connection is closed then.
async fn start(
    records: Records,
    listener: Listener,
    trail: &Trail,
) -> Option<StartHandshake<Records>> {
    let mut acceptor = LazyConfigAcceptor::new(Acceptor::default(), records);
    match (&mut acceptor).await {
        Ok(start) => Some(start),
        Err(error) => {
            if let Some(reason) = tls_reason(&error) {
                trail.record(Garbage { listener, layer: "tls", reason });
            }
            if let Some(records) = acceptor.take_io() {
                close(records.into_inner()).await;
            }
            None
        }
    }
}

async fn complete(
    start: StartHandshake<Records>,
    identity: &Identity,
    hello: &ClientHello,
    trail: &Trail,
) -> Option<Secured> {
    match start.into_stream(identity.config.clone()).into_fallible().await {
        Ok(mut stream) => {
            stream.get_mut().0.handshake_is_over();
            let (_, connection) = stream.get_ref();
            trail.record(Handshake {
                outcome: HandshakeOutcome::Complete,
                reason: None,
                server_name: hello.server_name.clone(),
                version: connection.protocol_version().map(version_name),
                cipher_suite: connection
                    .negotiated_cipher_suite()
                    .map(|suite| suite_name(suite.suite())),
                group: connection
                    .negotiated_key_exchange_group()
                    .map(|group| group_name(group.name())),
                leaf: identity.leaf.clone(),
            });
            Some(Either::Right(Box::new(stream)))
        }
        Err((error, records)) => {
            // A client that leaves without an alert may be seen as an end or as a reset.
            let reason = tls_reason(&error).unwrap_or_else(|| own::LEFT.to_owned());
            failed(reason, identity, hello, trail);
            close(records.into_inner()).await;
            None
        }
    }
}

/// The handshake with our own server.
async fn complete_alone(
    records: Records,
    hello: &ClientHello,
    rules: &Rules,
    identity: &Identity,
    provider: &CryptoProvider,
    trail: &Trail,
) -> Option<Secured> {
    let key = identity.key.to_der();
    let credentials = Credentials { certified: &identity.certified, key: &key };
    match own::accept(records, hello, rules, credentials, provider).await {
        Ok((stream, agreed)) => {
            trail.record(Handshake {
                outcome: HandshakeOutcome::Complete,
                reason: None,
                server_name: hello.server_name.clone(),
                version: Some(version_name(agreed.version.into())),
                cipher_suite: Some(agreed.suite.name.to_owned()),
                group: agreed.group.map(|group| group_name(group.into())),
                leaf: identity.leaf.clone(),
            });
            Some(Either::Left(Box::new(stream)))
        }
        Err((error, records)) => {
            let reason = match error {
                rustls::Error::General(text) => text,
                other => other.to_string(),
            };
            failed(reason, identity, hello, trail);
            close(records.into_inner()).await;
            None
        }
    }
}

fn failed(reason: String, identity: &Identity, hello: &ClientHello, trail: &Trail) {
    trail.record(Handshake {
        reason: Some(reason),
        server_name: hello.server_name.clone(),
        leaf: identity.leaf.clone(),
        ..Handshake::default()
    });
}

/// Does to a client that has sent its hello what a fault demands.
async fn disturb(
    records: Records,
    listener: Listener,
    identity: &Identity,
    verdict: HelloVerdict,
    trail: &Trail,
) {
    match verdict {
        HelloVerdict::Answer(bytes) => {
            let mut stream = records.into_inner();
            // The client may have gone; that is its affair.
            let _ = stream.write_all(&bytes).await;
            close(stream).await;
        }
        HelloVerdict::Reset => records.into_inner().reset(),
        HelloVerdict::Silence => hear_out(&mut records.into_inner()).await,
        HelloVerdict::FirstFlight { edit, afterwards } => {
            let Some(start) = start(records, listener, trail).await else { return };
            let StartHandshake { accepted, io, .. } = start;
            let mut stream = io.into_inner();
            match accepted.into_connection(identity.config.clone()) {
                Ok(mut connection) => {
                    let mut bytes = Vec::new();
                    while connection.wants_write() {
                        if connection.write_tls(&mut bytes).is_err() {
                            break;
                        }
                    }
                    let mut flight = Flight::parse(&bytes);
                    edit(&mut flight);
                    let _ = stream.write_all(&flight.to_bytes()).await;
                    follow(stream, afterwards).await;
                }
                Err((_, mut alert)) => {
                    let mut bytes = Vec::new();
                    // Writing to memory does not fail.
                    let _ = alert.write_all(&mut bytes);
                    let _ = stream.write_all(&bytes).await;
                    close(stream).await;
                }
            }
        }
    }
}

/// What follows the first flight.
async fn follow(mut stream: Stream, afterwards: Afterwards) {
    match afterwards {
        Afterwards::Close => {
            hear_once(&mut stream).await;
            close(stream).await;
        }
        Afterwards::Alert(alert) => {
            hear_once(&mut stream).await;
            let _ = stream.write_all(&alert::usual(alert, own::TLS12)).await;
            close(stream).await;
        }
        Afterwards::Listen => {
            hear_out(&mut stream).await;
            close(stream).await;
        }
        Afterwards::Reset => stream.reset(),
    }
}

/// Whatever the client says to the flight.
async fn hear_once(stream: &mut Stream) {
    let mut answer = [0; 1_024];
    let _ = stream.read(&mut answer).await;
}

/// Holds the connection until the client, or the limit of the handshake, ends it.
async fn hear_out(stream: &mut Stream) {
    let mut rest = [0; 1_024];
    while matches!(stream.read(&mut rest).await, Ok(size) if size > 0) {}
}

/// The TLS error in `error`, if that is what it is, and not the end of the connection.
pub(crate) fn tls_reason(error: &io::Error) -> Option<String> {
    error.get_ref()?.downcast_ref::<rustls::Error>().map(ToString::to_string)
}

fn version_name(version: ProtocolVersion) -> String {
    match version {
        ProtocolVersion::TLSv1_0 => "TLSv1.0".to_owned(),
        ProtocolVersion::TLSv1_1 => "TLSv1.1".to_owned(),
        ProtocolVersion::TLSv1_2 => "TLSv1.2".to_owned(),
        ProtocolVersion::TLSv1_3 => "TLSv1.3".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The name of the IANA registry.
fn suite_name(suite: CipherSuite) -> String {
    let name = suite.as_str().map_or_else(|| format!("{suite:?}"), str::to_owned);
    name.replacen("TLS13_", "TLS_", 1)
}

fn group_name(group: NamedGroup) -> String {
    group.as_str().map_or_else(|| format!("{group:?}"), str::to_owned)
}

/// A connection whose handshake is complete: with TLS of our own, or rustls'.
pub(crate) type Secured = Either<Box<OwnStream>, Box<TlsStream<Records>>>;

/// What the client has shown of itself, its own certificate first.
pub(crate) fn client_chain(secured: &Secured) -> &[CertificateDer<'static>] {
    match secured {
        // It asks nobody.
        Either::Left(_) => &[],
        Either::Right(rustls) => rustls.get_ref().1.peer_certificates().unwrap_or_default(),
    }
}

/// The TCP connection below TLS.
pub(crate) fn below(secured: Secured) -> Stream {
    match secured {
        Either::Left(own) => own.into_inner(),
        Either::Right(rustls) => rustls.into_inner().0,
    }
    .into_inner()
}

//! A TLS server for what rustls leaves out: TLS 1.0 and 1.1, RSA key exchange, CBC suites, and a
//! master secret without RFC 7627.
//!
//! Written after RFC 2246, RFC 4346 and RFC 5246, the server's side alone, for the faults that make
//! a DC an old one. It resumes nothing, renegotiates nothing, compresses nothing, and takes no care
//! of timing. It must never serve anything but tests.

mod exchange;
mod prf;
mod protection;
mod stream;
mod suites;

use rustls::{
    AlertDescription, Error, InvalidMessage, PeerIncompatible, crypto::CryptoProvider,
    pki_types::PrivateKeyDer, sign::CertifiedKey,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use self::{
    exchange::ServerSecret,
    prf::Prf,
    protection::{Protection, Sizes},
};
pub(crate) use self::{stream::OwnStream, suites::*};
use super::{
    alert,
    flight::{self, message},
    hello::ClientHello,
};
use crate::records::Records;

pub(crate) const TLS10: u16 = 0x0301;
pub(crate) const TLS11: u16 = 0x0302;
pub(crate) const TLS12: u16 = 0x0303;

// Types of records.
pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(super) const ALERT: u8 = 21;
pub(crate) const HANDSHAKE: u8 = 22;
pub(super) const APPLICATION_DATA: u8 = 23;

/// Most bytes in one record, sealed (RFC 5246, section 6.2.3).
const FRAGMENT_BYTES_MAX: usize = (1 << 14) + 2_048;

/// What the server is ready to speak.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// The oldest version.
    pub(crate) oldest: u16,
    /// The newest version.
    pub(crate) newest: u16,
    /// Suites in the server's order, which decides.
    pub(crate) suites: &'static [Suite],
    /// Whether the Finished message is wrong.
    pub(crate) spoils_finished: bool,
    /// Whether the first group is taken, though the client has not got it.
    pub(crate) ignores_groups: bool,
}

impl Rules {
    /// Sound ones.
    pub(crate) const fn new(oldest: u16, newest: u16, suites: &'static [Suite]) -> Self {
        Self { oldest, newest, suites, spoils_finished: false, ignores_groups: false }
    }
}

/// What was agreed on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Agreed {
    /// Version, as a number.
    pub(crate) version: u16,
    /// Cipher suite.
    pub(crate) suite: Suite,
    /// Group of the ephemeral key, as a number of the IANA registry.
    pub(crate) group: Option<u16>,
}

/// Certificates, and their key in both of the forms in which it is needed.
#[derive(Clone, Copy)]
pub(crate) struct Credentials<'a> {
    pub(crate) certified: &'a CertifiedKey,
    pub(crate) key: &'a PrivateKeyDer<'static>,
}

/// Does the handshake of a client that has said `hello`. A failure has been told to the client.
pub(crate) async fn accept(
    mut io: Records,
    hello: &ClientHello,
    rules: &Rules,
    credentials: Credentials<'_>,
    provider: &CryptoProvider,
) -> Result<(OwnStream, Agreed), (Error, Records)> {
    io.forget_hello();
    let version = hello.version.min(rules.newest);
    let mut handshake = Handshake { io, version, transcript: hello.message.clone(), provider };
    match handshake.run(hello, rules, credentials).await {
        Ok((agreed, read, write)) => {
            let random = provider.secure_random;
            Ok((OwnStream::new(handshake.io, agreed.version, read, write, random), agreed))
        }
        Err(Failure { error, alert }) => {
            if let Some(alert) = alert {
                let record = alert::record(alert::FATAL, alert.into(), version);
                // The client may have gone; that is its affair.
                let _ = handshake.io.write_all(&record).await;
            }
            Err((error, handshake.io))
        }
    }
}

/// Why there is no handshake, and what the client is told.
struct Failure {
    error: Error,
    alert: Option<AlertDescription>,
}

impl Failure {
    fn told(error: impl Into<Error>, alert: AlertDescription) -> Self {
        Self { error: error.into(), alert: Some(alert) }
    }

    /// The client is gone or has said why.
    fn silent(error: Error) -> Self {
        Self { error, alert: None }
    }

    fn malformed() -> Self {
        let error = Error::General("a message out of turn".to_owned());
        Self::told(error, AlertDescription::UnexpectedMessage)
    }
}

struct Handshake<'a> {
    io: Records,
    version: u16,
    transcript: Vec<u8>,
    provider: &'a CryptoProvider,
}

impl Handshake<'_> {
    async fn run(
        &mut self,
        hello: &ClientHello,
        rules: &Rules,
        credentials: Credentials<'_>,
    ) -> Result<(Agreed, Protection, Protection), Failure> {
        if self.version < rules.oldest {
            let error = PeerIncompatible::Tls12NotOfferedOrEnabled;
            return Err(Failure::told(error, AlertDescription::ProtocolVersion));
        }
        let Some((suite, secret)) = self.choose(hello, rules, credentials) else {
            let error = PeerIncompatible::NoCipherSuitesInCommon;
            return Err(Failure::told(error, AlertDescription::HandshakeFailure));
        };
        let group = secret.group();
        let random = self.random()?;
        self.first_flight(hello, suite, &secret, &random, credentials).await?;

        let exchanged = self.read_message(CLIENT_KEY_EXCHANGE, None).await?;
        let premaster = secret
            .premaster(&exchanged)
            .ok_or_else(|| Failure::told(Error::DecryptError, AlertDescription::DecryptError))?;
        let prf = suite.prf(self.version);
        let randoms = [&hello.random[..], &random].concat();
        let master = prf.derive(&premaster, "master secret", &randoms, 48);
        let (mut read, mut write) = self
            .protections(suite, prf, &master, &[&random[..], &hello.random].concat())
            .ok_or_else(|| Failure::told(Error::EncryptError, AlertDescription::InternalError))?;

        let (kind, changed) = self.read_record().await?;
        if (kind, &changed[..]) != (CHANGE_CIPHER_SPEC, &[1]) {
            return Err(Failure::malformed());
        }
        let expected =
            prf.derive(&master, "client finished", &prf.transcript(&self.transcript), 12);
        let finished = self.read_message(FINISHED, Some(&mut read)).await?;
        if finished != expected {
            return Err(Failure::told(Error::DecryptError, AlertDescription::DecryptError));
        }

        let mut verify =
            prf.derive(&master, "server finished", &prf.transcript(&self.transcript), 12);
        if rules.spoils_finished {
            verify.iter_mut().for_each(|byte| *byte = !*byte);
        }
        let finished = message(FINISHED, &verify);
        let sealed = write.seal(HANDSHAKE, &finished, self.provider.secure_random);
        let sealed = sealed.map_err(Failure::silent)?;
        let mut flight = self.record(CHANGE_CIPHER_SPEC, &[1]);
        flight.extend(self.record(HANDSHAKE, &sealed));
        self.send(&flight).await?;
        Ok((Agreed { version: self.version, suite, group }, read, write))
    }

    /// The first of the server's suites that the client has and the key can serve.
    fn choose(
        &self,
        hello: &ClientHello,
        rules: &Rules,
        credentials: Credentials<'_>,
    ) -> Option<(Suite, ServerSecret)> {
        let mut common = rules
            .suites
            .iter()
            .filter(|suite| suite.is_in(self.version) && hello.suites.contains(&suite.number));
        common.find_map(|suite| {
            let groups = hello.groups.as_deref().filter(|_| !rules.ignores_groups);
            Some((*suite, ServerSecret::new(suite.exchange, groups, credentials.key)?))
        })
    }

    /// ServerHello to ServerHelloDone, in as few records as possible, as Schannel packs them.
    async fn first_flight(
        &mut self,
        hello: &ClientHello,
        suite: Suite,
        secret: &ServerSecret,
        random: &[u8; 32],
        credentials: Credentials<'_>,
    ) -> Result<(), Failure> {
        let mut flight = message(SERVER_HELLO, &self.server_hello(hello, suite, secret, random));
        let certificates: Vec<u8> = credentials
            .certified
            .cert
            .iter()
            .flat_map(|certificate| [&size24(certificate.len())[..], certificate.as_ref()].concat())
            .collect();
        let list = [&size24(certificates.len())[..], &certificates].concat();
        flight.extend(message(CERTIFICATE, &list));
        if let Some(parameters) = secret.parameters() {
            let signed = [&hello.random[..], random, &parameters].concat();
            let signer = credentials.certified.key.choose_scheme(&hello.schemes);
            let unsigned = || {
                let error = PeerIncompatible::NoSignatureSchemesInCommon;
                Failure::told(error, AlertDescription::HandshakeFailure)
            };
            let signer = signer.ok_or_else(unsigned)?;
            let signature = signer.sign(&signed).map_err(|_| unsigned())?;
            let scheme = u16::from(signer.scheme()).to_be_bytes();
            let size = u16::try_from(signature.len()).unwrap_or_default().to_be_bytes();
            let exchange = [&parameters[..], &scheme, &size, &signature].concat();
            flight.extend(message(SERVER_KEY_EXCHANGE, &exchange));
        }
        flight.extend(message(SERVER_HELLO_DONE, &[]));
        self.transcript.extend_from_slice(&flight);
        let records: Vec<u8> =
            flight.chunks(1 << 14).flat_map(|part| self.record(HANDSHAKE, part)).collect();
        self.send(&records).await
    }

    fn server_hello(
        &self,
        hello: &ClientHello,
        suite: Suite,
        secret: &ServerSecret,
        random: &[u8; 32],
    ) -> Vec<u8> {
        let mut extensions = Vec::new();
        if hello.secure_renegotiation {
            extensions.extend([0xff, 0x01, 0, 1, 0]);
        }
        if secret.group().is_some() {
            // Points are uncompressed (RFC 8422, section 5.2).
            extensions.extend([0, 11, 0, 2, 1, 0]);
        }
        let mut body = self.version.to_be_bytes().to_vec();
        body.extend(random);
        // No session id, the suite, no compression.
        body.push(0);
        body.extend(suite.number.to_be_bytes());
        body.push(0);
        if !extensions.is_empty() {
            body.extend(u16::try_from(extensions.len()).unwrap_or_default().to_be_bytes());
            body.extend(extensions);
        }
        body
    }

    fn random(&self) -> Result<[u8; 32], Failure> {
        let mut random = [0; 32];
        let drawn = self.provider.secure_random.fill(&mut random);
        drawn.map_err(|error| Failure::told(error, AlertDescription::InternalError))?;
        Ok(random)
    }

    /// Protection of what the client sends, and of what is sent to it.
    fn protections(
        &self,
        suite: Suite,
        prf: Prf,
        master: &[u8],
        randoms: &[u8],
    ) -> Option<(Protection, Protection)> {
        let sizes = Sizes::of(suite, self.version);
        let size = 2 * (sizes.mac + sizes.key + sizes.iv);
        let block = prf.derive(master, "key expansion", randoms, size);
        let (macs, rest) = block.split_at(2 * sizes.mac);
        let (keys, ivs) = rest.split_at(2 * sizes.key);
        let (client_mac, server_mac) = macs.split_at(sizes.mac);
        let (client_key, server_key) = keys.split_at(sizes.key);
        let (client_iv, server_iv) = ivs.split_at(sizes.iv);
        Some((
            Protection::new(suite, self.version, client_mac, client_key, client_iv)?,
            Protection::new(suite, self.version, server_mac, server_key, server_iv)?,
        ))
    }

    /// The body of the next handshake message, which must be of that type and fill a record.
    async fn read_message(
        &mut self,
        kind: u8,
        protection: Option<&mut Protection>,
    ) -> Result<Vec<u8>, Failure> {
        let (record, mut content) = self.read_record().await?;
        if record != HANDSHAKE {
            return Err(Failure::malformed());
        }
        if let Some(protection) = protection {
            content = protection
                .open(record, &content)
                .map_err(|error| Failure::told(error, AlertDescription::BadRecordMac))?;
        }
        self.transcript.extend_from_slice(&content);
        let body = content.get(4..).unwrap_or_default();
        if content.get(..4) != Some(&message(kind, body)[..4]) {
            return Err(Failure::malformed());
        }
        Ok(body.to_vec())
    }

    /// The next record that is no alert.
    async fn read_record(&mut self) -> Result<(u8, Vec<u8>), Failure> {
        let left = |_| Failure::silent(Error::General(LEFT.to_owned()));
        let mut header = [0; 5];
        self.io.read_exact(&mut header).await.map_err(left)?;
        let [kind, major, _, high, low] = header;
        let size = usize::from(u16::from_be_bytes([high, low]));
        if !(CHANGE_CIPHER_SPEC..=APPLICATION_DATA).contains(&kind) || major != 3 {
            return Err(Failure::silent(InvalidMessage::InvalidContentType.into()));
        }
        if size > FRAGMENT_BYTES_MAX {
            return Err(Failure::told(
                InvalidMessage::MessageTooLarge,
                AlertDescription::RecordOverflow,
            ));
        }
        let mut fragment = vec![0; size];
        self.io.read_exact(&mut fragment).await.map_err(left)?;
        match (kind, &fragment[..]) {
            (ALERT, [_, description]) => {
                Err(Failure::silent(Error::AlertReceived((*description).into())))
            }
            _ => Ok((kind, fragment)),
        }
    }

    fn record(&self, kind: u8, fragment: &[u8]) -> Vec<u8> {
        flight::record(kind, self.version, fragment)
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let sent = self.io.write_all(bytes).await;
        sent.map_err(|_| Failure::silent(Error::General(LEFT.to_owned())))
    }
}

/// What the ledger says of a client that is gone, also with rustls.
pub(super) const LEFT: &str = "the client left";

// Types of handshake messages.
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const SERVER_HELLO_DONE: u8 = 14;
const CLIENT_KEY_EXCHANGE: u8 = 16;
const FINISHED: u8 = 20;

pub(super) fn size24(size: usize) -> [u8; 3] {
    let [.., high, middle, low] = size.to_be_bytes();
    [high, middle, low]
}

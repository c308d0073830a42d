//! The client's side of a context.

use ground::{Clock, Stream, Timestamp};
use rand::Rng as _;

use super::{
    acceptor::write_gss_checksum,
    bindings::ChannelBindings,
    context::{GssContext, GssFlags},
    sasl::Mechanism,
    spnego::{NegState, NegTokenInit, NegTokenResp},
    token::{self, id, oid},
};
use crate::{
    client::{Credential, Proof, micros},
    crypto::{Key, Usage},
    error::Error,
    message::{ApRep, EncApRepPart, KrbError, ap_options},
};

/// What an initiator wants.
#[derive(Clone, Debug)]
pub struct InitiatorConfig {
    /// The form of its tokens.
    pub mechanism: Mechanism,
    /// What it asks for.
    pub flags: GssFlags,
    /// The TLS connection that it binds itself to.
    pub bindings: Option<ChannelBindings>,
}

/// Initiates one context.
#[derive(Debug)]
pub struct Initiator {
    config: InitiatorConfig,
    credential: Credential,
    subkey: Key,
    sequence: u32,
    sent_at: Timestamp,
    initial: Vec<u8>,
}

impl Initiator {
    /// Begins a context with the service that `credential` is for.
    pub fn new(
        credential: Credential,
        config: InitiatorConfig,
        clock: &Clock,
        random: &mut Stream,
    ) -> Self {
        let sent_at = clock.now();
        let subkey = Key::random(credential.session_key.etype(), random);
        let sequence = random.next_u32() >> 2;
        let mutual = config.flags.has(GssFlags::MUTUAL);
        let proof = Proof {
            now: sent_at,
            usage: Usage::AP_REQ_AUTHENTICATOR,
            options: if mutual { ap_options::MUTUAL_REQUIRED } else { 0 },
            checksum: write_gss_checksum(config.bindings.as_ref(), config.flags),
            subkey: Some(subkey.clone()),
            sequence: Some(sequence),
        };
        let request = credential.show(proof, random).encode();
        let bare = token::frame_kerberos(id::AP_REQ, &request);
        let initial = match config.mechanism {
            Mechanism::Gssapi => bare,
            Mechanism::GssSpnego => {
                NegTokenInit::new(&[oid::MS_KERBEROS, oid::KERBEROS], Some(bare)).encode()
            }
        };
        Self { config, credential, subkey, sequence, sent_at, initial }
    }

    /// The token to send.
    pub fn initial(&self) -> &[u8] {
        &self.initial
    }

    /// Takes the acceptor's answer, which there must be for mutual authentication.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with the acceptor's code, or the acceptor has not proved itself.
    pub fn finish(self, answer: Option<&[u8]>) -> Result<GssContext, Error> {
        let bare = match (self.config.mechanism, answer) {
            (_, None) => None,
            (Mechanism::Gssapi, Some(token)) => Some(token.to_vec()),
            (Mechanism::GssSpnego, Some(token)) => {
                let response = NegTokenResp::read(token)?;
                let completed = response.state == Some(NegState::Completed);
                if !completed && response.token.is_none() {
                    return Err(Error::Unexpected { what: "negotiation state" });
                }
                response.token
            }
        };
        let mut context = GssContext {
            is_acceptor: false,
            key: self.subkey,
            key_is_acceptors: false,
            flags: self.config.flags,
            peer: self.credential.service.clone(),
            logon: None,
            next_sent: u64::from(self.sequence),
            next_received: u64::from(self.sequence),
        };
        let mutual = self.config.flags.has(GssFlags::MUTUAL);
        let Some(token) = bare.filter(|token| !token.is_empty()) else {
            return if mutual { Err(Error::OutOfOrder { what: "no AP-REP" }) } else { Ok(context) };
        };
        let (id, message) = token::unframe_kerberos(&token)?;
        match id {
            id::AP_REP if mutual => {}
            id::ERROR => return Err(Error::Refused { code: KrbError::read(message)?.code }),
            _ => return Err(Error::OutOfOrder { what: "token other than AP-REP" }),
        }
        let reply = ApRep::read(message)?.encrypted;
        let plain = reply.open(&self.credential.session_key, Usage::AP_REP, "AP-REP")?;
        let part = EncApRepPart::read(&plain)?;
        if part.time.unix() != self.sent_at.unix() || part.micros != micros(self.sent_at) {
            return Err(Error::Unexpected { what: "time" });
        }
        if let Some(subkey) = part.subkey {
            context.key = subkey;
            context.key_is_acceptors = true;
        }
        context.next_received = u64::from(part.sequence.unwrap_or(0));
        Ok(context)
    }
}

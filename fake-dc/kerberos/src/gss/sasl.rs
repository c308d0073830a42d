//! The SASL mechanisms GSSAPI (RFC 4752) and GSS-SPNEGO ([MS-ADTS] 3.1.1.3.4.5.2), and the layer
//! that they put between LDAP and TCP.

use ground::Stream;

use super::{
    acceptor::{Accepted, Acceptor},
    context::{GssContext, GssFlags},
    spnego::{NegState, NegTokenInit, NegTokenResp},
    token::oid,
};
use crate::{error::Error, limits, pac::LogonInfo, principal::Principal};

/// A SASL mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// `GSS-SPNEGO`: one round trip; the flags of the context decide on the layer.
    GssSpnego,
    /// `GSSAPI`: the layer is agreed upon in two more.
    Gssapi,
}

impl Mechanism {
    /// The mechanism of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "GSS-SPNEGO" => Some(Self::GssSpnego),
            "GSSAPI" => Some(Self::Gssapi),
            _ => None,
        }
    }
}

/// Accepts one SASL bind, step by step.
#[derive(Debug)]
pub struct SaslAcceptor {
    mechanism: Mechanism,
    acceptor: Acceptor,
    inside_tls: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    Start,
    /// SPNEGO has agreed on Kerberos, whose first token comes now.
    Negotiated {
        mechanisms: NegTokenInit,
        needs_signature: bool,
    },
    /// SPNEGO's list of mechanisms was not yet signed by the client.
    Unsigned {
        list: Vec<u8>,
        context: GssContext,
    },
    /// GSSAPI has a context; the client says next that it is ready for the offer of layers.
    Established(GssContext),
    /// GSSAPI has offered layers.
    Offered(GssContext),
    Finished,
}

/// What to answer to a step of a bind.
#[derive(Debug)]
pub enum SaslStep {
    /// Bind in progress, with these credentials.
    Continue(Vec<u8>),
    /// The client is who it says.
    Done {
        /// Credentials to send with the success.
        token: Option<Vec<u8>>,
        /// Who it is.
        client: Principal,
        /// What the KDC says of it; `None` if the ticket has no PAC.
        logon: Option<Box<LogonInfo>>,
        /// What protects all that follows this answer. Boxed: most binds are inside TLS.
        layer: Option<Box<SecurityLayer>>,
    },
}

impl SaslAcceptor {
    /// An acceptor for one bind. Inside TLS no layer is agreed upon, as with AD.
    pub fn new(mechanism: Mechanism, acceptor: Acceptor, inside_tls: bool) -> Self {
        Self { mechanism, acceptor, inside_tls, state: State::Start }
    }

    /// Takes the credentials of one bind request.
    ///
    /// # Errors
    ///
    /// The bind is refused, and over. [`SaslAcceptor::error_token`] gives what goes with that.
    pub fn step(
        &mut self,
        credentials: Option<&[u8]>,
        random: &mut Stream,
    ) -> Result<SaslStep, Error> {
        let credentials = credentials.unwrap_or_default();
        let state = std::mem::replace(&mut self.state, State::Finished);
        match (self.mechanism, state) {
            (Mechanism::GssSpnego, State::Start) => self.negotiate(credentials, random),
            (_, State::Negotiated { mechanisms, needs_signature }) => {
                let response = NegTokenResp::read(credentials)?;
                let token = response.token.as_deref();
                let token = token.ok_or(Error::OutOfOrder { what: "negotiation without token" })?;
                let accepted = self.acceptor.accept(token, random)?;
                if needs_signature {
                    self.sign_list(mechanisms.list, accepted, response.list_signature.as_deref())
                } else {
                    self.completed(accepted, None)
                }
            }
            (_, State::Unsigned { list, mut context }) => {
                let signature = NegTokenResp::read(credentials)?.list_signature;
                let missing = Error::OutOfOrder { what: "negotiation without signature" };
                context.verify(&list, &signature.ok_or(missing)?)?;
                self.completed(Accepted { token: None, context }, None)
            }
            (Mechanism::Gssapi, State::Start) => {
                let Accepted { token, context } = self.acceptor.accept(credentials, random)?;
                match token {
                    Some(token) => {
                        self.state = State::Established(context);
                        Ok(SaslStep::Continue(token))
                    }
                    None => Ok(self.offer(context, random)),
                }
            }
            (_, State::Established(context)) => Ok(self.offer(context, random)),
            (_, State::Offered(context)) => self.choose(context, credentials),
            (_, State::Finished) => Err(Error::OutOfOrder { what: "bind" }),
        }
    }

    /// The credentials that tell the client why its bind was refused; `None` where nothing is told.
    pub fn error_token(&self, error: &Error) -> Option<Vec<u8>> {
        let token = self.acceptor.error_token(error)?;
        match self.mechanism {
            Mechanism::Gssapi => Some(token),
            Mechanism::GssSpnego => {
                let mechanism = Some(oid::MS_KERBEROS.to_vec());
                let state = Some(NegState::Reject);
                let response =
                    NegTokenResp { state, mechanism, token: Some(token), list_signature: None };
                Some(response.encode())
            }
        }
    }

    fn negotiate(&mut self, token: &[u8], random: &mut Stream) -> Result<SaslStep, Error> {
        if token.is_empty() {
            // Samba's client begins like this, to learn what there is.
            self.state = State::Start;
            let hint = NegTokenInit::new(&[oid::MS_KERBEROS, oid::KERBEROS], None);
            return Ok(SaslStep::Continue(hint.encode_hint()));
        }
        let mut proposed = match NegTokenInit::read(token) {
            // Bare Kerberos, which acceptors of SPNEGO take ([MS-SPNG] 3.2.5.1).
            Err(Error::NoMechanism { proposed: 1 }) => {
                let Accepted { token, context } = self.acceptor.accept(token, random)?;
                return self.done(token, context);
            }
            proposed => proposed?,
        };
        let is_ours = |oid: &Vec<u8>| oid == oid::MS_KERBEROS || oid == oid::KERBEROS;
        let Some(place) = proposed.mechanisms.iter().position(is_ours) else {
            return Err(Error::NoMechanism { proposed: proposed.mechanisms.len() });
        };
        let chosen = proposed.mechanisms[place].clone();
        // A token belongs to the favourite. Kerberos under its other name is Kerberos.
        match proposed.token.take() {
            Some(token) if place == 0 => {
                let accepted = self.acceptor.accept(&token, random)?;
                self.completed(accepted, Some(chosen))
            }
            _ => {
                let needs_signature = place > 0;
                let state =
                    if needs_signature { NegState::RequestSignature } else { NegState::Incomplete };
                self.state = State::Negotiated { mechanisms: proposed, needs_signature };
                let response = NegTokenResp {
                    state: Some(state),
                    mechanism: Some(chosen),
                    ..NegTokenResp::default()
                };
                Ok(SaslStep::Continue(response.encode()))
            }
        }
    }

    /// Both sides sign the list of mechanisms when the client's favourite was not taken (RFC 4178,
    /// section 5).
    fn sign_list(
        &mut self,
        list: Vec<u8>,
        accepted: Accepted,
        signature: Option<&[u8]>,
    ) -> Result<SaslStep, Error> {
        let Accepted { token, mut context } = accepted;
        if let Some(signature) = signature {
            context.verify(&list, signature)?;
        }
        let complete = signature.is_some();
        let response = NegTokenResp {
            state: Some(if complete { NegState::Completed } else { NegState::Incomplete }),
            mechanism: None,
            token,
            list_signature: Some(context.sign(&list)),
        };
        if complete {
            return self.done(Some(response.encode()), context);
        }
        self.state = State::Unsigned { list, context };
        Ok(SaslStep::Continue(response.encode()))
    }

    fn completed(
        &mut self,
        accepted: Accepted,
        mechanism: Option<Vec<u8>>,
    ) -> Result<SaslStep, Error> {
        let Accepted { token, context } = accepted;
        let state = Some(NegState::Completed);
        let response = NegTokenResp { state, mechanism, token, list_signature: None };
        self.done(Some(response.encode()), context)
    }

    fn done(&mut self, token: Option<Vec<u8>>, context: GssContext) -> Result<SaslStep, Error> {
        let seal = context.flags().has(GssFlags::CONFIDENTIAL);
        let protected = seal || context.flags().has(GssFlags::INTEGRITY);
        if protected && self.inside_tls {
            // The client would sign what follows, and AD does not take both.
            return Err(Error::LayerInsideTls);
        }
        let (client, logon) = (context.peer().clone(), context.logon.clone());
        let layer = protected.then(|| Box::new(SecurityLayer::new(context, seal)));
        Ok(SaslStep::Done { token, client, logon, layer })
    }

    fn offer(&mut self, mut context: GssContext, random: &mut Stream) -> SaslStep {
        let layers =
            if self.inside_tls { LAYER_NONE } else { LAYER_NONE | LAYER_SIGN | LAYER_SEAL };
        let bytes_max = if self.inside_tls { 0 } else { limits::LAYER_BYTES_MAX as u32 };
        let [_, a, b, c] = bytes_max.to_be_bytes();
        let offer = context.wrap(&[layers, a, b, c], false, random);
        self.state = State::Offered(context);
        SaslStep::Continue(offer)
    }

    fn choose(&self, mut context: GssContext, credentials: &[u8]) -> Result<SaslStep, Error> {
        let choice = context.unwrap(credentials)?.message;
        // The name to act as, behind the four octets, is passed over as AD does it.
        let &[layer, _, _, _, ..] = choice.as_slice() else {
            return Err(Error::Malformed { what: "choice of a layer" });
        };
        let (client, logon) = (context.peer().clone(), context.logon.clone());
        let layer = match layer {
            LAYER_NONE => None,
            LAYER_SIGN | LAYER_SEAL if !self.inside_tls => {
                Some(Box::new(SecurityLayer::new(context, layer == LAYER_SEAL)))
            }
            _ => return Err(Error::Malformed { what: "choice of a layer" }),
        };
        Ok(SaslStep::Done { token: None, client, logon, layer })
    }
}

const LAYER_NONE: u8 = 1;
const LAYER_SIGN: u8 = 2;
const LAYER_SEAL: u8 = 4;

/// A stream's protection after a bind: every message in a token behind its length.
#[derive(Debug)]
pub struct SecurityLayer {
    context: GssContext,
    seal: bool,
}

/// What stands at the front of the protected bytes that a stream has brought so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// A whole message.
    Message {
        /// It.
        message: Vec<u8>,
        /// How many bytes its token takes with its length.
        consumed: usize,
    },
    /// The front of a token.
    Incomplete {
        /// How many bytes are missing at least.
        missing: usize,
    },
}

impl SecurityLayer {
    /// The layer of a context that signs, or signs and seals.
    pub fn new(context: GssContext, seal: bool) -> Self {
        Self { context, seal }
    }

    /// Whether it seals.
    pub fn seals(&self) -> bool {
        self.seal
    }

    /// Protects a message.
    pub fn protect(&mut self, message: &[u8], random: &mut Stream) -> Vec<u8> {
        let token = self.context.wrap(message, self.seal, random);
        let length = u32::try_from(token.len()).unwrap_or(u32::MAX);
        [length.to_be_bytes().as_slice(), &token].concat()
    }

    /// Takes the first message out of `bytes`.
    ///
    /// # Errors
    ///
    /// The bytes are not what the peer protected, or not sealed where they must be. Nothing that
    /// follows them can be read.
    pub fn open(&mut self, bytes: &[u8]) -> Result<Opened, Error> {
        let Some((length, rest)) = bytes.split_first_chunk::<4>() else {
            return Ok(Opened::Incomplete { missing: 4 - bytes.len() });
        };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > limits::LAYER_BYTES_MAX {
            return Err(Error::TooLarge {
                what: "protected message",
                found: length,
                limit: limits::LAYER_BYTES_MAX,
            });
        }
        let Some(token) = rest.get(..length) else {
            return Ok(Opened::Incomplete { missing: length - rest.len() });
        };
        let unwrapped = self.context.unwrap(token)?;
        if self.seal && !unwrapped.sealed {
            return Err(Error::Unexpected { what: "protection" });
        }
        Ok(Opened::Message { message: unwrapped.message, consumed: length + 4 })
    }
}

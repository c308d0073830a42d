//! Negotiation tokens (RFC 4178, [MS-SPNG]).

use super::token::{self, oid};
use crate::{
    der::{self, Reader},
    error::Error,
};

/// NegTokenInit: what an initiator proposes.
#[derive(Debug)]
pub(crate) struct NegTokenInit {
    /// Proposed mechanisms, the favourite first.
    pub(crate) mechanisms: Vec<Vec<u8>>,
    /// Their list as it came, which a checksum may cover.
    pub(crate) list: Vec<u8>,
    /// Token of the favourite.
    pub(crate) token: Option<Vec<u8>>,
}

/// NegTokenResp: everything after the first token.
#[derive(Debug, Default)]
pub(crate) struct NegTokenResp {
    pub(crate) state: Option<NegState>,
    pub(crate) mechanism: Option<Vec<u8>>,
    pub(crate) token: Option<Vec<u8>>,
    /// Signature of the list of mechanisms.
    pub(crate) list_signature: Option<Vec<u8>>,
}

/// How far a negotiation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NegState {
    Completed = 0,
    Incomplete = 1,
    Reject = 2,
    RequestSignature = 3,
}

impl NegTokenInit {
    pub(crate) fn new(mechanisms: &[&[u8]], token: Option<Vec<u8>>) -> Self {
        let list = der::sequence(
            mechanisms.iter().map(|mechanism| der::element(der::OBJECT_IDENTIFIER, mechanism)),
        );
        Self { mechanisms: mechanisms.iter().map(|oid| oid.to_vec()).collect(), list, token }
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let (mechanism, inner) = token::unframe(bytes)?;
        if mechanism != oid::SPNEGO {
            return Err(Error::NoMechanism { proposed: 1 });
        }
        let mut init = Reader::whole("NegTokenInit", inner, der::context(0))?.sequence()?;
        let mut list = init.element(der::context(0))?;
        let list_bytes = list.rest().to_vec();
        let mechanisms =
            list.list(|item| Ok(item.element(der::OBJECT_IDENTIFIER)?.rest().to_vec()))?;
        init.optional(1)?;
        let token = init.optional_field(2, Reader::octets)?.map(<[u8]>::to_vec);
        Ok(Self { mechanisms, list: list_bytes, token })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        self.encode_with(Vec::new())
    }

    /// NegTokenInit2: what an acceptor says to a client that begins with nothing.
    pub(crate) fn encode_hint(&self) -> Vec<u8> {
        let hints = der::sequence([der::field(0, der::text(HINT_NAME))]);
        self.encode_with(der::field(3, hints))
    }

    fn encode_with(&self, last: Vec<u8>) -> Vec<u8> {
        let init = der::sequence([
            der::field(0, self.list.clone()),
            der::optional_field(2, self.token.as_deref().map(der::octets)),
            last,
        ]);
        token::frame(oid::SPNEGO, &der::field(0, init))
    }
}

/// The text that every Windows since 2008 sends in place of its name ([MS-SPNG] 3.2.5.2).
const HINT_NAME: &str = "not_defined_in_RFC4178@please_ignore";

impl NegTokenResp {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let mut response = Reader::whole("NegTokenResp", bytes, der::context(1))?.sequence()?;
        let state = response.optional_field(0, Reader::enumerated)?;
        let state = match state {
            None => None,
            Some(0) => Some(NegState::Completed),
            Some(1) => Some(NegState::Incomplete),
            Some(2) => Some(NegState::Reject),
            Some(3) => Some(NegState::RequestSignature),
            Some(_) => return Err(response.malformed()),
        };
        let mechanism = response.optional_field(1, |oid| oid.element(der::OBJECT_IDENTIFIER))?;
        Ok(Self {
            state,
            mechanism: mechanism.map(|oid| oid.rest().to_vec()),
            token: response.optional_field(2, Reader::octets)?.map(<[u8]>::to_vec),
            list_signature: response.optional_field(3, Reader::octets)?.map(<[u8]>::to_vec),
        })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mechanism = self.mechanism.as_deref();
        let mechanism = mechanism.map(|oid| der::element(der::OBJECT_IDENTIFIER, oid));
        let response = der::sequence([
            der::optional_field(0, self.state.map(|state| der::enumerated(state as u8))),
            der::optional_field(1, mechanism),
            der::optional_field(2, self.token.as_deref().map(der::octets)),
            der::optional_field(3, self.list_signature.as_deref().map(der::octets)),
        ]);
        der::field(1, response)
    }
}

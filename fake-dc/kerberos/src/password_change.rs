//! The service that changes passwords (RFC 3244), `kpasswd` on port 464: a request in, who asks for
//! what out, and the answer to it.

use std::{fmt, net::Ipv4Addr};

use ground::{Secret, Stream};
use rand::Rng as _;

use crate::{
    crypto::{Key, Usage},
    der::Reader,
    error::Error,
    gss::{Acceptor, AcceptorConfig},
    message::{
        ApRep, ApReq, Authenticator, EncApRepPart, EncTicketPart, EncryptedData, ErrorCode,
        KrbError, TicketFlags, open_private, seal_private,
    },
    principal::{Principal, PrincipalName},
};

/// What became of a password (RFC 3244, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum PasswordResult {
    /// It is changed.
    Success = 0,
    /// The request makes no sense.
    Malformed = 1,
    /// The server is at fault.
    HardError = 2,
    /// The client is not who it says.
    AuthError = 3,
    /// The policy of the domain forbids this password.
    SoftError = 4,
    /// The client may not set this password.
    AccessDenied = 5,
    /// The version is neither 1 nor 0xff80.
    BadVersion = 6,
    /// The ticket was got with another ticket.
    InitialFlagNeeded = 7,
}

/// A new password for an account, asked for by somebody who has proved who it is.
pub struct PasswordChange {
    client: Principal,
    target: Option<Principal>,
    password: Secret,
    ticket: EncTicketPart,
    authenticator: Authenticator,
}

impl PasswordChange {
    /// Reads a request. `acceptor` is that of `kadmin/changepw`, with the keys of `krbtgt`.
    ///
    /// # Errors
    ///
    /// The answer to send, or `None` to what is no request at all.
    pub fn read(
        request: &[u8],
        acceptor: AcceptorConfig,
    ) -> Result<Self, (PasswordRefusal, Option<Vec<u8>>)> {
        let config = acceptor.clone();
        Self::open(request, acceptor).map_err(|refusal| {
            let answer = refusal.answer(&config);
            (refusal, answer)
        })
    }

    fn open(request: &[u8], acceptor: AcceptorConfig) -> Result<Self, PasswordRefusal> {
        let framed = Framed::read(request).map_err(PasswordRefusal::NoRequest)?;
        let rejected = |code, result, reason| PasswordRefusal::Rejected { code, result, reason };
        if ![VERSION_CHANGE, VERSION_SET].contains(&framed.version) {
            let (code, result) = (ErrorCode::KRB_ERR_GENERIC, PasswordResult::BadVersion);
            return Err(rejected(code, result, "the version is not known"));
        }
        let opened = ApReq::read(framed.ap_request)
            .and_then(|request| Acceptor::new(acceptor).open(&request));
        let (ticket, authenticator) = opened.map_err(|error| match error {
            Error::Rejected { code, reason } => rejected(code, PasswordResult::AuthError, reason),
            error => PasswordRefusal::NoRequest(error),
        })?;
        let malformed =
            |reason| rejected(ErrorCode::KRB_ERR_GENERIC, PasswordResult::Malformed, reason);
        let key = authenticator.subkey.as_ref().unwrap_or(&ticket.key);
        let data = open_private(framed.private, key)
            .map_err(|_| malformed("the new password cannot be decrypted"))?;
        let (password, target) = match framed.version {
            VERSION_CHANGE => (data, None),
            _ => read_target(&data).map_err(|_| malformed("the new password is malformed"))?,
        };
        let password =
            String::from_utf8(password).map_err(|_| malformed("the new password is no text"))?;
        let client = Principal { name: ticket.cname.clone(), realm: ticket.crealm.clone() };
        if target.is_none() && !ticket.flags.has(TicketFlags::INITIAL) {
            let (code, result) = (ErrorCode::KRB_ERR_GENERIC, PasswordResult::InitialFlagNeeded);
            return Err(rejected(code, result, "Expected an initial ticket"));
        }
        Ok(Self { client, target, password: Secret::new(password), ticket, authenticator })
    }

    /// Who asks.
    pub fn client(&self) -> &Principal {
        &self.client
    }

    /// Whose password is to be set: an administrator's right. `None`: the client's own is changed.
    pub fn target(&self) -> Option<&Principal> {
        self.target.as_ref()
    }

    /// The new password.
    pub fn password(&self) -> &Secret {
        &self.password
    }

    /// The answer, sent from `sender`. `text` says more than `result`: words, or the policy of the
    /// domain in 30 bytes.
    pub fn answer(
        &self,
        result: PasswordResult,
        text: &[u8],
        sender: Ipv4Addr,
        random: &mut Stream,
    ) -> Vec<u8> {
        let Self { ticket, authenticator, .. } = self;
        let sequence = random.next_u32() >> 2;
        let part = EncApRepPart {
            time: authenticator.time,
            micros: authenticator.micros,
            subkey: None,
            sequence: Some(sequence),
        };
        let part = part.encode();
        let encrypted = EncryptedData::seal(&ticket.key, None, Usage::AP_REP, &part, random);
        let ap_reply = ApRep { encrypted }.encode();
        let key: &Key = authenticator.subkey.as_ref().unwrap_or(&ticket.key);
        let data = result_data(result, text);
        let private = seal_private(&data, key, sender, (authenticator.time, sequence), random);
        frame(&ap_reply, &private)
    }
}

impl fmt::Debug for PasswordChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordChange")
            .field("client", &self.client.to_string())
            .field("target", &self.target.as_ref().map(ToString::to_string))
            .finish_non_exhaustive()
    }
}

/// Why a request was not even looked into.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordRefusal {
    /// It is none. There is no answer.
    #[error("{0}")]
    NoRequest(Error),
    /// It is one, and is refused.
    #[error("{reason} (error {code})")]
    Rejected {
        /// Code of the KRB-ERROR.
        code: ErrorCode,
        /// What the KRB-ERROR carries.
        result: PasswordResult,
        /// Which check failed.
        reason: &'static str,
    },
}

impl PasswordRefusal {
    fn answer(&self, config: &AcceptorConfig) -> Option<Vec<u8>> {
        let &Self::Rejected { code, result, reason } = self else { return None };
        let error = KrbError {
            time: config.clock.now(),
            code,
            realm: config.service.realm.clone(),
            sname: config.service.name.clone(),
            client: None,
            text: None,
            data: Some(result_data(result, reason.as_bytes())),
        };
        Some(frame(&[], &error.encode()))
    }
}

const VERSION_CHANGE: u16 = 1;
const VERSION_SET: u16 = 0xff80;

/// A request taken apart.
struct Framed<'a> {
    version: u16,
    ap_request: &'a [u8],
    private: &'a [u8],
}

impl<'a> Framed<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        const WHAT: &str = "password change";
        let Some(([l0, l1, v0, v1, a0, a1], rest)) = bytes.split_first_chunk::<6>() else {
            return Err(Error::Truncated { what: WHAT, missing: 6 - bytes.len() });
        };
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        let ap_length = usize::from(u16::from_be_bytes([*a0, *a1]));
        let parts = rest.split_at_checked(ap_length).filter(|_| length == bytes.len());
        let (ap_request, private) = parts.ok_or(Error::Malformed { what: WHAT })?;
        Ok(Self { version: u16::from_be_bytes([*v0, *v1]), ap_request, private })
    }
}

/// ChangePasswdData: the password, and whose it is to be.
fn read_target(data: &[u8]) -> Result<(Vec<u8>, Option<Principal>), Error> {
    let mut change = Reader::whole("ChangePasswdData", data, 0x30)?;
    let password = change.field(0, Reader::octets)?.to_vec();
    let name = change.optional_field(1, PrincipalName::read)?;
    let realm = change.optional_field(2, Reader::text)?;
    Ok((password, name.zip(realm).map(|(name, realm)| Principal { name, realm })))
}

fn result_data(result: PasswordResult, text: &[u8]) -> Vec<u8> {
    [&(result as u16).to_be_bytes(), text].concat()
}

fn frame(ap_reply: &[u8], message: &[u8]) -> Vec<u8> {
    // Answers of some hundred bytes.
    let size = |length: usize| u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
    let length = size(6 + ap_reply.len() + message.len());
    [&length, &VERSION_CHANGE.to_be_bytes(), &size(ap_reply.len()), ap_reply, message].concat()
}

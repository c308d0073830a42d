//! The service's side of a context: from a token with a ticket to a client's name.

use std::sync::Arc;

use ground::{Clock, Stream};
use rand::Rng as _;

use super::{
    bindings::ChannelBindings,
    context::{GssContext, GssFlags},
    token::{self, id},
};
use crate::{
    crypto::{Etype, Key, Usage},
    db::Keys,
    error::Error,
    message::{
        ApRep, ApReq, Authenticator, Checksum, EncApRepPart, EncTicketPart, EncryptedData,
        ErrorCode, KrbError, TicketFlags, ap_options,
    },
    pac::Pac,
    principal::{Principal, PrincipalName},
};

/// What an acceptor is made of.
#[derive(Clone, Debug)]
pub struct AcceptorConfig {
    /// Who it is, for the errors that it sends.
    pub service: Principal,
    /// Its keys, the present ones first; older ones open tickets that are still about.
    ///
    /// Any ticket that one of them opens is for this service: like Windows, it does not ask by
    /// which of its names the client called it.
    pub keys: Vec<Arc<Keys>>,
    /// The service's clock.
    pub clock: Clock,
    /// By how much clocks may differ.
    pub skew_seconds_max: i64,
    /// The bindings of the TLS connection; `None` outside TLS.
    pub bindings: Option<ChannelBindings>,
    /// What is asked of clients within TLS.
    pub binding_policy: BindingPolicy,
}

/// Whether clients must bind to the TLS connection: `LdapEnforceChannelBinding` of Windows, values
/// 0, 1 and 2; `ldap server require strong auth` and what follows it in Samba.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BindingPolicy {
    /// Bindings are not looked at.
    Off,
    /// Bindings must be right where there are any. The default of Windows Server 2022.
    #[default]
    IfSent,
    /// There must be bindings, and they must be right.
    Always,
}

/// Accepts one context.
#[derive(Clone, Debug)]
pub struct Acceptor {
    config: AcceptorConfig,
}

/// What became of a client's token.
#[derive(Debug)]
pub struct Accepted {
    /// The token to answer with, where the client asked for mutual authentication.
    pub token: Option<Vec<u8>>,
    /// The context, complete on this side.
    pub context: GssContext,
}

impl Acceptor {
    /// An acceptor for one connection.
    pub fn new(config: AcceptorConfig) -> Self {
        Self { config }
    }

    /// Takes a client's initial token.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] with the code for [`Acceptor::error_token`], [`Error::ChannelBindings`],
    /// or the token is malformed.
    pub fn accept(&self, initial: &[u8], random: &mut Stream) -> Result<Accepted, Error> {
        let (id, message) = token::unframe_kerberos(initial)?;
        if id != id::AP_REQ {
            return Err(Error::OutOfOrder { what: "token other than AP-REQ" });
        }
        let request = ApReq::read(message)?;
        let (ticket, authenticator) = self.open(&request)?;
        let flags = self.check_checksum(authenticator.checksum.as_ref())?;

        let initiator_sequence = u64::from(authenticator.sequence.unwrap_or(0));
        let session_key = authenticator.subkey.as_ref().unwrap_or(&ticket.key);
        if session_key.etype() == Etype::Rc4 {
            // Its tokens are others (RFC 4757, section 7), which this crate does not make.
            let code = ErrorCode::KDC_ERR_ETYPE_NOSUPP;
            return Err(Error::rejected(code, "the session key is of rc4-hmac"));
        }
        let mut context = GssContext {
            is_acceptor: true,
            key: session_key.clone(),
            key_is_acceptors: false,
            flags,
            // Only a KDC can have written what its key has sealed.
            logon: ticket
                .pac
                .as_deref()
                .and_then(Pac::read)
                .and_then(|pac| pac.logon_info())
                .map(Box::new),
            peer: Principal { name: ticket.cname.clone(), realm: ticket.crealm.clone() },
            // Without an AP-REP there is one number for both directions.
            next_sent: initiator_sequence,
            next_received: initiator_sequence,
        };
        if request.options & ap_options::MUTUAL_REQUIRED == 0 {
            return Ok(Accepted { token: None, context });
        }
        let subkey = Key::random(session_key.etype(), random);
        // Small enough that no implementation takes it for negative.
        let sequence = random.next_u32() >> 2;
        let part = EncApRepPart {
            time: authenticator.time,
            micros: authenticator.micros,
            subkey: Some(subkey.clone()),
            sequence: Some(sequence),
        };
        let part = part.encode();
        let encrypted = EncryptedData::seal(&ticket.key, None, Usage::AP_REP, &part, random);
        context.key = subkey;
        context.key_is_acceptors = true;
        context.next_sent = u64::from(sequence);
        let answer = token::frame_kerberos(id::AP_REP, &ApRep { encrypted }.encode());
        Ok(Accepted { token: Some(answer), context })
    }

    /// What a client shows, after every check but those of GSS-API.
    pub(crate) fn open(&self, request: &ApReq) -> Result<(EncTicketPart, Authenticator), Error> {
        let ticket = self.open_ticket(request)?;
        self.check_times(&ticket)?;
        let authenticator = self.open_authenticator(request, &ticket)?;
        Ok((ticket, authenticator))
    }

    /// The token that tells the client why it was rejected; `None` where nothing is told.
    pub fn error_token(&self, error: &Error) -> Option<Vec<u8>> {
        let &Error::Rejected { code, .. } = error else { return None };
        let message = KrbError {
            time: self.config.clock.now(),
            code,
            realm: self.config.service.realm.clone(),
            sname: self.config.service.name.clone(),
            client: None,
            text: None,
            data: None,
        };
        Some(token::frame_kerberos(id::ERROR, &message.encode()))
    }

    fn open_ticket(&self, request: &ApReq) -> Result<EncTicketPart, Error> {
        let encrypted = &request.ticket.encrypted;
        let mut keys: Vec<&Keys> = self.config.keys.iter().map(AsRef::as_ref).collect();
        // The version that the ticket names, then all others: a restored account may count anew.
        keys.sort_by_key(|keys| encrypted.kvno.is_some_and(|kvno| kvno != keys.version()));
        let plain = keys
            .iter()
            .filter_map(|keys| keys.of(encrypted.etype))
            .find_map(|key| encrypted.open(key, Usage::TICKET, "ticket").ok());
        let modified = Error::rejected(ErrorCode::KRB_AP_ERR_MODIFIED, "no key opens the ticket");
        EncTicketPart::read(&plain.ok_or(modified)?)
    }

    fn check_times(&self, ticket: &EncTicketPart) -> Result<(), Error> {
        let (now, skew) = (self.config.clock.now(), self.config.skew_seconds_max);
        let starts = ticket.starts.unwrap_or(ticket.authenticated);
        if starts > now.plus_seconds(skew) || ticket.flags.has(TicketFlags::INVALID) {
            let code = ErrorCode::KRB_AP_ERR_TKT_NYV;
            return Err(Error::rejected(code, "the ticket is not valid yet"));
        }
        if ticket.ends.plus_seconds(skew) < now {
            let code = ErrorCode::KRB_AP_ERR_TKT_EXPIRED;
            return Err(Error::rejected(code, "the ticket has ended"));
        }
        Ok(())
    }

    fn open_authenticator(
        &self,
        request: &ApReq,
        ticket: &EncTicketPart,
    ) -> Result<Authenticator, Error> {
        let usage = Usage::AP_REQ_AUTHENTICATOR;
        let plain =
            request.authenticator.open(&ticket.key, usage, "authenticator").map_err(|_| {
                let code = ErrorCode::KRB_AP_ERR_BAD_INTEGRITY;
                Error::rejected(code, "the ticket's key does not open the authenticator")
            })?;
        let authenticator = Authenticator::read(&plain)?;
        if !authenticator.cname.same(&ticket.cname)
            || !authenticator.crealm.eq_ignore_ascii_case(&ticket.crealm)
        {
            let code = ErrorCode::KRB_AP_ERR_BADMATCH;
            return Err(Error::rejected(code, "ticket and authenticator name different clients"));
        }
        let skew = authenticator.time.unix() - self.config.clock.now().unix();
        if skew.abs() > self.config.skew_seconds_max {
            let code = ErrorCode::KRB_AP_ERR_SKEW;
            return Err(Error::rejected(code, "the clocks differ by too much"));
        }
        Ok(authenticator)
    }

    /// Reads the flags, and checks the channel bindings (RFC 4121, section 4.1.1).
    fn check_checksum(&self, checksum: Option<&Checksum>) -> Result<GssFlags, Error> {
        let code = ErrorCode::KRB_AP_ERR_INAPP_CKSUM;
        let checksum = checksum
            .filter(|checksum| checksum.kind == Checksum::GSS)
            .ok_or(Error::rejected(code, "the authenticator has no GSS-API checksum"))?;
        let (bindings, flags) = read_gss_checksum(&checksum.bytes)
            .ok_or(Error::rejected(code, "the GSS-API checksum is malformed"))?;
        let is_sent = bindings != NO_BINDINGS;
        match (self.config.binding_policy, &self.config.bindings) {
            (BindingPolicy::Off, _) | (_, None) => {}
            (BindingPolicy::IfSent, Some(_)) if !is_sent => {}
            (_, Some(own)) if bindings == own.hash => {}
            (_, Some(_)) => {
                let found = if is_sent { "those of another connection" } else { "missing" };
                return Err(Error::ChannelBindings { found });
            }
        }
        Ok(flags)
    }
}

impl AcceptorConfig {
    /// An acceptor with the usual limits and no TLS around it.
    pub fn new(service: PrincipalName, realm: &str, keys: Vec<Arc<Keys>>, clock: Clock) -> Self {
        Self {
            service: Principal { name: service, realm: realm.to_owned() },
            keys,
            clock,
            skew_seconds_max: 300,
            bindings: None,
            binding_policy: BindingPolicy::default(),
        }
    }
}

pub(crate) const NO_BINDINGS: [u8; 16] = [0; 16];

/// The checksum that says what a client wants.
pub(crate) fn write_gss_checksum(bindings: Option<&ChannelBindings>, flags: GssFlags) -> Checksum {
    let hash = bindings.map_or(NO_BINDINGS, |bindings| bindings.hash);
    let bytes = [&BINDINGS_BYTES.to_le_bytes(), hash.as_slice(), &flags.0.to_le_bytes()].concat();
    Checksum { kind: Checksum::GSS, bytes }
}

/// What follows the flags, such as a delegated ticket, is passed over.
fn read_gss_checksum(bytes: &[u8]) -> Option<([u8; 16], GssFlags)> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (bindings, rest) = rest.split_first_chunk::<16>()?;
    let (flags, _) = rest.split_first_chunk::<4>()?;
    let well_formed = u32::from_le_bytes(*length) == BINDINGS_BYTES;
    well_formed.then(|| (*bindings, GssFlags(u32::from_le_bytes(*flags))))
}

const BINDINGS_BYTES: u32 = 16;

//! Requests to a KDC, tickets, and answers.

use ground::Timestamp;

use super::{
    PVNO, authorization,
    common::{EncryptedData, EncryptionKey, PaData, encode_pa_list, read_pa_list},
};
use crate::{
    crypto::{EtypeNumber, Key},
    der::{self, Reader},
    error::Error,
    flags::flags,
    principal::PrincipalName,
};

flags! {
    /// What a client asks of a KDC (RFC 4120, section 5.4.1; RFC 6806, section 7).
    KdcOptions {
        /// Tickets for other networks may be made of it.
        FORWARDABLE = 0x4000_0000,
        /// A ticket to be handed to another host.
        FORWARDED = 0x2000_0000,
        /// As forwardable, for services only.
        PROXIABLE = 0x1000_0000,
        /// As forwarded, for a service.
        PROXY = 0x0800_0000,
        /// Postdated tickets may be made of it.
        ALLOW_POSTDATE = 0x0400_0000,
        /// A ticket that begins later.
        POSTDATED = 0x0200_0000,
        /// It may be renewed.
        RENEWABLE = 0x0080_0000,
        /// S4U2proxy ([MS-SFU] 2.2.3).
        CNAME_IN_ADDITIONAL_TICKET = 0x0002_0000,
        /// Names in the answer may be other than those in the request.
        CANONICALIZE = 0x0001_0000,
        /// A renewable ticket instead of one that ends too soon.
        RENEWABLE_OK = 0x0000_0010,
        /// Encrypted for the session key of the additional ticket: user to user.
        ENCRYPTED_IN_SESSION_KEY = 0x0000_0008,
        /// A later end for a renewable ticket.
        RENEW = 0x0000_0002,
        /// A postdated ticket made valid.
        VALIDATE = 0x0000_0001,
    }
}

flags! {
    /// What a ticket says of itself (RFC 4120, section 5.3).
    TicketFlags {
        /// See [`KdcOptions::FORWARDABLE`].
        FORWARDABLE = 0x4000_0000,
        /// It was forwarded, or made of one that was.
        FORWARDED = 0x2000_0000,
        /// See [`KdcOptions::PROXIABLE`].
        PROXIABLE = 0x1000_0000,
        /// See [`KdcOptions::PROXY`].
        PROXY = 0x0800_0000,
        /// It must be validated before use.
        INVALID = 0x0100_0000,
        /// It can be renewed.
        RENEWABLE = 0x0080_0000,
        /// It was got with a password.
        INITIAL = 0x0040_0000,
        /// The client has proved that it knows the password.
        PRE_AUTHENTICATED = 0x0020_0000,
        /// The realms that it passed through were found right.
        TRANSITED_POLICY_CHECKED = 0x0008_0000,
        /// The service may be trusted with a forwarded ticket.
        OK_AS_DELEGATE = 0x0004_0000,
        /// The answer repeats the request under encryption (RFC 6806, section 11).
        ENC_PA_REP = 0x0001_0000,
    }
}

/// Which of the two exchanges with a KDC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exchange {
    /// With the authentication service.
    As,
    /// With the ticket-granting service.
    Tgs,
}

impl Exchange {
    pub(crate) const fn request_tag(self) -> u8 {
        match self {
            Self::As => 10,
            Self::Tgs => 12,
        }
    }

    const fn reply_tag(self) -> u8 {
        match self {
            Self::As => 11,
            Self::Tgs => 13,
        }
    }

    const fn encrypted_part_tag(self) -> u8 {
        match self {
            Self::As => 25,
            Self::Tgs => 26,
        }
    }
}

/// AS-REQ and TGS-REQ.
#[derive(Clone, Debug)]
pub(crate) struct KdcReq {
    pub(crate) version: i32,
    pub(crate) padata: Vec<PaData>,
    pub(crate) body: KdcReqBody,
    /// The body as it came, which the authenticator of a TGS-REQ has a checksum of.
    pub(crate) body_bytes: Vec<u8>,
    /// All of it as it came, which an AS-REP has a checksum of.
    pub(crate) bytes: Vec<u8>,
}

/// KDC-REQ-BODY.
#[derive(Clone, Debug)]
pub(crate) struct KdcReqBody {
    pub(crate) options: KdcOptions,
    pub(crate) cname: Option<PrincipalName>,
    pub(crate) realm: String,
    pub(crate) sname: Option<PrincipalName>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) till: Timestamp,
    pub(crate) renew_till: Option<Timestamp>,
    /// A UInt32, which Heimdal writes as an Int32. It goes back as it came.
    pub(crate) nonce: i64,
    pub(crate) etypes: Vec<EtypeNumber>,
    /// HostAddresses, as they came.
    pub(crate) addresses: Option<Vec<u8>>,
    pub(crate) additional_tickets: Vec<Ticket>,
}

impl KdcReq {
    pub(crate) fn read(exchange: Exchange, bytes: &[u8]) -> Result<Self, Error> {
        let what = match exchange {
            Exchange::As => "AS-REQ",
            Exchange::Tgs => "TGS-REQ",
        };
        let mut outer = Reader::whole(what, bytes, der::application(exchange.request_tag()))?;
        let mut request = outer.sequence()?;
        let version = request.field(1, Reader::int32)?;
        if request.field(2, Reader::int32)? != i32::from(exchange.request_tag()) {
            return Err(request.malformed());
        }
        let padata = request.optional_field(3, read_pa_list)?.unwrap_or_default();
        let mut body = request.element(der::context(4))?;
        let body_bytes = body.rest().to_vec();
        let body = KdcReqBody::read(&mut body)?;
        Ok(Self { version, padata, body, body_bytes, bytes: bytes.to_vec() })
    }

    pub(crate) fn encode(exchange: Exchange, padata: &[PaData], body: &KdcReqBody) -> Vec<u8> {
        let padata = (!padata.is_empty()).then(|| encode_pa_list(padata));
        let request = der::sequence([
            der::field(1, der::integer(PVNO)),
            der::field(2, der::integer(exchange.request_tag())),
            der::optional_field(3, padata),
            der::field(4, body.encode()),
        ]);
        der::element(der::application(exchange.request_tag()), &request)
    }

    pub(crate) fn padata(&self, kind: i32) -> Option<&[u8]> {
        self.padata.iter().find(|data| data.kind == kind).map(|data| data.value.as_slice())
    }
}

impl KdcReqBody {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let mut body = reader.sequence()?;
        let options = KdcOptions(body.field(0, Reader::flags)?);
        let cname = body.optional_field(1, PrincipalName::read)?;
        let realm = body.field(2, Reader::text)?;
        let sname = body.optional_field(3, PrincipalName::read)?;
        let from = body.optional_field(4, Reader::time)?;
        let till = body.field(5, Reader::time)?;
        let renew_till = body.optional_field(6, Reader::time)?;
        let nonce = body.field(7, Reader::integer)?;
        let etypes = body.field(8, |etypes| etypes.list(Reader::int32))?;
        let addresses = body.optional(9)?.map(|addresses| addresses.rest().to_vec());
        // Authorization data: none is passed on.
        body.optional(10)?;
        let additional_tickets =
            body.optional_field(11, |tickets| tickets.list(Ticket::read))?.unwrap_or_default();
        Ok(Self {
            options,
            cname,
            realm,
            sname,
            from,
            till,
            renew_till,
            nonce,
            etypes,
            addresses,
            additional_tickets,
        })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let tickets = &self.additional_tickets;
        let tickets =
            (!tickets.is_empty()).then(|| der::sequence(tickets.iter().map(Ticket::encode)));
        der::sequence([
            der::field(0, der::flags(self.options.0)),
            der::optional_field(1, self.cname.as_ref().map(PrincipalName::encode)),
            der::field(2, der::text(&self.realm)),
            der::optional_field(3, self.sname.as_ref().map(PrincipalName::encode)),
            der::optional_field(4, self.from.map(der::time)),
            der::field(5, der::time(self.till)),
            der::optional_field(6, self.renew_till.map(der::time)),
            der::field(7, der::integer(self.nonce)),
            der::field(8, der::sequence(self.etypes.iter().map(|&etype| der::integer(etype)))),
            der::optional_field(9, self.addresses.clone()),
            der::optional_field(11, tickets),
        ])
    }
}

/// A ticket: who it is for, and what only that one can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) realm: String,
    pub(crate) sname: PrincipalName,
    pub(crate) encrypted: EncryptedData,
}

impl Ticket {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let mut ticket = reader.element(der::application(1))?.sequence()?;
        if ticket.field(0, Reader::int32)? != PVNO {
            return Err(ticket.malformed());
        }
        Ok(Self {
            realm: ticket.field(1, Reader::text)?,
            sname: ticket.field(2, PrincipalName::read)?,
            encrypted: ticket.field(3, EncryptedData::read)?,
        })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let ticket = der::sequence([
            der::field(0, der::integer(PVNO)),
            der::field(1, der::text(&self.realm)),
            der::field(2, self.sname.encode()),
            der::field(3, self.encrypted.encode()),
        ]);
        der::element(der::application(1), &ticket)
    }
}

/// What only the service of a ticket can read.
#[derive(Clone, Debug)]
pub(crate) struct EncTicketPart {
    pub(crate) flags: TicketFlags,
    pub(crate) key: Key,
    pub(crate) crealm: String,
    pub(crate) cname: PrincipalName,
    pub(crate) authenticated: Timestamp,
    pub(crate) starts: Option<Timestamp>,
    pub(crate) ends: Timestamp,
    pub(crate) renew_till: Option<Timestamp>,
    /// HostAddresses, as they were asked for.
    pub(crate) addresses: Option<Vec<u8>>,
    pub(crate) pac: Option<Vec<u8>>,
}

impl EncTicketPart {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let mut part = Reader::whole("ticket", bytes, der::application(3))?.sequence()?;
        let flags = TicketFlags(part.field(0, Reader::flags)?);
        let key = part.field(1, EncryptionKey::read)?;
        let crealm = part.field(2, Reader::text)?;
        let cname = part.field(3, PrincipalName::read)?;
        part.element(der::context(4))?;
        Ok(Self {
            flags,
            key,
            crealm,
            cname,
            authenticated: part.field(5, Reader::time)?,
            starts: part.optional_field(6, Reader::time)?,
            ends: part.field(7, Reader::time)?,
            renew_till: part.optional_field(8, Reader::time)?,
            addresses: part.optional(9)?.map(|addresses| addresses.rest().to_vec()),
            pac: part.optional_field(10, authorization::read_pac)?.flatten(),
        })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        // No realm was passed through: DOMAIN-X500-COMPRESS of nothing.
        let transited =
            der::sequence([der::field(0, der::integer(1)), der::field(1, der::octets(&[]))]);
        let part = der::sequence([
            der::field(0, der::flags(self.flags.0)),
            der::field(1, EncryptionKey::encode(&self.key)),
            der::field(2, der::text(&self.crealm)),
            der::field(3, self.cname.encode()),
            der::field(4, transited),
            der::field(5, der::time(self.authenticated)),
            der::optional_field(6, self.starts.map(der::time)),
            der::field(7, der::time(self.ends)),
            der::optional_field(8, self.renew_till.map(der::time)),
            der::optional_field(9, self.addresses.clone()),
            der::optional_field(10, self.pac.as_deref().map(authorization::encode_pac)),
        ]);
        der::element(der::application(3), &part)
    }
}

/// AS-REP and TGS-REP.
#[derive(Clone, Debug)]
pub(crate) struct KdcRep {
    pub(crate) padata: Vec<PaData>,
    pub(crate) crealm: String,
    pub(crate) cname: PrincipalName,
    pub(crate) ticket: Ticket,
    pub(crate) encrypted: EncryptedData,
}

impl KdcRep {
    pub(crate) fn read(exchange: Exchange, bytes: &[u8]) -> Result<Self, Error> {
        let mut outer = Reader::whole("KDC-REP", bytes, der::application(exchange.reply_tag()))?;
        let mut reply = outer.sequence()?;
        reply.field(0, Reader::int32)?;
        reply.field(1, Reader::int32)?;
        Ok(Self {
            padata: reply.optional_field(2, read_pa_list)?.unwrap_or_default(),
            crealm: reply.field(3, Reader::text)?,
            cname: reply.field(4, PrincipalName::read)?,
            ticket: reply.field(5, Ticket::read)?,
            encrypted: reply.field(6, EncryptedData::read)?,
        })
    }

    pub(crate) fn encode(&self, exchange: Exchange) -> Vec<u8> {
        let padata = (!self.padata.is_empty()).then(|| encode_pa_list(&self.padata));
        let reply = der::sequence([
            der::field(0, der::integer(PVNO)),
            der::field(1, der::integer(exchange.reply_tag())),
            der::optional_field(2, padata),
            der::field(3, der::text(&self.crealm)),
            der::field(4, self.cname.encode()),
            der::field(5, self.ticket.encode()),
            der::field(6, self.encrypted.encode()),
        ]);
        der::element(der::application(exchange.reply_tag()), &reply)
    }
}

/// What only the client of an answer can read.
#[derive(Clone, Debug)]
pub(crate) struct EncKdcRepPart {
    pub(crate) key: Key,
    pub(crate) nonce: i64,
    pub(crate) key_expires: Option<Timestamp>,
    pub(crate) flags: TicketFlags,
    pub(crate) authenticated: Timestamp,
    pub(crate) starts: Option<Timestamp>,
    pub(crate) ends: Timestamp,
    pub(crate) renew_till: Option<Timestamp>,
    pub(crate) srealm: String,
    pub(crate) sname: PrincipalName,
    /// What the KDC knows of the client's past: numbers of RFC 4120, section 5.4.2.
    pub(crate) last_requests: Vec<(i32, Timestamp)>,
    pub(crate) addresses: Option<Vec<u8>>,
    /// What an attacker must not change (RFC 6806, section 11).
    pub(crate) padata: Vec<PaData>,
}

impl EncKdcRepPart {
    /// Reads either kind: KDCs before Windows 2003 and MIT's give that of the other exchange.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let (_, mut outer) = Reader::new("encrypted part of KDC-REP", bytes).any()?;
        let mut part = outer.sequence()?;
        let key = part.field(0, EncryptionKey::read)?;
        let last_requests = part.field(1, |list| {
            list.list(|reader| {
                let mut entry = reader.sequence()?;
                Ok((entry.field(0, Reader::int32)?, entry.field(1, Reader::time)?))
            })
        })?;
        Ok(Self {
            key,
            last_requests,
            nonce: part.field(2, Reader::integer)?,
            key_expires: part.optional_field(3, Reader::time)?,
            flags: TicketFlags(part.field(4, Reader::flags)?),
            authenticated: part.field(5, Reader::time)?,
            starts: part.optional_field(6, Reader::time)?,
            ends: part.field(7, Reader::time)?,
            renew_till: part.optional_field(8, Reader::time)?,
            srealm: part.field(9, Reader::text)?,
            sname: part.field(10, PrincipalName::read)?,
            addresses: part.optional(11)?.map(|addresses| addresses.rest().to_vec()),
            padata: part.optional_field(12, read_pa_list)?.unwrap_or_default(),
        })
    }

    pub(crate) fn encode(&self, exchange: Exchange) -> Vec<u8> {
        let last_requests = self.last_requests.iter().map(|&(kind, time)| {
            der::sequence([der::field(0, der::integer(kind)), der::field(1, der::time(time))])
        });
        let padata = (!self.padata.is_empty()).then(|| encode_pa_list(&self.padata));
        let part = der::sequence([
            der::field(0, EncryptionKey::encode(&self.key)),
            der::field(1, der::sequence(last_requests)),
            der::field(2, der::integer(self.nonce)),
            der::optional_field(3, self.key_expires.map(der::time)),
            der::field(4, der::flags(self.flags.0)),
            der::field(5, der::time(self.authenticated)),
            der::optional_field(6, self.starts.map(der::time)),
            der::field(7, der::time(self.ends)),
            der::optional_field(8, self.renew_till.map(der::time)),
            der::field(9, der::text(&self.srealm)),
            der::field(10, self.sname.encode()),
            der::optional_field(11, self.addresses.clone()),
            der::optional_field(12, padata),
        ]);
        der::element(der::application(exchange.encrypted_part_tag()), &part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_it_was_written() {
        let body = KdcReqBody {
            options: KdcOptions::FORWARDABLE,
            cname: Some(PrincipalName::account("alice")),
            realm: "CORP.EXAMPLE".to_owned(),
            sname: Some(PrincipalName::ticket_granting("CORP.EXAMPLE")),
            from: None,
            till: Timestamp::from_unix(0),
            renew_till: Some(Timestamp::from_unix(1_780_000_000)),
            // Heimdal's, which are Int32.
            nonce: -2,
            etypes: vec![18, 17, 23, -133],
            addresses: None,
            additional_tickets: Vec::new(),
        };
        let padata = [PaData::new(149, Vec::new())];
        let bytes = KdcReq::encode(Exchange::As, &padata, &body);
        let read = KdcReq::read(Exchange::As, &bytes).unwrap();
        assert_eq!(read.padata, padata);
        assert_eq!(read.body.nonce, -2);
        assert_eq!(read.body_bytes, body.encode());
        assert_eq!(KdcReq::encode(Exchange::As, &read.padata, &read.body), bytes);
        let error = KdcReq::read(Exchange::Tgs, &bytes).unwrap_err();
        assert_eq!(error, Error::Tag { what: "TGS-REQ", expected: 0x6c, found: 0x6a });
    }
}

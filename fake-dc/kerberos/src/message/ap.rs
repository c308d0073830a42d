//! The exchange between a client and a service: tickets shown, and the answer that proves the
//! service.

use ground::Timestamp;

use super::{
    PVNO,
    common::{Checksum, EncryptedData, EncryptionKey},
    kdc::Ticket,
};
use crate::{
    crypto::Key,
    der::{self, Reader},
    error::Error,
    principal::PrincipalName,
};

/// Options of an AP-REQ (RFC 4120, section 5.5.1).
pub(crate) mod ap_options {
    pub(crate) const MUTUAL_REQUIRED: u32 = 0x2000_0000;
}

/// AP-REQ.
#[derive(Clone, Debug)]
pub(crate) struct ApReq {
    pub(crate) options: u32,
    pub(crate) ticket: Ticket,
    pub(crate) authenticator: EncryptedData,
}

const AP_REQ: u8 = 14;
const AP_REP: u8 = 15;

impl ApReq {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let mut request = Reader::whole("AP-REQ", bytes, der::application(AP_REQ))?.sequence()?;
        request.field(0, Reader::int32)?;
        request.field(1, Reader::int32)?;
        Ok(Self {
            options: request.field(2, Reader::flags)?,
            ticket: request.field(3, Ticket::read)?,
            authenticator: request.field(4, EncryptedData::read)?,
        })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let request = der::sequence([
            der::field(0, der::integer(PVNO)),
            der::field(1, der::integer(AP_REQ)),
            der::field(2, der::flags(self.options)),
            der::field(3, self.ticket.encode()),
            der::field(4, self.authenticator.encode()),
        ]);
        der::element(der::application(AP_REQ), &request)
    }
}

/// What proves that who shows a ticket knows its key, now.
#[derive(Clone, Debug)]
pub(crate) struct Authenticator {
    pub(crate) crealm: String,
    pub(crate) cname: PrincipalName,
    pub(crate) checksum: Option<Checksum>,
    pub(crate) time: Timestamp,
    pub(crate) micros: i32,
    pub(crate) subkey: Option<Key>,
    pub(crate) sequence: Option<u32>,
}

impl Authenticator {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let mut outer = Reader::whole("authenticator", bytes, der::application(2))?;
        let mut authenticator = outer.sequence()?;
        authenticator.field(0, Reader::int32)?;
        Ok(Self {
            crealm: authenticator.field(1, Reader::text)?,
            cname: authenticator.field(2, PrincipalName::read)?,
            checksum: authenticator.optional_field(3, Checksum::read)?,
            micros: authenticator.field(4, Reader::int32)?,
            time: authenticator.field(5, Reader::time)?,
            subkey: authenticator.optional_field(6, EncryptionKey::read)?,
            sequence: authenticator.optional_field(7, Reader::uint32)?,
        })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let authenticator = der::sequence([
            der::field(0, der::integer(PVNO)),
            der::field(1, der::text(&self.crealm)),
            der::field(2, self.cname.encode()),
            der::optional_field(3, self.checksum.as_ref().map(Checksum::encode)),
            der::field(4, der::integer(self.micros)),
            der::field(5, der::time(self.time)),
            der::optional_field(6, self.subkey.as_ref().map(EncryptionKey::encode)),
            der::optional_field(7, self.sequence.map(der::integer)),
        ]);
        der::element(der::application(2), &authenticator)
    }
}

/// AP-REP.
#[derive(Clone, Debug)]
pub(crate) struct ApRep {
    pub(crate) encrypted: EncryptedData,
}

impl ApRep {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let mut reply = Reader::whole("AP-REP", bytes, der::application(AP_REP))?.sequence()?;
        reply.field(0, Reader::int32)?;
        reply.field(1, Reader::int32)?;
        Ok(Self { encrypted: reply.field(2, EncryptedData::read)? })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let reply = der::sequence([
            der::field(0, der::integer(PVNO)),
            der::field(1, der::integer(AP_REP)),
            der::field(2, self.encrypted.encode()),
        ]);
        der::element(der::application(AP_REP), &reply)
    }
}

/// What only the client of an AP-REP can read.
#[derive(Clone, Debug)]
pub(crate) struct EncApRepPart {
    /// Time of the authenticator that it answers.
    pub(crate) time: Timestamp,
    pub(crate) micros: i32,
    pub(crate) subkey: Option<Key>,
    pub(crate) sequence: Option<u32>,
}

impl EncApRepPart {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let mut outer = Reader::whole("encrypted part of AP-REP", bytes, der::application(27))?;
        let mut part = outer.sequence()?;
        Ok(Self {
            time: part.field(0, Reader::time)?,
            micros: part.field(1, Reader::int32)?,
            subkey: part.optional_field(2, EncryptionKey::read)?,
            sequence: part.optional_field(3, Reader::uint32)?,
        })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let part = der::sequence([
            der::field(0, der::time(self.time)),
            der::field(1, der::integer(self.micros)),
            der::optional_field(2, self.subkey.as_ref().map(EncryptionKey::encode)),
            der::optional_field(3, self.sequence.map(der::integer)),
        ]);
        der::element(der::application(27), &part)
    }
}

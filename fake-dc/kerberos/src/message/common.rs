//! What several messages are made of.

use crate::{
    crypto::{Etype, EtypeNumber, Key, Usage},
    der::{self, Reader},
    error::Error,
};
use ground::Stream;

/// Cipher text and what is needed to find its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EncryptedData {
    pub(crate) etype: EtypeNumber,
    /// Version of the key.
    pub(crate) kvno: Option<u32>,
    pub(crate) cipher: Vec<u8>,
}

impl EncryptedData {
    pub(crate) fn seal(
        key: &Key,
        kvno: Option<u32>,
        usage: Usage,
        plain: &[u8],
        random: &mut Stream,
    ) -> Self {
        let cipher = key.encrypt(usage, plain, random);
        Self { etype: key.etype().number(), kvno, cipher }
    }

    /// The plain text, if `key` has the encryption type.
    pub(crate) fn open(
        &self,
        key: &Key,
        usage: Usage,
        what: &'static str,
    ) -> Result<Vec<u8>, Error> {
        if self.etype != key.etype().number() {
            return Err(Error::NoKey { what, found: self.etype });
        }
        key.decrypt(usage, &self.cipher, what)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let mut data = reader.sequence()?;
        Ok(Self {
            etype: data.field(0, Reader::int32)?,
            kvno: data.optional_field(1, Reader::uint32)?,
            cipher: data.field(2, Reader::octets)?.to_vec(),
        })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        der::sequence([
            der::field(0, der::integer(self.etype)),
            der::optional_field(1, self.kvno.map(der::integer)),
            der::field(2, der::octets(&self.cipher)),
        ])
    }
}

/// A key inside a message.
pub(crate) struct EncryptionKey;

impl EncryptionKey {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Key, Error> {
        let mut key = reader.sequence()?;
        let number = key.field(0, Reader::int32)?;
        let bytes = key.field(1, Reader::octets)?;
        let etype = Etype::from_number(number)
            .ok_or(Error::NoKey { what: "an encrypted part", found: number })?;
        Key::new(etype, bytes).ok_or(Error::Malformed { what: "key" })
    }

    pub(crate) fn encode(key: &Key) -> Vec<u8> {
        der::sequence([
            der::field(0, der::integer(key.etype().number())),
            der::field(1, der::octets(key.expose())),
        ])
    }
}

/// A checksum and its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checksum {
    pub(crate) kind: i32,
    pub(crate) bytes: Vec<u8>,
}

impl Checksum {
    /// Carries flags and channel bindings of GSS-API (RFC 4121, section 4.1.1).
    pub(crate) const GSS: i32 = 0x8003;

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let mut checksum = reader.sequence()?;
        Ok(Self {
            kind: checksum.field(0, Reader::int32)?,
            bytes: checksum.field(1, Reader::octets)?.to_vec(),
        })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        der::sequence([
            der::field(0, der::integer(self.kind)),
            der::field(1, der::octets(&self.bytes)),
        ])
    }
}

/// One element of pre-authentication data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PaData {
    pub(crate) kind: i32,
    pub(crate) value: Vec<u8>,
}

/// Numbers of pre-authentication data (RFC 4120, section 7.5.2).
pub(crate) mod pa {
    pub(crate) const TGS_REQ: i32 = 1;
    pub(crate) const ENC_TIMESTAMP: i32 = 2;
    /// What Heimdal calls `KRB5_PADATA_PK_AS_REP_WIN`, and Windows sends for its clients of 2003.
    pub(crate) const PK_AS_REP_OLD: i32 = 15;
    pub(crate) const PK_AS_REQ: i32 = 16;
    pub(crate) const ETYPE_INFO2: i32 = 19;
    /// Whether a client wants a PAC ([MS-KILE] 2.2.3).
    pub(crate) const PAC_REQUEST: i32 = 128;
    /// RFC 6806, section 11.
    pub(crate) const REQ_ENC_PA_REP: i32 = 149;
    /// RFC 8070.
    pub(crate) const AS_FRESHNESS: i32 = 150;
    /// [MS-KILE] 2.2.8.
    pub(crate) const SUPPORTED_ETYPES: i32 = 165;
    /// S4U2self ([MS-SFU] 2.2.1).
    pub(crate) const FOR_USER: i32 = 129;
}

impl PaData {
    pub(crate) fn new(kind: i32, value: Vec<u8>) -> Self {
        Self { kind, value }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let mut data = reader.sequence()?;
        Ok(Self {
            kind: data.field(1, Reader::int32)?,
            value: data.field(2, Reader::octets)?.to_vec(),
        })
    }

    fn encode(&self) -> Vec<u8> {
        der::sequence([
            der::field(1, der::integer(self.kind)),
            der::field(2, der::octets(&self.value)),
        ])
    }
}

pub(crate) fn read_pa_list(reader: &mut Reader<'_>) -> Result<Vec<PaData>, Error> {
    reader.list(PaData::read)
}

pub(crate) fn encode_pa_list(list: &[PaData]) -> Vec<u8> {
    der::sequence(list.iter().map(PaData::encode))
}

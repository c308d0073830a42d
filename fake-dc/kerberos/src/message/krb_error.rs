//! KRB-ERROR and what it carries.

use ground::Timestamp;

use super::{ErrorCode, PVNO};
use crate::{
    crypto::EtypeNumber,
    der::{self, Reader},
    error::Error,
    principal::{Principal, PrincipalName},
};

/// KRB-ERROR, with the fields that Windows or Samba give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KrbError {
    pub(crate) time: Timestamp,
    pub(crate) code: ErrorCode,
    pub(crate) realm: String,
    pub(crate) sname: PrincipalName,
    /// Who asked, where the KDC repeats that.
    pub(crate) client: Option<Principal>,
    pub(crate) text: Option<String>,
    pub(crate) data: Option<Vec<u8>>,
}

impl KrbError {
    pub(crate) const TAG: u8 = 30;

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let mut error =
            Reader::whole("KRB-ERROR", bytes, der::application(Self::TAG))?.sequence()?;
        error.field(0, Reader::int32)?;
        error.field(1, Reader::int32)?;
        error.optional(2)?;
        error.optional(3)?;
        let time = error.field(4, Reader::time)?;
        error.field(5, Reader::int32)?;
        let code = ErrorCode(error.field(6, Reader::int32)?);
        let crealm = error.optional_field(7, Reader::text)?;
        let cname = error.optional_field(8, PrincipalName::read)?;
        let realm = error.field(9, Reader::text)?;
        let sname = error.field(10, PrincipalName::read)?;
        let text = error.optional_field(11, Reader::text)?;
        let data = error.optional_field(12, Reader::octets)?.map(<[u8]>::to_vec);
        let client = crealm.zip(cname).map(|(realm, name)| Principal { name, realm });
        Ok(Self { time, code, realm, sname, client, text, data })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        // Less than a million.
        let micros = self.time.unix_micros().rem_euclid(1_000_000);
        let error = der::sequence([
            der::field(0, der::integer(PVNO)),
            der::field(1, der::integer(Self::TAG)),
            der::field(4, der::time(self.time)),
            der::field(5, der::integer(micros)),
            der::field(6, der::integer(self.code.0)),
            der::optional_field(7, self.client.as_ref().map(|client| der::text(&client.realm))),
            der::optional_field(8, self.client.as_ref().map(|client| client.name.encode())),
            der::field(9, der::text(&self.realm)),
            der::field(10, self.sname.encode()),
            der::optional_field(11, self.text.as_deref().map(der::text)),
            der::optional_field(12, self.data.as_deref().map(der::octets)),
        ]);
        der::element(der::application(Self::TAG), &error)
    }
}

/// The status of Windows behind a refusal: KERB-ERROR-DATA with KERB-EXT-ERROR ([MS-KILE] 2.2.1
/// and 2.2.2).
pub(crate) fn extended_error(nt_status: u32) -> Vec<u8> {
    const KERB_ERR_TYPE_EXTENDED: i32 = 3;
    const FLAGS: u32 = 1;
    let mut value = [0; 12];
    value[..4].copy_from_slice(&nt_status.to_le_bytes());
    value[8..].copy_from_slice(&FLAGS.to_le_bytes());
    der::sequence([
        der::field(1, der::integer(KERB_ERR_TYPE_EXTENDED)),
        der::field(2, der::octets(&value)),
    ])
}

/// ETYPE-INFO2-ENTRY: an encryption type and how its key comes from the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EtypeInfo {
    pub(crate) etype: EtypeNumber,
    pub(crate) salt: Option<String>,
    /// `s2kparams`: four bytes for AES.
    pub(crate) rounds: Option<u32>,
}

impl EtypeInfo {
    pub(crate) fn read_list(bytes: &[u8]) -> Result<Vec<Self>, Error> {
        Reader::new("ETYPE-INFO2", bytes).list(|reader| {
            let mut entry = reader.sequence()?;
            let etype = entry.field(0, Reader::int32)?;
            let salt = entry.optional_field(1, Reader::text)?;
            let rounds = entry.optional_field(2, Reader::octets)?;
            let rounds = match rounds.map(<[u8; 4]>::try_from) {
                None => None,
                Some(Ok(octets)) => Some(u32::from_be_bytes(octets)),
                Some(Err(_)) => return Err(entry.malformed()),
            };
            Ok(Self { etype, salt, rounds })
        })
    }

    pub(crate) fn encode_list(list: &[Self]) -> Vec<u8> {
        der::sequence(list.iter().map(|entry| {
            der::sequence([
                der::field(0, der::integer(entry.etype)),
                der::optional_field(1, entry.salt.as_deref().map(der::text)),
                der::optional_field(2, entry.rounds.map(|n| der::octets(&n.to_be_bytes()))),
            ])
        }))
    }
}

/// PA-ENC-TS-ENC: the client's time, which it encrypts with its key.
pub(crate) struct PaTimestamp {
    pub(crate) time: Timestamp,
}

impl PaTimestamp {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let mut stamp = Reader::new("PA-ENC-TIMESTAMP", bytes).sequence()?;
        Ok(Self { time: stamp.field(0, Reader::time)? })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let micros = self.time.unix_micros().rem_euclid(1_000_000);
        der::sequence([der::field(0, der::time(self.time)), der::field(1, der::integer(micros))])
    }
}

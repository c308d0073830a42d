//! KRB-PRIV: bytes that only the two sides of an AP exchange can read (RFC 4120, section 5.7).

use std::net::Ipv4Addr;

use ground::{Stream, Timestamp};

use super::{PVNO, common::EncryptedData};
use crate::{
    crypto::{Key, Usage},
    der::{self, Reader},
    error::Error,
};

const KRB_PRIV: u8 = 21;

/// Opens a message, and gives what is in it.
pub(crate) fn open_private(bytes: &[u8], key: &Key) -> Result<Vec<u8>, Error> {
    let mut message = Reader::whole("KRB-PRIV", bytes, der::application(KRB_PRIV))?.sequence()?;
    message.field(0, Reader::int32)?;
    message.field(1, Reader::int32)?;
    let encrypted = message.field(3, EncryptedData::read)?;
    let plain = encrypted.open(key, Usage::KRB_PRIV, "KRB-PRIV")?;
    let mut outer = Reader::whole("KRB-PRIV", &plain, der::application(28))?;
    let data = outer.sequence()?.field(0, Reader::octets)?;
    Ok(data.to_vec())
}

/// Seals `data` for whoever has `key`.
pub(crate) fn seal_private(
    data: &[u8],
    key: &Key,
    sender: Ipv4Addr,
    (now, sequence): (Timestamp, u32),
    random: &mut Stream,
) -> Vec<u8> {
    const IPV4: i32 = 2;
    let address = [der::field(0, der::integer(IPV4)), der::field(1, der::octets(&sender.octets()))];
    let part = der::sequence([
        der::field(0, der::octets(data)),
        der::field(1, der::time(now)),
        der::field(2, der::integer(now.unix_micros().rem_euclid(1_000_000))),
        der::field(3, der::integer(sequence)),
        der::field(4, der::sequence(address)),
    ]);
    let part = der::element(der::application(28), &part);
    let encrypted = EncryptedData::seal(key, None, Usage::KRB_PRIV, &part, random);
    let message = der::sequence([
        der::field(0, der::integer(PVNO)),
        der::field(1, der::integer(KRB_PRIV)),
        der::field(3, encrypted.encode()),
    ]);
    der::element(der::application(KRB_PRIV), &message)
}

//! Authorization data of a ticket: where the PAC is kept (RFC 4120, section 5.2.6; [MS-PAC] 2.1).

use crate::{
    der::{self, Reader},
    error::Error,
};

const AD_IF_RELEVANT: i32 = 1;
const AD_WIN2K_PAC: i32 = 128;

/// The PAC, if there is one.
pub(super) fn read_pac(reader: &mut Reader<'_>) -> Result<Option<Vec<u8>>, Error> {
    for (kind, data) in elements(reader)? {
        if kind != AD_IF_RELEVANT {
            continue;
        }
        let inner = elements(&mut Reader::new("authorization data", data))?;
        if let Some((_, pac)) = inner.iter().find(|(kind, _)| *kind == AD_WIN2K_PAC) {
            return Ok(Some(pac.to_vec()));
        }
    }
    Ok(None)
}

/// Authorization data that is a PAC alone.
pub(super) fn encode_pac(pac: &[u8]) -> Vec<u8> {
    let element = |kind: i32, data: &[u8]| {
        let fields = [der::field(0, der::integer(kind)), der::field(1, der::octets(data))];
        der::sequence([der::sequence(fields)])
    };
    element(AD_IF_RELEVANT, &element(AD_WIN2K_PAC, pac))
}

fn elements<'a>(reader: &mut Reader<'a>) -> Result<Vec<(i32, &'a [u8])>, Error> {
    reader.list(|reader| {
        let mut element = reader.sequence()?;
        Ok((element.field(0, Reader::int32)?, element.field(1, Reader::octets)?))
    })
}

//! The frame of initial tokens (RFC 2743, section 3.1): a mechanism, and what is its own.

use crate::{
    der::{self, Reader},
    error::Error,
    limits,
};

/// An object identifier of a mechanism: the content octets of its DER form.
pub(crate) mod oid {
    /// Kerberos, 1.2.840.113554.1.2.2.
    pub(crate) const KERBEROS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2];
    /// Kerberos as Windows 2000 misspelt it and all clients still offer it, 1.2.840.48018.1.2.2.
    pub(crate) const MS_KERBEROS: &[u8] = &[0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 1, 2, 2];
    /// SPNEGO, 1.3.6.1.5.5.2.
    pub(crate) const SPNEGO: &[u8] = &[0x2b, 6, 1, 5, 5, 2];
}

/// Identifiers of Kerberos' own tokens (RFC 4121, section 4.1).
pub(crate) mod id {
    pub(crate) const AP_REQ: [u8; 2] = [1, 0];
    pub(crate) const AP_REP: [u8; 2] = [2, 0];
    pub(crate) const ERROR: [u8; 2] = [3, 0];
}

/// A token of `mechanism`.
pub(crate) fn frame(mechanism: &[u8], inner: &[u8]) -> Vec<u8> {
    let mechanism = der::element(der::OBJECT_IDENTIFIER, mechanism);
    der::element(FRAME, &[mechanism.as_slice(), inner].concat())
}

/// The mechanism of a token, and what is its own.
pub(crate) fn unframe(token: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    if token.len() > limits::TOKEN_BYTES_MAX {
        return Err(Error::TooLarge {
            what: "token",
            found: token.len(),
            limit: limits::TOKEN_BYTES_MAX,
        });
    }
    let mut content = Reader::whole("token", token, FRAME)?;
    let mechanism = content.element(der::OBJECT_IDENTIFIER)?.rest();
    Ok((mechanism, content.rest()))
}

/// A token of Kerberos.
pub(crate) fn frame_kerberos(id: [u8; 2], message: &[u8]) -> Vec<u8> {
    frame(oid::KERBEROS, &[id.as_slice(), message].concat())
}

/// Identifier and message of a token of Kerberos.
pub(crate) fn unframe_kerberos(token: &[u8]) -> Result<([u8; 2], &[u8]), Error> {
    let (mechanism, inner) = unframe(token)?;
    if mechanism != oid::KERBEROS && mechanism != oid::MS_KERBEROS {
        return Err(Error::NoMechanism { proposed: 1 });
    }
    let (id, message) = inner
        .split_first_chunk::<2>()
        .ok_or_else(|| Error::Truncated { what: "token", missing: 2 - inner.len() })?;
    Ok((*id, message))
}

const FRAME: u8 = der::application(0);

//! The messages of Kerberos version 5 (RFC 4120, section 5): fields, reading, writing.

mod ap;
mod authorization;
mod common;
mod error_code;
mod kdc;
mod krb_error;
mod krb_priv;

pub(crate) use self::{
    ap::{ApRep, ApReq, Authenticator, EncApRepPart, ap_options},
    common::{Checksum, EncryptedData, PaData, encode_pa_list, pa, read_pa_list},
    kdc::{EncKdcRepPart, EncTicketPart, Exchange, KdcRep, KdcReq, KdcReqBody, Ticket},
    krb_error::{EtypeInfo, KrbError, PaTimestamp, extended_error},
    krb_priv::{open_private, seal_private},
};
pub use self::{error_code::ErrorCode, kdc::KdcOptions, kdc::TicketFlags};

/// The protocol version number in every message.
const PVNO: i32 = 5;

//! Family `profile`: version, serial number and extensions that do not allow what the certificate
//! is used for, or are malformed.

use crate::{der::Element, extension::Extension, oid};

pub(super) mod authority;
pub(super) mod form;
pub(super) mod leaf;

/// TLS feature 5 (RFC 7633): "must staple".
fn status_request() -> Extension {
    Extension::new(oid::TLS_FEATURE, Element::sequence([Element::integer(5)]))
}

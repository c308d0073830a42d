//! LDAP messages and their BER encoding, in both directions.
//!
//! This crate turns bytes into [`LdapMessage`] values and back. It is for the fake domain
//! controller and for the clients that speak to it; it knows no socket, no TLS and no directory.
//! The one idea: a message is plain data, decoded within [`Limits`] and encoded in the byte style
//! of Samba 4.22's AD DC (shortest definite lengths, `FF` for true, defaults left out).
//!
//! ```
//! use ldap_wire::{Decoded, Filter, LdapMessage, Limits, ProtocolOp, Scope, SearchRequest};
//!
//! let search = SearchRequest {
//!     base: "DC=corp,DC=example".into(),
//!     scope: Scope::WholeSubtree,
//!     filter: Filter::parse("(sAMAccountName=krbtgt)")?,
//!     attributes: vec!["objectSid".into()],
//!     ..SearchRequest::default()
//! };
//! let message = LdapMessage::new(2, ProtocolOp::SearchRequest(search));
//! let bytes = message.encode();
//! let Decoded::Message { message: back, consumed } = ldap_wire::decode(&bytes, &Limits::default())?
//! else {
//!     panic!("a whole message was given");
//! };
//! assert_eq!((back, consumed), (message, bytes.len()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ber;
pub mod controls;
mod decode;
mod encode;
mod error;
mod filter;
mod filter_text;
mod limits;
mod message;
mod result;

pub use controls::Control;
pub use decode::{Decoded, decode};
pub use error::{DecodeError, DecodeErrorKind};
pub use filter::Filter;
pub use filter_text::{FilterError, FilterErrorKind};
pub use limits::{LimitName, Limits};
pub use message::{
    AddRequest, Attribute, Authentication, BindRequest, BindResponse, Change, CompareRequest,
    DerefAliases, ExtendedRequest, ExtendedResponse, IntermediateResponse, LdapMessage,
    ModifyDnRequest, ModifyOperation, ModifyRequest, ProtocolOp, Scope, SearchRequest,
    SearchResultEntry, extended,
};
pub use result::{LdapResult, ResultCode};

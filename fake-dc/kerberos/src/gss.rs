//! GSS-API over Kerberos (RFC 4121), bare and inside SPNEGO (RFC 4178), and the SASL mechanisms
//! made of them.
//!
//! The acceptor behaves like that of Windows Server 2022 ([MS-SPNG], [MS-KILE]) with the words on
//! the wire that Samba's client and MIT's library accept.

mod acceptor;
mod bindings;
mod context;
mod initiator;
mod sasl;
mod spnego;
mod token;

pub use self::{
    acceptor::{Accepted, Acceptor, AcceptorConfig, BindingPolicy},
    bindings::ChannelBindings,
    context::{GssContext, GssFlags, Unwrapped},
    initiator::{Initiator, InitiatorConfig},
    sasl::{Mechanism, Opened, SaslAcceptor, SaslStep, SecurityLayer},
};

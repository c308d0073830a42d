//! TLS as a DC speaks it, with any chain and key served unchecked.
//!
//! ```text
//! hello      what the client said, read first and by ourselves
//! identity   what the DC shows: chain, key, versions, suites
//! handshake  the way from TCP to TLS, and where faults step in
//! flight     the server's first words, to be edited
//! own        a server for what rustls has not got
//! keys       keys that rustls does not sign with
//! ```
//!
//! The usual server is rustls with aws-lc: TLS 1.2 and 1.3, every suite and group of the provider. No
//! session is resumed, so each connection shows the chain.

pub(crate) mod alert;
mod client_auth;
pub(crate) mod flight;
mod handshake;
mod hello;
mod identity;
mod keys;
pub(crate) mod own;
mod sha1_key;
mod spoilt_key;

pub(crate) use self::{
    client_auth::ClientAuth,
    handshake::{below, client_chain, handshake, tls_reason},
    hello::{ClientHello, First},
    identity::{Certificates, Identity, ONLY_TLS12, ONLY_TLS13, Proof, TlsPolicy, fingerprint},
};

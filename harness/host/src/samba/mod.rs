//! A model of the Samba client programs: it acts on what the files under a host's root say.
//!
//! [`Client`] is Samba 4.22's `net` and `wbinfo` as one host would run them. Each command reads
//! `smb.conf`, the trust files and the secrets anew, goes out on the host's [`Network`], and
//! prints what the real program prints; what it did is recorded as [`facts`]. Measured behaviour
//! of the real programs: `fixtures/samba-client`.
//!
//! For a look at a real server from outside of any host there are [`TlsSettings`], read from any
//! smb.conf, and [`capture()`], one handshake.
//!
//! Not modelled: SMB and RPC (a DC that answers the CLDAP ping is taken as one whose RPC works; see
//! `winbind`). Whether a certificate is accepted is not decided here but in `trust-verdict`.
//!
//! [`Network`]: crate::Network

mod ads;
mod capture;
mod cldap;
mod client;
mod commands;
mod connect_error;
mod console;
mod dns;
pub mod facts;
mod kerberos;
mod ldap;
mod netlogon;
mod nt_status;
mod possession;
mod searches;
mod secrets;
mod smb_conf;
mod sockets;
mod timeouts;
mod tls;
mod tls_settings;
mod trust;
mod values;
mod watched;
mod winbind;

pub use capture::{CaptureError, capture};
pub use client::Client;
pub(crate) use secrets::Secrets;
pub(crate) use smb_conf::Settings;
pub use tls_settings::{TlsSettings, TrustPath};

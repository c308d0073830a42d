//! Kerberos of the Active Directory family: a KDC, its clients, and [`gss`] on top of the tickets.
//!
//! Everything here is a function over bytes, a clock and a stream of random numbers. Sockets are
//! the server's, accounts come through [`PrincipalDb`]. The types of messages are our own: they
//! take what deployed clients send (Heimdal's negative nonces) and write what Windows writes.
//!
//! ```
//! use std::sync::Arc;
//!
//! use fake_dc_kerberos::{
//!     AsExchange, AsOutcome, ClientSecret, Kdc, Keys, Principal, PrincipalDb, PrincipalEntry,
//!     PrincipalName, Salt,
//! };
//! use ground::{Secret, Seed, Timestamp, Transport, VirtualClock};
//!
//! struct Accounts(Vec<PrincipalEntry>);
//!
//! impl PrincipalDb for Accounts {
//!     fn lookup(&self, name: &PrincipalName) -> Option<PrincipalEntry> {
//!         self.0.iter().find(|entry| entry.name.same(name)).cloned()
//!     }
//! }
//!
//! let password = Secret::new("Passw0rd!Lab1");
//! let account = |name, salt: String| {
//!     PrincipalEntry::new(name, Arc::new(Keys::from_password(&password, salt, 2)))
//! };
//! let accounts = Accounts(vec![
//!     account(PrincipalName::ticket_granting("CORP.EXAMPLE"), "CORP.EXAMPLEkrbtgt".to_owned()),
//!     account(PrincipalName::account("alice"), Salt::of_user("CORP.EXAMPLE", "alice")),
//! ]);
//!
//! let clock = VirtualClock::starting_at(Timestamp::from_unix(1_780_000_000)).clock();
//! let kdc = Kdc::new("corp.example", "CORP", accounts, clock.clone());
//! let mut random = Seed::new(1).stream("kerberos");
//!
//! let alice = Principal { name: PrincipalName::account("alice"), realm: "CORP.EXAMPLE".into() };
//! let secret = ClientSecret::Password(password.clone());
//! let mut exchange = AsExchange::new(alice, secret, clock, &mut random);
//! let granting = loop {
//!     let answer = kdc.answer(exchange.request(), Transport::Tcp, &mut random)?;
//!     if let AsOutcome::Ticket(ticket) = exchange.answer(&answer.bytes, &mut random)? {
//!         break ticket;
//!     }
//! };
//! assert_eq!(granting.service.to_string(), "krbtgt/CORP.EXAMPLE@CORP.EXAMPLE");
//! # Ok::<(), fake_dc_kerberos::Error>(())
//! ```

mod client;
mod crypto;
mod db;
mod der;
mod error;
mod flags;
mod frame;
pub mod gss;
mod kdc;
mod keytab;
pub mod limits;
mod message;
mod pac;
mod password_change;
mod principal;

pub use client::{AsExchange, AsOutcome, ClientSecret, Credential, TgsExchange, refusal_code};
pub use crypto::{DEFAULT_ROUNDS, Etype, EtypeNumber, Key};
pub use db::{AccountState, KeyCache, Keys, Partner, PrincipalDb, PrincipalEntry};
pub use error::Error;
pub use frame::{Frame, frame, unframe};
pub use kdc::{Answer, Kdc, KdcFlavour, KdcPolicy, Summary};
pub use keytab::Keytab;
pub use message::{ErrorCode, KdcOptions, TicketFlags};
pub use pac::LogonInfo;
pub use password_change::{PasswordChange, PasswordRefusal, PasswordResult};
pub use principal::{NameKind, Principal, PrincipalName, Salt};

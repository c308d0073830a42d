//! One client's connection to one DC, as far as the directory is concerned.

use std::net::IpAddr;

use ldap_wire::LdapMessage;

use crate::{
    config::DcView, entry_name::EntryName, external::ShownCertificate, page::OpenPages, sid::Sid,
    store::EntryId,
};

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Not at all.
    None,
    /// By SASL sign and seal.
    Sealed,
    /// By TLS.
    Tls,
}

/// What the directory remembers of one connection.
#[derive(Debug)]
pub struct Session {
    pub(crate) dc: DcView,
    /// Where the client is, if that is known.
    pub(crate) client: Option<IpAddr>,
    /// Whether this is no connection at all but a datagram.
    pub(crate) is_datagram: bool,
    pub(crate) protection: Protection,
    pub(crate) bound: Option<EntryId>,
    /// Who is bound in place of an account of this domain.
    pub(crate) foreign: Option<ForeignPrincipal>,
    pub(crate) global_catalog: bool,
    /// What it has shown, if that is good.
    pub(crate) certificate: Option<Box<ShownCertificate>>,
    pub(crate) pages: OpenPages,
    /// The base of the last search as it was written, and as it was read.
    base: Option<(String, Option<EntryName>)>,
}

impl Session {
    pub(crate) fn new(dc: DcView, protection: Protection) -> Self {
        Self {
            dc,
            client: None,
            is_datagram: false,
            protection,
            bound: None,
            foreign: None,
            global_catalog: false,
            certificate: None,
            pages: OpenPages::default(),
            base: None,
        }
    }

    /// Reads the base of a search; `None` if it is no name. Most clients search below one base.
    pub(crate) fn read_base(&mut self, text: &str) -> Option<EntryName> {
        match &self.base {
            Some((last, name)) if last == text => name.clone(),
            _ => {
                let name = EntryName::parse(text).ok();
                self.base.insert((text.to_owned(), name)).1.clone()
            }
        }
    }

    /// The same session of a client at that address, by which the DC knows the client's site.
    #[must_use]
    pub fn coming_from(mut self, client: Option<IpAddr>) -> Self {
        self.client = client;
        self
    }

    /// The same session on a global catalogue port (3268, 3269): the empty base is the forest.
    #[must_use]
    pub fn on_global_catalog(mut self) -> Self {
        self.global_catalog = true;
        self
    }

    /// Tells the session that the DC has changed in what it says of itself.
    pub fn set_dc(&mut self, dc: DcView) {
        self.dc = dc;
    }

    /// How the connection is protected now.
    pub fn protection(&self) -> Protection {
        self.protection
    }

    /// Tells the session that TLS is up, after [`Then::StartTls`].
    pub fn tls_started(&mut self) {
        self.protection = Protection::Tls;
    }

    /// Makes the client nobody.
    pub(crate) fn forget_client(&mut self) {
        self.bound = None;
        self.foreign = None;
    }

    /// True once a client has authenticated.
    pub fn is_bound(&self) -> bool {
        self.bound.is_some() || self.foreign.is_some()
    }
}

/// A client of a domain that this one trusts, as its ticket tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignPrincipal {
    /// NetBIOS name of its domain.
    pub netbios_domain: String,
    /// Its `sAMAccountName`.
    pub account: String,
    /// Its SID.
    pub sid: Sid,
    /// The SIDs of its groups.
    pub groups: Vec<Sid>,
}

impl ForeignPrincipal {
    /// `OTHER\alice`.
    pub(crate) fn name(&self) -> String {
        format!("{}\\{}", self.netbios_domain, self.account)
    }
}

/// What the directory answers to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The messages to send, in order.
    pub messages: Vec<LdapMessage>,
    /// What to do after sending them.
    pub then: Then,
}

impl Reply {
    pub(crate) fn none() -> Self {
        Self { messages: Vec::new(), then: Then::Continue }
    }

    pub(crate) fn one(message: LdapMessage) -> Self {
        Self { messages: vec![message], then: Then::Continue }
    }
}

/// What a server does after a [`Reply`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Closes the connection.
    Close,
    /// Reads the next request.
    Continue,
    /// Looks for its certificate again before it sends anything, then reads the next request
    /// ([MS-ADTS] 3.1.1.3.3.22).
    RenewCertificate,
    /// Makes the connection TLS, then calls [`Session::tls_started`].
    StartTls,
}

//! One LDAP request and the bytes that answer it, as faults get to see and to change them.

use std::time::Duration;

use fake_dc_directory::{Protection, Reply, Then};
use ldap_wire::{LdapMessage, ProtocolOp, SearchRequest};

use crate::{dc::Dc, facts::Listener, fault::Faults};

/// A request, and the circumstances in which it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) message: &'a LdapMessage,
    pub(crate) dc: &'a Dc,
    pub(crate) listener: Listener,
    pub(crate) protection: Protection,
}

impl<'a> Asked<'a> {
    /// The reply of `directory` as the faults let it be, and what of it goes out.
    pub(crate) fn answer(
        &self,
        faults: &Faults,
        directory: impl FnOnce() -> Reply,
    ) -> (Reply, Output) {
        self.finish(faults, self.instead(faults).unwrap_or_else(directory))
    }

    /// What a fault answers without asking the directory.
    pub(crate) fn instead(&self, faults: &Faults) -> Option<Reply> {
        faults.server(self.listener).find_map(|fault| fault.on_request(self))
    }

    /// A reply as the faults let it be, and what of it goes out.
    pub(crate) fn finish(&self, faults: &Faults, mut reply: Reply) -> (Reply, Output) {
        let faults = || faults.server(self.listener);
        faults().for_each(|fault| fault.on_reply(self, &mut reply));
        let mut output = Output::from(&reply);
        faults().for_each(|fault| fault.on_output(self, &mut output));
        (reply, output)
    }

    pub(crate) fn is_bind(&self) -> bool {
        matches!(self.message.op, ProtocolOp::BindRequest(_))
    }

    /// The search, if it is one of the directory and not of the rootDSE.
    pub(crate) fn search(&self) -> Option<&'a SearchRequest> {
        match &self.message.op {
            ProtocolOp::SearchRequest(search) if !search.base.is_empty() => Some(search),
            _ => None,
        }
    }

    /// The search, if it is one of the rootDSE that is no netlogon ping.
    pub(crate) fn root_dse_search(&self) -> Option<&'a SearchRequest> {
        let is_ping = |name: &String| name.eq_ignore_ascii_case("netlogon");
        match &self.message.op {
            ProtocolOp::SearchRequest(search)
                if search.base.is_empty() && !search.attributes.iter().any(is_ping) =>
            {
                Some(search)
            }
            _ => None,
        }
    }
}

/// The bytes of a reply, and what becomes of the connection. In CLDAP no bytes are no datagram,
/// and the rest means nothing.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) bytes: Vec<u8>,
    /// How long the DC takes before it sends them.
    pub(crate) delay: Duration,
    pub(crate) then: After,
}

/// What a server does after an [`Output`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// Closes the connection.
    Close,
    /// Reads the next request.
    Continue,
    /// Resets the connection.
    Reset,
    /// Says nothing more, while the connection stays open.
    Stall,
    /// Makes the connection TLS.
    StartTls,
}

impl From<&Reply> for Output {
    fn from(reply: &Reply) -> Self {
        let mut bytes = Vec::with_capacity(512);
        for message in &reply.messages {
            message.encode_into(&mut bytes);
        }
        let then = match reply.then {
            Then::Close => After::Close,
            Then::Continue | Then::RenewCertificate => After::Continue,
            Then::StartTls => After::StartTls,
        };
        Self { bytes, delay: Duration::ZERO, then }
    }
}

//! What a DC's LDAP allows its clients, by the names of AD's LDAP policies.

use std::time::Duration;

use fake_dc_directory::Flavour;
use ldap_wire::Limits;

use crate::limits;

/// The LDAP policies that concern connections (Microsoft, "View and set LDAP policy in Active
/// Directory by using Ntdsutil.exe").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LdapPolicy {
    /// `MaxConnections`: connections open at one LDAP port. One more, and one that has never asked
    /// anything is dropped, else the one that has been silent for longest. AD's default is 5,000;
    /// ours, on purpose, [`limits::LDAP_CONNECTIONS_MAX`].
    pub max_connections: usize,
    /// `MaxConnIdleTime`: the time between two requests after which a connection is closed. Bytes
    /// that do not complete a request count as silence.
    pub max_conn_idle_time: Duration,
    /// `InitRecvTimeout`: the time in which a new connection must bring its first request, and in
    /// which a TLS handshake must be complete.
    pub init_recv_timeout: Duration,
    /// `MaxReceiveBuffer`: bytes of one request.
    pub max_receive_buffer: usize,
    /// Bytes of one request before a client has authenticated. Windows has no such limit; Samba's
    /// is `ldap max anonymous request size`.
    pub max_anonymous_request: usize,
}

impl LdapPolicy {
    /// The default of Windows Server 2022 (Default Query Policy), or of Samba 4.22 (`smb.conf(5)`).
    pub fn of(flavour: Flavour) -> Self {
        let (max_receive_buffer, max_anonymous_request) = match flavour {
            Flavour::Samba4_22 => (16_777_216, 256_000),
            _ => (10_485_760, 10_485_760),
        };
        Self {
            max_connections: limits::LDAP_CONNECTIONS_MAX,
            max_conn_idle_time: limits::LDAP_IDLE,
            init_recv_timeout: limits::HANDSHAKE,
            max_receive_buffer,
            max_anonymous_request,
        }
    }

    /// What a request may be like.
    pub(crate) fn request(&self, is_bound: bool) -> Limits {
        let message_bytes = if is_bound {
            self.max_receive_buffer
        } else {
            self.max_receive_buffer.min(self.max_anonymous_request)
        };
        Limits { message_bytes, ..Limits::DEFAULT }
    }
}

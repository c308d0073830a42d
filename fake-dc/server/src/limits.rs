//! Every limit of the listeners, with its name, value and origin, in one place.
//!
//! Values named after an LDAP policy are the defaults of Active Directory's Default Query Policy
//! (Microsoft, "LDAP policies in Active Directory", Windows Server 2022).

use std::time::Duration;

/// DCs of one domain: last octets 10 to 209 of its /24.
pub const DCS_MAX: usize = 200;

/// DCs of one domain in memory, which needs no addresses of the machine.
pub const DCS_IN_MEMORY_MAX: usize = 10_000;

/// Connections open at one LDAP port (`MaxConnections`). AD's default is 5,000; a server for tests
/// holds more before it drops any.
pub const LDAP_CONNECTIONS_MAX: usize = 12_000;

/// Requests of one connection that are answered before others have their turn. The next one waits
/// in the connection until the answers have been taken.
pub(crate) const REQUESTS_AT_ONCE: usize = 16;

/// Connections open at one DNS listener over TCP. One more, and the oldest is dropped.
pub const DNS_CONNECTIONS_MAX: usize = 100;

/// Connections open at one KDC over TCP. One more, and the oldest is dropped.
pub const KDC_CONNECTIONS_MAX: usize = 1_000;

/// Time between two requests after which a connection to the KDC is closed. Clients close theirs
/// after one answer.
pub const KDC_IDLE: Duration = Duration::from_secs(30);

/// Time between two requests after which an LDAP connection is closed (`MaxConnIdleTime`).
pub const LDAP_IDLE: Duration = Duration::from_secs(900);

/// Time in which a new connection must bring its first request, and a TLS handshake be complete
/// (`InitRecvTimeout`).
pub const HANDSHAKE: Duration = Duration::from_secs(120);

/// Time in which a client must take an answer from the socket.
pub const WRITE: Duration = Duration::from_secs(120);

/// Silence after which a DNS connection over TCP is closed (RFC 7766, section 6.2.3, "a few
/// seconds").
pub const DNS_IDLE: Duration = Duration::from_secs(10);

/// Time in which a real DC behind a front must answer a datagram, or a connection to it must stand.
pub const BEHIND_ANSWER: Duration = Duration::from_secs(10);

/// Requests of one connection that wait for a real DC. With more, the connection passes unread.
pub const PENDING_MAX: usize = 10_000;

/// Ports of a front that pass bytes, those that its endpoint mapper has named included.
pub const PASSED_PORTS_MAX: usize = 256;

/// Largest answer of an endpoint mapper: sizes of DCE/RPC have 16 bits.
pub const PDU_BYTES_MAX: usize = 65_535;

/// Connections open at one port of a front that passes bytes. More are closed at once.
pub const PASSED_CONNECTIONS_MAX: usize = 1_000;

/// Largest datagram read. A longer one is cut and then does not decode.
pub const DATAGRAM_BYTES_MAX: usize = 4_096;

/// Bytes that may be under way in one direction of a line that a fault shapes.
pub const LINE_BYTES_MAX: usize = 16_384;

/// Connections that wait to be accepted at one listener.
pub(crate) const BACKLOG: i32 = 1_024;

/// Time in which a connection that makes room will be gone.
pub(crate) const LEAVING: Duration = Duration::from_millis(1);

/// Pause after a failed accept (no descriptors left) if no connection of the port can make room.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A connection too many is reset when the client has spoken, at the latest after this.
pub(crate) const RESET_WITHIN: Duration = Duration::from_millis(100);

/// Attempts to find a port number that is free for TCP and UDP alike.
pub(crate) const PORT_PAIR_ATTEMPTS: usize = 64;

//! Every limit of this crate, with its name, value and origin, in one place.

/// Largest message read from a stream. Windows Server 2022's KDC reads up to 128 KiB.
pub const STREAM_BYTES_MAX: usize = 131_072;

/// Largest datagram that a KDC answers with (`MaxDatagramReplySize` of Windows, 1465 bytes).
pub const DATAGRAM_ANSWER_BYTES_MAX: usize = 1_465;

/// Largest token that the acceptor reads (`MaxTokenSize` of Windows, 48,000 bytes).
pub const TOKEN_BYTES_MAX: usize = 48_000;

/// Largest message that a security layer takes in one token. Windows announces 10 MiB.
pub const LAYER_BYTES_MAX: usize = 10 * 1_024 * 1_024;

/// Elements of any list within a message: names' components, encryption types, pre-authentication.
pub const ELEMENTS_MAX: usize = 64;

/// Rounds that a client obeys when a KDC asks for other than the default (RFC 3962, section 4,
/// lets 0 mean 2^32, which nobody wants to wait for).
pub const ROUNDS_MAX: u32 = 1_000_000;

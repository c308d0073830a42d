//! What a client of two pools does (xapi-flows.md §12.3).

use super::{Account, HostRef};
use crate::grammar::Spanned;

choice! {
    /// Something that a client does with many calls.
    pub enum ClientAction: "action of a client" {
        /// Joins a host to a pool that reaches AD over LDAPS.
        join => Join(ClientJoin),
    }
}

table! {
    /// Parameters of `client.join`.
    pub struct ClientJoin {
        /// The host that is to join.
        pub joiner: Spanned<HostRef>,
        /// The coordinator of the pool that it is to join.
        pub coordinator: Spanned<HostRef>,
        /// What the user answers when asked for an account of the domain.
        pub account: Account,
        /// Whether `pool.join_force` is called.
        pub force: bool = false,
    }
}

//! The commands, one file for those that belong together.

pub(super) mod dump;
pub(super) mod enctypes;
pub(super) mod join;
pub(super) mod leave;
pub(super) mod lookup;
pub(super) mod search;
pub(super) mod service;
pub(super) mod wbinfo;

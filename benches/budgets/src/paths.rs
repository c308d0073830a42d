//! The hot paths. Each is prepared once, and does the same every time it is gone: seeds and clocks
//! are fixed, and whoever does not get what is expected fails.

mod files;
#[path = "../../../fake-dc/kerberos/tests/common/mod.rs"]
mod lab;
mod ldap;
mod ledger;
mod pki;
mod server;

use ground::Timestamp;

use crate::{Failure, HotPath};

/// When everything happens.
const NOW: Timestamp = Timestamp::from_unix(1_780_000_000);

/// All hot paths, in the order in which they are gone.
pub(crate) fn all() -> Result<Vec<HotPath>, Failure> {
    let parts = [ldap::paths()?, server::paths()?, pki::paths()?, ledger::paths(), files::paths()?];
    Ok(parts.into_iter().flatten().collect())
}

/// Fails unless the condition holds; then `found` says what is there in its place.
fn expect(holds: bool, found: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(found().into()) }
}

//! Runs scenarios: builds the world of each, applies its steps, judges what is expected, reports.
//!
//! A world is a fake domain ([`fake_dc::Domain`]) and a pool of simulated hosts
//! ([`sim_host::Pool`]) on loopback, with one virtual clock, one seed and one ledger. Everything
//! that is judged or reported is read from that ledger, the pool's database and the hosts' files.
//!
//! ```
//! use runner::{RunOptions, Suite};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("scenario.toml");
//! std::fs::write(
//!     &file,
//!     r#"
//!     version = 1
//!     id = "no-certificate-no-ldaps"
//!     title = "LDAPS needs a trusted certificate"
//!     [[world.domain]]
//!     name = "corp.example"
//!     dc = [{ name = "dc1" }]
//!     [[world.host]]
//!     name = "host1"
//!     [[step]]
//!     pool.external_auth_set_ldaps = { ldaps = true }
//!     expect.error = { code = "AUTH_IS_DISABLED", params = [] }
//!     "#,
//! )?;
//! let suite = Suite::load(&[file])?;
//! let runtime = tokio::runtime::Runtime::new()?;
//! let report = runtime.block_on(runner::run(&suite, &RunOptions::default(), &mut |_| {}));
//! assert!(report.held());
//! # Ok(())
//! # }
//! ```

mod accounts;
mod calls;
mod case;
pub mod catalogue;
mod certificate_steps;
mod client_steps;
pub mod comparison;
pub mod evidence;
mod exchange_steps;
mod exit;
mod expect;
mod explore;
pub mod fleet;
pub mod host_faults;
mod invariants;
mod load;
mod models;
mod renewals;
pub mod report;
mod samba_client;
mod snapshot;
mod steps;
mod suite;
mod wbinfo;
mod world;
mod xenapi;

pub use case::{CaseName, CaseReport, Failure, Outcome, Place, SuiteReport};
pub use exit::Exit;
pub use explore::{Exploration, ExploreReport, Found, Progress, SEQUENCE_LENGTH_MAX, explore};
pub use load::{Case, LoadError, LoadErrors, Selection, Suite, vocabulary};
pub use samba_client::{PATIENCE, SambaClient};
pub use snapshot::{Pending, SnapshotMode};
pub use suite::{RunOptions, run};

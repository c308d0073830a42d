//! What the benches share: a sound domain, its clients, and clocks of processor time.
//!
//! Nothing here is measured code of the rig; it is what the rig is measured with and against.

mod bare;
mod cpu;
mod handshake;
mod host;
mod memory;
mod policy;
mod probe;
mod report;
mod scene;
mod served;

pub use bare::Bare;
pub use cpu::{on_one_core, processor_time};
pub use handshake::{Handshake, Spent};
pub use host::Member;
pub use memory::Memory;
pub use policy::Policy;
pub use probe::{Part, Parts, Prober};
pub use report::{Figure, Report, Unit, median, quartiles};
pub use scene::{DOMAIN, START, Scene, chain};
pub use served::{PASSWORD, Served};

/// Whatever went wrong while a bench was prepared.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

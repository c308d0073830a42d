//! A fake domain of one DC, served by the runtime that asks for it.

use fake_dc::{DcSpec, Domain};
use ground::{Ledger, Seed, VirtualClock};

use crate::{DOMAIN, Failure, Scene};

/// The password of every account.
pub const PASSWORD: &str = "Passw0rd!Lab1";

/// A domain whose one DC shows the chain of a scene, with the full directory and a ledger.
#[derive(Debug)]
pub struct Served {
    /// The domain.
    pub domain: Domain,
    /// Who moves its time.
    pub time: VirtualClock,
}

impl Served {
    /// Starts it.
    pub async fn start(scene: &Scene) -> Result<Self, Failure> {
        let time = VirtualClock::starting_at(scene.at);
        let clock = time.clock();
        let domain = Domain::builder(DOMAIN)
            .dc(DcSpec::new("dc1").chain(scene.chain.clone()))
            .seed(Seed::new(1))
            .ledger(Ledger::with_capacity(clock.clone(), Ledger::SERVICE_CAPACITY))
            .clock(clock)
            .start()
            .await?;
        Ok(Self { domain, time })
    }
}

//! The domains by which the strategies are compared: sizes from one DC to a thousand with the same
//! shares, and a thousand of which nine in ten are black holes, in a seeded and in the worst order.

use super::{
    domain::{Fleet, FleetError},
    report::FleetReport,
    shares::{Kind, Shares},
    strategy::{Strategy, StrategySettings},
};

/// Numbers of DCs.
pub const STANDARD_SIZES: [usize; 6] = [1, 3, 10, 30, 100, 1_000];

/// The standard comparison in the fleet world: every strategy on every domain. Must not be called
/// within a tokio runtime.
///
/// # Errors
///
/// As [`Fleet::in_memory`].
pub fn standard(seed: u64) -> Result<Vec<FleetReport>, FleetError> {
    let mixed = STANDARD_SIZES.map(|count| (count, Shares::standard()));
    let dark = (1_000, Shares::mostly(Kind::BlackHole, 90.0));
    let darkest = (dark.0, dark.1.clone().worst_first());
    let settings = StrategySettings::default();
    let domains = mixed.into_iter().chain([dark, darkest]);
    domains
        .map(|(count, shares)| {
            FleetReport::in_memory(count, &shares, &Strategy::ALL, &settings, [seed])
        })
        .collect()
}

impl FleetReport {
    /// Runs `strategies` on a made-up domain in memory, anew for each seed. Must not be called within
    /// a tokio runtime.
    ///
    /// # Errors
    ///
    /// As [`Fleet::in_memory`].
    pub fn in_memory(
        count: usize,
        shares: &Shares,
        strategies: &[Strategy],
        settings: &StrategySettings,
        seeds: impl IntoIterator<Item = u64>,
    ) -> Result<Self, FleetError> {
        let mut report = Self {
            domain: format!("{count} DCs, {shares}"),
            dcs: count,
            world: "fleet",
            runs: Vec::new(),
        };
        for seed in seeds {
            Fleet::runtime()?.block_on(async {
                let fleet = Fleet::in_memory(count, shares, seed).await?;
                report.add(&fleet, strategies, settings, seed).await;
                fleet.stop().await;
                Ok::<_, FleetError>(())
            })?;
        }
        Ok(report)
    }

    /// The same over sockets in real time. Must be called within a tokio runtime with I/O and time.
    ///
    /// # Errors
    ///
    /// As [`Fleet::on_sockets`].
    pub async fn on_sockets(
        count: usize,
        shares: &Shares,
        strategies: &[Strategy],
        settings: &StrategySettings,
        seeds: impl IntoIterator<Item = u64>,
    ) -> Result<Self, FleetError> {
        let domain = format!("{count} DCs, {shares}");
        let mut report = Self { domain, dcs: count, world: "sockets", runs: Vec::new() };
        for seed in seeds {
            let fleet = Fleet::on_sockets(count, shares, seed).await?;
            report.add(&fleet, strategies, settings, seed).await;
            fleet.stop().await;
        }
        Ok(report)
    }

    /// A report without runs yet.
    pub fn about(fleet: &Fleet) -> Self {
        Self {
            domain: fleet.title().to_owned(),
            dcs: fleet.size(),
            world: fleet.world(),
            runs: Vec::new(),
        }
    }

    /// Runs each of `strategies` once more.
    pub async fn add(
        &mut self,
        fleet: &Fleet,
        strategies: &[Strategy],
        settings: &StrategySettings,
        seed: u64,
    ) {
        for &strategy in strategies {
            self.runs.push(fleet.run(strategy, settings, seed).await);
        }
    }
}

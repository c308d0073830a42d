//! `pool.disable_external_auth` (xapi-flows.md §8).

use sim_host::{ApiError, Profile};

use crate::{
    deeds::Kind,
    estate::{Estate, Image, Plan, Rig, disable},
    judge::Cells,
    rules::{Disable, Disturbed},
    trouble::{Trouble, What, Words},
};

struct Table<'a> {
    estate: &'a Estate,
    plan: Plan,
    cells: &'a mut Cells,
}

impl Table<'_> {
    /// The machine accounts go, so every cell needs a pool that has just joined.
    async fn run(&self, troubles: &[Trouble]) -> (Rig, Result<(), ApiError>) {
        let image: Image = self.estate.joined(&self.plan, false).await;
        let rig = self.estate.begin(&image);
        for trouble in troubles {
            trouble.arrange(self.estate, &rig);
        }
        let result = rig.call(disable()).await;
        (rig, result)
    }

    async fn cell(&mut self, troubles: &[Trouble], disturbed: &[Disturbed]) {
        let (rig, result) = self.run(troubles).await;
        let rule = Disable { disturbed, ..Disable::of(&self.plan) };
        let title = format!("{disturbed:?}");
        self.cells.check(self.estate, &rig, &title, &result, &rule.expected());
    }

    async fn each_step(&mut self, host: usize, ways: &[What]) {
        let path = self.run(&[]).await.0.log(host);
        assert_eq!(path, [Kind::Leave, Kind::Wipe, Kind::Stop], "§8, steps 3 and 5");
        for (at, step) in path.into_iter().enumerate() {
            for what in ways.iter().copied().filter(|what| what.happens_at(step)) {
                let trouble = Trouble { host, at, what };
                let disturbed = Disturbed { host, undoing: false, step, what };
                self.cell(&[trouble], &[disturbed]).await;
            }
        }
    }
}

const SOME: [What; 3] = [What::Lasting(Words::Generic), What::Dark, What::Slow(301)];

#[tokio::test]
async fn every_step_of_every_host() {
    let estate = Estate::start().await;
    let mut cells = Cells::default();
    for profile in Profile::ALL {
        for hosts in [1, 3] {
            let plan = Plan::new(profile, hosts);
            let mut table = Table { estate: &estate, plan, cells: &mut cells };
            let ways = if hosts == 1 { SOME.as_slice() } else { &SOME[..1] };
            for host in 0..hosts {
                table.each_step(host, ways).await;
            }
        }
    }
    cells.end("disable");
    estate.domain.stop().await;
}

/// Two hosts fail: the first is reported, and both are out of the domain.
#[tokio::test]
async fn failures_are_collected() {
    let estate = Estate::start().await;
    let mut cells = Cells::default();
    for profile in Profile::ALL {
        let plan = Plan::new(profile, 3);
        let mut table = Table { estate: &estate, plan, cells: &mut cells };
        for (first, second) in [(0, 1), (0, 2), (1, 2)] {
            let what = What::Lasting(Words::Credentials);
            let both = [first, second];
            let troubles = both.map(|host| Trouble { host, at: 0, what });
            let disturbed =
                both.map(|host| Disturbed { host, undoing: false, step: Kind::Leave, what });
            table.cell(&troubles, &disturbed).await;
        }
    }
    cells.end("disable, two failures");
    estate.domain.stop().await;
}

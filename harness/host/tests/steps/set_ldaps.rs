//! `pool.external_auth_set_ldaps` (xapi-flows.md §9).

use sim_host::{Profile, Quirk};

use crate::{
    deeds::Kind,
    estate::{Estate, Image, Plan, Rig, host_set_ldaps},
    judge::{Cells, Error, Expected, Param, message},
    rules::{Disturbed, SetLdaps},
    state::{Configuration, HostState},
    trouble::{self, Trouble, What, Words},
};

/// The commands of one host, in the calls they belong to: its own, and the undoing.
pub(crate) fn calls(log: &[Kind]) -> Vec<(usize, bool, Kind)> {
    let mut restarts = 0;
    log.iter()
        .enumerate()
        .map(|(at, kind)| {
            restarts += usize::from(*kind == Kind::Restart);
            (at, restarts > 1, *kind)
        })
        .collect()
}

/// One table of cells: pools in which AD is on with `from` and is asked for `to`.
struct Table<'a> {
    estate: &'a Estate,
    plan: Plan,
    image: Image,
    from: bool,
    to: bool,
    force: Option<bool>,
    cells: &'a mut Cells,
}

impl<'a> Table<'a> {
    async fn new(
        estate: &'a Estate,
        plan: Plan,
        (from, to): (bool, bool),
        cells: &'a mut Cells,
    ) -> Self {
        let image = estate.joined(&plan, from).await;
        let force = (from == to && plan.profile == Profile::Landed).then_some(true);
        Self { estate, plan, image, from, to, force, cells }
    }

    /// The commands of `host` on a path on which `first` happens.
    async fn path(&self, first: &[Trouble], host: usize) -> Vec<(usize, bool, Kind)> {
        let rig = self.run(first).await.0;
        calls(&rig.log(host))
    }

    async fn run(&self, troubles: &[Trouble]) -> (Rig, Result<(), sim_host::ApiError>) {
        let rig = self.estate.begin(&self.image);
        for trouble in troubles {
            trouble.arrange(self.estate, &rig);
        }
        let result = rig.set_ldaps(self.to, self.force).await;
        (rig, result)
    }

    /// One cell, and what the next start of xapi makes of it.
    async fn cell(&mut self, troubles: &[Trouble], disturbed: &[Disturbed]) {
        if !self.cells.takes_next() {
            return;
        }
        let (rig, result) = self.run(troubles).await;
        let (plan, from, to) = (&self.plan, self.from, self.to);
        let rule = SetLdaps { plan, from, to, disturbed, away: None };
        let expected = rule.expected();
        let title = format!("{from} to {to}: {disturbed:?}");
        self.cells.check(self.estate, &rig, &title, &result, &expected);
        let seen_in_a_pool_of_one = plan.hosts == 3 && disturbed.len() == 1;
        if expected.error.is_none() || seen_in_a_pool_of_one {
            return;
        }
        // "corrected at the next xapi start".
        trouble::end(self.estate, &rig);
        let rig = self.estate.reopened(rig);
        let mut healed = expected.hosts;
        for (index, host) in healed.iter_mut().enumerate() {
            if !disturbed.iter().any(|disturbed| disturbed.host == index) {
                continue;
            }
            rig.restart(index).await;
            let Configuration::Written { ldaps } = host.configuration else {
                unreachable!("set_ldaps never clears the configuration");
            };
            *host = HostState::inside(ldaps);
        }
        self.cells.check_hosts(self.estate, &rig, format!("{title}, restarted"), &healed);
    }

    /// Everything that can go wrong at each command of `host`.
    async fn each_step(&mut self, host: usize, ways: &[What]) {
        let path = self.path(&[], host).await;
        assert_eq!(
            path.iter().map(|(_, _, kind)| *kind).collect::<Vec<_>>(),
            [Kind::Restart, Kind::Ready, Kind::Kdcs, Kind::SearchAsMachine],
            "§9.3, steps 4 and 5"
        );
        for (at, undoing, step) in path {
            for what in ways.iter().copied().filter(|what| what.happens_at(step)) {
                let trouble = Trouble { host, at, what };
                self.cell(&[trouble], &[Disturbed { host, undoing, step, what }]).await;
            }
        }
    }

    /// `failing` fails at its ping; then everything that can go wrong at each command with which
    /// the earlier `host` goes back.
    async fn each_step_of_the_revert(&mut self, failing: usize, host: usize) {
        let first = self.failure(failing).await;
        let path = self.path(&[first.0], host).await;
        for (at, undoing, step) in path.into_iter().filter(|(_, undoing, _)| *undoing) {
            for what in SOME {
                let trouble = Trouble { host, at, what };
                let disturbed = Disturbed { host, undoing, step, what };
                self.cell(&[first.0, trouble], &[first.1, disturbed]).await;
            }
        }
    }

    /// The ping of `host` fails for good.
    async fn failure(&self, host: usize) -> (Trouble, Disturbed) {
        let step = Kind::SearchAsMachine;
        let path = self.path(&[], host).await;
        let at = path.into_iter().find(|(_, _, kind)| *kind == step).unwrap().0;
        let what = What::Lasting(Words::Untrusted);
        (Trouble { host, at, what }, Disturbed { host, undoing: false, step, what })
    }
}

/// One of each sort, for larger pools: what each word becomes is seen in a pool of one.
const SOME: [What; 4] =
    [What::Lasting(Words::Generic), What::Lasting(Words::Untrusted), What::Dark, What::NoConf];

const ON: (bool, bool) = (false, true);
const OFF: (bool, bool) = (true, false);

#[tokio::test]
async fn every_step_of_a_pool_of_one() {
    let estate = Estate::start().await;
    let mut cells = Cells::default();
    for profile in Profile::ALL {
        for change in [ON, OFF, (true, true)] {
            let plan = Plan::new(profile, 1);
            Table::new(&estate, plan, change, &mut cells).await.each_step(0, &What::ALL).await;
        }
        let flipped = Plan::new(profile, 1);
        let q3 = Quirk::SetLdapsNoRestoreOnHardFailure;
        let flipped = flipped.clone().quirk(q3, !flipped.has(q3));
        Table::new(&estate, flipped, ON, &mut cells).await.each_step(0, &What::ALL).await;
    }
    cells.end("set_ldaps, pools of 1");
    estate.domain.stop().await;
}

#[tokio::test]
async fn every_step_of_every_host_of_a_pool_of_three() {
    let estate = Estate::start().await;
    let mut cells = Cells::default();
    for profile in Profile::ALL {
        let mut table = Table::new(&estate, Plan::new(profile, 3), ON, &mut cells).await;
        for host in 0..3 {
            table.each_step(host, &SOME).await;
        }
    }
    cells.end("set_ldaps, pools of 3");
    estate.domain.stop().await;
}

#[tokio::test]
async fn every_step_of_the_revert() {
    let estate = Estate::start().await;
    let mut cells = Cells::default();
    for profile in Profile::ALL {
        let mut table = Table::new(&estate, Plan::new(profile, 3), ON, &mut cells).await;
        for (failing, host) in [(2, 0), (2, 1)] {
            table.each_step_of_the_revert(failing, host).await;
        }
    }
    cells.end("set_ldaps, the revert");
    estate.domain.stop().await;
}

/// All steps of the host in the middle, and one step of every host.
#[tokio::test]
async fn a_pool_of_sixteen() {
    let estate = Estate::start().await;
    let mut cells = Cells::default();
    for profile in Profile::ALL {
        let mut table = Table::new(&estate, Plan::new(profile, 16), ON, &mut cells).await;
        if profile == Profile::Landed {
            table.each_step(8, &[What::Lasting(Words::Generic)]).await;
        }
        for host in [0, 8, 15] {
            let (trouble, disturbed) = table.failure(host).await;
            table.cell(&[trouble], &[disturbed]).await;
        }
    }
    cells.end("set_ldaps, pools of 16");
    estate.domain.stop().await;
}

/// "Failure and `old` = requested value (forced re-check): … nothing is reverted", and option O2.
#[tokio::test]
async fn where_nothing_is_reverted() {
    let estate = Estate::start().await;
    let mut cells = Cells::default();
    for profile in Profile::ALL {
        let plan = Plan::new(profile, 3);
        let leaves = plan.clone().quirk(Quirk::SetLdapsLeavesSwitchedHosts, true);
        for (plan, change) in [(plan, (true, true)), (leaves, ON)] {
            let mut table = Table::new(&estate, plan, change, &mut cells).await;
            for host in 0..3 {
                let (trouble, disturbed) = table.failure(host).await;
                table.cell(&[trouble], &[disturbed]).await;
            }
        }
    }
    cells.end("set_ldaps, nothing is reverted");
    estate.domain.stop().await;
}

/// Hosts of two minds: the coordinator off, the first member on. The last host fails at its ping,
/// or none does.
#[tokio::test]
async fn a_pool_of_two_minds() {
    let estate = Estate::start().await;
    let mut cells = Cells::default();
    for profile in Profile::ALL {
        for race in [true, false] {
            let plan = Plan::new(profile, 3).quirk(Quirk::SetLdapsOldValueRace, race);
            let image = estate.joined(&plan, false).await;
            for (force, fails) in [(false, false), (true, false), (true, true)] {
                let rig = estate.begin(&image);
                rig.call(host_set_ldaps(rig.reference(1), true)).await.unwrap();
                rig.programs[1].calm();
                if fails {
                    let what = What::Lasting(Words::Untrusted);
                    Trouble { host: 2, at: 3, what }.arrange(&estate, &rig);
                }
                // What landed does by force, design-v1 always does.
                let landed = profile == Profile::Landed;
                let result = rig.set_ldaps(true, (landed && force).then_some(true)).await;
                let already = Param::Text("ldaps is already true".to_owned());
                let (error, states) = match (landed && !force, fails) {
                    (true, _) => (
                        Some(Error::new("AUTH_SET_LDAPS_FAILED", [Param::Host(1), already])),
                        [false, true, false],
                    ),
                    (false, false) => (None, [true; 3]),
                    // Q4: "revert forces that value on every host that had succeeded".
                    (false, true) => (
                        Some(Error::new("AUTH_INVALID_TRUSTED_CERTS", [message()])),
                        [false, !race, false],
                    ),
                };
                let hosts = states.map(HostState::inside).to_vec();
                let title = format!("two minds, race {race}, force {force}, fails {fails}");
                cells.check(&estate, &rig, title, &result, &Expected { error, hosts });
            }
        }
    }
    cells.end("set_ldaps, two minds");
    estate.domain.stop().await;
}

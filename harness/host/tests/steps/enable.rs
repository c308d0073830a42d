//! `pool.enable_external_auth` (xapi-flows.md §7).

use sim_host::{ApiError, Profile, Quirk};

use crate::{
    deeds::Kind,
    estate::{Estate, Plan, Rig},
    judge::Cells,
    rules::{Disturbed, Enable},
    trouble::{Trouble, What, Words},
};

/// The commands of one host in the calls they belong to: its own, and the undoing.
fn calls(log: &[Kind]) -> Vec<(usize, bool, Kind)> {
    let mut found = Vec::new();
    let mut undoing = false;
    for (at, kind) in log.iter().enumerate() {
        undoing |= *kind == Kind::Leave;
        let again = *kind == Kind::Kdcs && log[..at].contains(&Kind::Basics);
        found.push((at, undoing, if again { Kind::KdcsAgain } else { *kind }));
    }
    found
}

struct Table<'a> {
    estate: &'a Estate,
    plan: Plan,
    ldaps: bool,
    keep: bool,
    cells: &'a mut Cells,
}

impl Table<'_> {
    async fn run(&self, troubles: &[Trouble]) -> (Rig, Result<(), ApiError>) {
        let rig = self.estate.fresh(&self.plan).await;
        for trouble in troubles {
            trouble.arrange(self.estate, &rig);
        }
        let result = rig.enable(self.ldaps).await;
        (rig, result)
    }

    async fn path(&self, first: &[Trouble], host: usize) -> Vec<(usize, bool, Kind)> {
        let rig = self.run(first).await.0;
        calls(&rig.log(host))
    }

    async fn cell(&mut self, troubles: &[Trouble], disturbed: &[Disturbed]) {
        if !self.cells.takes_next() {
            return;
        }
        let (rig, result) = self.run(troubles).await;
        let (plan, ldaps, keep) = (&self.plan, self.ldaps, self.keep);
        let rule = Enable { plan, ldaps, keep, disturbed, away: None };
        let expected = rule.expected();
        let title = format!("ldaps {ldaps}, keep {keep}: {disturbed:?}");
        self.cells.check(self.estate, &rig, &title, &result, &expected);
        let Some(failing) = expected.error.and(disturbed.first()) else { return };
        if plan.hosts > 1 {
            return;
        }
        // §14 concerns hosts with type AD alone: the next start leaves everything as it is.
        rig.programs[failing.host].calm();
        let rig = self.estate.reopened(rig);
        rig.restart(failing.host).await;
        let title = format!("{title}, restarted");
        self.cells.check_hosts(self.estate, &rig, &title, &expected.hosts);
    }

    async fn each_step(&mut self, host: usize, ways: &[What]) {
        let mut expected = vec![Kind::Kdcs, Kind::Basics];
        if self.ldaps && self.plan.profile == Profile::Landed {
            expected.extend([Kind::KdcsAgain, Kind::SearchAsUser]);
        }
        expected.extend([Kind::Join, Kind::Restart, Kind::Active, Kind::Ready]);
        let path = self.path(&[], host).await;
        let mut kinds: Vec<_> = path.iter().map(|(_, _, kind)| *kind).collect();
        kinds.retain(|kind| *kind != Kind::EncryptionTypes);
        assert_eq!(kinds, expected, "§7.4, steps 7 to 17");
        for (at, undoing, step) in path {
            for what in ways.iter().copied().filter(|what| what.happens_at(step)) {
                let trouble = Trouble { host, at, what };
                self.cell(&[trouble], &[Disturbed { host, undoing, step, what }]).await;
            }
        }
    }

    /// The join of `failing` fails; then everything that can go wrong at each command with which
    /// the earlier `host` leaves again.
    async fn each_step_of_the_rollback(&mut self, failing: usize, host: usize) {
        let (step, what) = (Kind::Join, What::Lasting(Words::Credentials));
        let path = self.path(&[], failing).await;
        let at = path.into_iter().find(|(_, _, kind)| *kind == step).unwrap().0;
        let trouble = Trouble { host: failing, at, what };
        let first = Disturbed { host: failing, undoing: false, step, what };
        let path = self.path(&[trouble], host).await;
        let undoing: Vec<_> = path.into_iter().filter(|(_, undoing, _)| *undoing).collect();
        let kinds: Vec<_> = undoing.iter().map(|(_, _, kind)| *kind).collect();
        assert_eq!(kinds, [Kind::Leave, Kind::Wipe, Kind::Stop], "§8, steps 3 and 5");
        for (at, undoing, step) in undoing {
            for what in [What::Lasting(Words::Generic), What::Dark, What::Slow(301)] {
                let then = Disturbed { host, undoing, step, what };
                self.cell(&[trouble, Trouble { host, at, what }], &[first, then]).await;
            }
        }
    }
}

/// One of each sort: what each word becomes is seen with the defaults in a pool of one.
const SOME: [What; 3] =
    [What::Lasting(Words::Untrusted), What::Lasting(Words::Generic), What::Dark];

const NOT_KEPT: &str = "winbind_keep_configuration = false\n";
const WITH_TYPES: &str = "winbind_set_machine_account_kerberos_encryption_type = true\n";

#[tokio::test]
async fn every_step_of_a_pool_of_one() {
    let estate = Estate::start().await;
    let mut cells = Cells::default();
    for profile in Profile::ALL {
        let plan = Plan::new(profile, 1);
        let q25 = Quirk::EnableProbeFailureKeepsConf;
        let flipped = plan.clone().quirk(q25, !plan.has(q25));
        for (plan, ldaps, ways) in [
            (plan.clone(), true, What::ALL.as_slice()),
            (plan.clone(), false, &SOME),
            (plan.clone().conf(NOT_KEPT), true, &SOME[1..2]),
            (plan.conf(WITH_TYPES), true, &SOME[1..2]),
            (flipped, true, &SOME[..2]),
        ] {
            let keep = plan.conf != NOT_KEPT;
            let mut table = Table { estate: &estate, plan, ldaps, keep, cells: &mut cells };
            table.each_step(0, ways).await;
        }
    }
    cells.end("enable, pools of 1");
    estate.domain.stop().await;
}

#[tokio::test]
async fn every_step_of_every_host_of_a_pool_of_three() {
    let estate = Estate::start().await;
    let mut cells = Cells::default();
    for profile in Profile::ALL {
        let (plan, cells) = (Plan::new(profile, 3), &mut cells);
        let mut table = Table { estate: &estate, plan, ldaps: true, keep: true, cells };
        for host in 0..3 {
            table.each_step(host, &SOME[1..]).await;
        }
    }
    cells.end("enable, pools of 3");
    estate.domain.stop().await;
}

#[tokio::test]
async fn every_step_of_the_rollback() {
    let estate = Estate::start().await;
    let mut cells = Cells::default();
    for profile in Profile::ALL {
        let (plan, cells) = (Plan::new(profile, 3), &mut cells);
        let mut table = Table { estate: &estate, plan, ldaps: false, keep: true, cells };
        for (failing, host) in [(2, 0), (2, 1)] {
            table.each_step_of_the_rollback(failing, host).await;
        }
    }
    cells.end("enable, the rollback");
    estate.domain.stop().await;
}

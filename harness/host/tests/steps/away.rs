//! Members that go away while a call is running (xapi-flows.md §0.3).
//!
//! At each command of each host, each other member and the host itself goes down or falls silent.

use sim_host::{ApiError, Liveness, Profile};

use crate::{
    deeds::Kind,
    estate::{Estate, Image, Plan, Rig, disable},
    judge::Cells,
    rules::{Away, Disable, Disturbed, Enable, SetLdaps},
    trouble::{Trouble, What, Words},
};

/// The two kinds in turn: what they are called in the error is all that tells them apart.
fn liveness(cell: usize) -> Liveness {
    if cell.is_multiple_of(2) { Liveness::Offline } else { Liveness::Unreachable }
}

/// Lets `member` go away when the command `at` of `host` comes.
fn arrange(rig: &Rig, (host, at): (usize, usize), member: usize, liveness: Liveness) {
    let member = rig.host(member).clone();
    rig.programs[host].at(at, false, move |_| {
        member.set_liveness(liveness);
        None
    });
}

/// `pool.external_auth_set_ldaps`, in which the hosts of `failing` fail at their pings.
struct Toggle<'a> {
    estate: &'a Estate,
    plan: Plan,
    image: Image,
    failing: Option<usize>,
    cells: &'a mut Cells,
}

impl Toggle<'_> {
    async fn run(&self, away: impl FnOnce(&Rig)) -> (Rig, Result<(), ApiError>) {
        let rig = self.estate.begin(&self.image);
        if let Some(host) = self.failing {
            // The ping is the fourth command (§9.3); `set_ldaps` holds on to that.
            let what = What::Lasting(Words::Untrusted);
            Trouble { host, at: 3, what }.arrange(self.estate, &rig);
        }
        away(&rig);
        let result = rig.set_ldaps(true, None).await;
        (rig, result)
    }

    async fn every_moment(&mut self, members: &[usize], hosts: &[usize]) {
        let (rig, _) = self.run(|_| ()).await;
        let disturbed = self.failing.map(|host| Disturbed {
            host,
            undoing: false,
            step: Kind::SearchAsMachine,
            what: What::Lasting(Words::Untrusted),
        });
        for host in hosts.iter().copied() {
            let restores = self.failing == Some(host);
            let mut restarts = 0;
            for (at, kind) in rig.log(host).into_iter().enumerate() {
                restarts += usize::from(kind == Kind::Restart);
                // A second restart is that of the undoing, but for the host that restores itself.
                let undoing = restarts > 1 && !restores;
                for member in members.iter().copied() {
                    if !self.cells.takes_next() {
                        continue;
                    }
                    let liveness = liveness(self.cells.count());
                    let arrange = |rig: &Rig| arrange(rig, (host, at), member, liveness);
                    let (rig, result) = self.run(arrange).await;
                    let away = Away { member, liveness, during: (undoing, host) };
                    let rule = SetLdaps {
                        plan: &self.plan,
                        from: false,
                        to: true,
                        disturbed: disturbed.as_slice(),
                        away: Some(away),
                    };
                    let title = format!("{disturbed:?}, {kind:?} and {away:?}");
                    self.cells.check(self.estate, &rig, title, &result, &rule.expected());
                }
            }
        }
    }
}

#[tokio::test]
async fn while_a_pool_of_three_is_switched_or_goes_back() {
    let estate = Estate::start().await;
    let mut cells = Cells::default();
    for profile in Profile::ALL {
        let plan = Plan::new(profile, 3);
        for failing in [None, Some(2)] {
            let image = estate.joined(&plan, false).await;
            let plan = plan.clone();
            let mut toggle = Toggle { estate: &estate, plan, image, failing, cells: &mut cells };
            toggle.every_moment(&[1, 2], &[0, 1, 2]).await;
        }
    }
    cells.end("set_ldaps, a member goes away");
    estate.domain.stop().await;
}

#[tokio::test]
async fn while_a_pool_is_enabled_or_leaves_again() {
    let estate = Estate::start().await;
    let mut cells = Cells::default();
    for profile in Profile::ALL {
        let plan = Plan::new(profile, 3);
        for failing in [None, Some(2)] {
            let (step, what) = (Kind::Join, What::Lasting(Words::Credentials));
            let disturbed = failing.map(|host| Disturbed { host, undoing: false, step, what });
            let fail = |rig: &Rig| {
                if let Some(host) = failing {
                    // "Find DCs", "DC basics", and the join.
                    Trouble { host, at: 2, what }.arrange(&estate, rig);
                }
            };
            let first = estate.fresh(&plan).await;
            fail(&first);
            let _ = first.enable(false).await;
            for host in 0..3 {
                let log = first.log(host);
                let joined = log.iter().position(|kind| *kind == Kind::Leave);
                for at in [Some(0), Some(log.len() - 1), joined].into_iter().flatten() {
                    for member in [1, 2] {
                        if !cells.takes_next() {
                            continue;
                        }
                        let liveness = liveness(cells.count());
                        let rig = estate.fresh(&plan).await;
                        fail(&rig);
                        arrange(&rig, (host, at), member, liveness);
                        let result = rig.enable(false).await;
                        let undoing = joined.is_some_and(|joined| at >= joined);
                        let away = Away { member, liveness, during: (undoing, host) };
                        let rule = Enable {
                            plan: &plan,
                            ldaps: false,
                            keep: true,
                            disturbed: disturbed.as_slice(),
                            away: Some(away),
                        };
                        let title = format!("{disturbed:?}, {away:?}");
                        cells.check(&estate, &rig, title, &result, &rule.expected());
                    }
                }
            }
        }
    }
    cells.end("enable, a member goes away");
    estate.domain.stop().await;
}

#[tokio::test]
async fn while_a_pool_is_disabled() {
    let estate = Estate::start().await;
    let mut cells = Cells::default();
    for profile in Profile::ALL {
        let plan = Plan::new(profile, 3);
        for host in 0..3 {
            for at in [0, 2] {
                for member in [1, 2] {
                    let liveness = liveness(cells.count());
                    let image = estate.joined(&plan, false).await;
                    let rig = estate.begin(&image);
                    arrange(&rig, (host, at), member, liveness);
                    let result = rig.call(disable()).await;
                    let away = Away { member, liveness, during: (false, host) };
                    let rule = Disable { away: Some(away), ..Disable::of(&plan) };
                    cells.check(&estate, &rig, format!("{away:?}"), &result, &rule.expected());
                }
            }
        }
    }
    cells.end("disable, a member goes away");
    estate.domain.stop().await;
}

//! xapi dies in the middle of a call, and starts again (xapi-flows.md §14).
//!
//! At each command of each host xapi is gone: what it had in memory is lost, the command's end is
//! never seen, and what follows never happens. Then every host's xapi starts again from its files.

use sim_host::{Profile, Quirk};

use crate::{
    deeds::Kind,
    estate::{self, Estate, Plan, Rig},
    judge::Cells,
    state::{Conf, Configuration, HostState},
    trouble::{Trouble, What, Words},
};

/// Runs `call` until xapi dies at the command `at` of `host`, and starts it again everywhere.
async fn die(estate: &Estate, rig: Rig, call: sim_host::Call, host: usize, at: usize) -> Rig {
    rig.programs[host].dies_at(at);
    let died = rig.programs[host].died.clone();
    tokio::select! {
        biased;
        () = died.notified() => {}
        result = rig.call(call) => panic!("the call came back: {result:?}"),
    }
    let rig = estate.reopened(rig);
    for index in 0..rig.plan.hosts {
        rig.restart(index).await;
    }
    rig
}

/// "corrected at the next xapi start": every host follows its own database entry.
#[tokio::test]
async fn in_set_ldaps_or_its_revert() {
    let estate = Estate::start().await;
    let mut cells = Cells::default();
    for profile in Profile::ALL {
        for hosts in [1, 3] {
            let plan = Plan::new(profile, hosts);
            let image = estate.joined(&plan, false).await;
            for failing in [None, Some(hosts - 1)] {
                let begin = || {
                    let rig = estate.begin(&image);
                    let what = What::Lasting(Words::Untrusted);
                    if let Some(host) = failing {
                        Trouble { host, at: 3, what }.arrange(&estate, &rig);
                    }
                    rig
                };
                let path = begin();
                let _ = path.set_ldaps(true, None).await;
                for host in 0..hosts {
                    for (at, kind) in path.log(host).into_iter().enumerate() {
                        if !cells.takes_next() {
                            continue;
                        }
                        let call = estate::set_ldaps(true, None);
                        let rig = die(&estate, begin(), call, host, at).await;
                        // Switched is whoever has passed and has not gone back.
                        let ldaps = |index: usize| match at {
                            _ if failing == Some(index) => false,
                            0..=3 => index < host,
                            _ if failing == Some(host) => index < host,
                            _ => index >= host,
                        };
                        let expected: Vec<_> =
                            (0..hosts).map(|index| HostState::inside(ldaps(index))).collect();
                        let title = format!("{failing:?} fails, died at {kind:?} of {host}");
                        cells.check_hosts(&estate, &rig, title, &expected);
                    }
                }
            }
        }
    }
    cells.end("died in set_ldaps");
    estate.domain.stop().await;
}

/// §14 concerns hosts with type AD alone, and the type comes last: what was done stays, and the
/// service name, which comes first. Whoever was done before is in the domain.
#[tokio::test]
async fn in_enable() {
    let estate = Estate::start().await;
    let mut cells = Cells::default();
    for profile in Profile::ALL {
        let plan = Plan::new(profile, 2);
        let path = estate.fresh(&plan).await;
        path.enable(true).await.unwrap();
        for host in 0..2 {
            for (at, kind) in path.log(host).into_iter().enumerate() {
                let rig = estate.fresh(&plan).await;
                let rig = die(&estate, rig, estate::enable(true), host, at).await;
                let log = path.log(host);
                let past = |step: Kind| log[..at].contains(&step);
                let written = past(Kind::Basics);
                let member = past(Kind::Join);
                let half = HostState {
                    named: true,
                    conf: if written { Conf::Joined { ldaps: true } } else { Conf::Absent },
                    winbind: past(Kind::Restart),
                    secrets: member,
                    account: member,
                    ..HostState::OUTSIDE
                };
                let mut expected = vec![HostState::inside(true); host];
                expected.push(half);
                expected.resize(2, HostState::OUTSIDE);
                let title = format!("died at {kind:?} of {host}");
                cells.check_hosts(&estate, &rig, &title, &expected);
                // The type tells pool.enable whether it may begin.
                let again = rig.enable(true).await;
                let already = again.as_ref().err().map(|error| error.code.as_str());
                if host == 0 {
                    assert_eq!(already, None, "{profile}, {title}");
                    expected = vec![HostState::inside(true); 2];
                } else {
                    assert_eq!(already, Some("POOL_AUTH_ALREADY_ENABLED"), "{profile}, {title}");
                }
                cells.check_hosts(&estate, &rig, format!("{title}, enabled again"), &expected);
            }
        }
    }
    cells.end("died in enable");
    estate.domain.stop().await;
}

/// The configuration goes first and the type last, so the next start takes the host for one of an
/// older release: it repairs the names and writes smb.conf for plain LDAP.
#[tokio::test]
async fn in_disable() {
    let estate = Estate::start().await;
    let mut cells = Cells::default();
    for profile in Profile::ALL {
        let plan = Plan::new(profile, 1);
        for (at, kind) in [Kind::Leave, Kind::Wipe, Kind::Stop].into_iter().enumerate() {
            let image = estate.joined(&plan, true).await;
            let call = estate::disable();
            let rig = die(&estate, estate.begin(&image), call, 0, at).await;
            let repaired = HostState {
                configuration: Configuration::Repaired,
                conf: Conf::Joined { ldaps: false },
                ..HostState::inside(false)
            };
            let expected = match kind {
                Kind::Leave => repaired,
                // Without secrets winbind does not start; AD stays on until it is disabled again.
                Kind::Wipe => HostState {
                    in_hosts_file: false,
                    winbind: false,
                    secrets: false,
                    account: false,
                    ..repaired
                },
                _ => HostState {
                    conf: Conf::Joined { ldaps: true },
                    winbind: true,
                    ..HostState::OUTSIDE
                },
            };
            cells.check_hosts(&estate, &rig, format!("died at {kind:?}"), &[expected]);
        }
    }
    cells.end("died in disable");
    estate.domain.stop().await;
}

/// The file follows the database even while no DC answers.
#[tokio::test]
async fn the_next_start_heals_without_any_dc() {
    let estate = Estate::start().await;
    let mut cells = Cells::default();
    for profile in Profile::ALL {
        let plan = Plan::new(profile, 1).quirk(Quirk::SetLdapsNoRestoreOnHardFailure, true);
        let rig = estate.begin(&estate.joined(&plan, false).await);
        Trouble { host: 0, at: 0, what: What::Dark }.arrange(&estate, &rig);
        assert!(rig.set_ldaps(true, None).await.is_err());
        let trial = HostState { conf: Conf::Joined { ldaps: true }, ..HostState::inside(false) };
        cells.check_hosts(&estate, &rig, "the trial file", &[trial]);
        rig.restart(0).await;
        cells.check_hosts(&estate, &rig, "restarted in the dark", &[HostState::inside(false)]);
    }
    cells.end("set_ldaps, restarted in the dark");
    estate.domain.stop().await;
}

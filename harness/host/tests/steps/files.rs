//! What xapi reads and writes between its commands: a bundle that is missing, an smb.conf that
//! cannot be written, an `/etc/hosts` that can be neither read nor written.

use std::fs;

use sim_host::{ApiError, LDAPS_BUNDLE, Profile, smb_conf};

use crate::{
    deeds::Kind,
    estate::{self, Estate, Plan, Rig},
    judge::Cells,
    rules::{Disable, Disturbed, Enable, SetLdaps},
    trouble::{self, Trouble, What, Words},
};

/// The steps that are no commands: what is in their way, and on which host.
fn arrange(rig: &Rig, Disturbed { host, step, .. }: Disturbed, call: &str) {
    let root = rig.host(host).root().clone();
    let directory_at = move |path: &str| {
        let path = root.real_path(path).unwrap();
        let _ = fs::remove_file(&path);
        fs::create_dir_all(&path).unwrap();
    };
    match step {
        Kind::Trust => drop(rig.host(host).root().remove(LDAPS_BUNDLE).unwrap()),
        Kind::HostsFile => directory_at("/etc/hosts"),
        // The programs that come before it read the file.
        Kind::Write if call == "enable" => {
            rig.programs[host].after(1, move || directory_at(smb_conf::PATH));
        }
        Kind::Write => directory_at(smb_conf::PATH),
        step => panic!("{step:?} is a command"),
    }
}

fn what(step: Kind) -> What {
    match step {
        Kind::Trust => What::NoBundle,
        Kind::HostsFile => What::NoHosts,
        _ => What::NoConf,
    }
}

#[tokio::test]
async fn of_set_ldaps() {
    let estate = Estate::start().await;
    let mut cells = Cells::default();
    for profile in Profile::ALL {
        for (from, to) in [(false, true), (true, false)] {
            let plan = Plan::new(profile, 3);
            let image = estate.joined(&plan, from).await;
            for host in 0..3 {
                for step in [Kind::Trust, Kind::Write] {
                    let disturbed = Disturbed { host, undoing: false, step, what: what(step) };
                    let rig = estate.begin(&image);
                    arrange(&rig, disturbed, "set_ldaps");
                    let result = rig.set_ldaps(to, None).await;
                    let disturbed = &[disturbed];
                    let rule = SetLdaps { plan: &plan, from, to, disturbed, away: None };
                    let title = format!("{from} to {to}: {disturbed:?}");
                    cells.check(&estate, &rig, title, &result, &rule.expected());
                    if result.is_err() {
                        assert_eq!(rig.log(host), [], "no command has been run");
                    }
                }
            }
        }
    }
    cells.end("set_ldaps, files");
    estate.domain.stop().await;
}

#[tokio::test]
async fn of_enable() {
    const NOT_KEPT: &str = "winbind_keep_configuration = false\n";
    let estate = Estate::start().await;
    let mut cells = Cells::default();
    for profile in Profile::ALL {
        for (ldaps, conf, hosts) in [(true, "", 3), (false, "", 1), (true, NOT_KEPT, 1)] {
            let plan = Plan::new(profile, hosts).conf(conf);
            for host in 0..hosts {
                for step in [Kind::Trust, Kind::Write, Kind::HostsFile] {
                    let disturbed = Disturbed { host, undoing: false, step, what: what(step) };
                    let rig = estate.fresh(&plan).await;
                    arrange(&rig, disturbed, "enable");
                    let result = rig.enable(ldaps).await;
                    let disturbed = &[disturbed];
                    let keep = conf.is_empty();
                    let rule = Enable { plan: &plan, ldaps, keep, disturbed, away: None };
                    let title = format!("ldaps {ldaps}, keep {keep}: {disturbed:?}");
                    cells.check(&estate, &rig, title, &result, &rule.expected());
                }
            }
        }
    }
    cells.end("enable, files");
    estate.domain.stop().await;
}

/// "an unreachable domain is reported before missing certificates".
#[tokio::test]
async fn the_order_of_lookup_and_trust() {
    let estate = Estate::start().await;
    for profile in Profile::ALL {
        let rig = estate.fresh(&Plan::new(profile, 1)).await;
        let (step, what) = (Kind::Trust, What::NoBundle);
        arrange(&rig, Disturbed { host: 0, undoing: false, step, what }, "enable");
        Trouble { host: 0, at: 0, what: What::Dark }.arrange(&estate, &rig);
        let code = |result: Result<(), ApiError>| result.unwrap_err().code;
        let lookup = "POOL_AUTH_ENABLE_FAILED_DOMAIN_LOOKUP_FAILED";
        assert_eq!(code(rig.enable(true).await), lookup, "{profile}");
        trouble::end(&estate, &rig);
        let trust = "POOL_AUTH_ENABLE_FAILED_NO_TRUSTED_CERTS";
        assert_eq!(code(rig.enable(true).await), trust, "{profile}");
    }
    estate.domain.stop().await;
}

/// The failure is remembered, the rest is done.
#[tokio::test]
async fn of_disable() {
    let estate = Estate::start().await;
    let mut cells = Cells::default();
    for profile in Profile::ALL {
        let plan = Plan::new(profile, 3);
        for host in 0..3 {
            let step = Kind::HostsFile;
            let disturbed = Disturbed { host, undoing: false, step, what: What::NoHosts };
            let rig = estate.begin(&estate.joined(&plan, false).await);
            arrange(&rig, disturbed, "disable");
            let result = rig.call(estate::disable()).await;
            let disturbed = &[disturbed];
            let rule = Disable { disturbed, ..Disable::of(&plan) };
            cells.check(&estate, &rig, format!("{disturbed:?}"), &result, &rule.expected());
        }
    }
    cells.end("disable, files");
    estate.domain.stop().await;
}

/// Restoring after a failed ping is a write of its own: its failure is not the one reported.
#[tokio::test]
async fn of_the_restoring() {
    let estate = Estate::start().await;
    let mut cells = Cells::default();
    for profile in Profile::ALL {
        let plan = Plan::new(profile, 1);
        let rig = estate.begin(&estate.joined(&plan, false).await);
        let what = What::Lasting(Words::Untrusted);
        Trouble { host: 0, at: 3, what }.arrange(&estate, &rig);
        Trouble { host: 0, at: 3, what: What::NoConf }.arrange(&estate, &rig);
        let result = rig.set_ldaps(true, None).await;
        let step = Kind::SearchAsMachine;
        let disturbed = &[Disturbed { host: 0, undoing: false, step, what }];
        let rule = SetLdaps { plan: &plan, from: false, to: true, disturbed, away: None };
        let mut expected = rule.expected();
        expected.hosts[0].conf = crate::state::Conf::Broken;
        cells.check(&estate, &rig, "the old file cannot be written", &result, &expected);
    }
    cells.end("set_ldaps, the restoring");
    estate.domain.stop().await;
}

//! Every error code and every side of every quirk is shown by a bundled scenario, each stated quirk
//! matters to the scenario that states it, and the pages that say so are fresh.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use runner::{Outcome, RunOptions, Suite, evidence};
use sim_host::Quirk;
use tokio::{sync::Semaphore, task::JoinSet};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn is_fresh(page: &str, text: &str, command: &str) {
    let committed = fs::read_to_string(repository().join("docs").join(page)).unwrap_or_default();
    assert!(
        committed == text,
        "docs/{page} is stale; refresh it with\n    \
         cargo run -p trustrig -- {command} --markdown > docs/{page}"
    );
}

#[test]
fn every_error_code_ends_a_call_in_each_profile() {
    let codes = evidence::codes();
    is_fresh("codes.md", &evidence::codes_page(&codes), "codes");
    let mut missing = Vec::new();
    for code in &codes {
        for profile in scenario::Profile::ALL {
            let profile = profile.as_str();
            let shown = code.scenarios.contains_key(profile);
            let never = code.never.is_some();
            if shown == never {
                let what = if shown { "is called impossible, and is seen" } else { "is not seen" };
                missing.push(format!("{} {what} in {profile}", code.code.code));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn both_sides_of_every_quirk_are_shown() {
    let quirks = evidence::quirks();
    is_fresh("quirks.md", &evidence::quirks_page(&quirks), "quirks");
    let mut missing = Vec::new();
    for quirk in quirks {
        let awaited = quirk.name.parse::<Quirk>().unwrap().awaits_issue().is_some();
        for (side, scenarios) in [("on", &quirk.on), ("off", &quirk.off)] {
            if scenarios.is_empty() && !awaited && quirk.never.is_none() {
                missing.push(format!("{} {} is not shown {side}", quirk.id, quirk.name));
            }
            if let (Some(why), false) = (quirk.never, scenarios.is_empty()) {
                missing.push(format!("{} is shown {side}, though {why}", quirk.id));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// A scenario that states a quirk must not hold without it, at least in one of its profiles.
#[tokio::test(flavor = "multi_thread")]
async fn a_stated_quirk_matters() {
    let suite = Suite::load(&[repository().join("scenarios")]).unwrap();
    let mut turned = Vec::new();
    let mut told = Vec::new();
    for case in suite.cases() {
        for name in case.scenario.world.quirks.keys() {
            let quirk: Quirk = name.as_str().parse().unwrap();
            turned.push(case.with_quirks_turned(|other| other == quirk));
            told.push((case.name.scenario.clone(), quirk));
        }
    }
    let places = Arc::new(Semaphore::new(RunOptions::default().jobs.get()));
    let mut running = JoinSet::new();
    for (case, key) in turned.into_iter().zip(told) {
        let places = Arc::clone(&places);
        running.spawn(async move {
            let _place = places.acquire_owned().await.unwrap();
            let suite = Suite::of([case]);
            let report = runner::run(&suite, &RunOptions::default(), &mut |_| {}).await;
            (key, !matches!(report.cases[0].outcome, Outcome::Passed))
        });
    }
    let mut matters: BTreeMap<(String, Quirk), bool> = BTreeMap::new();
    while let Some(ended) = running.join_next().await {
        let (key, failed) = ended.unwrap();
        *matters.entry(key).or_default() |= failed;
    }
    let idle: Vec<_> = matters.iter().filter(|(_, matters)| !**matters).collect();
    assert!(!matters.is_empty());
    assert!(idle.is_empty(), "it holds with the quirk turned round, too: {idle:#?}");
}

//! The year of a pool: what people do in it is necessary, each step of it, and is all that is.

use runner::{Outcome, RunOptions, Suite};

const YEAR: &str = include_str!("../../../scenarios/year-of-a-pool/scenario.toml");
const PEOPLE: &str = include_str!("../../../scenarios/year-of-a-pool/people.ldif");

/// What people do.
const BY_HAND: &str = "name = \"by hand: ";
const STEP: &str = "[[step]]\n";

/// How the year ends without each of the steps in turn.
#[tokio::test(flavor = "multi_thread")]
async fn no_step_by_hand_is_superfluous() {
    let parts: Vec<&str> = YEAR.split(STEP).collect();
    let by_hand: Vec<usize> =
        (1..parts.len()).filter(|&number| parts[number].starts_with(BY_HAND)).collect();
    assert!(by_hand.len() > 10, "the year has its steps");
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for &without in &by_hand {
        let kept = parts.iter().enumerate().filter(|(number, _)| *number != without);
        let text = kept.map(|(_, part)| *part).collect::<Vec<_>>().join(STEP);
        // One profile is enough: what people do is the same in both.
        // Reports are in the order of names.
        let id = format!("without-{without:03}");
        let text = text.replace(
            "id = \"year-of-a-pool\"",
            &format!("id = \"{id}\"\nprofiles = [\"design-v1\"]"),
        );
        let text = without_landed(&text);
        let home = folder.path().join(&id);
        std::fs::create_dir(&home).unwrap();
        std::fs::write(home.join("people.ldif"), PEOPLE).unwrap();
        let path = home.join("scenario.toml");
        std::fs::write(&path, text).unwrap();
        paths.push(path);
    }
    let suite = Suite::load(&paths).unwrap();
    let report = runner::run(&suite, &RunOptions::default(), &mut |_| {}).await;
    assert_eq!(report.cases.len(), by_hand.len());
    for (case, &without) in report.cases.iter().zip(&by_hand) {
        let step = parts[without].lines().next().unwrap_or_default();
        match &case.outcome {
            Outcome::Failed(failures) => assert!(!failures.is_empty()),
            Outcome::Passed => panic!("the year goes as well without {step}"),
            other => panic!("without {step}: {other:?}"),
        }
    }
}

/// Steps of the other profile may not be there in a scenario of one.
fn without_landed(text: &str) -> String {
    let kept = text.split(STEP).filter(|part| !part.contains("only = [\"landed\"]"));
    kept.collect::<Vec<_>>().join(STEP)
}

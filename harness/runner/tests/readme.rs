//! The scenario that README shows is one that runs.

use runner::{Outcome, RunOptions, Suite};

#[tokio::test]
async fn readmes_scenario_runs() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let (_, rest) = readme.split_once("```toml\n").unwrap();
    let (scenario, _) = rest.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("readme.toml");
    std::fs::write(&path, scenario).unwrap();

    let suite = Suite::load(&[path]).unwrap();
    let report = runner::run(&suite, &RunOptions::default(), &mut |_| {}).await;
    assert_eq!(report.cases.len(), 2, "one case for each profile");
    for case in &report.cases {
        let Outcome::Failed(failures) = &case.outcome else {
            panic!("its snapshot cannot have been accepted: {:?}", case.outcome);
        };
        // All else holds.
        assert!(failures.iter().all(|failure| failure.unaccepted), "{failures:?}");
    }
}

//! `trustrig compare-models` as its users meet it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::{fs, path::Path, process::Command};

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_trustrig"));
    let output = program.arg("compare-models").args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The page is what a person reviews: which connection goes on, which is refused, in which words.
#[test]
fn the_page_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/trust-models.md");
    let (code, page, errors) = run(&["--markdown"]);
    assert_eq!(code, Some(0), "{errors}");
    let accepted = fs::read_to_string(&path).unwrap();
    assert!(
        page == accepted,
        "docs/trust-models.md is stale: trustrig compare-models --markdown > docs/trust-models.md\n{page}"
    );
}

#[test]
fn a_cell_is_a_scenario_that_trustrig_plays() {
    let (code, text, _) = run(&["--show", "xapi/name-changed"]);
    assert_eq!(code, Some(0));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("compare-xapi-name-changed");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("scenario.toml"), text).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_trustrig"));
    let output = program.arg("run").arg(&folder).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_cell_that_is_not_there_is_wrong_input() {
    let (code, _, errors) = run(&["--show", "xapi/leaf-expired"]);
    assert_eq!(code, Some(2));
    assert!(
        errors.contains("no cell `xapi/leaf-expired`") && errors.contains("leaf-expires"),
        "{errors}"
    );
}

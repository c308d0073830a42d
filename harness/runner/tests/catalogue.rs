//! The catalogue is whole: every fault has a cause, a drawing, a verdict, a test and a story, and the page
//! that shows them is fresh.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use runner::catalogue::{FAMILIES, FaultPlace, catalogue, explain, explain_all, find, markdown};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// One computation for all that is asked of it: every fault is met.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_fresh_and_every_fault_has_a_verdict() {
    let explanations = explain_all().await.unwrap();
    assert_eq!(explanations.len(), catalogue().len());
    for fault in &explanations {
        let id = fault.entry.id;
        assert!(fault.attempts.len() >= 7, "{id}: five modes, StartTLS, sealed LDAP");
        // A verdict is a class, or the reason why there is none.
        for attempt in &fault.attempts {
            let conclusion = &attempt.conclusion;
            let way = attempt.way;
            let told = conclusion.succeeded != conclusion.stderr.is_some();
            assert!(told, "{id}: {way:?} ended without a word: {conclusion:?}");
        }
    }
    let page = repository().join("docs/faults.md");
    let committed = fs::read_to_string(&page).unwrap_or_default();
    assert!(
        committed == markdown(&explanations),
        "docs/faults.md is stale; refresh it with\n    \
         cargo run -p trustrig -- faults --markdown > docs/faults.md"
    );
}

#[test]
fn every_fault_says_what_it_is_and_what_leads_to_it() {
    let mut ids = BTreeSet::new();
    let mut incomplete = Vec::new();
    for entry in catalogue() {
        assert!(ids.insert(entry.id), "{} is there twice", entry.id);
        assert!(FAMILIES.iter().any(|(family, _)| *family == entry.family()), "{}", entry.id);
        assert!(!entry.places.is_empty(), "{}", entry.id);
        let fragments = [("summary", entry.summary), ("cause", entry.cause)];
        for (what, text) in fragments {
            if text.is_empty() || text.ends_with('.') || text.contains('\n') {
                incomplete.push(format!("{}: its {what} is no fragment of one line", entry.id));
            }
        }
        if entry.drawing.trim().is_empty() {
            incomplete.push(format!("{}: its drawing is missing", entry.id));
        }
    }
    assert!(incomplete.is_empty(), "{incomplete:#?}");
}

/// The list of `spec/faults.md` §1 is a floor. `invalid-credentials` stands for its sub-codes.
#[test]
fn the_catalogue_has_everything_that_the_field_knows() {
    let ids: BTreeSet<String> = catalogue().iter().map(|entry| entry.id.to_owned()).collect();
    let floor = include_str!("floor.txt");
    let missing: Vec<&str> =
        floor.lines().filter(|id| !id.is_empty() && !ids.contains(*id)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

/// A fault is named where a test of its crate looks: in a test itself, in a table that one iterates
/// (`evidence`), or in a snapshot that shows it.
#[test]
fn every_fault_has_a_test() {
    let mut tests = String::new();
    for folder in
        ["fake-dc/pki/tests", "fake-dc/server/tests", "harness/host/tests", "harness/runner/tests"]
    {
        collect(&repository().join(folder), &mut tests);
    }
    let words: BTreeSet<&str> =
        tests.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-')).collect();
    let untested: Vec<&str> =
        catalogue().iter().map(|entry| entry.id).filter(|id| !words.contains(id)).collect();
    assert!(untested.is_empty(), "no test names {untested:#?}");
}

#[test]
fn every_fault_is_used_by_a_bundled_scenario() {
    let unused: Vec<&str> = catalogue()
        .iter()
        .map(|entry| entry.id)
        .filter(|id| runner::catalogue::stories_of(id).is_empty())
        .collect();
    assert!(unused.is_empty(), "no story tells of {unused:#?}");
}

#[test]
fn a_misspelt_fault_finds_its_neighbours() {
    for (text, nearest) in [
        ("time.leaf-expird", "time.leaf-expired"),
        ("leaf-expired", "time.leaf-expired"),
        ("anchor.empty-bundel", "anchor.empty-bundle"),
        ("handshake.leaf-expired", "time.leaf-expired"),
    ] {
        let error = find(text).unwrap_err();
        assert_eq!(error.nearest.first(), Some(&nearest), "{error}");
    }
    for (text, cause) in [
        ("anchor.empty-bundle:1", "`anchor.empty-bundle` takes no value"),
        (
            "anchor.empty-bundle@ldap",
            "`anchor.empty-bundle` is a fault of a host, which has no listeners",
        ),
        ("time.leaf-expired:1d", "`time.leaf-expired` takes no value, and `1d` was given"),
    ] {
        assert_eq!(find(text).unwrap_err().to_string(), cause);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_says_what_it_is_and_what_the_host_says() {
    insta::assert_snapshot!(explain("time.leaf-expired").await.unwrap().to_string());
    insta::assert_snapshot!(explain("time.host-clock-ahead:2000d").await.unwrap().to_string());
}

#[test]
fn faults_of_the_way_may_be_set_on_a_route() {
    let of = |id| find(id).unwrap().places;
    assert_eq!(of("net.refuse"), [FaultPlace::Dc, FaultPlace::Route]);
    assert_eq!(of("time.leaf-expired"), [FaultPlace::Dc]);
    assert_eq!(of("time.host-clock-ahead"), [FaultPlace::Host]);
}

/// The text of all files below `folder`, but of this one, the list beside it and what they show.
fn collect(folder: &Path, text: &mut String) {
    const OWN: [&str; 2] = ["catalogue.rs", "floor.txt"];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let own = path.starts_with(repository().join("harness/runner"))
            && (OWN.contains(&name.as_str()) || name.starts_with("catalogue__"));
        if path.is_dir() {
            collect(&path, text);
        } else if !own && let Ok(read) = fs::read_to_string(&path) {
            text.push_str(&read);
            text.push('\n');
        }
    }
}

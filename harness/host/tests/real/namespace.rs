//! A test in a network namespace of its own, with a loopback that has every port free.

use std::env;

use sim_host::real;

/// Runs `body` of the test called `name` in namespaces of its own: this program, once more.
///
/// Without the programs, or the right, that this needs the test says that it is skipped; with
/// `TRUSTRIG_REQUIRE_TOOLS=1` it fails.
pub(crate) fn in_namespace(name: &str, body: impl FnOnce()) {
    if let Some(missing) = real::unavailable() {
        let required = env::var_os("TRUSTRIG_REQUIRE_TOOLS").is_some_and(|one| one == "1");
        let remedy = missing.remedy();
        assert!(!required, "{missing}, and TRUSTRIG_REQUIRE_TOOLS is set; help: {remedy}");
        eprintln!("SKIPPED: {missing} ({remedy})");
        return;
    }
    let Some(mut inside) = real::inside() else {
        return body();
    };
    let status =
        inside.args([name, "--exact", "--nocapture", "--test-threads=1"]).status().unwrap();
    assert!(status.success(), "the test failed inside its namespace, see above");
}

//! What sound scenarios become.

use std::time::Duration;

use ground::Timestamp;
use scenario::{
    Action, CertificateSource, ClockAction, Colour, FieldState, InstalledCertificate, Note,
    Outcome, Pattern, PoolCall, Profile, Scenario, Source, parse,
};

use crate::{SOUND, vocabulary};

fn sound(more: &str) -> Scenario {
    parse("sound.toml", &format!("{SOUND}{more}"), &vocabulary()).expect("a sound scenario")
}

#[test]
fn defaults_are_those_of_the_reference_page() {
    let scenario = sound("");
    assert_eq!(scenario.world.clock.0, "2026-08-21T02:00:23Z".parse::<Timestamp>().unwrap());
    assert_eq!(*scenario.profiles, [Profile::DesignV1, Profile::Landed]);
    assert_eq!(scenario.world.hosts.first().unwrap().name.as_str(), "host1");
    let step = scenario.steps.head();
    assert!(step.runs_in(Profile::Landed));
    assert_eq!(step.title(), "install the root");
    assert!(matches!(step.expect.outcome, Outcome::Success(_)));
    let Action::Pool(PoolCall::InstallTrustedCertificate(install)) = &step.action.value else {
        panic!("{step:?}")
    };
    assert!(install.ca && install.purpose.is_empty());
    assert!(
        matches!(&install.cert.value, CertificateSource::Root(root) if &***root == "corp.example")
    );
    let (domain, dc) = scenario.world.dc("dc1").unwrap();
    assert_eq!((domain.name.as_str(), dc.faults.len()), ("corp.example", 1));
}

#[test]
fn steps_become_typed_actions_with_their_places() {
    let more = r#"
[[step]]
clock.advance = "1d12h30s"
[[step]]
only = ["landed"]
pool.external_auth_set_ldaps = { ldaps = true, force = true }
[step.expect]
error = { code = "AUTH_SET_LDAPS_FAILED", params = ["ref:host2", "contains:already"] }
database = [
    { host = "host1", field = "external_auth_configuration.ldaps", is = true },
    { host = "host2", field = "external_auth_configuration.ldaps", absent = true },
]
[[step]]
pool.uninstall_trusted_certificate = { certificate = { installed_by = "install the root" } }
"#;
    let scenario = sound(more);
    let text = format!("{SOUND}{more}");
    let [_, advance, set, uninstall] = &*scenario.steps else { panic!("{:?}", scenario.steps) };

    let Action::Clock(ClockAction::Advance(by)) = advance.action.value else { panic!() };
    assert_eq!(by.0, Duration::from_secs(36 * 3_600 + 30));
    assert_eq!(&text[advance.action.span.clone()], "advance");

    assert!(!set.runs_in(Profile::DesignV1));
    assert_eq!(set.title(), "pool.external_auth_set_ldaps");
    let Outcome::Error(error) = &set.expect.outcome else { panic!() };
    assert_eq!(error.code.as_str(), "AUTH_SET_LDAPS_FAILED");
    let params = error.params.as_ref().unwrap();
    assert!(matches!(&params[0].value, Pattern::Host(host) if host.as_str() == "host2"));
    let reference = |_: &_| Some("OpaqueRef:2".to_owned());
    assert!(params[0].matches("OpaqueRef:2", reference));
    assert!(params[1].matches("ldaps is already true", reference));
    assert!(!params[1].matches("ldaps is true", reference));
    assert_eq!(&text[params[1].span.clone()], "\"contains:already\"");
    let [is, absent] = &set.expect.database[..] else { panic!() };
    assert_eq!(is.state, FieldState::Is(Pattern::Exact("true".into())));
    assert!(matches!(absent.state, FieldState::Absent(_)));

    let Action::Pool(PoolCall::UninstallTrustedCertificate(call)) = &uninstall.action.value else {
        panic!()
    };
    assert!(matches!(&call.certificate.value, InstalledCertificate::InstalledBy(step)
        if step.as_str() == "install the root"));
}

#[test]
fn a_runner_can_underline_an_expectation_that_did_not_hold() {
    let more = "[[step]]\nclock.advance = \"8d\"\nexpect.answered_by = [\n    { host = \"host1\", dc = \"dc2\" },\n]\n";
    let scenario = sound(more);
    let expectation = &scenario.steps[1].expect.answered_by[0];
    let source = Source::new("sound.toml", &format!("{SOUND}{more}"));
    let note = Note {
        code: "run::answered-by".into(),
        message: "dc2 did not answer host1".into(),
        span: expectation.span.clone(),
        label: Some("dc3 did".into()),
        also: None,
        help: None,
    };
    insta::assert_snapshot!(source.render(&note, Colour::Plain));
    assert!(source.render(&note, Colour::Ansi).contains('\u{1b}'));
}

#[test]
fn secrets_stay_out_of_debug_output() {
    let scenario = sound(
        r#"
[[step]]
pool.enable_external_auth = { service_name = "corp.example", auth_type = "AD", config = { user = "Administrator", pass = "Passw0rd!Lab1" } }
[[step]]
net.ads_search = { host = "host1", dc = "dc1", user = "Administrator", password = "Passw0rd!Lab1" }
"#,
    );
    let debug = format!("{scenario:?}");
    assert!(debug.contains("Administrator") && !debug.contains("Passw0rd"), "{debug}");
}

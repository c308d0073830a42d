//! The exact rendering of every mistake.

use std::fmt::Write as _;

use scenario::{Diagnostics, parse};

use crate::{SOUND, schema::assert_agrees, vocabulary};

fn mistakes(text: &str) -> Diagnostics {
    parse("scenarios/example/scenario.toml", text, &vocabulary()).expect_err("a mistake")
}

/// Each case makes one mistake: a name and the steps or changes that make it.
macro_rules! mistakes {
    ($($name:ident: $text:expr;)+) => {
        $(
            #[test]
            fn $name() {
                let text = $text;
                let mistakes = mistakes(&text);
                assert_eq!(mistakes.len(), 1, "{mistakes}");
                assert_agrees(&text, &mistakes);
                insta::assert_snapshot!(mistakes.to_string());
            }
        )+
    };
}

/// The sound scenario with another step.
fn step(step: &str) -> String {
    format!("{SOUND}\n[[step]]\n{step}\n")
}

/// The same in a world with a PKI directory and a server.
fn pki(step_text: &str) -> String {
    let directory = "[[world.pki_directory]]\nname = \"lab\"\nca = \"ca1\"";
    let server = "[[world.pki_server]]\nname = \"host1.lab.example\"\nca = \"ca1\"";
    format!("{}\n{directory}\n\n{server}\n", step(step_text))
}

/// The sound scenario with one text replaced.
fn with(find: &str, replacement: &str) -> String {
    assert!(SOUND.contains(find));
    SOUND.replacen(find, replacement, 1)
}

mistakes! {
    syntax: step("clock.advance = ");
    syntax_with_consequences: step("clock.advance = = \"8d\"");
    syntax_duplicate_key: step("name = \"a\"\nname = \"b\"\nclock.advance = \"1d\"");
    unknown_key: with("title =", "titel =");
    unknown_key_without_a_near_one: with("title =", "nothing_like_it = 1\ntitle =");
    unknown_call: step("pool.enable_external_authentication = { }");
    unknown_call_without_a_near_one: step("host.reboot = { host = \"host1\" }");
    unknown_parameter: step("pool.external_auth_set_ldaps = { ldaps = true, forced = true }");
    unknown_config_key: step("pool.disable_external_auth.config = { user = \"a\", password = \"b\" }");
    misspelt_required_parameter: step("pool.external_auth_set_ldaps = { ldap = true }");
    misspelt_fault: with("time.leaf-expired", "time.leaf-expird");
    misspelt_fault_with_value_and_listener: step("dc.add_faults = { dc = \"dc1\", faults = [\"net.latancy:250ms@ldaps\"] }");
    misspelt_listener: step("dc.set_faults = { dc = \"dc1\", faults = [\"net.latency:250ms@ldpas\"] }");
    fault_with_a_bad_value: step("dc.set_faults = { dc = \"dc1\", faults = [\"net.latency:slow@ldap\"] }");
    fault_that_takes_no_value: step("dc.set_faults = { dc = \"dc1\", faults = [\"time.leaf-expired:1d\"] }");
    fault_of_a_chain_on_a_route: step("route.set_faults = { host = \"host1\", dc = \"dc1\", faults = [\"net.black-hole\", \"time.leaf-expired\"] }");
    fault_of_a_host_on_a_dc: with("[\"time.leaf-expired\"]", "[\"time.host-clock-behind:36h\"]");
    fault_of_a_route_on_a_host: with("name = \"host2\"", "name = \"host2\"\nfaults = [\"net.black-hole\"]");
    fault_that_is_not_at_that_listener: step("route.set_faults = { host = \"host1\", dc = \"dc1\", faults = [\"net.black-hole@kdc\"] }");
    error_of_a_change_of_a_host: step("host.clear_faults.host = \"host1\"\nexpect.error.code = \"INTERNAL_ERROR\"");
    misspelt_quirk: with("[world]", "[world]\nquirks = { ping_report_first_dc = false }");
    misspelt_call: with("[world]", "[world]\n[[world.pool]]\nname = \"pool1\"\nlacks = [\"pool.jion\"]");
    misspelt_profile: with("\n[world]", "profiles = [\"Landed\"]\n[world]");
    misspelt_purpose: with("\"corp.example\" } }", "\"corp.example\" }, purpose = [\"ldap\"] }");
    misspelt_error_code: step("clock.advance = \"1d\"").replace(
        "clock.advance = \"1d\"",
        "pool.certificate_sync = {}\nexpect.error.code = \"AUTH_NO_TRUSTED_CERT\"",
    );
    misspelt_message: step("clock.advance = \"1d\"\nexpect.message = [{ name = \"AD_DC_LDAPS_CHECK\" }]");
    misspelt_kind_of_fact: step("clock.advance = \"1d\"\nexpect.never = [{ kind = \"ldap.search\" }]");
    dangling_host: step("xapi.restart.host = \"host3\"");
    dangling_dc: step("dc.clear_faults.dc = \"server-nine\"");
    dangling_domain: with("root = \"corp.example\"", "root = \"corp.exampel\"");
    dangling_host_in_a_pattern: step(
        "pool.certificate_sync = {}\nexpect.error = { code = \"HOST_OFFLINE\", params = [\"ref:hots2\"] }",
    );
    dangling_pki_directory: pki("pki.connect = { directory = \"lob\", server = \"host1.lab.example\" }");
    dangling_pki_server: pki("pki.connect = { directory = \"lab\", server = \"host2.lab.example\" }");
    dangling_pki_server_of_an_application: pki(
        "pki.connect_at_once = { directory = \"lab\", applications = [{ name = \"virsh\", servers = [\"host1.lab.exampel\"] }] }",
    );
    upload_without_waiting: step(
        "cloud.call = { command = \"uploadCustomCertificate\", params = { name = \"server\" } }",
    );
    certificate_of_a_host_without_a_ca: step("pki.renew = { host = \"host1\", keep_key = true }");
    dangling_reading_step: step("pool.install_trusted_certificate = { ca = true, cert.read_by = \"somebody reads it\" }");
    server_of_two_applications: pki(
        "pki.connect_at_once = { directory = \"lab\", applications = [{ name = \"virsh\", servers = [\"host1.lab.example\"] }, { name = \"other\", servers = [\"host1.lab.example\"] }] }",
    );
    duplicate_pki_server: pki("pki.revoke.server = \"host1.lab.example\"") + "[[world.pki_server]]\nname = \"host1.lab.example\"\nca = \"ca2\"\n";
    dangling_step: step(
        "name = \"later\"\npool.uninstall_trusted_certificate.certificate.installed_by = \"install a root\"",
    );
    step_that_installs_nothing: format!(
        "{SOUND}[[step]]\nname = \"sync\"\npool.certificate_sync = {{}}\n[[step]]\n\
         pool.uninstall_trusted_certificate.certificate.installed_by = \"sync\"\n"
    );
    liveness_of_the_coordinator: step("host.set_liveness = { host = \"host1\", state = \"offline\" }");
    misspelt_liveness: step("host.set_liveness = { host = \"host2\", state = \"of-line\" }");
    argument_of_an_unknown_host: step("xenapi.call = { method = \"host.get_uuid\", params = [\"ref:host9\"] }");
    argument_of_no_type: step("xenapi.call = { method = \"pool.get_all\", params = 1.5 }");
    argument_that_stands_for_nothing: step("xenapi.call = { method = \"pool.get_uuid\", params = [\"pool:reference\"] }");
    session_of_a_later_step: step("xenapi.call = { method = \"pool.get_all\", session_of = \"log in\" }");
    two_callers: step("xenapi.call = { method = \"pool.get_all\", root = true, session = \"x\" }");
    duplicate_host: with("name = \"host2\"", "name = \"host1\"");
    manager_and_agent: with("[[world.host]]", "[[world.manager]]\nname = \"party1\"\n[[world.agent]]\nname = \"party1\"\n[[world.host]]");
    duplicate_step: step("name = \"install the root\"\nclock.advance = \"1d\"");
    trust_of_an_unknown_domain: with("[[world.host]]", "[[world.trust]]\ndomain = \"corp.example\"\npartner = \"crop.example\"\n[[world.host]]");
    trust_with_itself: with("[[world.host]]", "[[world.trust]]\ndomain = \"corp.example\"\npartner = \"corp.example\"\n[[world.host]]");
    duplicate_trust: with(
        "[[world.host]]",
        "[[world.domain]]\nname = \"other.example\"\ndc = [{ name = \"dc4\" }]\n\
         [[world.trust]]\ndomain = \"corp.example\"\npartner = \"other.example\"\n\
         [[world.trust]]\ndomain = \"other.example\"\npartner = \"corp.example\"\nkind = \"external\"\n\
         [[world.host]]",
    );
    misspelt_kind_of_trust: with("[[world.host]]", "[[world.trust]]\ndomain = \"corp.example\"\npartner = \"other.example\"\nkind = \"forrest\"\n[[world.domain]]\nname = \"other.example\"\ndc = [{ name = \"dc4\" }]\n[[world.host]]");
    string_for_boolean: with("ca = true", "ca = \"true\"");
    boolean_for_string: step("pool.disable_external_auth.config = { ldaps = true }");
    string_for_list: with("[\"time.leaf-expired\"]", "\"time.leaf-expired\"");
    string_for_table: with("cert = { root = \"corp.example\" }", "cert = \"root\"");
    bad_duration: step("clock.advance = \"8 days\"");
    bad_time: with("[world]", "[world]\nclock = \"2026-08-21\"");
    bad_status: step(
        "clock.advance = \"1d\"\nexpect.verdict = [{ host = \"host1\", dc = \"dc1\", class = \"reject\", status = \"66\" }]",
    );
    bad_id: with("one-good-dc-among-bad", "One good DC");
    bad_path: step("file.delete = { host = \"host1\", path = \"etc/samba/smb.conf\" }");
    path_that_climbs: with("name = \"corp.example\"", "name = \"corp.example\"\nldif = \"../x.ldif\"");
    bad_version: with("version = 1", "version = 2");
    opposite_of_true: step("clock.advance = \"1d\"\nexpect.success = false");
    missing_key: with("ca = true, ", "");
    missing_action: step("name = \"nothing\"");
    two_actions: step("clock.advance = \"1d\"\npool.certificate_sync = {}");
    two_calls: step("pool.certificate_sync = {}\npool.disable_external_auth = {}");
    two_outcomes: step("pool.certificate_sync = {}\nexpect = { success = true, error.code = \"HOST_OFFLINE\" }");
    two_file_states: step(
        "clock.advance = \"1d\"\nexpect.file = [{ host = \"host1\", path = \"/a\", exists = true, contains = \"x\" }]",
    );
    error_of_no_call: step("clock.advance = \"1d\"\nexpect.error.code = \"INTERNAL_ERROR\"");
    output_of_no_program: step("clock.advance = \"1d\"\nexpect.output.exit = 0");
    user_without_password: step("net.ads_search = { host = \"host1\", dc = \"dc1\", user = \"a\" }");
    step_that_never_runs: with("\n[world]", "profiles = [\"landed\"]\n[world]")
        + "[[step]]\nonly = [\"design-v1\"]\nclock.advance = \"1d\"\n";
    certificate_not_installed_in_every_profile: with("name = \"install", "only = [\"landed\"]\nname = \"install")
        + "[[step]]\npool.uninstall_trusted_certificate.certificate.installed_by = \"install the root\"\n";
    chain_without_key: with("name = \"dc2\"", "name = \"dc2\"\nchain = \"chain.pem\"");
    no_host: with("[[world.host]]\nname = \"host1\"\n[[world.host]]\nname = \"host2\"\n", "");
    expectation_without_a_host: with("[[world.host]]\nname = \"host1\"\n[[world.host]]\nname = \"host2\"\n", "").replace(
        "pool.install_trusted_certificate = { ca = true, cert = { root = \"corp.example\" } }",
        "clock.advance = \"1d\"\nexpect.telemetry = { ad_enabled = 0, ldaps_enabled = 0 }",
    );
    refusal_of_a_call: step("pool.certificate_sync = {}\nexpect.refused.reason = \"wrong-key\"");
    empty_list: step("only = []\nclock.advance = \"1d\"");
    too_much_time: step("clock.advance = \"9y\"").replace("9y", "3000d")
        + "[[step]]\nclock.advance = \"651d\"\n";
}

#[test]
fn many_mistakes_are_reported_together() {
    let mistakes = mistakes(
        r#"version = 1
id = "Many Mistakes"
titel = "Everything at once"
profiles = ["landed", "design-v2"]

[world]
clock = "tomorrow"

[[world.domain]]
name = "corp.example"
[[world.domain.dc]]
name = "dc1"
faults = ["time.leaf-expird", "name.other-host"]
[[world.domain.dc]]
name = "dc1"

[[world.host]]
name = "host1"
color = "red"

[[step]]
name = "switch"
pool.external_auth_set_ldaps = { ldaps = "yes", force = 1 }
expect.answered_by = [{ host = "host2", dc = "dc9" }]
expect.error = { code = "AUTH_NO_CERTIFICATE", params = "x" }

[[step]]
pool.enable_extern_auth = { }

[[step]]
clock.advance = "soon"
dc.set_faults = { dc = "dc1", faults = ["anchor.unkown-root"] }
"#,
    );
    insta::assert_snapshot!(mistakes.to_string());
    let codes: Vec<_> = mistakes.iter().map(|mistake| mistake.mistake().code()).collect();
    assert_eq!(codes.len(), 17, "{codes:?}");
}

#[test]
fn mistakes_carry_their_place_for_programs() {
    let mistakes = mistakes(&with("time.leaf-expired", "time.leaf-expird"));
    let [mistake] = &*mistakes else { panic!("{mistakes}") };
    assert_eq!((mistake.line(), mistake.column()), (11, 12));
    assert_eq!(&mistakes.source().text()[mistake.span()], "time.leaf-expird");
    assert_eq!(mistake.code(), "scenario::unknown-word");
    assert_eq!(mistake.message(), "unknown fault `time.leaf-expird`");
    assert_eq!(mistake.help(), Some("did you mean `time.leaf-expired`?"));
}

#[test]
fn limits_are_ordinary_mistakes() {
    let mut hosts = SOUND.to_owned();
    for number in 3..=65 {
        write!(hosts, "[[world.host]]\nname = \"host{number}\"\n").unwrap();
    }
    let mut steps = SOUND.to_owned();
    for _ in 0..1_000 {
        steps.push_str("[[step]]\nclock.advance = \"1s\"\n");
    }
    let long = "#".repeat(scenario::TEXT_BYTES_MAX + 1);
    for (text, message) in [
        (hosts, "65 hosts, at most 64 are allowed"),
        (steps, "1001 steps, at most 1000 are allowed"),
        (long, "1048577 bytes of text, at most 1048576 are allowed"),
    ] {
        let mistakes = mistakes(&text);
        let [mistake] = &*mistakes else { panic!("{mistakes}") };
        assert_eq!(mistake.message(), message);
    }
}

#[test]
fn a_flood_of_mistakes_is_cut_off() {
    let flood = |count: usize| {
        let keys = (0..count).fold(String::new(), |keys, number| format!("{keys}x{number} = 1\n"));
        mistakes(&step(&format!("clock.advance = \"1d\"\n{keys}")))
    };
    let some = flood(150);
    assert_eq!(some.len(), 150);
    let report = some.to_string();
    assert!(report.contains("and 50 more below"), "{report}");
    assert!(report.ends_with("scenarios/example/scenario.toml: 150 mistakes\n"));

    let many = flood(2_000);
    assert_eq!(many.len(), Diagnostics::MAX);
    assert!(many.to_string().ends_with("at least 1000 mistakes\n"));
}

#[test]
fn one_very_long_word_is_an_ordinary_mistake() {
    let word = "x".repeat(500_000);
    assert_eq!(mistakes(&with("time.leaf-expired", &word)).len(), 1);
    assert_eq!(mistakes(&with("title =", &format!("{word} = 1\ntitle ="))).len(), 1);
}

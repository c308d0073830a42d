//! `external_auth_set_ldaps`: the worked outcomes of xapi-flows.md §9.4, and its quirks.

use sim_host::{Call, Liveness, Profile, Quirk};

use crate::support::{
    Answer, Dc, Plan, Rig, TLS_FAILED, UNTRUSTED, WRONG_PASSWORD, authority, error,
};

/// A pool with the CA installed for LDAPS and AD enabled over LDAP.
async fn joined(plan: Plan) -> Rig {
    let rig = plan.build();
    rig.install(&authority("corp.example"), &["ldaps"]).await.unwrap();
    rig.enable(&[]).await.unwrap();
    for number in 1..=rig.scripts.len() {
        rig.log(number);
    }
    rig
}

fn states(rig: &Rig) -> Vec<(String, String)> {
    (1..=rig.scripts.len())
        .map(|number| (rig.record(number).ldaps().to_string(), rig.wrapping(number).unwrap()))
        .collect()
}

fn all<'a>(rig: &Rig, database: &'a str, file: &'a str) -> bool {
    states(rig).iter().all(|(key, line)| key == database && line == file)
}

#[tokio::test]
async fn three_good_hosts_switch_on_and_off() {
    for profile in Profile::ALL {
        let rig = joined(Plan::new(profile, 3)).await;
        assert_eq!(rig.set_ldaps(true).await, Ok(()));
        assert!(all(&rig, "true", "ldaps"), "{:?}", states(&rig));
        let steps =
            ["restart", "wbinfo KRBTGT", "kdcs corp.example", "search 10.0.0.1 ldaps machine"];
        assert_eq!(rig.log(3), steps);
        assert_eq!(rig.set_ldaps(false).await, Ok(()));
        assert!(all(&rig, "false", "seal"), "{:?}", states(&rig));
    }
}

#[tokio::test]
async fn no_bundle_anywhere() {
    let rig = Plan::new(Profile::Landed, 3).build();
    rig.enable(&[]).await.unwrap();
    rig.log(1);
    let failed = rig.set_ldaps(true).await.unwrap_err();
    assert_eq!(failed.code, "AUTH_NO_TRUSTED_CERTS");
    assert_eq!(failed.params.len(), 1);
    assert!(all(&rig, "false", "seal"));
    assert!(rig.log(1).is_empty());
}

#[tokio::test]
async fn without_a_bundle_the_system_cas_could_do() {
    let plan = Plan::new(Profile::Landed, 1).quirk(Quirk::BundleRequiredEvenWithPublicCa, false);
    let rig = plan.build();
    rig.enable(&[]).await.unwrap();
    assert_eq!(rig.set_ldaps(true).await, Ok(()));
}

#[tokio::test]
async fn a_member_that_cannot_validate_turns_all_back() {
    for profile in Profile::ALL {
        let rig = joined(Plan::new(profile, 3)).await;
        rig.rules(2, |rules| rules.dcs = vec![Dc::ldaps(Answer::Fails(UNTRUSTED))]);
        let failed = rig.set_ldaps(true).await.unwrap_err();
        assert_eq!(failed.code, "AUTH_INVALID_TRUSTED_CERTS");
        assert!(failed.params[0].contains("KRBTGT"), "{failed}");
        assert!(all(&rig, "false", "seal"), "{:?}", states(&rig));
        assert!(rig.log(3).is_empty(), "{profile}: the third host is never called");
    }
}

#[tokio::test]
async fn a_revert_that_fails_leaves_the_pool_split() {
    let rig = joined(Plan::new(Profile::Landed, 2)).await;
    // The coordinator's only DC no longer answers over plain LDAP.
    let ldaps_only = Dc { ldap: Answer::Fails("refused"), ..Dc::good() };
    rig.rules(1, |rules| rules.dcs = vec![ldaps_only]);
    rig.rules(2, |rules| rules.dcs = vec![Dc::ldaps(Answer::Fails(TLS_FAILED))]);
    let failed = rig.set_ldaps(true).await.unwrap_err();
    assert_eq!(failed.code, "AUTH_SETUP_TLS_CONNECTION");
    let expected = [("true", "ldaps"), ("false", "seal")];
    assert_eq!(states(&rig), expected.map(|(key, line)| (key.to_owned(), line.to_owned())));
}

#[tokio::test]
async fn one_good_dc_is_enough() {
    let rig = joined(Plan::new(Profile::Landed, 1)).await;
    rig.dcs(&[Dc::ldaps(Answer::Fails(UNTRUSTED)), Dc::good(), Dc::good()]);
    assert_eq!(rig.set_ldaps(true).await, Ok(()));
    assert!(all(&rig, "true", "ldaps"));
    let searches: Vec<_> =
        rig.log(1).into_iter().filter(|line| line.starts_with("search")).collect();
    assert_eq!(searches, ["search 10.0.0.1 ldaps machine", "search 10.0.0.2 ldaps machine"]);
}

#[tokio::test]
async fn the_first_dc_is_the_one_reported_unless_the_quirk_is_off() {
    let dcs = [
        Dc::ldaps(Answer::Fails("NT_STATUS_CONNECTION_REFUSED")),
        Dc::ldaps(Answer::Fails(UNTRUSTED)),
        Dc::ldaps(Answer::NoSid),
    ];
    let rig = joined(Plan::new(Profile::Landed, 1)).await;
    rig.dcs(&dcs);
    let host = rig.reference(1);
    let text = "the query of KRBTGT failed: said NT_STATUS_CONNECTION_REFUSED";
    assert_eq!(rig.set_ldaps(true).await, error("AUTH_SET_LDAPS_FAILED", [&host, text]));
    assert!(all(&rig, "false", "seal"));
    assert_eq!(rig.log(1).last().map(String::as_str), Some("wbinfo KRBTGT"), "restored and ready");

    let rig = joined(Plan::new(Profile::DesignV1, 1)).await;
    rig.dcs(&dcs);
    assert_eq!(rig.set_ldaps(true).await.unwrap_err().code, "AUTH_INVALID_TRUSTED_CERTS");
}

#[tokio::test]
async fn the_same_value_again() {
    let rig = joined(Plan::new(Profile::Landed, 2)).await;
    rig.set_ldaps(true).await.unwrap();
    rig.log(1);
    let host = rig.reference(1);
    let already = error("AUTH_SET_LDAPS_FAILED", [&host, "ldaps is already true"]);
    assert_eq!(rig.set_ldaps(true).await, already);
    assert!(rig.log(1).is_empty());
    assert_eq!(rig.force_ldaps(true).await, Ok(()));
    assert_eq!(rig.log(1).len(), 4);

    // A forced check that fails on a member reverts nothing.
    rig.rules(2, |rules| rules.dcs = vec![Dc::ldaps(Answer::Fails(UNTRUSTED))]);
    assert_eq!(rig.force_ldaps(true).await.unwrap_err().code, "AUTH_INVALID_TRUSTED_CERTS");
    assert_eq!(rig.log(1).len(), 4);
    assert!(all(&rig, "true", "ldaps"));

    let rig = joined(Plan::new(Profile::DesignV1, 1)).await;
    for _ in 0..2 {
        assert_eq!(rig.set_ldaps(true).await, Ok(()), "design-v1 simply checks again");
    }
    let count = ["pool.external_auth_set_ldaps", "2", "3"];
    assert_eq!(rig.force_ldaps(true).await, error("MESSAGE_PARAMETER_COUNT_MISMATCH", count));
}

#[tokio::test]
async fn a_member_that_is_ahead() {
    let rig = joined(Plan::new(Profile::Landed, 2)).await;
    let member = rig.host(2).reference().clone();
    let call = Call::HostExternalAuthSetLdaps { host: member.clone(), ldaps: true, force: None };
    rig.call(call).await.unwrap();
    let already = error("AUTH_SET_LDAPS_FAILED", [member.as_str(), "ldaps is already true"]);
    assert_eq!(rig.set_ldaps(true).await, already);
    assert_eq!(rig.key(1, "ldaps").as_deref(), Some("false"));
    assert_eq!(rig.key(2, "ldaps").as_deref(), Some("true"));
    assert_eq!((rig.wrapping(1), rig.wrapping(2)), (Some("seal".into()), Some("ldaps".into())));
}

#[tokio::test]
async fn a_member_that_is_away() {
    let rig = joined(Plan::new(Profile::Landed, 3)).await;
    let member = rig.reference(2);
    for (liveness, code) in
        [(Liveness::Offline, "HOST_OFFLINE"), (Liveness::Unreachable, "CANNOT_CONTACT_HOST")]
    {
        rig.host(2).set_liveness(liveness);
        assert_eq!(rig.set_ldaps(true).await, error(code, [&member]));
        assert!(all(&rig, "false", "seal"), "{:?}", states(&rig));
    }
}

#[tokio::test]
async fn ad_is_disabled() {
    for profile in Profile::ALL {
        let rig = Plan::new(profile, 1).build();
        assert_eq!(rig.set_ldaps(true).await, error("AUTH_IS_DISABLED", []));
        assert_eq!(rig.set_ldaps(false).await, error("AUTH_IS_DISABLED", []));
        assert_eq!(rig.text(1, sim_host::smb_conf::PATH), None);
    }
}

#[tokio::test]
async fn hard_failures_are_restored_only_without_the_quirk() {
    let failures: [fn(&mut crate::support::Rules); 3] = [
        |rules| rules.restart = Answer::Fails("failed"),
        |rules| rules.ready = Answer::Fails("WBC_ERR_DOMAIN_NOT_FOUND"),
        |rules| rules.kdc_lines = Some("nonsense\n"),
    ];
    for (quirk, left) in [(true, "ldaps"), (false, "seal")] {
        for failure in failures {
            let plan =
                Plan::new(Profile::Landed, 1).quirk(Quirk::SetLdapsNoRestoreOnHardFailure, quirk);
            let rig = joined(plan).await;
            rig.rules(1, failure);
            let failed = rig.set_ldaps(true).await.unwrap_err();
            assert_eq!(failed.code, "AUTH_SET_LDAPS_FAILED");
            assert_eq!(failed.params[0], rig.reference(1));
            assert!(all(&rig, "false", left), "{:?}", states(&rig));
        }
    }
}

#[tokio::test]
async fn tags_are_flat_in_landed() {
    let cases = [
        (WRONG_PASSWORD, "AUTH_SET_LDAPS_FAILED", "AUTH_SET_LDAPS_FAILED_WRONG_CREDENTIALS"),
        (
            "KDC has no support for encryption type",
            "AUTH_SET_LDAPS_FAILED",
            "AUTH_SET_LDAPS_FAILED_NO_SUPPORT_ENCRYPT_TYPE",
        ),
        (TLS_FAILED, "AUTH_SETUP_TLS_CONNECTION", "AUTH_SETUP_TLS_CONNECTION"),
        (UNTRUSTED, "AUTH_INVALID_TRUSTED_CERTS", "AUTH_INVALID_TRUSTED_CERTS"),
    ];
    for (stderr, landed, design) in cases {
        for (profile, code) in [(Profile::Landed, landed), (Profile::DesignV1, design)] {
            let rig = joined(Plan::new(profile, 1)).await;
            rig.dcs(&[Dc::ldaps(Answer::Fails(stderr))]);
            assert_eq!(rig.set_ldaps(true).await.unwrap_err().code, code);
        }
    }
}

#[tokio::test]
async fn the_former_value_is_the_coordinators_or_each_hosts_own() {
    for (quirk, second) in [(true, "false"), (false, "true")] {
        let plan = Plan::new(Profile::DesignV1, 3).quirk(Quirk::SetLdapsOldValueRace, quirk);
        let rig = joined(plan).await;
        let host = rig.host(2).reference().clone();
        rig.call(Call::HostExternalAuthSetLdaps { host, ldaps: true, force: None }).await.unwrap();
        rig.rules(3, |rules| rules.dcs = vec![Dc::ldaps(Answer::Fails(UNTRUSTED))]);
        assert!(rig.set_ldaps(true).await.is_err());
        let keys = [1, 2, 3].map(|number| rig.key(number, "ldaps").unwrap_or("false".into()));
        assert_eq!(keys, ["false", second, "false"]);
    }
}

#[tokio::test]
async fn switched_hosts_may_be_left_as_they_are() {
    let plan = Plan::new(Profile::DesignV1, 2).quirk(Quirk::SetLdapsLeavesSwitchedHosts, true);
    let rig = joined(plan).await;
    rig.rules(2, |rules| rules.dcs = vec![Dc::ldaps(Answer::Fails(UNTRUSTED))]);
    assert!(rig.set_ldaps(true).await.is_err());
    assert_eq!(rig.key(1, "ldaps").as_deref(), Some("true"));
    assert_eq!(rig.wrapping(2).as_deref(), Some("seal"));
}

#[tokio::test]
async fn the_ledger_tells_the_story() {
    let rig = joined(Plan::new(Profile::Landed, 2)).await;
    let before = rig.ledger.last();
    rig.rules(2, |rules| rules.dcs = vec![Dc::ldaps(Answer::Fails(UNTRUSTED))]);
    assert!(rig.set_ldaps(true).await.is_err());
    let story: Vec<_> = rig
        .ledger
        .causal_order()
        .iter()
        .filter(|event| Some(event.id) > before)
        .map(|event| {
            let fields = event.fields();
            let short = |key: &str| fields.get(key).map(|value| format!(" {key}={value}"));
            let told: String = ["call", "ldaps", "field", "outcome", "error"]
                .into_iter()
                .filter_map(short)
                .collect();
            format!("{} {}{told}", event.actor, event.kind())
        })
        .collect();
    insta::assert_snapshot!(story.join("\n"));
}

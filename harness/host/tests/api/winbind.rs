//! How xapi handles winbind: its waits, what it runs after a join, and when it changes the
//! password.

use sim_host::{Profile, Quirk};

use crate::support::{Answer, Plan, Rig};

fn asked(rig: &Rig, command: &str) -> usize {
    rig.log(1).iter().filter(|line| *line == command).count()
}

/// 0.1 s, and each wait half as long again, until 300 s have passed.
#[tokio::test]
async fn the_wait_for_winbind_passes_in_virtual_time() {
    for (words, questions) in [
        // It is asked again after every wait.
        ("WBC_ERR_WINBIND_NOT_AVAILABLE", 20),
        // What a DC would have to answer does not change while the world stands still.
        ("WBC_ERR_DOMAIN_NOT_FOUND", 2),
    ] {
        let rig = Rig::landed(1);
        rig.rules(1, |rules| rules.ready = Answer::Fails(words));
        let before = rig.time.clock().now();
        let failed = rig.enable(&[]).await.unwrap_err();
        assert!(failed.params[1].contains("not ready after 300 s"), "{failed}");
        let waited = rig.time.clock().now().unix() - before.unix();
        assert!((300..600).contains(&waited), "{waited}");
        assert_eq!(asked(&rig, "wbinfo KRBTGT"), questions);
    }
}

#[tokio::test]
async fn the_domain_is_told_of_encryption_types_where_configured() {
    for (types, told) in [("strong", "24"), ("legacy", "4"), ("all", "31")] {
        let conf = format!(
            "winbind_set_machine_account_kerberos_encryption_type = true\n\
             winbind_kerberos_encryption_type = {types}\n"
        );
        let rig = Plan::new(Profile::Landed, 1).conf(&conf).build();
        rig.enable(&[("netbios-name", "SPHINX")]).await.unwrap();
        assert_eq!(rig.log(1).last(), Some(&format!("enctypes SPHINX$ {told}")));
    }
    let rig = Rig::landed(1);
    rig.enable(&[]).await.unwrap();
    assert!(!rig.log(1).iter().any(|line| line.starts_with("enctypes")));
}

#[tokio::test]
async fn the_password_is_changed_at_once_where_it_is_always_due() {
    let always = Plan::new(Profile::Landed, 1).conf("winbind_machine_pwd_timeout = 0").build();
    always.enable(&[]).await.unwrap();
    always.let_go_by(0).await;
    assert_eq!(asked(&always, "wbinfo"), 1);
    let rig = Rig::landed(1);
    rig.enable(&[]).await.unwrap();
    rig.let_go_by(0).await;
    assert_eq!(asked(&rig, "wbinfo"), 0);
}

#[tokio::test]
async fn one_line_that_is_no_kdc_is_enough_to_find_none() {
    for bad in ["10.0.0.2:750", "dc2.corp.example:88", "10.0.0.2"] {
        let lines: &'static str = Box::leak(format!("10.0.0.1:88\n{bad}\n").into_boxed_str());
        for (quirk, code) in
            [(true, Some("POOL_AUTH_ENABLE_FAILED_DOMAIN_LOOKUP_FAILED")), (false, None)]
        {
            let plan = Plan::new(Profile::Landed, 1).quirk(Quirk::OneBadKdcLineFailsAll, quirk);
            let rig = plan.build();
            rig.rules(1, |rules| rules.kdc_lines = Some(lines));
            let found = rig.enable(&[]).await.err().map(|error| error.code);
            assert_eq!(found.as_deref(), code, "{bad}");
        }
    }
}

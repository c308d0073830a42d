//! XML-RPC, to the byte.

use sim_host::{Profile, Quirk, Quirks};
use xenapi_wire::facts::Requested;

use crate::world::{DOMAIN, JOIN_PASSWORD, ROOT_PASSWORD, World, error};

const TRUE: &str = "<boolean>1</boolean>";

#[tokio::test]
async fn sessions() {
    let world = World::alone(Profile::Landed).await;
    let login = "session.login_with_password";
    for (user, password) in [("root", "wrong"), ("Administrator", ROOT_PASSWORD)] {
        assert_eq!(
            world.xml(login, &[user, password, "1.0"]).await,
            error(["SESSION_AUTHENTICATION_FAILED", user, "Authentication failure"])
        );
    }
    let session = world.log_in().await;
    let own = [session.as_str(), session.as_str()];
    let is = |text: &str| Ok(format!("<value>{text}</value>"));
    assert_eq!(world.xml("session.get_is_local_superuser", &own).await, is(TRUE));
    assert_eq!(world.xml("session.get_auth_user_name", &own).await, is("root"));
    assert_eq!(world.xml("session.get_this_host", &own).await, is(&world.host(1)));
    let unknown = error(["MESSAGE_METHOD_UNKNOWN", "session.get_all"]);
    assert_eq!(world.xml("session.get_all", &own[..1]).await, unknown);

    let other = world.log_in().await;
    assert_ne!(other, session);
    assert_eq!(world.xml("session.logout", &own[..1]).await, is(""));
    let gone = error(["SESSION_INVALID", &session]);
    assert_eq!(world.xml("pool.get_all", &own[..1]).await, gone);
    assert_eq!(world.xml("session.logout", &own[..1]).await, gone);
    assert!(world.xml("pool.get_all", &[&other]).await.is_ok());
    world.assert_no_secrets(&[ROOT_PASSWORD, &session, &other]);
    world.server.stop().await;
}

#[tokio::test]
async fn records() {
    let world = World::alone(Profile::Landed).await;
    let session = world.log_in().await;
    let session = session.as_str();
    let pool = world.pool.reference().to_string();
    let (host1, host2) = (world.host(1), world.host(2));
    let array = |items: &[&str]| {
        let items: String = items.iter().map(|item| format!("<value>{item}</value>")).collect();
        Ok(format!("<value><array><data>{items}</data></array></value>"))
    };
    assert_eq!(world.xml("pool.get_all", &[session]).await, array(&[&pool]));
    assert_eq!(world.xml("pool_get_all", &[session]).await, array(&[&pool]));
    assert_eq!(world.xml("host.get_all", &[session]).await, array(&[&host1, &host2]));
    assert_eq!(world.xml("host.get_by_name_label", &[session, "host2"]).await, array(&[&host2]));
    assert_eq!(world.xml("subject.get_all", &[session]).await, array(&[]));

    let records = world.pool.database_view();
    let own: Vec<_> = records.certificates.iter().map(|row| row.reference.as_str()).collect();
    assert_eq!(own.len(), 4, "two of each host");
    assert_eq!(world.xml("Certificate.get_all", &[session]).await, array(&own));
    let uuid = records.pool.uuid;
    let record = world.xml("pool.get_record", &[session, &pool]).await.unwrap();
    for (field, value) in [
        ("uuid", uuid.to_string()),
        ("name_label", "pool".to_owned()),
        ("master", host1.clone()),
        ("tls_verification_enabled", TRUE.to_owned()),
        ("ext_auth_cache_size", "50".to_owned()),
        ("tags", "<array><data></data></array>".to_owned()),
        ("ha_configuration", "<struct></struct>".to_owned()),
    ] {
        let member = format!("<member><name>{field}</name><value>{value}</value></member>");
        assert!(record.contains(&member), "{member} in {record}");
        // The getter says the same.
        let got = world.xml(&format!("pool.get_{field}"), &[session, &pool]).await;
        assert_eq!(got, Ok(format!("<value>{value}</value>")));
    }
    let all =
        format!("<value><struct><member><name>{pool}</name>{record}</member></struct></value>");
    assert_eq!(world.xml("pool.get_all_records", &[session]).await, Ok(all));
    // An integer has no type tag.
    assert_eq!(
        world.xml("host.get_API_version_minor", &[session, &host1]).await,
        Ok("<value>23</value>".to_owned())
    );
    let uuid = records.hosts[1].uuid.to_string();
    let is_host2 = Ok(format!("<value>{host2}</value>"));
    assert_eq!(world.xml("host.get_by_uuid", &[session, &uuid]).await, is_host2);
    let unknown = error(["UUID_INVALID", "host", "x"]);
    assert_eq!(world.xml("host.get_by_uuid", &[session, "x"]).await, unknown);
    assert_eq!(
        world.xml("host.get_record", &[session, "OpaqueRef:NULL"]).await,
        error(["HANDLE_INVALID", "host", "OpaqueRef:NULL"])
    );
    world.server.stop().await;
}

#[tokio::test]
async fn dispatch() {
    let world = World::alone(Profile::Landed).await;
    let session = world.log_in().await;
    let session = session.as_str();
    for method in ["pool.fly", "VM.get_all", "poolget", "", "message.get_uuid", "session.get_all"] {
        let unknown = error(["MESSAGE_METHOD_UNKNOWN", method]);
        assert_eq!(world.xml(method, &[session]).await, unknown, "{method}");
    }
    let set_ldaps = "pool.external_auth_set_ldaps";
    let mismatch = |method: &str, expected: &str, received: &str| {
        error(["MESSAGE_PARAMETER_COUNT_MISMATCH", method, expected, received])
    };
    assert_eq!(world.xml(set_ldaps, &[session, "P"]).await, mismatch(set_ldaps, "2", "1"));
    let get_all = "pool.get_all";
    assert_eq!(world.xml(get_all, &[]).await, mismatch(get_all, "0", "-1"));
    assert_eq!(world.xml(get_all, &[session, "x"]).await, mismatch(get_all, "0", "1"));
    // The count comes before the session, and so does the type.
    assert_eq!(world.xml(get_all, &["no", "x"]).await, mismatch(get_all, "0", "1"));
    let wrong = "parameter 2 after the session is no bool";
    assert_eq!(world.xml(set_ldaps, &["no", "P", "1"]).await, error(["INTERNAL_ERROR", wrong]));
    assert_eq!(world.xml(set_ldaps, &["no", "P", TRUE]).await, error(["SESSION_INVALID", "no"]));
    assert_eq!(
        world.xml(get_all, &["<nil/>"]).await,
        error(["INTERNAL_ERROR", "the session is no reference"])
    );
    assert_eq!(
        world.xml("host.certificate_sync", &[session, "H"]).await,
        error([
            "INTERNAL_ERROR",
            "Internal API &quot;host.certificate_sync&quot; call attempted with non-pool (external) session"
        ])
    );
    assert_eq!(
        world.xml("host.disable_external_auth", &[session, "OpaqueRef:NULL"]).await,
        error(["HANDLE_INVALID", "host", "OpaqueRef:NULL"])
    );
    world.server.stop().await;
}

/// Quirk Q34, and `force`, which came with landed.
#[tokio::test]
async fn surplus_parameters() {
    let name = "pool.external_auth_set_ldaps";
    let mismatch = |expected: &str, received: &str| {
        error(["MESSAGE_PARAMETER_COUNT_MISMATCH", name, expected, received])
    };
    for (profile, quirk, three, four) in [
        (Profile::Landed, true, None, None),
        (Profile::Landed, false, None, Some(("3", "4"))),
        (Profile::DesignV1, false, Some(("2", "3")), Some(("2", "4"))),
    ] {
        let quirks = Quirks::of(profile).with(Quirk::ExtraArgsIgnored, quirk);
        let world = World::with(profile, quirks).await;
        let session = world.log_in().await;
        let pool = world.pool.reference().to_string();
        let params = [session.as_str(), &pool, TRUE, TRUE, "surplus"];
        let plain = world.xml(name, &params[..3]).await;
        assert_ne!(plain.as_ref().unwrap_err()[0], "MESSAGE_PARAMETER_COUNT_MISMATCH");
        for (count, expected) in [(4, three), (5, four)] {
            let result = world.xml(name, &params[..count]).await;
            match expected {
                Some((expected, received)) => assert_eq!(result, mismatch(expected, received)),
                None => assert_eq!(result, plain, "{profile} {quirk} {count}"),
            }
        }
        world.server.stop().await;
    }
}

#[tokio::test]
async fn a_domain_is_joined_toggled_and_left() {
    for profile in Profile::ALL {
        let world = World::in_domain(profile).await;
        let session = world.log_in().await;
        let session = session.as_str();
        let pool = world.pool.reference().to_string();
        let host = world.host(1);
        let ca = world.domain.as_ref().unwrap().ca_pem().to_owned();
        let void = Ok("<value></value>".to_owned());

        let purpose = "<array><data><value>LDAPS</value></data></array>";
        let install = [session, &pool, TRUE, &ca, purpose];
        assert_eq!(world.xml("pool.install_trusted_certificate", &install).await, void);
        let certificates = world.pool.certificates();
        let certificate = certificates.iter().find(|row| row.is_trusted()).unwrap();
        let records = world.xml("Certificate.get_all_records", &[session]).await.unwrap();
        for text in [
            format!("<member><name>{}</name><value><struct>", certificate.reference),
            format!("<name>uuid</name><value>{}</value>", certificate.uuid),
            "<name>type</name><value>ca</value>".to_owned(),
            "<name>host</name><value>OpaqueRef:NULL</value>".to_owned(),
            "<name>purpose</name><value><array><data><value>ldaps</value></data>".to_owned(),
            "<name>not_after</name><value><dateTime.iso8601>20".to_owned(),
            format!("<name>fingerprint</name><value>{}</value>", certificate.fingerprint_sha256),
        ] {
            assert!(records.contains(&text), "{text} in {records}");
        }

        let config = format!(
            "<struct><member><name>user</name><value>Administrator</value></member>\
             <member><name>pass</name><value>{JOIN_PASSWORD}</value></member>\
             <member><name>pass</name><value>second</value></member></struct>"
        );
        let enable = [session, &pool, &config, DOMAIN, "AD"];
        assert_eq!(world.xml("pool.enable_external_auth", &enable).await, void);
        let set = "pool.external_auth_set_ldaps";
        assert_eq!(world.xml(set, &[session, &pool, TRUE]).await, void);
        let again = match profile {
            Profile::DesignV1 => void.clone(),
            Profile::Landed => error(["AUTH_SET_LDAPS_FAILED", &host, "ldaps is already true"]),
        };
        assert_eq!(world.xml(set, &[session, &pool, TRUE]).await, again);
        let stored =
            world.xml("host.get_external_auth_configuration", &[session, &host]).await.unwrap();
        assert!(stored.contains("<name>ldaps</name><value>true</value>"), "{stored}");
        assert_eq!(world.xml("pool.disable_external_auth", &[session, &pool]).await, void);
        let uninstall = [session, &pool, certificate.reference.as_str()];
        assert_eq!(world.xml("pool.uninstall_trusted_certificate", &uninstall).await, void);

        // What the pool does is caused by the request.
        let events = world.ledger.events();
        let asked = events.iter().find(|event| {
            let method = event.fact::<Requested>().and_then(|fact| fact.method.as_deref());
            method == Some(set)
        });
        let asked = asked.unwrap().id;
        assert!(events.iter().any(|e| e.cause == Some(asked) && e.kind() == "xapi.call"));
        world.assert_no_secrets(&[ROOT_PASSWORD, JOIN_PASSWORD, session]);
        world.server.stop().await;
        world.domain.unwrap().stop().await;
    }
}

//! Tasks, messages, filters, roles, and members of a pool.

use std::{sync::Arc, time::Duration};

use ground::Actor;
use sim_host::{CertificateType, Profile, Quirk, Quirks, Role};
use xenapi_wire::{Options, serve};

use crate::world::{ROOT_PASSWORD, World, ask_xml, error, exchange};

const TRUE: &str = "<boolean>1</boolean>";

fn void() -> Result<String, Vec<String>> {
    Ok("<value></value>".to_owned())
}

fn texts(items: &[&str]) -> Result<String, Vec<String>> {
    let items: String = items.iter().map(|item| format!("<value>{item}</value>")).collect();
    Ok(format!("<value><array><data>{items}</data></array></value>"))
}

/// The text of a value that is one.
fn text(value: Result<String, Vec<String>>) -> String {
    let value = value.unwrap();
    value.strip_prefix("<value>").unwrap().strip_suffix("</value>").unwrap().to_owned()
}

/// xenapi-wire.md §9.
#[tokio::test]
async fn tasks() {
    let world = World::in_domain(Profile::Landed).await;
    let session = world.log_in().await;
    let session = session.as_str();
    let pool = world.pool.reference().to_string();
    let ca = world.domain.as_ref().unwrap().ca_pem().to_owned();
    let none = "<array><data></data></array>";
    let field = async |task: &str, name: &str| {
        text(world.xml(&format!("task.get_{name}"), &[session, task]).await)
    };
    let install = "Async.pool.install_trusted_certificate";
    let mut tasks = Vec::new();
    for (status, progress, result, errors) in [
        ("success", "1", "&lt;value&gt;&lt;/value&gt;", vec![]),
        ("failure", "1", "", vec!["TRUSTED_CERTIFICATE_ALREADY_EXISTS", "*"]),
    ] {
        let task = text(world.xml(install, &[session, &pool, TRUE, &ca, none]).await);
        world
            .ledger
            .wait_for_after(None, |event| {
                event.kind() == "xapi.result" && world.pool.tasks_in_order().len() > tasks.len()
            })
            .await;
        // The result is noted right after the call has ended.
        while field(&task, "status").await == "pending" {
            tokio::task::yield_now().await;
        }
        assert_eq!(field(&task, "status").await, status);
        assert_eq!(field(&task, "progress").await, format!("<double>{progress}</double>"));
        assert_eq!(field(&task, "result").await, result);
        assert_eq!(field(&task, "name_label").await, install);
        assert_eq!(field(&task, "resident_on").await, world.host(1));
        assert_eq!(field(&task, "type").await, "");
        let info = field(&task, "error_info").await;
        for (index, part) in errors.iter().enumerate() {
            assert!(*part == "*" || info.contains(part), "{index} in {info}");
        }
        assert_eq!(errors.is_empty(), info == none);
        tasks.push(task);
    }
    let fault = "No async mode for this operation (rpc: pool.external_auth_set_ldaps)";
    assert_eq!(
        world.xml("Async.pool.external_auth_set_ldaps", &[session, &pool, TRUE]).await,
        error(["Fault", fault])
    );
    let uninstall = "Async.pool.uninstall_trusted_certificate";
    assert_eq!(
        world.xml(uninstall, &[session, &pool]).await,
        error(["MESSAGE_PARAMETER_COUNT_MISMATCH", "pool.uninstall_trusted_certificate", "2", "1"])
    );

    // One that nobody works on.
    let task = text(world.xml("task.create", &[session, "mine", "by hand"]).await);
    assert_eq!(field(&task, "status").await, "pending");
    assert_eq!(field(&task, "progress").await, "<double>0</double>");
    assert_eq!(world.xml("task.get_by_name_label", &[session, "mine"]).await, texts(&[&task]));
    assert_eq!(world.xml("task.cancel", &[session, &task]).await, void());
    assert!(field(&task, "current_operations").await.contains("<value>cancel</value>"));

    assert_eq!(world.xml("task.destroy", &[session, &tasks[0]]).await, void());
    let gone = error(["HANDLE_INVALID", "task", &tasks[0]]);
    assert_eq!(world.xml("task.get_record", &[session, &tasks[0]]).await, gone);
    assert_eq!(world.xml("task.destroy", &[session, &tasks[0]]).await, gone);
    // A day later the others are gone, too; and so is the session.
    world.time.advance(Duration::from_secs(86_400));
    assert_eq!(world.xml("task.get_all", &[session]).await, texts(&[&tasks[1], &task]));
    world.time.advance(Duration::from_secs(1));
    assert_eq!(world.xml("task.get_all", &[session]).await, texts(&[]));
    world.assert_no_secrets(&[ROOT_PASSWORD, session]);
    world.server.stop().await;
    world.domain.unwrap().stop().await;
}

/// xenapi-wire.md §7.5.
#[tokio::test]
async fn messages() {
    let world = World::alone(Profile::Landed).await;
    let session = world.log_in().await;
    let session = session.as_str();
    let records = world.pool.database_view();
    let host = records.hosts[0].uuid.to_string();
    let pool = records.pool.uuid.to_string();
    let create = async |class: &str, uuid: &str, body: &str| {
        world.xml("message.create", &[session, "NOTE", "<int>3</int>", class, uuid, body]).await
    };
    let first = text(create("Host", &host, "one").await);
    world.time.advance(Duration::from_secs(60));
    let second = text(create("pool", &pool, "two &lt;b&gt;").await);
    assert_eq!(create("Host", &pool, "").await, error(["UUID_INVALID", "Host", &pool]));
    assert_eq!(create("VM", &host, "").await, error(["UUID_INVALID", "VM", &host]));
    assert_eq!(create("Host", &host, "&#1;").await, error(["INVALID_VALUE", "UTF8 expected"]));
    let unknown = error(["INTERNAL_ERROR", "parameter 3 after the session is no cls"]);
    assert_eq!(create("Moon", &host, "").await, unknown);

    let record = text(world.xml("message.get_record", &[session, &second]).await);
    for (name, value) in
        [("name", "NOTE"), ("priority", "3"), ("cls", "Pool"), ("body", "two &lt;b&gt;")]
    {
        let member = format!("<name>{name}</name><value>{value}</value>");
        assert!(record.contains(&member), "{member} in {record}");
    }
    let start = "<dateTime.iso8601>20260104T06:38:29Z</dateTime.iso8601>";
    let earlier = "<dateTime.iso8601>2026-01-04T07:38:28+01:00</dateTime.iso8601>";
    let names = |value: String| {
        let both = [&first, &second].map(|message| value.find(&format!("<name>{message}</name>")));
        (both[0], both[1])
    };
    let since = |found| names(text(found));
    let all = since(world.xml("message.get_since", &[session, earlier]).await);
    assert!(all.1.is_some() && all.0 > all.1, "the newest first: {all:?}");
    let late = since(world.xml("message.get_since", &[session, start]).await);
    assert!(late.0.is_none() && late.1.is_some());
    let of_host = since(world.xml("message.get", &[session, "Host", &host, earlier]).await);
    assert!(of_host.0.is_some() && of_host.1.is_none());
    let of_none = world.xml("message.get", &[session, "Host", "x", earlier]).await;
    assert_eq!(of_none, error(["UUID_INVALID"]));
    // As in xapi, the expression is not looked at.
    let filtered = since(world.xml("message.get_all_records_where", &[session, "false"]).await);
    assert!(filtered.0.is_some() && filtered.1.is_some());

    let gone = error(["HANDLE_INVALID", "message", &first]);
    assert_eq!(world.xml("message.destroy", &[session, &first]).await, void());
    assert_eq!(world.xml("message.destroy", &[session, &first]).await, gone);
    let both = format!("<array><data><value>{second}</value><value>{first}</value></data></array>");
    assert_eq!(world.xml("message.destroy_many", &[session, &both]).await, gone);
    assert_eq!(world.xml("message.get_all", &[session]).await, texts(&[]));
    world.server.stop().await;
}

/// xenapi-wire.md §8 and quirk Q42.
#[tokio::test]
async fn filters() {
    for loose in [false, true] {
        let quirks = Quirks::of(Profile::Landed).with(Quirk::FilterNotBindsLoosely, loose);
        let world = World::with(Profile::Landed, quirks).await;
        let session = world.log_in().await;
        let session = session.as_str();
        let (host1, host2) = (world.host(1), world.host(2));
        let found = async |expression: &str| {
            let value = world.xml("host.get_all_records_where", &[session, expression]).await?;
            let has = |host: &str| value.contains(&format!("<name>{host}</name>"));
            Ok::<_, Vec<String>>((has(&host1), has(&host2)))
        };
        let label = r#"field "name__label"="host1""#;
        assert_eq!(found(label).await, Ok((true, false)));
        assert_eq!(found("true").await, Ok((true, true)));
        assert_eq!(found(&format!(r#"field "_ref"="{host2}""#)).await, Ok((false, true)));
        assert_eq!(
            found(r#"field "enabled"="true" and field "tags"="()""#).await,
            Ok((true, true))
        );
        // not (label and false), or (not label) and false.
        let expected = (loose, loose);
        assert_eq!(found(&format!("not {label} and false")).await, Ok(expected));
        let text = "byte 17: expected `field` or a quoted text, found the end";
        let wrong = r#"field &quot;hostname&quot;="#;
        assert_eq!(
            found(wrong).await,
            Err(["INVALID_VALUE", wrong, text].map(str::to_owned).to_vec())
        );
        // The database knows no such field: name spaces are joined by two underscores.
        assert_eq!(
            found(r#"field "name_label"="host1""#).await,
            Err(["INTERNAL_ERROR", "missing field", "name_label", ""].map(str::to_owned).to_vec())
        );
        world.server.stop().await;
    }
}

/// xenapi-wire.md §5.
#[tokio::test]
async fn roles_are_the_same_in_every_pool() {
    let world = World::alone(Profile::Landed).await;
    let session = world.log_in().await;
    let session = session.as_str();
    for role in Role::ALL {
        let reference = role.reference().to_string();
        let named = world.xml("role.get_by_name_label", &[session, role.name()]).await;
        assert_eq!(named, texts(&[&reference]));
        let subroles = text(world.xml("role.get_subroles", &[session, &reference]).await);
        assert_eq!(
            subroles.matches("OpaqueRef:").count(),
            role.permissions().len(),
            "{role}: {subroles}"
        );
    }
    let permission = "pool.install_trusted_certificate";
    let found = text(world.xml("role.get_by_name_label", &[session, permission]).await);
    let reference = found.split("<value>").nth(1).unwrap().split('<').next().unwrap();
    let internal = world.xml("role.get_is_internal", &[session, reference]).await;
    assert_eq!(internal, Ok(format!("<value>{TRUE}</value>")));
    world.server.stop().await;
}

/// xapi-flows.md §0.3: clients are sent to the coordinator.
#[tokio::test]
async fn a_member_sends_clients_away() {
    let world = World::alone(Profile::Landed).await;
    let session = world.log_in().await;
    let options = Options {
        host: Some("host2".to_owned()),
        ..Options::new(world.ledger.trail(Actor::Runner))
    };
    let member = serve(Arc::clone(&world.pool), options.clone()).await.unwrap();
    let ask = async |method: &str, params: &[&str]| ask_xml(member.address(), method, params).await;
    let away = error(["HOST_IS_SLAVE", "127.0.0.1"]);
    assert_eq!(ask("session.login_with_password", &["root", ROOT_PASSWORD]).await, away);
    assert_eq!(ask("session.login_with_password", &["root", "wrong"]).await, away);
    assert_eq!(ask("pool.get_all", &[&session]).await, away);
    assert_eq!(
        ask("pool.get_all", &["OpaqueRef:no"]).await,
        error(["SESSION_INVALID", "OpaqueRef:no"])
    );
    assert_eq!(ask("pool.fly", &[&session]).await, error(["MESSAGE_METHOD_UNKNOWN", "pool.fly"]));
    assert!(
        ask("host.certificate_sync", &[&session, "H"]).await.unwrap_err()[1]
            .contains("Internal API")
    );

    // It tells by which certificate the coordinator is known, if it is asked.
    let records = world.pool.database_view();
    let own = records
        .certificates
        .iter()
        .find(|row| row.kind == CertificateType::Host && row.host == records.pool.master);
    let own = own.unwrap();
    for (asked, expected) in [
        ("sha-256:master", Some(&own.fingerprint_sha256)),
        ("sha-1:master", Some(&own.fingerprint_sha1)),
        ("md5:master", None),
    ] {
        let body = r#"{"method":"pool.get_all","params":["SESSION"],"id":1}"#;
        let body = body.replace("SESSION", &session);
        let request = format!(
            "POST /jsonrpc HTTP/1.1\r\nHost: pool\r\nConnection: close\r\nContent-Length: {}\r\n\
             X-XenAPI-Request-Host-Certificate-Thumbprint: {asked}\r\n\r\n{body}",
            body.len()
        );
        let reply = exchange(member.address(), request.as_bytes()).await;
        let header = "x-xenapi-response-host-certificate-thumbprint: ";
        let found = reply.headers.lines().find_map(|line| line.strip_prefix(header));
        assert_eq!(found.map(str::to_uppercase).as_ref(), expected, "{asked}");
        let reply = exchange(world.server.address(), request.as_bytes()).await;
        assert!(!reply.headers.contains(header), "nobody is sent away here");
    }
    member.stop().await;
    let nowhere = Options { host: Some("host3".to_owned()), ..options };
    let refused = serve(Arc::clone(&world.pool), nowhere).await.unwrap_err();
    assert_eq!(refused.to_string(), "the pool has no host `host3`");
    world.server.stop().await;
}

//! Our own client against the service: TLS, trust, and the certificate that SNI asks for.

use ground::{Actor, Secret};
use sim_host::{ApiError, Profile};
use xenapi_client::{CallError, Client, ClientError, Encoding, Trust, Value};
use xenapi_wire::facts::Requested;

use crate::world::{ROOT_PASSWORD, World};

fn pem_of(world: &World, path: &str) -> String {
    let text = world.pool.hosts()[0].root().read_text_if_present(path).unwrap().unwrap();
    text[text.find("-----BEGIN CERTIFICATE-----").unwrap()..].to_owned()
}

#[tokio::test]
async fn a_peer_is_believed_by_its_certificate_alone() {
    let world = World::alone(Profile::Landed).await;
    let trail = world.ledger.trail(Actor::Runner);
    let external = pem_of(&world, "/etc/xensource/xapi-ssl.pem");
    let internal = pem_of(&world, "/etc/xensource/xapi-pool-tls.pem");
    let leaf = |pem: &str| Trust::leaf_of_pem(pem).unwrap();
    let both = Trust::Bundle(format!("{external}\n{internal}"));
    for (server_name, trust, is_believed) in [
        (None, Trust::Nothing, true),
        (None, leaf(&external), true),
        (None, leaf(&internal), false),
        (None, Trust::Bundle(internal.clone()), false),
        (None, Trust::Bundle(String::new()), false),
        (None, both.clone(), true),
        (Some("pool"), Trust::Bundle(internal.clone()), true),
        (Some("pool"), leaf(&external), false),
        (Some("host1"), leaf(&external), true),
    ] {
        let mut client = Client::new(world.server.address()).tls(trust);
        if let Some(name) = server_name {
            client = client.server_name(name);
        }
        let answer = client.call("pool.get_all", vec![Value::text("x")], &trail).await;
        match answer {
            Ok(answer) => {
                assert!(is_believed, "{client:?}");
                assert_eq!(answer, Err(ApiError::new("SESSION_INVALID", ["x"])));
            }
            Err(error) => {
                assert!(!is_believed, "{error}");
                assert!(matches!(error, ClientError::Untrusted), "{error}");
            }
        }
    }
    world.server.stop().await;
}

#[tokio::test]
async fn sessions_in_both_encodings() {
    let world = World::alone(Profile::Landed).await;
    let start = world
        .ledger
        .trail(Actor::Runner)
        .begin(Requested { method: None, encoding: Encoding::XmlRpc });
    for encoding in [Encoding::XmlRpc, Encoding::JsonRpc] {
        let client = Client::new(world.server.address()).encoding(encoding);
        let password = Secret::new(ROOT_PASSWORD);
        let session = client.log_in("root", &password, "test", &start).await.unwrap();
        let hosts = session.call("host.get_all", &[], &start).await.unwrap();
        assert_eq!(hosts.as_texts().unwrap(), [world.host(1), world.host(2)]);
        let record = [Value::text(world.host(1))];
        let record = session.call("host.get_record", &record, &start).await.unwrap();
        assert_eq!(record.member("name_label").and_then(Value::as_text), Some("host1"));
        let copy = client.session(session.reference().clone());
        session.log_out(&start).await.unwrap();
        let gone = copy.call("host.get_all", &[], &start).await.unwrap_err();
        assert!(matches!(gone, CallError::Api(error) if error.code == "SESSION_INVALID"));
    }
    // What the service did was caused by who called.
    let events = world.ledger.events();
    let requests = events.iter().filter(|event| event.fact::<Requested>().is_some()).skip(1);
    assert!(
        requests.clone().count() > 0 && requests.clone().all(|event| event.cause == start.cause())
    );
    world.assert_no_secrets(&[ROOT_PASSWORD]);
    world.server.stop().await;
}

#[tokio::test]
async fn who_does_not_answer() {
    let world = World::alone(Profile::Landed).await;
    let trail = world.ledger.trail(Actor::Runner);
    let address = world.server.address();
    world.server.stop().await;
    let client = Client::new(address).tls(Trust::Nothing);
    let error = client.log_in("root", &Secret::new("x"), "", &trail).await.unwrap_err();
    let refused = std::io::ErrorKind::ConnectionRefused;
    assert!(matches!(error, CallError::Client(ClientError::Io(error)) if error.kind() == refused));
}

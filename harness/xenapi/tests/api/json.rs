//! JSON-RPC, both versions.

use serde_json::{Value, json};
use sim_host::Profile;
use xenapi_client::Encoding;
use xenapi_wire::facts::Requested;

use crate::world::{ROOT_PASSWORD, World};

async fn call(world: &World, request: Value) -> Value {
    let reply = world.post("/jsonrpc", &request.to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    serde_json::from_str(&reply.body).unwrap()
}

#[tokio::test]
async fn version_one() {
    let world = World::alone(Profile::Landed).await;
    let login = json!({
        "method": "session.login_with_password", "params": ["root", ROOT_PASSWORD], "id": 1,
    });
    let reply = call(&world, login).await;
    let session = reply["result"].as_str().unwrap().to_owned();
    assert_eq!(reply, json!({ "result": session, "error": null, "id": 1 }));
    let host = world.host(1);
    let version = json!({
        "method": "host.get_API_version_major", "params": [session, host], "id": "a",
    });
    assert_eq!(call(&world, version).await, json!({ "result": 2, "error": null, "id": "a" }));
    let wrong = json!({ "method": "host.get_uuid", "params": [session, "x"], "id": 2 });
    assert_eq!(
        call(&world, wrong).await,
        json!({ "result": null, "error": ["HANDLE_INVALID", "host", "x"], "id": 2 })
    );
    world.server.stop().await;
}

#[tokio::test]
async fn version_two() {
    let world = World::alone(Profile::Landed).await;
    let session = world.log_in().await;
    let ask = |method: &str, params: Value| json!({ "jsonrpc": "2.0", "method": method, "params": params, "id": 9 });
    let answer = |value: Value| json!({ "jsonrpc": "2.0", "result": value, "id": 9 });
    let pool = world.pool.reference().to_string();
    let uuid = world.pool.database_view().pool.uuid.to_string();
    let record = call(&world, ask("pool.get_record", json!([session, pool]))).await;
    for (field, value) in [
        ("uuid", json!(uuid)),
        ("name_label", json!("pool")),
        ("master", json!(world.host(1))),
        ("tls_verification_enabled", json!(true)),
        ("ext_auth_cache_size", json!(50)),
        ("other_config", json!({})),
    ] {
        assert_eq!(record["result"][field], value, "{field}");
    }
    assert_eq!(call(&world, ask("session.logout", json!([session]))).await, answer(json!("")));
    assert_eq!(
        call(&world, ask("pool.get_all", json!([session]))).await,
        json!({
            "jsonrpc": "2.0",
            "error": { "code": 1, "message": "SESSION_INVALID", "data": [session] },
            "id": 9,
        })
    );
    let events = world.ledger.events();
    let asked: Vec<_> = events.iter().filter_map(|event| event.fact::<Requested>()).collect();
    assert_eq!(asked.len(), 4);
    assert!(asked[1..].iter().all(|asked| asked.encoding == Encoding::JsonRpc));
    world.server.stop().await;
}

//! Draws steps that move something between pools (xapi-flows.md §§5, 12, 13).

use scenario::Profile;
use serde_json::{Map, Value, json};

use super::{
    dice::Dice,
    steps::{call, certificate, file_name},
    world::{Names, PASSWORD},
};

/// `pool.sync_trusted_certificates_from` (§5.3), which may ask the very pool that calls.
pub(super) fn sync(names: &Names, dice: &mut Dice) -> Value {
    let mut parameters = json!({ "ca": dice.chance(75) });
    match dice.chance(4) {
        true => parameters["remote_address"] = json!("192.0.2.200"),
        false => parameters["remote_host"] = json!(names.host(dice)),
    }
    if dice.chance(10) {
        parameters["remote_session"] = json!({ "text": "OpaqueRef:of-nobody" });
    }
    if dice.chance(10) {
        parameters["remote_certificate"] = certificate(dice);
    }
    call("pool", "sync_trusted_certificates_from", parameters)
}

/// The calls of §5.4, as a joiner makes them.
pub(super) fn exchange(dice: &mut Dice) -> Value {
    match dice.below(4) {
        0 => {
            let parameters =
                json!({ "import": named(dice, certificate), "export": installed(dice) });
            call("pool", "exchange_ca_certificates_on_join", parameters)
        }
        1 => {
            let content = |_: &mut Dice| json!({ "text": "x" });
            let parameters = json!({ "import": named(dice, content), "export": [file_name(dice)] });
            call("pool", "exchange_crls_on_join", parameters)
        }
        _ => {
            let purposes: &[&[&str]] = &[
                &[],
                &["ldaps"],
                &["ldaps"],
                &["licensing", "ldaps"],
                &["ldaps", "ldaps"],
                &["no"],
            ];
            let import: Vec<Value> = (0..dice.below(3))
                .map(|_| json!({ "cert": certificate(dice), "purpose": dice.pick(purposes) }))
                .collect();
            let parameters =
                json!({ "ca": dice.chance(75), "import": import, "export": installed(dice) });
            call("pool", "exchange_trusted_certificates_on_join", parameters)
        }
    }
}

/// The calls of §5.1, of which a pool of design-v1 has one.
pub(super) fn download(names: &Names, dice: &mut Dice) -> Option<Value> {
    if names.profile == Profile::Landed && dice.chance(90) {
        return None;
    }
    let one = |dice: &mut Dice| json!({ "cert": certificate(dice) });
    Some(match dice.below(3) {
        0 => {
            let parameters = json!({ "certificate": one(dice) });
            call("pool", "download_trusted_certificate", parameters)
        }
        1 => {
            let parameters = json!({ "certificates": installed(dice) });
            call("pool", "download_trusted_certificates", parameters)
        }
        _ => {
            let parameters = json!({ "purpose": dice.pick(&["ldaps", "licensing", "none"]) });
            call("pool", "download_trusted_certificates", parameters)
        }
    })
}

/// `pool.join` of the host whose pool the step is about (§12).
pub(super) fn join(names: &Names, dice: &mut Dice) -> Option<Value> {
    let (joiner, coordinator) = names.two(dice)?;
    let mut parameters = json!({ "master_address": coordinator });
    if dice.chance(5) {
        parameters["master_password"] = json!("Wr0ng!Passphrase");
    }
    let method = if dice.chance(85) { "join" } else { "join_force" };
    let mut step = call("pool", method, parameters);
    step["on"] = json!(joiner);
    Some(step)
}

/// The client that prepares a host for a pool with LDAPS and lets it join (§12.3).
pub(super) fn client_join(names: &Names, dice: &mut Dice) -> Option<Value> {
    let (joiner, coordinator) = names.two(dice)?;
    let password = if dice.chance(85) { PASSWORD } else { "Wr0ng!Passphrase" };
    let account = json!({ "user": "Administrator", "password": password });
    Some(call(
        "client",
        "join",
        json!({ "joiner": joiner, "coordinator": coordinator, "account": account }),
    ))
}

/// `pool.eject` (§13).
pub(super) fn eject(names: &Names, dice: &mut Dice) -> Value {
    call("pool", "eject", json!({ "host": names.host(dice) }))
}

/// Up to two files.
fn named(dice: &mut Dice, content: fn(&mut Dice) -> Value) -> Map<String, Value> {
    (0..dice.below(3)).map(|_| (file_name(dice).to_owned(), content(dice))).collect()
}

/// Up to two certificates of the pool, or what would be its certificates.
fn installed(dice: &mut Dice) -> Vec<Value> {
    (0..dice.below(3)).map(|_| json!({ "cert": certificate(dice) })).collect()
}

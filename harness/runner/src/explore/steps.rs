//! Draws steps: one row of the table for each kind.

use scenario::{FaultPlace, Profile};
use serde_json::{Map, Value, json};

use super::{
    between,
    dice::Dice,
    world::{DOMAIN, Names, PASSWORD, fault, xapi_conf},
};

/// Draws a step of one kind; `None` if the world has no place for it.
type Draw = fn(&Names, &mut Dice) -> Option<Value>;

/// How often each kind of step comes, and what draws it.
const STEPS: &[(usize, Draw)] = &[
    (12, |_, dice| Some(install(dice))),
    (5, |_, dice| Some(uninstall(dice))),
    (2, |_, _| Some(call("pool", "certificate_sync", json!({})))),
    (12, |_, dice| Some(enable(dice))),
    (5, |_, dice| Some(disable(dice))),
    (14, |names, dice| Some(pool_set_ldaps(names, dice))),
    (5, |names, dice| Some(host_set_ldaps(names, dice))),
    (8, |names, dice| Some(json!({ "xapi": { "restart": { "host": names.host(dice) } } }))),
    (6, |_, dice| advance(dice)),
    (7, |names, dice| Some(dc_faults(names, dice))),
    (12, |names, dice| Some(json!({ "dc": { "clear_faults": { "dc": names.dc(dice) } } }))),
    (1, |names, dice| Some(json!({ "dc": { "renew_certificate": { "dc": names.dc(dice) } } }))),
    (2, |names, dice| Some(route_faults(names, dice))),
    (3, |names, dice| {
        let (host, dc) = (names.host(dice), names.dc(dice));
        Some(json!({ "route": { "clear_faults": { "host": host, "dc": dc } } }))
    }),
    (3, liveness),
    (1, |names, dice| Some(host_faults(names, dice))),
    (2, |names, dice| Some(json!({ "host": { "clear_faults": { "host": names.host(dice) } } }))),
    (3, |names, dice| Some(delete_file(names, dice))),
    (3, |names, dice| Some(write_file(names, dice))),
    (2, |names, dice| Some(net(names, dice))),
    (4, |_, dice| Some(legacy(dice))),
    (4, |_, dice| Some(crl(dice))),
    (3, |names, dice| Some(host_enable(names, dice))),
    (3, |names, dice| Some(host_disable(names, dice))),
    (1, |_, _| Some(call("pool", "detect_nonhomogeneous_external_auth", json!({})))),
    (1, |names, dice| {
        Some(call("host", "get_server_certificate", json!({ "host": names.host(dice) })))
    }),
    (5, |_, dice| Some(login(dice))),
    (5, |_, dice| Some(subject(dice))),
    (2, |_, dice| Some(auth(dice))),
    (1, |_, dice| {
        Some(call("pool", "set_ext_auth_cache_enabled", json!({ "value": dice.chance(50) })))
    }),
    (2, |_, dice| Some(between::exchange(dice))),
    (2, between::download),
    (3, |names, dice| Some(between::sync(names, dice))),
    (10, between::join),
    (8, between::client_join),
    (4, |names, dice| Some(between::eject(names, dice))),
    (5, |_, dice| Some(account(dice))),
    (1, |_, dice| Some(operation(dice))),
    (1, |_, dice| {
        Some(json!({ "xapi": { "rotate_pool_secret": { "pending": dice.chance(30) } } }))
    }),
];

/// The next step.
pub(super) fn draw(names: &Names, dice: &mut Dice) -> Value {
    loop {
        let drawn = dice.weighted(STEPS)(names, dice);
        if let Some(mut step) = drawn {
            if step.get("on").is_some() {
                return step;
            }
            // A call about a host is mostly made where that host is.
            let mut calls =
                ["host", "pool"].into_iter().filter_map(|class| step[class].as_object());
            let host = calls.find_map(|call| call.values().next()?["host"].as_str());
            let host = host.filter(|_| names.pools.len() > 1 && dice.chance(85)).map(str::to_owned);
            if let Some(host) = host.or_else(|| names.elsewhere(dice).map(str::to_owned)) {
                step["on"] = json!(host);
            }
            return step;
        }
    }
}

/// How most sequences begin, so that they play where most can happen: with AD.
pub(super) fn opening(names: &Names, dice: &mut Dice) -> Vec<Value> {
    let mut steps = Vec::new();
    for pool in &names.pools {
        // Elsewhere, too, or a host could not join.
        for mut step in opening_of_pool(dice) {
            if pool != &names.pools[0] {
                step["on"] = json!(pool[0]);
            }
            steps.push(step);
        }
    }
    steps
}

fn opening_of_pool(dice: &mut Dice) -> Vec<Value> {
    if dice.chance(30) {
        return Vec::new();
    }
    let purposes: &[&str] = if dice.chance(70) { &["ldaps"] } else { &[] };
    let parameters = json!({ "ca": true, "cert": { "root": DOMAIN }, "purpose": purposes });
    let install = call("pool", "install_trusted_certificate", parameters);
    let config = json!({
        "user": "Administrator", "pass": PASSWORD, "ldaps": dice.pick(&["true", "false"]),
    });
    let parameters = json!({ "service_name": DOMAIN, "auth_type": "AD", "config": config });
    vec![install, call("pool", "enable_external_auth", parameters)]
}

/// A call, which may end as it likes.
pub(super) fn call(class: &str, method: &str, parameters: Value) -> Value {
    json!({ class: { method: parameters }, "expect": { "any_outcome": true } })
}

pub(super) fn certificate(dice: &mut Dice) -> Value {
    match *dice.weighted(&[(8, "root"), (2, "intermediate"), (2, "other_root"), (1, "twin_root")]) {
        _ if dice.chance(4) => json!({ "pem": "no certificate" }),
        _ if dice.chance(12) => json!({ "leaf": "dc1" }),
        _ if dice.chance(6) => json!({ "ca_of": "dc1" }),
        source => json!({ source: DOMAIN }),
    }
}

fn install(dice: &mut Dice) -> Value {
    let purposes: &[&str] = dice.weighted::<&[&str]>(&[
        (6, &["ldaps"]),
        (5, &[]),
        (2, &["licensing"]),
        (2, &["licensing", "ldaps"]),
        (1, &["ldaps", "ldaps"]),
    ]);
    let parameters =
        json!({ "ca": dice.chance(85), "cert": certificate(dice), "purpose": purposes });
    call("pool", "install_trusted_certificate", parameters)
}

/// Legacy CAs (xapi-flows.md §4.3).
fn legacy(dice: &mut Dice) -> Value {
    let name = file_name(dice);
    match *dice.weighted(&[
        (4, "install_ca_certificate"),
        (1, "certificate_install"),
        (3, "uninstall_ca_certificate"),
        (1, "certificate_uninstall"),
        (1, "certificate_list"),
    ]) {
        "certificate_list" => call("pool", "certificate_list", json!({})),
        "certificate_uninstall" => call("pool", "certificate_uninstall", json!({ "name": name })),
        "uninstall_ca_certificate" => {
            let parameters = json!({ "name": name, "force": dice.chance(30) });
            call("pool", "uninstall_ca_certificate", parameters)
        }
        method => call("pool", method, json!({ "name": name, "cert": certificate(dice) })),
    }
}

/// Lists of revoked certificates (§4.4), whose content nobody reads.
fn crl(dice: &mut Dice) -> Value {
    let name = file_name(dice);
    match *dice.weighted(&[(4, "crl_install"), (3, "crl_uninstall"), (1, "crl_list")]) {
        "crl_list" => call("pool", "crl_list", json!({})),
        "crl_uninstall" => call("pool", "crl_uninstall", json!({ "name": name })),
        method => {
            let content =
                if dice.chance(60) { json!({ "crl": "dc1" }) } else { json!({ "text": "x" }) };
            let mut parameters = content;
            parameters["name"] = json!(name);
            call("pool", method, parameters)
        }
    }
}

pub(super) fn file_name(dice: &mut Dice) -> &'static str {
    dice.weighted::<&str>(&[
        (4, "one.pem"),
        (4, "two.pem"),
        (1, "no-suffix"),
        (1, ".pem"),
        (1, "../three.pem"),
        (1, ""),
    ])
}

fn login(dice: &mut Dice) -> Value {
    if dice.chance(15) {
        let account = json!({ "account": dice.pick(ACCOUNTS) });
        return call("session", "logout_subject_identifier", account);
    }
    let uname = *dice.weighted(&[
        (3, "root"),
        (5, "Administrator"),
        (3, "CORP\\Administrator"),
        (2, "Administrator@corp.example"),
        (1, "nobody"),
    ]);
    let right = if uname == "root" { "xenroot" } else { PASSWORD };
    let pwd = if dice.chance(80) { right } else { "Wr0ng!Passphrase" };
    call("session", "login_with_password", json!({ "uname": uname, "pwd": pwd }))
}

/// Accounts that every domain has.
const ACCOUNTS: &[&str] = &["Administrator", "Domain Admins", "Guest"];

fn subject(dice: &mut Dice) -> Value {
    let mut parameters = json!({ "account": dice.pick(ACCOUNTS) });
    let method = *dice.weighted(&[
        (5, "create"),
        (2, "destroy"),
        (4, "add_to_roles"),
        (1, "remove_from_roles"),
    ]);
    if method.ends_with("roles") {
        parameters["role"] =
            json!(dice.pick(&["pool-admin", "pool-operator", "read-only", "none"]));
    }
    call("subject", method, parameters)
}

fn auth(dice: &mut Dice) -> Value {
    match dice.below(3) {
        0 => call("auth", "get_subject_identifier", json!({ "subject_name": dice.pick(ACCOUNTS) })),
        1 => call("auth", "get_group_membership", json!({ "account": dice.pick(ACCOUNTS) })),
        _ => {
            let account = json!({ "account": dice.pick(ACCOUNTS) });
            call("auth", "get_subject_information_from_identifier", account)
        }
    }
}

/// Changes an account, as an administrator does: a session of it may be looked at afterwards.
fn account(dice: &mut Dice) -> Value {
    let (attribute, value) = *dice.weighted(&[
        (4, ("userAccountControl", "512")),
        (3, ("userAccountControl", "514")),
        (1, ("accountExpires", "1")),
        (1, ("accountExpires", "0")),
        (1, ("pwdLastSet", "0")),
        (1, ("pwdLastSet", "-1")),
        (1, ("lockoutTime", "0")),
        (1, ("displayName", "Somebody Else")),
    ]);
    let ldif = format!(
        "dn: CN=Administrator,CN=Users,DC=corp,DC=example\nchangetype: modify\n\
         replace: {attribute}\n{attribute}: {value}\n"
    );
    json!({ "domain": { "change": { "domain": DOMAIN, "ldif": ldif } } })
}

/// Something that calls of §4.1 and §4.2 wait for (§17), for a while.
fn operation(dice: &mut Dice) -> Value {
    let operation = dice.pick(&["ha_enable", "apply_updates", "copy_primary_host_certs"]);
    let lasting = dice.pick(&["30s", "10m", "3h"]);
    json!({ "xapi": { "begin_operation": { "operation": operation, "lasting": lasting } } })
}

fn uninstall(dice: &mut Dice) -> Value {
    let parameters = json!({ "certificate": { "cert": certificate(dice) } });
    call("pool", "uninstall_trusted_certificate", parameters)
}

/// `user` and `pass`, mostly right.
fn credentials(dice: &mut Dice) -> Map<String, Value> {
    let user = dice.weighted(&[
        (20, Some("Administrator")),
        (2, Some("Administrator@corp.example")),
        (1, Some("CORP\\Administrator")),
        (1, Some("nobody")),
        (1, None),
    ]);
    let pass = dice.weighted(&[(20, Some(PASSWORD)), (2, Some("Wr0ng!Passphrase")), (1, None)]);
    let given = [("user", user), ("pass", pass)];
    given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), json!((*value)?)))).collect()
}

fn enable(dice: &mut Dice) -> Value {
    call("pool", "enable_external_auth", enable_parameters(dice))
}

fn host_enable(names: &Names, dice: &mut Dice) -> Value {
    let mut parameters = enable_parameters(dice);
    parameters["host"] = json!(names.host(dice));
    call("host", "enable_external_auth", parameters)
}

fn enable_parameters(dice: &mut Dice) -> Value {
    let mut config = credentials(dice);
    let service =
        *dice.weighted(&[(24, DOMAIN), (2, "CORP.Example"), (1, "corp"), (1, "nowhere.example")]);
    let auth_type = *dice.weighted(&[(30, "AD"), (1, "PAM"), (1, "")]);
    for (percent, key, values) in CONFIG {
        if dice.chance(*percent) {
            config.insert((*key).to_owned(), json!(dice.pick(values)));
        }
    }
    json!({ "service_name": service, "auth_type": auth_type, "config": config })
}

/// Keys of xapi-flows.md §6.1: how often, and with which values.
const CONFIG: &[(usize, &str, &[&str])] = &[
    (60, "ldaps", &["true", "true", "true", "false", "TRUE", "1"]),
    (6, "netbios-name", &["SHARED", "TOOLONGFORNETBIOS", "12345"]),
    (6, "domain", &[DOMAIN, "other.example"]),
    (5, "ou", &["OU=Servers", "Servers", "no such place"]),
    (3, "dns-hostname", &["shared.corp.example"]),
];

fn disable(dice: &mut Dice) -> Value {
    let config = if dice.chance(30) { Map::new() } else { credentials(dice) };
    call("pool", "disable_external_auth", json!({ "config": config }))
}

fn host_disable(names: &Names, dice: &mut Dice) -> Value {
    let config = if dice.chance(30) { Map::new() } else { credentials(dice) };
    let (host, force) = (names.host(dice), dice.chance(30));
    let parameters = json!({ "host": host, "config": config, "force": force });
    call("host", "disable_external_auth", parameters)
}

/// `ldaps`, and `force` where it is given, which design-v1 does not know.
fn ldaps(names: &Names, dice: &mut Dice) -> Value {
    let ldaps = dice.chance(65);
    if names.profile == Profile::DesignV1 && dice.chance(90) {
        return json!({ "ldaps": ldaps });
    }
    match dice.weighted(&[(3, None), (2, Some(true)), (1, Some(false))]) {
        None => json!({ "ldaps": ldaps }),
        Some(force) => json!({ "ldaps": ldaps, "force": force }),
    }
}

fn pool_set_ldaps(names: &Names, dice: &mut Dice) -> Value {
    call("pool", "external_auth_set_ldaps", ldaps(names, dice))
}

fn host_set_ldaps(names: &Names, dice: &mut Dice) -> Value {
    let mut parameters = ldaps(names, dice);
    parameters["host"] = json!(names.host(dice));
    call("host", "external_auth_set_ldaps", parameters)
}

/// Days that all moves of the clock may take: the language has a limit.
const DAYS_MAX: u64 = 3_000;

/// A host in a domain asks its DCs every half an hour, over TLS: a year of a pool costs as much as two
/// hundred sequences without one, so that few sequences have one.
fn advance(dice: &mut Dice) -> Option<Value> {
    let (by, days) = *dice.weighted(&[
        (160, ("1s", 1)),
        (200, ("10m", 1)),
        (200, ("45m", 1)),
        (200, ("3h", 1)),
        (160, ("1d", 1)),
        (24, ("9d", 9)),
        (8, ("45d", 45)),
        (1, ("400d", 400)),
    ]);
    dice.days += days;
    (dice.days <= DAYS_MAX).then(|| json!({ "clock": { "advance": by } }))
}

fn faults(place: FaultPlace, dice: &mut Dice) -> Vec<String> {
    let count = *dice.weighted(&[(5, 1), (1, 2)]);
    let mut faults: Vec<String> = (0..count).map(|_| fault(place, dice)).collect();
    faults.sort();
    faults.dedup();
    faults
}

fn dc_faults(names: &Names, dice: &mut Dice) -> Value {
    let (dc, faults) = (names.dc(dice), faults(FaultPlace::Dc, dice));
    json!({ "dc": { "set_faults": { "dc": dc, "faults": faults } } })
}

fn route_faults(names: &Names, dice: &mut Dice) -> Value {
    let (host, dc, faults) = (names.host(dice), names.dc(dice), faults(FaultPlace::Route, dice));
    json!({ "route": { "set_faults": { "host": host, "dc": dc, "faults": faults } } })
}

fn liveness(names: &Names, dice: &mut Dice) -> Option<Value> {
    let host = names.member(dice)?;
    let state = *dice.weighted(&[(4, "live"), (2, "offline"), (1, "unreachable")]);
    Some(json!({ "host": { "set_liveness": { "host": host, "state": state } } }))
}

fn host_faults(names: &Names, dice: &mut Dice) -> Value {
    let (host, faults) = (names.host(dice), faults(FaultPlace::Host, dice));
    json!({ "host": { "set_faults": { "host": host, "faults": faults } } })
}

fn delete_file(names: &Names, dice: &mut Dice) -> Value {
    let path = *dice.pick(&[
        "/etc/trusted-certs/ca-bundle-general.pem",
        "/etc/trusted-certs/ca-bundle-ldaps.pem",
        "/etc/trusted-certs/ca-ldaps/by-hand.pem",
        "/etc/trusted-certs/pinned-bundle-licensing.pem",
        "/etc/samba/smb.conf",
        "/etc/samba/smb.extra.conf",
        "/etc/hosts",
        "/etc/xapi.conf",
        "/var/lib/samba/private/secrets.json",
    ]);
    json!({ "file": { "delete": { "host": names.host(dice), "path": path } } })
}

fn write_file(names: &Names, dice: &mut Dice) -> Value {
    let text = |text: &str| json!({ "text": text });
    let other = json!({ "cert": { "other_root": DOMAIN } });
    let (path, content) = match dice.below(8) {
        0 => ("/etc/trusted-certs/ca-bundle-ldaps.pem", other),
        1 => ("/etc/trusted-certs/ca-bundle-general.pem", text("")),
        2 => ("/etc/trusted-certs/ca-ldaps/by-hand.pem", other),
        3 => ("/etc/samba/smb.extra.conf", text("tls verify peer = no_check\n")),
        4 => ("/etc/samba/smb.conf", text("[global]\nsecurity = ADS\n")),
        5 => ("/etc/hosts", text("127.0.0.1 localhost\n::1\n")),
        6 => ("/etc/hosts", text("127.0.0.1 localhost localhost.localdomain\n::1 localhost\n")),
        _ => ("/etc/xapi.conf", text(&xapi_conf(dice))),
    };
    let mut parameters = content;
    parameters["host"] = json!(names.host(dice));
    parameters["path"] = json!(path);
    json!({ "file": { "write": parameters } })
}

fn net(names: &Names, dice: &mut Dice) -> Value {
    let (host, dc) = (names.host(dice), names.dc(dice));
    match dice.below(4) {
        0 => json!({ "net": { "ads_lookup": { "host": host, "dc": dc } } }),
        1 => json!({ "net": { "lookup_kdc": { "host": host, "domain": DOMAIN } } }),
        2 => json!({ "net": { "ads_search": { "host": host, "dc": dc } } }),
        _ => json!({ "net": { "ads_search": {
            "host": host, "dc": dc, "user": "Administrator", "password": PASSWORD,
        } } }),
    }
}

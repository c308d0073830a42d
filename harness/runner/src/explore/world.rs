//! Draws the world of a sequence.

use std::sync::LazyLock;

use scenario::{FaultPlace, Profile};
use serde_json::{Map, Value, json};
use sim_host::Quirk;

use super::{Exploration, dice::Dice};
use crate::catalogue::catalogue;

/// The domain that hosts join.
pub(super) const DOMAIN: &str = "corp.example";
/// The password of its administrator.
pub(super) const PASSWORD: &str = "Passw0rd!Lab1";

/// What steps may refer to.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) profile: Profile,
    /// In the order of their numbers.
    pub(super) hosts: Vec<String>,
    /// The hosts of each pool at the start, the coordinator first. The first host is in the first.
    pub(super) pools: Vec<Vec<String>>,
    pub(super) dcs: Vec<String>,
}

impl Names {
    pub(super) fn draw(exploration: &Exploration, dice: &mut Dice) -> Self {
        let profile = exploration.profile.unwrap_or_else(|| *dice.pick(Profile::ALL));
        let drawn = *dice.weighted(&[(4, 1), (4, 2), (2, 3), (1, 4)]);
        let hosts = exploration.hosts.map_or(drawn, Into::into);
        let dcs = *dice.weighted(&[(4, 1), (4, 2), (1, 3)]);
        let numbered = |what: &str, count: usize| {
            (1..=count).map(|number| format!("{what}{number}")).collect::<Vec<_>>()
        };
        let mut pools = vec![numbered("host", hosts)];
        for _ in 0..*dice.weighted(&[(5, 0), (4, 1), (1, 2)]) {
            let first = pools.iter().map(Vec::len).sum::<usize>() + 1;
            let count = *dice.weighted(&[(5, 1), (1, 2)]);
            pools.push((first..first + count).map(|number| format!("host{number}")).collect());
        }
        Self { profile, hosts: pools.concat(), pools, dcs: numbered("dc", dcs) }
    }

    /// Two hosts that began in different pools, if there are several.
    pub(super) fn two(&self, dice: &mut Dice) -> Option<(&str, &str)> {
        let first = dice.below(self.pools.len());
        let other = (first + 1 + dice.below(self.pools.len() - 1)) % self.pools.len();
        let one_of = |pool: usize, dice: &mut Dice| Some(dice.pick(self.pools.get(pool)?).as_str());
        (first != other).then_some(())?;
        Some((one_of(first, dice)?, one_of(other, dice)?))
    }

    /// Now and then, where there are several pools, the host whose pool a step is to be about.
    pub(super) fn elsewhere(&self, dice: &mut Dice) -> Option<&str> {
        (self.pools.len() > 1 && dice.chance(50)).then(|| self.host(dice))
    }

    /// One of the hosts.
    pub(super) fn host(&self, dice: &mut Dice) -> &str {
        dice.pick(&self.hosts).as_str()
    }

    /// One of the members, if there is any.
    pub(super) fn member(&self, dice: &mut Dice) -> Option<&str> {
        let pool = dice.pick(&self.pools);
        let members = pool.get(1..).filter(|members| !members.is_empty())?;
        Some(dice.pick(members).as_str())
    }

    /// One of the DCs.
    pub(super) fn dc(&self, dice: &mut Dice) -> &str {
        dice.pick(&self.dcs).as_str()
    }
}

/// The table `world`.
pub(super) fn draw(names: &Names, dice: &mut Dice) -> Value {
    let dcs: Vec<Value> = names
        .dcs
        .iter()
        .map(|name| match dice.chance(25) {
            true => json!({ "name": name, "faults": [fault(FaultPlace::Dc, dice)] }),
            false => json!({ "name": name }),
        })
        .collect();
    let mut hosts = Vec::new();
    for (number, pool) in names.pools.iter().enumerate() {
        for name in pool {
            hosts.push(match number {
                0 => json!({ "name": name }),
                _ => json!({ "name": name, "pool": format!("pool{}", number + 1) }),
            });
        }
    }
    let mut world = json!({
        "domain": [{ "name": DOMAIN, "dc": dcs }],
        "host": hosts,
    });
    if names.profile == Profile::DesignV1 && dice.chance(50) {
        world["download"] = json!(dice.pick(&["d1", "d2", "d3"]));
    }
    if dice.chance(20) {
        let name = format!("pool{}", dice.below(names.pools.len()) + 1);
        world["pool"] = json!([match dice.below(4) {
            0 => json!({ "name": name, "lacks": ["host.create"] }),
            1 => json!({ "name": name, "lacks_purposes": ["licensing"] }),
            _ => json!({ "name": name, "tls_verification": false }),
        }]);
    }
    let quirks = quirks(dice);
    if !quirks.is_empty() {
        world["quirks"] = Value::Object(quirks);
    }
    let conf = xapi_conf(dice);
    if !conf.is_empty() {
        world["xapi_conf"] = json!(conf);
    }
    world
}

/// A few toggles, each way.
fn quirks(dice: &mut Dice) -> Map<String, Value> {
    let count = *dice.weighted(&[(5, 0), (2, 1), (2, 3), (1, 8)]);
    (0..count).map(|_| (dice.pick(Quirk::ALL).name().to_owned(), json!(dice.chance(50)))).collect()
}

/// Lines of `/etc/xapi.conf`.
pub(super) fn xapi_conf(dice: &mut Dice) -> String {
    let count = *dice.weighted(&[(5, 0), (3, 1), (1, 3)]);
    (0..count).map(|_| format!("{}\n", dice.pick(CONF_LINES))).collect()
}

/// Items of smb-conf.md §6, with values that can be used and others.
const CONF_LINES: &[&str] = &[
    "serialize_auth_service = false",
    "winbind_cache_time = 0",
    "winbind_cache_time = soon",
    "winbind_debug_level = 10",
    "winbind_debug_level = 12",
    "winbind_keep_configuration = false",
    "winbind_kerberos_encryption_type = all",
    "winbind_kerberos_encryption_type = legacy",
    "winbind_kerberos_encryption_type = weak",
    "winbind_scan_trusted_domains = true",
    "winbind_set_machine_account_kerberos_encryption_type = true",
    "winbind-tls-verify-peer = ca_only",
    "winbind-tls-verify-peer = no_check",
];

/// A fault that may be set at `place`.
pub(super) fn fault(place: FaultPlace, dice: &mut Dice) -> String {
    let known = match place {
        FaultPlace::Dc => &*DC_FAULTS,
        FaultPlace::Host => &*HOST_FAULTS,
        FaultPlace::Route => &*ROUTE_FAULTS,
    };
    dice.pick(known).clone()
}

static DC_FAULTS: LazyLock<Vec<String>> = LazyLock::new(|| quick_faults(FaultPlace::Dc));
static HOST_FAULTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    // The others are done to a bundle, which must be there; steps change its file by hand instead.
    quick_faults(FaultPlace::Host).into_iter().filter(|id| id.starts_with("time.")).collect()
});
static ROUTE_FAULTS: LazyLock<Vec<String>> = LazyLock::new(|| quick_faults(FaultPlace::Route));

/// Everything in the catalogue but what costs real time.
fn quick_faults(place: FaultPlace) -> Vec<String> {
    let entries = catalogue().into_iter().filter(|entry| entry.places.contains(&place));
    let ids = entries.map(|entry| entry.id);
    ids.filter(|id| !COSTS_REAL_TIME.contains(id)).map(str::to_owned).collect()
}

/// Faults by which a host waits, in real time, for what does not come or comes late.
const COSTS_REAL_TIME: &[&str] = &[
    "discovery.cldap-silent",
    "discovery.dns-garbage",
    "discovery.dns-timeout",
    "discovery.dns-wrong-id",
    "handshake.slow-drip",
    "handshake.stall-after-server-hello",
    "handshake.stall-on-hello",
    "handshake.starttls-unanswered",
    "kerberos.tcp-blocked",
    "kerberos.udp-blocked",
    "kerberos.unreachable",
    "ldap.no-answer",
    "ldap.oversized-message",
    "ldap.search-without-end",
    "ldap.slow-search",
    "ldap.stall-after-bind",
    "ldap.stall-on-bind",
    "ldap.wrong-message-id",
    "net.answers-lost",
    "net.bandwidth",
    "net.black-hole",
    "net.half-open",
    "net.jitter",
    "net.latency",
    "net.mtu-black-hole",
    "net.only-389-filtered",
    "net.only-636-filtered",
    "net.requests-lost",
    "net.tcp-blocked",
    "net.udp-blocked",
];

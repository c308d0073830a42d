//! What a scenario defines, collected before it is read.
//!
//! A reference is checked at the place where it stands, also when the table around it, or the
//! definition it refers to, has other mistakes. So definitions are looked up in the raw TOML first.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use crate::{Span, diagnostics::Placed, grammar::Value, mistake::Mistake};

/// Most steps of one scenario.
pub const STEPS_MAX: usize = 1_000;
/// Most hosts of one scenario.
pub const HOSTS_MAX: usize = 64;
/// Most managers, agents, PKI directories and PKI servers of one scenario, of each.
pub const PARTIES_MAX: usize = 64;
/// Most domain controllers of one scenario, in all its domains.
pub const DCS_MAX: usize = 1_024;

/// The names that a scenario defines.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) domains: Vec<String>,
    pub(crate) dcs: Vec<String>,
    /// Appliances of the cloud, those that steps create among them.
    pub(crate) appliances: Vec<String>,
    /// Chains that may be uploaded to the cloud.
    pub(crate) chains: Vec<String>,
    pub(crate) hosts: Vec<String>,
    /// Of the model of pinned keys.
    pub(crate) managers: Vec<String>,
    /// Of the model of pinned keys.
    pub(crate) agents: Vec<String>,
    /// Of the model of PKI directories.
    pub(crate) pki_directories: Vec<String>,
    /// Of the model of PKI directories.
    pub(crate) pki_servers: Vec<String>,
    /// The first host.
    pub(crate) coordinator: Option<String>,
    pub(crate) steps: Vec<NamedStep>,
    /// The profiles that the scenario names; empty: it names none.
    pub(crate) profiles: Vec<String>,
}

/// A step that has a name.
#[derive(Debug)]
pub(crate) struct NamedStep {
    pub(crate) name: String,
    pub(crate) span: Span,
    /// Whether it installs a trusted certificate.
    pub(crate) installs: bool,
    /// Whether it reads the certificate of a host.
    pub(crate) reads: bool,
    /// Whether it calls a method over the wire.
    pub(crate) calls: bool,
    /// Whether it logs in.
    pub(crate) logs_in: bool,
    /// Whether its call goes on while other steps are done.
    pub(crate) background: bool,
    /// The profiles in which it runs; empty: all.
    pub(crate) only: Vec<String>,
}

impl Names {
    /// Collects the names, and what is wrong with them as a set.
    pub(crate) fn collect(document: &DeTable<'_>) -> (Self, Vec<Placed>) {
        let mut mistakes = Vec::new();
        let world = document.get("world").and_then(table);
        let domains = items(world, "domain");
        let dcs = domains.iter().flat_map(|domain| items(table(domain), "dc")).collect::<Vec<_>>();
        let hosts = items(world, "host");
        let pools = items(world, "pool");
        let (managers, agents) = (items(world, "manager"), items(world, "agent"));
        let (directories, servers) = (items(world, "pki_directory"), items(world, "pki_server"));
        let steps = items(Some(document), "step");
        for (what, limit, items) in [
            ("domain controllers", DCS_MAX, &dcs),
            ("hosts", HOSTS_MAX, &hosts),
            ("managers", PARTIES_MAX, &managers),
            ("agents", PARTIES_MAX, &agents),
            ("PKI directories", PARTIES_MAX, &directories),
            ("PKI servers", PARTIES_MAX, &servers),
            ("steps", STEPS_MAX, &steps),
        ] {
            if let Some(first_over) = items.get(limit) {
                let mistake = Mistake::Limit { what, limit, found: items.len() };
                mistakes.push(Placed::new(first_over.span(), mistake));
            }
        }
        mistakes.extend(managers_and_agents(&managers, &agents));
        let profiles = items(Some(document), "profiles");
        let coordinator = hosts.first().and_then(|host| text(table(host)?.get("name")?));
        let coordinator = coordinator.map(|(name, _)| name.to_owned());
        let cloud = world.and_then(|world| table(world.get("cloud")?));
        let chains = items(cloud, "chain");
        let appliances = [items(cloud, "storage"), items(cloud, "console")].concat();
        let mut unique = |what, items| unique(what, items, &mut mistakes);
        unique("step", &steps);
        unique("pool", &pools);
        let names = Self {
            domains: unique("domain", &domains),
            chains: unique("chain", &chains),
            appliances: {
                let mut named = unique("appliance", &appliances);
                named.extend(steps.iter().filter_map(|step| created_appliance(step)));
                named
            },
            dcs: unique("DC", &dcs),
            hosts: unique("host", &hosts),
            managers: unique("manager", &managers),
            agents: unique("agent", &agents),
            pki_directories: unique("PKI directory", &directories),
            pki_servers: unique("PKI server", &servers),
            coordinator,
            profiles: unique("profile", &profiles),
            steps: steps.iter().filter_map(|step| NamedStep::from(step)).collect(),
        };
        (names, mistakes)
    }

    /// Whether the scenario runs in `profile`.
    pub(crate) fn runs_in(&self, profile: &str) -> bool {
        listed(&self.profiles, profile)
    }
}

impl NamedStep {
    /// Whether the step runs in `profile`.
    pub(crate) fn runs_in(&self, profile: &str) -> bool {
        listed(&self.only, profile)
    }

    fn from(step: &Value<'_>) -> Option<Self> {
        let step = table(step)?;
        let (name, span) = text(step.get("name")?)?;
        let does = |class, action| {
            step.get(class).and_then(table).is_some_and(|class| class.contains_key(action))
        };
        let installs = does("pool", "install_trusted_certificate")
            || does("pool", "install_ca_certificate")
            || does("pool", "certificate_install");
        let reads = does("host", "get_server_certificate");
        let calls = does("xenapi", "call");
        let logs_in = does("session", "login_with_password");
        let background = step
            .get("background")
            .is_some_and(|value| matches!(value.get_ref(), DeValue::Boolean(true)));
        let only = items(Some(step), "only").into_iter().filter_map(text);
        let only = only.map(|(profile, _)| profile.to_owned()).collect();
        Some(Self {
            name: name.to_owned(),
            span,
            installs,
            reads,
            calls,
            logs_in,
            background,
            only,
        })
    }
}

/// The name of the appliance that a step creates.
fn created_appliance(step: &Value<'_>) -> Option<String> {
    let cloud = table(table(step)?.get("cloud")?)?;
    let created = cloud.get("create_storage").or_else(|| cloud.get("create_console"))?;
    text(table(created)?.get("name")?).map(|(name, _)| name.to_owned())
}

/// The names of `items`, which are texts or tables with a `name`; reports those that recur.
fn unique(what: &'static str, items: &[&Value<'_>], mistakes: &mut Vec<Placed>) -> Vec<String> {
    let mut first: BTreeMap<&str, Span> = BTreeMap::new();
    for item in items {
        let Some((name, span)) = text(item).or_else(|| name(item)) else { continue };
        if let Some(first) = first.get(name) {
            let mistake = Mistake::Duplicate { what, name: name.to_owned() };
            mistakes.push(Placed { beside: Some(first.clone()), ..Placed::new(span, mistake) });
        } else {
            first.insert(name, span);
        }
    }
    first.into_keys().map(str::to_owned).collect()
}

/// Managers and agents are told apart by their names.
fn managers_and_agents(managers: &[&Value<'_>], agents: &[&Value<'_>]) -> Vec<Placed> {
    let managers: BTreeMap<&str, Span> = managers.iter().filter_map(|item| name(item)).collect();
    let shared = agents.iter().filter_map(|item| name(item)).filter_map(|(name, span)| {
        let beside = Some(managers.get(name)?.clone());
        let mistake = Mistake::ManagerAndAgent { name: name.to_owned() };
        Some(Placed { beside, ..Placed::new(span, mistake) })
    });
    shared.collect()
}

/// An empty list of profiles means all.
fn listed(profiles: &[String], profile: &str) -> bool {
    profiles.is_empty() || profiles.iter().any(|listed| listed == profile)
}

fn table<'v>(value: &'v Value<'v>) -> Option<&'v DeTable<'v>> {
    match value.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

fn name<'v>(value: &'v Value<'v>) -> Option<(&'v str, Span)> {
    text(table(value)?.get("name")?)
}

fn text<'v>(value: &'v Value<'v>) -> Option<(&'v str, Span)> {
    match value.get_ref() {
        DeValue::String(text) => Some((text, value.span())),
        _ => None,
    }
}

/// The items of the list `key`; none if it is no list.
fn items<'v>(table: Option<&'v DeTable<'v>>, key: &str) -> Vec<&'v Value<'v>> {
    match table.and_then(|table| table.get(key)).map(toml::Spanned::get_ref) {
        Some(DeValue::Array(array)) => array.iter().collect(),
        _ => Vec::new(),
    }
}

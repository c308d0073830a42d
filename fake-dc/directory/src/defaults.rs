//! What AD gives every new entry of its own accord.

use ldap_wire::Attribute;
use uuid::Uuid;

use crate::{
    account::control,
    build, change,
    config::{DcView, Flavour},
    dn::Dn,
    domain::Domain,
    entry::Entry,
    schema::{self, Class},
    stamp::NEVER,
    state::State,
};

/// Fills in what an entry must have and has not: class, names, identifiers, times, and the state
/// of a fresh account ([MS-ADTS] 3.1.1.5.2.4, [MS-SAMR] 3.1.1.8).
pub(crate) fn complete(domain: &Domain, entry: &mut Entry, usn: i64) {
    let class = most_specific_class(entry);
    if let Some(class) = class {
        let names = change::class_names(entry).unwrap_or_else(|| class.chain.clone());
        entry.set("objectClass", names);
    }
    if let Some(component) = entry.dn.first() {
        let (attribute, value) = (component.attribute.to_owned(), component.value.into_owned());
        entry.set_default(&attribute, value.as_str());
        entry.set_default("name", value);
    }
    entry.set_default("instanceType", "4");
    let now = build::now(domain);
    entry.set_default("whenCreated", now.as_str());
    entry.set_default("whenChanged", now);
    entry.set_default("uSNCreated", usn.to_string());
    entry.set_default("uSNChanged", usn.to_string());
    if !entry.has("objectGUID") {
        let guid = build::drawn_guid(domain, &entry.dn, usn);
        entry.set("objectGUID", [guid.to_bytes_le()]);
    }
    if let Some(class) = class {
        let schema = domain.schema();
        entry.set_default("objectCategory", schema.child("CN", class.category).to_string());
    }
    if entry.is_a("user") {
        complete_account(domain, entry);
    } else if entry.is_a("group") {
        // A global security group.
        entry.set_default("groupType", "-2147483646");
    }
    if let Some(kind) = account_type(entry) {
        entry.set("sAMAccountType", [kind.to_string()]);
    }
}

fn complete_account(domain: &Domain, entry: &mut Entry) {
    let computer = entry.is_a("computer");
    let fresh = if computer { control::WORKSTATION_TRUST_ACCOUNT } else { control::NORMAL_ACCOUNT };
    entry.set_default("userAccountControl", fresh.to_string());
    let bits = entry.number("userAccountControl").unwrap_or(fresh);
    let counters =
        ["badPwdCount", "codePage", "countryCode", "badPasswordTime", "lastLogoff", "lastLogon"];
    for name in counters {
        entry.set_default(name, "0");
    }
    entry.set_default("pwdLastSet", domain.now().to_file_time().to_string());
    entry.set_default("primaryGroupID", primary_group(bits));
    entry.set_default("accountExpires", NEVER.to_string());
    entry.set_default("logonCount", "0");
}

/// The primary group of an account, by its flags ([MS-SAMR] 3.1.1.8.1).
pub(crate) fn primary_group(bits: i64) -> &'static str {
    if bits & control::SERVER_TRUST_ACCOUNT != 0 {
        "516"
    } else if bits & control::WORKSTATION_TRUST_ACCOUNT != 0 {
        "515"
    } else {
        "513"
    }
}

/// `sAMAccountType` follows from class and flags ([MS-SAMR] 3.1.1.8.1).
pub(crate) fn account_type(entry: &Entry) -> Option<i64> {
    if entry.is_a("user") {
        let bits = entry.number("userAccountControl").unwrap_or(control::NORMAL_ACCOUNT);
        let machine = control::WORKSTATION_TRUST_ACCOUNT | control::SERVER_TRUST_ACCOUNT;
        return Some(if bits & machine != 0 {
            0x3000_0001
        } else if bits & control::INTERDOMAIN_TRUST_ACCOUNT != 0 {
            0x3000_0002
        } else {
            0x3000_0000
        });
    }
    let group_type = entry.number("groupType").filter(|_| entry.is_a("group"))?;
    const LOCAL: i64 = 0x4;
    const SECURITY: i64 = 0x8000_0000;
    let local = group_type & LOCAL != 0;
    let kind = if local { 0x2000_0000 } else { 0x1000_0000 };
    Some(if group_type & SECURITY == 0 { kind + 1 } else { kind })
}

/// The class furthest from `top` that the entry names, or that its attributes imply.
fn most_specific_class(entry: &Entry) -> Option<&'static Class> {
    let named = entry.values("objectClass");
    if named.is_empty() {
        return schema::class(implied_class(entry));
    }
    named
        .iter()
        .map(|name| schema::class(std::str::from_utf8(name).ok()?))
        .collect::<Option<Vec<_>>>()?
        .into_iter()
        .max_by_key(|class| class.chain.len())
}

/// Captured answers to searches for a few attributes have no `objectClass`.
fn implied_class(entry: &Entry) -> &'static str {
    let account = entry.text("sAMAccountName");
    let naming = entry.dn.first().map(|component| component.attribute);
    match (account, naming) {
        (Some(name), _) if name.ends_with('$') => "computer",
        (Some(_), _) if entry.has("groupType") || entry.has("member") => "group",
        (Some(_), _) => "user",
        (None, Some(naming)) if naming.eq_ignore_ascii_case("OU") => "organizationalUnit",
        (None, Some(naming)) if naming.eq_ignore_ascii_case("DC") => "domainDNS",
        _ => "container",
    }
}

/// The entries of a DC: its account with its pool of identifiers, and its server object with
/// settings in the configuration.
pub(crate) fn domain_controller(domain: &Domain, dc: &DcView) -> Vec<Entry> {
    let upper = dc.name.to_ascii_uppercase();
    let account_dn = domain.dn.child("OU", "Domain Controllers").child("CN", &upper);
    let server_dn = server_dn(domain, dc);
    let identifier = domain.seed.uuid(&format!("settings of {}", dc.name.to_ascii_lowercase()));
    let pool = account_dn.child("CN", "RID Set");
    let account = built_in(
        account_dn.clone(),
        vec![
            Attribute::new("objectClass", ["computer"]),
            Attribute::new("sAMAccountName", [format!("{upper}$")]),
            Attribute::new("userAccountControl", ["532480"]),
            Attribute::new("localPolicyFlags", ["0"]),
            Attribute::new("primaryGroupID", ["516"]),
            Attribute::new("operatingSystem", [operating_system(domain.flavour).0]),
            Attribute::new("operatingSystemVersion", [operating_system(domain.flavour).1]),
            Attribute::new("dNSHostName", [dc.dns_name.as_str()]),
            Attribute::new("servicePrincipalName", services(domain, dc, &identifier)),
            Attribute::new("msDS-SupportedEncryptionTypes", ["28"]),
            Attribute::new("isCriticalSystemObject", ["TRUE"]),
            Attribute::new("rIDSetReferences", [pool.to_string()]),
        ],
    );
    let pool = built_in(
        pool,
        vec![
            Attribute::new("objectClass", ["rIDSet"]),
            Attribute::new("showInAdvancedViewOnly", ["TRUE"]),
            // The identifiers from 1100 to 1599, as a new DC gets them.
            Attribute::new("rIDAllocationPool", ["6867652707404"]),
            Attribute::new("rIDPreviousAllocationPool", ["6867652707404"]),
            Attribute::new("rIDUsedPool", ["0"]),
            Attribute::new("rIDNextRID", [State::FIRST_RID.to_string()]),
        ],
    );
    let server = built_in(
        server_dn.clone(),
        vec![
            Attribute::new("objectClass", ["server"]),
            Attribute::new("showInAdvancedViewOnly", ["TRUE"]),
            Attribute::new("systemFlags", ["1375731712"]),
            Attribute::new("dNSHostName", [dc.dns_name.as_str()]),
            Attribute::new("serverReference", [account_dn.to_string()]),
        ],
    );
    let site = server_dn
        .parent()
        .and_then(|servers| servers.parent())
        .map(|site| built_in(site, vec![Attribute::new("objectClass", ["site"])]));
    let settings = settings(domain, server_dn.child("CN", "NTDS Settings"), &identifier);
    site.into_iter().chain([account, pool, server, settings]).collect()
}

fn operating_system(flavour: Flavour) -> (&'static str, &'static str) {
    match flavour {
        Flavour::Samba4_22 => ("Samba-4.22.11-Debian-4.22.11+dfsg-0+deb13u1", "6.1 (7600)"),
        Flavour::WindowsServer2022 => ("Windows Server 2022 Standard", "10.0 (20348)"),
    }
}

/// The names under which a DC is known to Kerberos ([MS-ADTS] 6.1.1.6.16, [MS-DRSR] 2.2.4.3).
fn services(domain: &Domain, dc: &DcView, settings: &Uuid) -> Vec<String> {
    let (dns, netbios, domain_name) = (&dc.dns_name, &domain.netbios, &domain.dns_name);
    let forest = &domain.forest;
    let short = dc.name.to_ascii_uppercase();
    vec![
        format!("HOST/{dns}"),
        format!("HOST/{short}"),
        format!("HOST/{dns}/{dns}"),
        format!("HOST/{dns}/{netbios}"),
        format!("ldap/{dns}/{netbios}"),
        format!("GC/{dns}/{forest}"),
        format!("ldap/{dns}"),
        format!("HOST/{dns}/{domain_name}"),
        format!("ldap/{dns}/{domain_name}"),
        format!("E3514235-4B06-11D1-AB04-00C04FC2DCD2/{settings}/{domain_name}"),
        format!("ldap/{settings}._msdcs.{forest}"),
        format!("ldap/{short}"),
        format!("RestrictedKrbHost/{short}"),
        format!("RestrictedKrbHost/{dns}"),
        format!("ldap/{dns}/DomainDnsZones.{domain_name}"),
        format!("ldap/{dns}/ForestDnsZones.{forest}"),
    ]
}

/// The settings of a DC that holds every naming context and the catalogue.
fn settings(domain: &Domain, dn: Dn, identifier: &Uuid) -> Entry {
    let contexts = &domain.naming_contexts;
    let names = |contexts: &[Dn]| contexts.iter().map(ToString::to_string).collect::<Vec<_>>();
    // instanceType of each: the domain's own, and those that came later.
    let held = contexts.iter().enumerate().map(|(at, context)| {
        let kind = if at == 0 { "00000005" } else { "0000000D" };
        format!("B:8:{kind}:{context}")
    });
    built_in(
        dn,
        vec![
            Attribute::new("objectClass", ["nTDSDSA"]),
            Attribute::new("objectGUID", [identifier.to_bytes_le()]),
            Attribute::new("invocationId", [identifier.to_bytes_le()]),
            Attribute::new("showInAdvancedViewOnly", ["TRUE"]),
            // NTDSDSA_OPT_IS_GC.
            Attribute::new("options", ["1"]),
            Attribute::new("systemFlags", ["33554432"]),
            Attribute::new("dMDLocation", [domain.schema().to_string()]),
            Attribute::new("hasMasterNCs", names(&contexts[..3])),
            Attribute::new("msDS-Behavior-Version", [level(domain.flavour)]),
            Attribute::new("msDS-HasDomainNCs", names(&contexts[..1])),
            Attribute::new("msDS-HasInstantiatedNCs", held),
            Attribute::new("msDS-hasMasterNCs", names(contexts)),
        ],
    )
}

/// The functional level of a new domain: that of Windows Server 2008 R2 and 2016.
pub(crate) fn level(flavour: Flavour) -> &'static str {
    match flavour {
        Flavour::Samba4_22 => "4",
        Flavour::WindowsServer2022 => "7",
    }
}

/// The entries whose `fSMORoleOwner` is the DC that holds a role ([MS-ADTS] 3.1.1.1.11), in the
/// order of `validFSMOs`. Those of the forest belong to a DC of its root.
pub(crate) fn roles(domain: &Domain) -> Vec<Dn> {
    let mut roles = vec![domain.dn.clone()];
    if domain.is_forest_root() {
        roles.push(domain.schema().clone());
        roles.push(domain.configuration().child("CN", "Partitions"));
    }
    roles.push(domain.dn.child("CN", "System").child("CN", "RID Manager$"));
    roles.push(domain.dn.child("CN", "Infrastructure"));
    roles
}

/// The DN of a DC's server object.
pub(crate) fn server_dn(domain: &Domain, dc: &DcView) -> Dn {
    domain
        .configuration()
        .child("CN", "Sites")
        .child("CN", &dc.site)
        .child("CN", "Servers")
        .child("CN", &dc.name.to_ascii_uppercase())
}

fn built_in(dn: Dn, attributes: Vec<Attribute>) -> Entry {
    Entry { attributes, built_in: true, ..Entry::new(dn) }
}

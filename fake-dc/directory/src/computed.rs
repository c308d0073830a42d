//! Attributes that are never stored: made when they are asked for.

use std::{cell::LazyCell, collections::BTreeSet};

use crate::{
    account::Account,
    config::Flavour,
    descriptor::{self, Descriptor},
    domain::Domain,
    entry::Entry,
    schema::{self, AttributeType, Class, ClassKind, Syntax},
    sid::Sid,
    state::State,
    store::EntryId,
};

/// Whether a filter finds the attribute, `known` in the schema, by [`testable`] and not among the
/// stored ones.
pub(crate) fn is_testable(name: &str, known: Option<&AttributeType>) -> bool {
    ["createTimeStamp", "distinguishedName", "modifyTimeStamp"].contains(&name)
        || known.is_some_and(|a| a.is_backlink() || a.is_constructed())
}

/// The values that a filter finds of what is not stored: names, times and backlinks, and nothing
/// of other attributes that are made when they are asked for ([MS-ADTS] 3.1.1.3.1.3.1).
pub(crate) fn testable(state: &State, entry: &Entry, name: &str) -> Vec<Vec<u8>> {
    match name {
        "createTimeStamp" => entry.values("whenCreated").to_vec(),
        "distinguishedName" => vec![entry.dn.to_string().into_bytes()],
        "modifyTimeStamp" => entry.values("whenChanged").to_vec(),
        _ if schema::attribute(name).is_some_and(|attribute| attribute.is_backlink()) => {
            backlinks(state, entry, name)
        }
        _ => Vec::new(),
    }
}

/// The DNs of a link or of a backlink.
pub(crate) fn linked(state: &State, entry: &Entry, name: &str) -> Vec<Vec<u8>> {
    match is_testable(name, schema::attribute(name)) {
        true => testable(state, entry, name),
        false => entry.values(name).to_vec(),
    }
}

/// Makes attributes for one answer.
pub(crate) struct Reader<'a> {
    pub(crate) domain: &'a Domain,
    pub(crate) state: &'a State,
    /// Whether who asks may change what is read; found out when it matters.
    pub(crate) administrator: LazyCell<bool, Box<dyn Fn() -> bool + 'a>>,
    /// Whether the entry is the base of a base search: only then does AD compute `tokenGroups`
    /// ([MS-ADTS] 3.1.1.4.5.19).
    pub(crate) base: bool,
    /// Which parts of security descriptors are asked for.
    pub(crate) descriptor_parts: u32,
}

impl Reader<'_> {
    /// The values of a computed attribute; `None` if the attribute is not computed.
    pub(crate) fn values(&self, id: EntryId, entry: &Entry, name: &str) -> Option<Vec<Vec<u8>>> {
        let one = |value: String| vec![value.into_bytes()];
        let stored = |name: &str| entry.values(name).to_vec();
        let windows = self.domain.flavour == Flavour::WindowsServer2022;
        // Samba 4.22 computes the state of an account for every entry.
        let account = || (!windows || entry.is_a("user")).then(|| self.account(entry));
        let texts = |names: BTreeSet<&str>| names.into_iter().map(|n| n.into()).collect();
        let sids = |sids: Vec<Sid>| sids.iter().map(|sid| sid.as_bytes().to_vec()).collect();
        Some(match name {
            "attributeTypes"
            | "dITContentRules"
            | "extendedAttributeInfo"
            | "extendedClassInfo"
            | "objectClasses"
                if entry.is_a("subSchema") =>
            {
                schema::aggregate(name)
            }
            "allowedAttributes" => texts(allowed_attributes(entry)),
            "allowedAttributesEffective" if *self.administrator => {
                let mut names = allowed_attributes(entry);
                let fixed =
                    |a: &AttributeType| a.system_only || a.is_constructed() || a.is_backlink();
                names.retain(|name| !schema::attribute(name).is_some_and(fixed));
                texts(names)
            }
            "allowedChildClasses" => texts(allowed_children(entry)),
            "allowedChildClassesEffective" if *self.administrator => texts(allowed_children(entry)),
            "canonicalName" => one(entry.dn.canonical_name()),
            "createTimeStamp" => stored("whenCreated"),
            "distinguishedName" => one(entry.dn.to_string()),
            // Samba 4.22 has no time for its subschema.
            "modifyTimeStamp" if !windows && entry.is_a("subSchema") => {
                one("19700101000000.0Z".to_owned())
            }
            "modifyTimeStamp" => stored("whenChanged"),
            "msDS-Approx-Immed-Subordinates" if windows => one(self.children(entry).to_string()),
            "msDS-isGC" if windows && is_of_dc(entry) => one("TRUE".to_owned()),
            "msDS-isRODC" if is_of_dc(entry) => one("FALSE".to_owned()),
            "msDS-KeyVersionNumber" if entry.is_a("user") => {
                one(entry.password_version.to_string())
            }
            "msds-memberOfTransitive" if windows && self.base => self.all_linked(id, "memberOf"),
            "msds-memberTransitive" if windows && self.base => self.all_linked(id, "member"),
            "msDS-PrincipalName" if windows => {
                principal_name(self.domain, entry).into_iter().collect()
            }
            "msDS-SiteName" if windows && is_of_dc(entry) => self.site(entry).into_iter().collect(),
            "msDS-User-Account-Control-Computed" => {
                account().map(|a| one(a.computed_control().to_string())).unwrap_or_default()
            }
            "msDS-UserPasswordExpiryTimeComputed" => {
                account().map(|a| one(a.password_expiry().to_string())).unwrap_or_default()
            }
            "nTSecurityDescriptor" => {
                let whole = Descriptor::of(self.domain, self.state, entry);
                vec![whole.cut(self.descriptor_parts).to_bytes()]
            }
            "parentGUID" if !is_head(entry) => self.parent_guid(entry).into_iter().collect(),
            "primaryGroupToken" if entry.is_a("group") => {
                let rid = entry.sid().and_then(|sid| sid.split_rid());
                rid.map(|(_, rid)| one(rid.to_string())).unwrap_or_default()
            }
            // Owner, group, access and audit list ([MS-ADTS] 3.1.1.4.5.4).
            "sDRightsEffective" => one((if *self.administrator { 15 } else { 0 }).to_string()),
            "structuralObjectClass" => stored("objectClass"),
            "subSchemaSubEntry" => one(self.domain.schema().child("CN", "Aggregate").to_string()),
            "tokenGroups" | "tokenGroupsNoGCAcceptable" if self.has_token(entry) => {
                sids(token_groups(self.state, id))
            }
            "tokenGroupsGlobalAndUniversal" if self.has_token(entry) => {
                sids(account_groups(self.state, id))
            }
            _ => {
                let attribute = schema::attribute(name)?;
                if attribute.is_backlink() {
                    return Some(backlinks(self.state, entry, name));
                }
                attribute.is_constructed().then(Vec::new)?
            }
        })
    }

    /// The names that a request for all attributes gets besides the stored ones.
    pub(crate) fn always(&self, entry: &Entry) -> Vec<&'static str> {
        let key = entry.dn.key();
        let named = |link: &&str| self.state.store.first(link, key.as_bytes()).is_some();
        let other = |link| Some(schema::attribute(link)?.other_side()?.name);
        let backlinks = self.state.store.forward_links().filter(named).filter_map(other);
        let mut names: Vec<&str> = backlinks.collect();
        names.sort_unstable();
        names.push("distinguishedName");
        names
    }

    /// Whether who asks may read an attribute. Stands for the access control lists that keep
    /// others from two containers and from secrets.
    pub(crate) fn may_read(&self, entry: &Entry, name: &str) -> bool {
        const CLOSED: [&str; 2] = ["Deleted Objects", "Password Settings Container"];
        if SECRETS.iter().any(|secret| secret.eq_ignore_ascii_case(name)) {
            return false;
        }
        // Who audits what is for administrators alone ([MS-ADTS] 3.1.1.4.4).
        let audits = self.descriptor_parts & descriptor::part::SACL != 0;
        let guarded = (name == "nTSecurityDescriptor" && audits)
            || entry.dn.first().is_some_and(|first| CLOSED.contains(&&*first.value))
            || schema::attribute(name).is_some_and(|attribute| attribute.is_confidential());
        !guarded || *self.administrator
    }

    fn account<'e>(&'e self, entry: &'e Entry) -> Account<'e> {
        Account::new(self.domain, self.state, entry)
    }

    /// Samba 4.22 computes tokens of users alone.
    fn has_token(&self, entry: &Entry) -> bool {
        let windows = self.domain.flavour == Flavour::WindowsServer2022;
        self.base && (entry.is_a("user") || (windows && entry.has("objectSid")))
    }

    fn parent_guid(&self, entry: &Entry) -> Option<Vec<u8>> {
        let parent = self.state.store.find(&entry.dn.parent()?)?;
        self.state.store.get(parent)?.values("objectGUID").first().cloned()
    }

    fn children(&self, entry: &Entry) -> usize {
        let depth = entry.dn.depth() + 1;
        let child = |other: &Entry| other.dn.depth() == depth && other.dn.is_at_or_below(&entry.dn);
        self.state.store.iter().filter(|(_, other)| child(other)).count()
    }

    /// The site of a DC: of its server object, which holds its settings and names its account.
    fn site(&self, entry: &Entry) -> Option<Vec<u8>> {
        let of_account = || {
            let server = backlinks(self.state, entry, "serverReferenceBL");
            let key = Syntax::Dn.normalise(server.first()?)?;
            self.state.store.get(self.state.store.find_key(&key)?).map(|server| server.dn.clone())
        };
        let mut dn = of_account().unwrap_or_else(|| entry.dn.clone());
        while let Some(above) = dn.parent() {
            let id = self.state.store.find(&above);
            let site = id.and_then(|id| self.state.store.get(id)).filter(|e| e.is_a("site"));
            if let Some(site) = site {
                return site.values("name").first().cloned();
            }
            dn = above;
        }
        None
    }

    /// DNs of all that is reached by a link.
    fn all_linked(&self, from: EntryId, attribute: &str) -> Vec<Vec<u8>> {
        let mut reached = Vec::new();
        follow(self.state, attribute, from, |_, dn| {
            reached.push(dn.to_vec());
            false
        });
        reached
    }
}

/// `CORP\alice`, or the SID of what has no such name ([MS-ADTS] 3.1.1.4.5.8).
pub(crate) fn principal_name(domain: &Domain, entry: &Entry) -> Option<Vec<u8>> {
    let sid = entry.sid()?;
    let own = sid.rid_in(&domain.sid).is_some();
    let authority = if own { domain.netbios.as_str() } else { "BUILTIN" };
    let name = entry.text("sAMAccountName");
    let text = name.map_or_else(|| sid.to_string(), |name| format!("{authority}\\{name}"));
    Some(text.into_bytes())
}

/// What nobody reads over LDAP ([MS-ADTS] 3.1.1.4.4).
const SECRETS: [&str; 12] = [
    "currentValue",
    "dBCSPwd",
    "initialAuthIncoming",
    "initialAuthOutgoing",
    "lmPwdHistory",
    "ntPwdHistory",
    "priorValue",
    "supplementalCredentials",
    "trustAuthIncoming",
    "trustAuthOutgoing",
    "unicodePwd",
    "userPassword",
];

/// The settings, the server object or the account of a DC.
fn is_of_dc(entry: &Entry) -> bool {
    ["nTDSDSA", "server", "computer"].iter().any(|class| entry.is_a(class))
}

/// The head of a naming context (bit IT_NC_HEAD).
fn is_head(entry: &Entry) -> bool {
    entry.number("instanceType").is_some_and(|bits| bits & 1 != 0)
}

pub(crate) fn class_of(entry: &Entry) -> Option<&'static Class> {
    let names = entry.values("objectClass").iter();
    let classes = names.filter_map(|name| schema::class(std::str::from_utf8(name).ok()?));
    classes.max_by_key(|class| class.chain.len())
}

/// What the classes of an entry demand and allow ([MS-ADTS] 3.1.1.4.5.6).
fn allowed_attributes(entry: &Entry) -> BTreeSet<&'static str> {
    let classes = class_of(entry).map(Class::with_inherited).unwrap_or_default();
    classes.into_iter().flat_map(|class| class.must.iter().chain(&class.may)).copied().collect()
}

/// The classes of which an entry may have children ([MS-ADTS] 3.1.1.4.5.5).
fn allowed_children(entry: &Entry) -> BTreeSet<&'static str> {
    let Some(parent) = class_of(entry) else { return BTreeSet::new() };
    let superior = |class: &Class| {
        let mut inherited = class.chain.iter().filter_map(|name| schema::class(name));
        inherited.any(|each| each.superiors.iter().any(|name| parent.chain.contains(name)))
    };
    schema::classes()
        .filter(|class| matches!(class.kind, ClassKind::Structural | ClassKind::Legacy))
        .filter(|class| !class.system_only && superior(class))
        .map(|class| class.name)
        .collect()
}

/// DNs of the entries whose link names the entry, and those that only the LDIF knew.
fn backlinks(state: &State, entry: &Entry, name: &str) -> Vec<Vec<u8>> {
    let mut values = entry.values(name).to_vec();
    let Some(link) = schema::attribute(name).and_then(|attribute| attribute.other_side()) else {
        return values;
    };
    let key = entry.dn.key();
    let linking = state.store.with_value(link.name, key.as_bytes());
    let linking = linking.into_iter().flatten().filter_map(|&id| state.store.get(id));
    let mut linking: Vec<&Entry> = linking.collect();
    // Both products keep links in the order of GUIDs.
    linking.sort_by_cached_key(|other| other.guid());
    for other in linking {
        let dn = other.dn.to_string().into_bytes();
        let same = |known: &Vec<u8>| known.eq_ignore_ascii_case(&dn);
        if !values.iter().any(same) {
            values.push(dn);
        }
    }
    values
}

fn groups_of<'a>(state: &'a State, entry: &Entry) -> impl Iterator<Item = EntryId> + 'a {
    let key = entry.dn.key();
    state.store.with_value("member", key.as_bytes()).into_iter().flatten().copied()
}

/// SIDs of all security groups that an account is in, directly or through others, the primary
/// group included.
pub(crate) fn token_groups(state: &State, id: EntryId) -> Vec<Sid> {
    groups_through(state, id, |group| group & SECURITY_ENABLED != 0)
}

/// Those of [`token_groups`] that mean the same in every domain.
fn account_groups(state: &State, id: EntryId) -> Vec<Sid> {
    groups_through(state, id, |group| {
        group & SECURITY_ENABLED != 0 && group & (GLOBAL | UNIVERSAL) != 0
    })
}

/// Bits of `groupType` ([MS-ADTS] 2.2.12).
const GLOBAL: i64 = 0x2;
const UNIVERSAL: i64 = 0x8;
const SECURITY_ENABLED: i64 = 0x8000_0000;

fn groups_through(state: &State, id: EntryId, counts: impl Fn(i64) -> bool) -> Vec<Sid> {
    let mut seen = BTreeSet::from([id]);
    let mut waiting = vec![id];
    let mut sids = Vec::new();
    while let Some(id) = waiting.pop() {
        let Some(entry) = state.store.get(id) else { continue };
        let primary = primary_group(state, entry);
        for group in groups_of(state, entry).chain(primary) {
            let Some(entry) = state.store.get(group) else { continue };
            if counts(entry.number("groupType").unwrap_or(GLOBAL | SECURITY_ENABLED))
                && seen.insert(group)
            {
                sids.extend(entry.sid());
                waiting.push(group);
            }
        }
    }
    sids
}

fn primary_group(state: &State, entry: &Entry) -> Option<EntryId> {
    let rid = u32::try_from(entry.number("primaryGroupID")?).ok()?;
    let (domain, _) = entry.sid()?.split_rid()?;
    state.store.by_sid(&domain.with_rid(rid))
}

/// Whether `from` reaches `to` by following a link attribute any number of times
/// (LDAP_MATCHING_RULE_IN_CHAIN).
pub(crate) fn in_chain(state: &State, attribute: &str, from: EntryId, to: &[u8]) -> bool {
    let mut found = false;
    follow(state, attribute, from, |key, _| {
        found |= key == to;
        found
    });
    found
}

/// Follows a link to everything that it reaches, once each, until `stop` says so. `stop` is given
/// the normal form of each DN and the DN.
fn follow(
    state: &State,
    attribute: &str,
    from: EntryId,
    mut stop: impl FnMut(&[u8], &[u8]) -> bool,
) {
    let mut seen = BTreeSet::from([from]);
    let mut waiting = vec![from];
    let backlink = schema::attribute(attribute).is_some_and(|attribute| attribute.is_backlink());
    while let Some(id) = waiting.pop() {
        let Some(entry) = state.store.get(id) else { continue };
        let values = match backlink {
            true => backlinks(state, entry, attribute),
            false => entry.values(attribute).to_vec(),
        };
        for value in values {
            let Some(key) = Syntax::Dn.normalise(&value) else { continue };
            let next = state.store.find_key(&key);
            if next.is_none_or(|next| !seen.contains(&next)) && stop(&key, &value) {
                return;
            }
            waiting.extend(next.filter(|&next| seen.insert(next)));
        }
    }
}

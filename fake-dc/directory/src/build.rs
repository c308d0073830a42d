//! Makes the entries of a domain: the skeleton, the DCs, and the LDIF laid over them.

use std::collections::HashSet;

use ground::Seed;
use uuid::Uuid;

use crate::{
    config::{DcView, DirectoryConfig},
    defaults,
    dn::Dn,
    domain::Domain,
    entry::Entry,
    error::{DirectoryError, LdifErrors},
    ldif::{LdifCause, LdifError},
    overlay::{FileChange, Overlay, OverlayEntry, merge},
    schema,
    sid::Sid,
    stamp,
    state::State,
    store::EntryId,
};

const DOMAIN: &str = include_str!("skeleton/domain.ldif");
const CONFIGURATION: &str = include_str!("skeleton/configuration.ldif");
const SAMPLES: &str = include_str!("skeleton/samples.ldif");

/// The group of DCs, which is the primary group of each.
const DOMAIN_CONTROLLERS: i64 = 516;
const FIRST_RID_OF_DCS: u32 = 1_000;
/// The accounts of the skeleton begin here.
const FIRST_RID_OF_SAMPLES: u32 = 1_103;

pub(crate) fn build(
    config: DirectoryConfig,
) -> Result<(Domain, State, Vec<FileChange>), DirectoryError> {
    let dn = domain_dn(&config.domain)?;
    let netbios = netbios_name(&config)?;
    let forest = config.forest_root.clone().unwrap_or_else(|| config.domain.clone());
    let naming_contexts = Domain::contexts_of(&dn, &domain_dn(&forest)?);
    let mut overlay = Overlay::default();
    for source in &config.sources {
        overlay.read(&source.name, &source.text, &naming_contexts);
    }
    let sid = overlay.domain_sid(&dn).unwrap_or_else(|| drawn_sid(&config.domain, config.seed));
    let head = overlay.entries.iter().find(|each| each.entry.dn == dn);
    let guid = head
        .and_then(|head| head.entry.guid())
        .unwrap_or_else(|| config.seed.uuid(&format!("domain {}", config.domain)));
    let domain = Domain {
        naming_contexts,
        dn,
        dns_name: config.domain,
        netbios,
        forest,
        sid,
        guid,
        seed: config.seed,
        clock: config.clock,
        flavour: config.flavour,
        policy: config.policy,
        default_password: config.default_password,
    };
    let state = State { usn: 4_096, next_rid: State::FIRST_RID, ..State::default() };
    let mut builder =
        Builder { domain: &domain, state, errors: std::mem::take(&mut overlay.errors) };
    // With the heads of all naming contexts it is whole: an export, and what it lacks is not there.
    let is_whole =
        |dn: &Dn| overlay.entries.iter().any(|each| each.entry.dn == *dn && each.is_whole());
    let whole = domain.naming_contexts.iter().all(is_whole);
    // A head with its GUID is that of a domain written out, which has the samples it names.
    let written_out = head.is_some_and(|head| head.entry.guid().is_some());
    let named: HashSet<Dn> = overlay.entries.iter().map(|each| each.entry.dn.clone()).collect();
    builder.built_in("domain.ldif", DOMAIN, |dn| !whole || named.contains(dn));
    builder.built_in("configuration.ldif", CONFIGURATION, |dn| !whole || named.contains(dn));
    builder.built_in("samples.ldif", SAMPLES, |dn| !written_out || named.contains(dn));
    for dc in &config.dcs {
        builder.dc(dc)?;
    }
    builder.state.root_dse = overlay.root_dse;
    for entry in overlay.entries {
        builder.lay(entry);
    }
    let latest = builder.state.store.iter().filter_map(|(_, entry)| entry.number("uSNChanged"));
    builder.state.usn = latest.max().unwrap_or_default().max(builder.state.usn);
    builder.finish();
    let Builder { state, mut errors, .. } = builder;
    if errors.is_empty() {
        return Ok((domain, state, overlay.changes));
    }
    errors.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    Err(LdifErrors(errors).into())
}

/// Gives a DC its account and its place in the configuration, where they are missing.
pub(crate) fn add_dc(
    domain: &Domain,
    state: &mut State,
    dc: &DcView,
) -> Result<(), DirectoryError> {
    let mut builder = Builder { domain, state: std::mem::take(state), errors: Vec::new() };
    let added = builder.dc(dc);
    builder.finish();
    *state = builder.state;
    added
}

/// Makes the entries of the schema that are not there, as old as its head.
pub(crate) fn add_schema(domain: &Domain, state: &mut State) {
    if std::mem::replace(&mut state.schema_made, true) {
        return;
    }
    let head = state.store.find(domain.schema()).and_then(|id| state.store.get(id));
    let of_head = |name| head.and_then(|head| head.text(name)).map(str::to_owned);
    let (created, usn) = (of_head("whenCreated"), of_head("uSNCreated"));
    let usn = usn.and_then(|usn| usn.parse().ok()).unwrap_or(0);
    for mut entry in schema::entries(domain) {
        if state.store.find(&entry.dn).is_none() {
            entry.set("whenCreated", created.clone());
            entry.set("whenChanged", created.clone());
            defaults::complete(domain, &mut entry, usn);
            state.store.insert(entry);
        }
    }
}

fn domain_dn(name: &str) -> Result<Dn, DirectoryError> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if name.len() <= 253 && name.split('.').all(is_label) {
        return Ok(Dn::of_domain(name));
    }
    Err(DirectoryError::DomainName { name: name.to_owned() })
}

fn netbios_name(config: &DirectoryConfig) -> Result<String, DirectoryError> {
    let Some(name) = &config.netbios else {
        return Ok(default_netbios_name(&config.domain));
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if (1..=15).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(name.to_ascii_uppercase());
    }
    Err(DirectoryError::NetbiosName { name: name.clone() })
}

/// The NetBIOS name of a domain that was given none.
pub(crate) fn default_netbios_name(domain: &str) -> String {
    let label = domain.split('.').next().unwrap_or_default().to_ascii_uppercase();
    label.chars().take(15).collect()
}

/// The SID of a domain that was given none.
pub(crate) fn drawn_sid(domain: &str, seed: Seed) -> Sid {
    let drawn = seed.uuid(&format!("sid {domain}"));
    let (a, b, c, d) = drawn.as_fields();
    let last = u32::from_le_bytes([d[4], d[5], d[6], d[7]]);
    Sid::new(5, &[21, a, u32::from(b) << 16 | u32::from(c), last])
}

struct Builder<'a> {
    domain: &'a Domain,
    state: State,
    errors: Vec<LdifError>,
}

impl Builder<'_> {
    /// Adds the entries of a text of our own.
    fn built_in(&mut self, name: &str, text: &str, wanted: impl Fn(&Dn) -> bool) {
        let now = self.domain.now();
        let [_, configuration, _, domain_zones, _] = &self.domain.naming_contexts;
        let root = configuration.parent().unwrap_or_default();
        let drawn = |name: &str| self.domain.seed.uuid(&format!("partition {name}")).to_string();
        // Each domain of a forest has zones of its own among the partitions.
        let own_zones = match self.domain.is_forest_root() {
            true => "DomainDnsZones".to_owned(),
            false => domain_zones.to_string(),
        };
        let time = |days| now.plus_days(days).to_file_time().to_string();
        let meanings = [
            ("dn", self.domain.dn.to_string()),
            ("root", root.to_string()),
            ("forest", self.domain.forest.clone()),
            ("dc", self.domain.dns_name.split('.').next().unwrap_or_default().to_owned()),
            ("dns", self.domain.dns_name.clone()),
            ("netbios", self.domain.netbios.clone()),
            ("level", defaults::level(self.domain.flavour).to_owned()),
            ("domain-zones", drawn(&own_zones)),
            ("forest-zones", drawn("ForestDnsZones")),
            ("sid", self.domain.sid.to_string()),
            ("now", time(0)),
            ("yesterday", time(-1)),
            ("long-ago", time(-100)),
        ];
        let text = filled_in(text, &meanings);
        let mut skeleton = Overlay::default();
        skeleton.read(name, &text, &self.domain.naming_contexts);
        self.errors.append(&mut skeleton.errors);
        for OverlayEntry { mut entry, .. } in skeleton.entries {
            if !wanted(&entry.dn) {
                continue;
            }
            entry.built_in = true;
            if entry.dn == self.domain.dn {
                entry.set("objectGUID", [self.domain.guid.to_bytes_le()]);
            }
            self.state.store.insert(entry);
        }
    }

    fn dc(&mut self, dc: &DcView) -> Result<(), DirectoryError> {
        let known = |known: &DcView| known.name.eq_ignore_ascii_case(&dc.name);
        let usable = (1..=15).contains(&dc.name.len())
            && dc.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !usable || self.state.dcs.iter().any(known) {
            return Err(DirectoryError::DcName { name: dc.name.clone() });
        }
        self.state.dcs.push(dc.clone());
        for entry in defaults::domain_controller(self.domain, dc) {
            let by_account = entry
                .text("sAMAccountName")
                .and_then(|name| self.state.store.by_account_name(name));
            if by_account.or_else(|| self.state.store.find(&entry.dn)).is_none() {
                self.state.store.insert(entry);
            }
        }
        if self.state.dcs.len() == 1 {
            self.give_roles(dc);
        }
        Ok(())
    }

    /// The first DC holds every role that nobody holds.
    fn give_roles(&mut self, dc: &DcView) {
        let owner = defaults::server_dn(self.domain, dc).child("CN", "NTDS Settings").to_string();
        for role in defaults::roles(self.domain) {
            if let Some(id) = self.state.store.find(&role) {
                self.state.store.update(id, |entry| {
                    entry.set_default("fSMORoleOwner", owner.as_str());
                });
            }
        }
    }

    /// Lays an entry over what is there: by its DN, or by the account name of a built-in entry,
    /// which then moves to the new DN.
    fn lay(&mut self, overlay: OverlayEntry) {
        let whole = overlay.is_whole();
        let OverlayEntry { entry, file, line } = overlay;
        let same_account =
            entry.text("sAMAccountName").and_then(|name| self.state.store.by_account_name(name));
        let found = self.state.store.find(&entry.dn);
        if let Some(other) = same_account.filter(|&other| Some(other) != found) {
            let other_entry = self.state.store.get(other);
            let built_in = other_entry.is_some_and(|other| other.built_in);
            if found.is_some() || !built_in {
                self.errors.push(LdifError {
                    file,
                    line,
                    cause: LdifCause::DuplicateAccount {
                        name: entry.text("sAMAccountName").unwrap_or_default().to_owned(),
                        first: other_entry.map(|other| other.dn.to_string()).unwrap_or_default(),
                    },
                });
                return;
            }
        }
        match found.or(same_account).or_else(|| self.same_partition(&entry)) {
            Some(id) if whole => {
                self.state.store.update(id, |known| {
                    let password = entry.password.clone().or_else(|| known.password.clone());
                    *known = Entry { password, ..entry };
                });
            }
            Some(id) => self.lay_over(id, entry),
            None => {
                self.state.store.insert(entry);
            }
        }
    }

    /// The built-in entry of the partition that this one describes, whose name is drawn.
    fn same_partition(&self, entry: &Entry) -> Option<EntryId> {
        let partition = entry.text("nCName")?;
        let same = |other: &Entry| other.built_in && other.text("nCName") == Some(partition);
        self.state.store.iter().find(|(_, other)| same(other)).map(|(id, _)| id)
    }

    fn lay_over(&mut self, id: EntryId, overlay: Entry) {
        self.state.store.update(id, |entry| {
            if entry.dn != overlay.dn {
                // `cn` and `name` follow from the DN.
                entry.set::<Vec<u8>>("cn", []);
                entry.set::<Vec<u8>>("name", []);
            }
            entry.dn = overlay.dn;
            merge(&mut entry.attributes, overlay.attributes);
            entry.built_in = false;
            entry.password_version = overlay.password_version;
            if overlay.password.is_some() {
                entry.password = overlay.password;
            }
        });
    }

    /// Completes what the texts left out.
    fn finish(&mut self) {
        self.make_parents();
        self.free_taken_sids();
        for id in self.state.store.ids() {
            let Some(entry) = self.state.store.get(id) else { continue };
            let is_dc = entry.number("primaryGroupID") == Some(DOMAIN_CONTROLLERS);
            let needs_sid = entry.has("sAMAccountName") && !entry.has("objectSid");
            let is_new = !entry.has("uSNCreated");
            let sid = needs_sid.then(|| self.free_sid(is_dc));
            let usn = if is_new { self.state.next_usn() } else { self.state.usn };
            let domain = self.domain;
            self.state.store.update(id, |entry| {
                if let Some(sid) = sid {
                    entry.set("objectSid", [sid.as_bytes()]);
                }
                defaults::complete(domain, entry, usn);
                if entry.is_a("user") && entry.password.is_none() {
                    entry.password = Some(domain.default_password.clone());
                }
            });
        }
        self.link_members();
    }

    /// Every entry but the head hangs below another.
    fn make_parents(&mut self) {
        let mut missing = Vec::new();
        for (_, entry) in self.state.store.iter() {
            let mut above = entry.dn.parent();
            while let Some(dn) = above.filter(|dn| self.domain.naming_context_of(dn).is_some()) {
                if self.state.store.find(&dn).is_some() || missing.contains(&dn) {
                    break;
                }
                above = dn.parent();
                missing.push(dn);
            }
        }
        for dn in missing {
            self.state.store.insert(Entry::new(dn));
        }
    }

    /// A sample account gives way where the LDIF uses its SID for another.
    fn free_taken_sids(&mut self) {
        for id in self.state.store.ids() {
            let Some(entry) = self.state.store.get(id).filter(|entry| entry.built_in) else {
                continue;
            };
            let Some(sid) = entry.sid() else { continue };
            let others = self.state.store.with_value("objectSid", sid.as_bytes());
            let given = |other: &EntryId| {
                *other != id && self.state.store.get(*other).is_some_and(|other| !other.built_in)
            };
            if others.is_some_and(|others| others.iter().any(given)) {
                self.state.store.update(id, |entry| entry.set::<Vec<u8>>("objectSid", []));
            }
        }
    }

    /// The SID of a new account. DCs take the first numbers that a domain gives.
    fn free_sid(&mut self, is_dc: bool) -> Sid {
        let mut rid_of_dc = FIRST_RID_OF_DCS;
        loop {
            let rid = if is_dc && rid_of_dc < FIRST_RID_OF_SAMPLES {
                rid_of_dc += 1;
                rid_of_dc - 1
            } else {
                self.state.take_rid()
            };
            let sid = self.domain.sid.with_rid(rid);
            if self.state.store.by_sid(&sid).is_none() {
                return sid;
            }
        }
    }

    /// `memberOf` is the other side of `member`. What names a group that is not here is kept.
    fn link_members(&mut self) {
        for id in self.state.store.ids() {
            let Some(entry) = self.state.store.get(id).filter(|entry| entry.has("memberOf")) else {
                continue;
            };
            let member = entry.dn.clone();
            let groups: Vec<Vec<u8>> = entry.values("memberOf").to_vec();
            let mut kept = Vec::new();
            for group in groups {
                match self.group_of(&group) {
                    Some(group) => self.add_member(group, &member),
                    None => kept.push(group),
                }
            }
            self.state.store.update(id, |entry| entry.set("memberOf", kept));
        }
    }

    fn group_of(&self, dn: &[u8]) -> Option<EntryId> {
        self.state.store.find(&Dn::parse(std::str::from_utf8(dn).ok()?).ok()?)
    }

    fn add_member(&mut self, group: EntryId, member: &Dn) {
        let key = member.key();
        let known = self
            .state
            .store
            .with_value("member", key.as_bytes())
            .is_some_and(|groups| groups.contains(&group));
        if !known {
            self.state.store.update(group, |entry| {
                let mut members = entry.values("member").to_vec();
                members.push(member.to_string().into_bytes());
                entry.set("member", members);
            });
        }
    }
}

/// The text with the meanings of its words in braces; other braces stay as they are.
fn filled_in(text: &str, meanings: &[(&str, String)]) -> String {
    let mut filled = String::with_capacity(2 * text.len());
    let mut pieces = text.split('{');
    filled.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let word = piece.split_once('}');
        let known = word.and_then(|(word, rest)| {
            let (_, meaning) = meanings.iter().find(|(known, _)| *known == word)?;
            Some((meaning, rest))
        });
        match known {
            Some((meaning, rest)) => filled.extend([meaning.as_str(), rest]),
            None => filled.extend(["{", piece]),
        }
    }
    filled
}

/// The GUID of an entry that has none: from the seed and its first name.
pub(crate) fn drawn_guid(domain: &Domain, dn: &Dn, usn: i64) -> Uuid {
    domain.seed.uuid(&format!("{} {usn}", dn.key()))
}

/// The present, as AD writes it.
pub(crate) fn now(domain: &Domain) -> String {
    stamp::generalized(domain.now())
}

//! Changes of attributes.

use ldap_wire::{Change, LdapResult, ModifyOperation, ModifyRequest};

use super::{Verb, class::Classes, sam, values::is_single};
use crate::{
    build, config::Flavour, defaults, directory::Directory, dn::Dn, entry::Entry,
    entry_name::EntryName, schema::AttributeType, search::without_options, session::Session,
    state::State, store::EntryId,
};

/// One request while it is carried out.
struct Modification<'a> {
    state: &'a State,
    /// The entry as the request calls it.
    dn: &'a Dn,
    permissive: bool,
    /// Which parts of a security descriptor are to change.
    descriptor_parts: u32,
}

impl Directory {
    /// Makes all changes of a request, or none.
    pub(crate) fn modify(
        &self,
        session: &Session,
        request: &ModifyRequest,
        permissive: bool,
        descriptor_parts: u32,
    ) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let who = self.require_bound(session)?;
        let mut state = self.write();
        let id = self.target(&state, &request.object, Verb::Modify)?;
        let Some(before) = state.store.get(id).cloned() else {
            return Err(diagnostics.absent(Verb::Modify, &self.domain.dn));
        };
        let dn = &before.dn;
        let administrator = self.is_administrator(&state, who);
        let (passwords, changes): (Vec<&Change>, Vec<&Change>) = request
            .changes
            .iter()
            .partition(|change| change.modification.name.eq_ignore_ascii_case("unicodePwd"));
        for change in &changes {
            let name = without_options(&change.modification.name);
            let attribute = self.known_attribute(Verb::Modify, name, dn)?;
            if administrator || self.may_write(&state, who, id, attribute) {
                continue;
            }
            // What an owner may add to a group is a right of its own.
            return Err(match attribute.name {
                "member" => diagnostics.may_not(),
                _ => diagnostics.may_not_write(dn),
            });
        }
        self.admit_strangers(&mut state, &changes);
        let mut entry = before.clone();
        if !passwords.is_empty() {
            self.change_password(session, &state, &mut entry, &passwords, administrator)?;
        }
        let modification = Modification { state: &state, dn, permissive, descriptor_parts };
        for change in changes {
            self.change(&modification, &mut entry, change)?;
        }
        if sam::is_account(&before) {
            self.settle_account(&state, id, &before, &mut entry)?;
        }
        self.check_attributes_left(&before, &entry)?;
        if let Some(kind) = defaults::account_type(&entry) {
            entry.set("sAMAccountType", [kind.to_string()]);
        }
        let usn = state.next_usn();
        self.touch(&mut entry, usn);
        state.store.update(id, |stored| *stored = entry);
        Ok(())
    }

    /// Marks an entry as changed now. Samba moves what it writes to the end of the entry.
    pub(crate) fn touch(&self, entry: &mut Entry, usn: i64) {
        entry.set::<Vec<u8>>("whenChanged", []);
        entry.set("whenChanged", [build::now(&self.domain)]);
        entry.set::<Vec<u8>>("uSNChanged", []);
        entry.set("uSNChanged", [usn.to_string()]);
    }

    fn change(
        &self,
        modification: &Modification<'_>,
        entry: &mut Entry,
        change: &Change,
    ) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let &Modification { state, dn, .. } = modification;
        let name = without_options(&change.modification.name);
        let attribute = self.known_attribute(Verb::Modify, name, dn)?;
        let name = attribute.name;
        self.refuse_owned(entry, attribute, dn)?;
        if name == "nTSecurityDescriptor" {
            let parts = modification.descriptor_parts;
            return self.change_descriptor(state, entry, change, parts);
        }
        let given = &change.modification.values;
        if attribute.link.is_some_and(|link| link % 2 == 0) {
            return self.change_link(modification, entry, attribute, change);
        }
        let given = self.stored(state, dn, attribute, given)?;
        let same = |a: &Vec<u8>, b: &Vec<u8>| {
            attribute.syntax.normalise(a) == attribute.syntax.normalise(b)
        };
        let mut values = entry.values(name).to_vec();
        let single = is_single(attribute, sam::is_account(entry));
        match change.operation {
            ModifyOperation::Replace => {
                if single && given.len() > 1 {
                    return Err(diagnostics.too_many_values(name, dn, true));
                }
                values = given;
            }
            ModifyOperation::Add => {
                let added = given.len();
                for value in given {
                    if !values.iter().any(|known| same(known, &value)) {
                        values.push(value);
                    } else if !modification.permissive && !single {
                        let place = place_of(entry, name);
                        return Err(diagnostics.value_exists(name, place, dn));
                    } else if single
                        && (!modification.permissive || self.domain.flavour == Flavour::Samba4_22)
                    {
                        return Err(diagnostics.too_many_values(name, dn, false));
                    }
                }
                if single && values.len() > 1 {
                    return Err(if added > 1 && !entry.has(name) {
                        diagnostics.given_twice(name, dn)
                    } else {
                        diagnostics.too_many_values(name, dn, false)
                    });
                }
            }
            ModifyOperation::Delete => {
                let absent = |value: &Vec<u8>| !values.iter().any(|known| same(known, value));
                let whole = given.is_empty() || values.is_empty();
                let missing =
                    if given.is_empty() { values.is_empty() } else { given.iter().any(absent) };
                if missing && !modification.permissive {
                    return Err(diagnostics.no_such_value(name, whole, dn));
                }
                values.retain(|known| {
                    !given.is_empty() && !given.iter().any(|value| same(known, value))
                });
            }
            ModifyOperation::Increment => {
                values = self.incremented(attribute, dn, &values, &given)?
            }
        }
        if name == "objectClass" {
            values = self
                .changed_classes(entry, dn, &values)?
                .names()
                .into_iter()
                .map(|name| name.as_bytes().to_vec())
                .collect();
        }
        if values != entry.values(name) {
            // Samba moves what it writes to the end of the entry.
            entry.set::<Vec<u8>>(name, []);
            entry.set(name, values);
        }
        Ok(())
    }

    /// RFC 4525, on Windows ([MS-ADTS] 3.1.1.3.1.1.3).
    fn incremented(
        &self,
        attribute: &AttributeType,
        dn: &Dn,
        values: &[Vec<u8>],
        by: &[Vec<u8>],
    ) -> Result<Vec<Vec<u8>>, LdapResult> {
        let diagnostics = self.domain.diagnostics();
        if self.domain.flavour == Flavour::Samba4_22 {
            return Err(diagnostics.increment());
        }
        let number = |value: &[u8]| std::str::from_utf8(value).ok()?.parse::<i64>().ok();
        let ([value], [by]) = (values, by) else {
            return Err(diagnostics.no_such_value(attribute.name, true, dn));
        };
        number(value)
            .zip(number(by))
            .and_then(|(value, by)| value.checked_add(by))
            .map(|sum| vec![sum.to_string().into_bytes()])
            .ok_or_else(|| diagnostics.bad_value(attribute.name, dn))
    }

    /// The values of a link are entries: each is there or is not, whatever it is called.
    fn change_link(
        &self,
        modification: &Modification<'_>,
        entry: &mut Entry,
        attribute: &AttributeType,
        change: &Change,
    ) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let &Modification { state, dn, permissive, .. } = modification;
        let name = attribute.name;
        let given = &change.modification.values;
        let key = |value: &[u8]| attribute.syntax.normalise(value);
        let guid = |value: &[u8]| {
            let id = state.store.find_key(&key(value)?)?;
            state.store.get(id)?.guid()
        };
        let mut values = entry.values(name).to_vec();
        match change.operation {
            ModifyOperation::Increment => return Err(diagnostics.increment()),
            ModifyOperation::Replace => {
                values = self.stored(state, dn, attribute, given)?;
                if attribute.single && values.len() > 1 {
                    return Err(diagnostics.too_many_values(name, dn, true));
                }
            }
            ModifyOperation::Add => {
                for value in self.stored(state, dn, attribute, given)? {
                    let known = values.iter().any(|known| key(known) == key(&value));
                    match guid(&value) {
                        // Samba 4.22 does not let the control have its way here.
                        Some(guid)
                            if known
                                && (!permissive || self.domain.flavour == Flavour::Samba4_22) =>
                        {
                            return Err(diagnostics.link_exists(name, guid));
                        }
                        _ if known => continue,
                        _ => {}
                    }
                    if name == "member" {
                        self.check_new_member(state, entry, &String::from_utf8_lossy(&value))?;
                    }
                    values.push(value);
                }
                if attribute.single && values.len() > 1 {
                    return Err(diagnostics.too_many_values(name, dn, false));
                }
            }
            ModifyOperation::Delete if given.is_empty() => {
                if values.is_empty() && !permissive {
                    return Err(diagnostics.no_such_value(name, true, dn));
                }
                values.clear();
            }
            ModifyOperation::Delete => {
                for value in given {
                    let place = values.iter().position(|known| key(known) == key(value));
                    match place {
                        Some(place) => {
                            values.remove(place);
                        }
                        None if permissive => {}
                        None => {
                            let text = String::from_utf8_lossy(value);
                            return Err(diagnostics.no_such_link(name, guid(value), &text));
                        }
                    }
                }
            }
        }
        entry.set::<Vec<u8>>(name, []);
        entry.set(name, values);
        Ok(())
    }

    /// Who belongs to no domain of the forest gets an entry that stands for them when a request
    /// makes them a member, by their SID ([MS-ADTS] 3.1.1.5.2.3).
    fn admit_strangers(&self, state: &mut State, changes: &[&Change]) {
        let added = changes
            .iter()
            .filter(|change| change.modification.name.eq_ignore_ascii_case("member"))
            .filter(|change| change.operation != ModifyOperation::Delete)
            .flat_map(|change| &change.modification.values);
        for value in added {
            let Ok(EntryName::Sid(sid)) = EntryName::parse(&String::from_utf8_lossy(value)) else {
                continue;
            };
            let own = sid.split_rid().is_some_and(|(domain, _)| domain == self.domain.sid);
            if own || state.store.by_sid(&sid).is_some() {
                continue;
            }
            let strangers = self.domain.dn.child("CN", "ForeignSecurityPrincipals");
            let mut entry = Entry::new(strangers.child("CN", &sid.to_string()));
            entry.set("objectClass", ["foreignSecurityPrincipal"]);
            entry.set("objectSid", [sid.as_bytes()]);
            entry.set("showInAdvancedViewOnly", ["TRUE"]);
            let usn = state.next_usn();
            defaults::complete(&self.domain, &mut entry, usn);
            state.store.insert(entry);
        }
    }

    /// What a request may never change.
    fn refuse_owned(
        &self,
        entry: &Entry,
        attribute: &AttributeType,
        dn: &Dn,
    ) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let name = attribute.name;
        let is_rdn =
            entry.dn.first().is_some_and(|first| first.attribute.eq_ignore_ascii_case(name));
        let account = sam::is_account(entry);
        match name {
            "name" | "distinguishedName" => Err(diagnostics.is_name(name, dn)),
            _ if is_rdn => Err(diagnostics.is_name(name, dn)),
            "dBCSPwd" => {
                let text = "setup_io: it's not allowed to set the LM hash password (dBCSPwd)'";
                Err(diagnostics.password_form(text))
            }
            "instanceType" => Err(diagnostics.instance_type()),
            "objectSid" | "sAMAccountType" if account => Err(diagnostics.owned_by_sam(name)),
            "groupType" if !entry.is_a("group") => Err(diagnostics.no_group()),
            "objectClass" | "systemFlags" | "wellKnownObjects" | "msDS-Behavior-Version" => Ok(()),
            _ if attribute.is_backlink() => Err(diagnostics.back_link(name, dn)),
            _ if attribute.is_constructed() || attribute.system_only => {
                Err(diagnostics.system_attribute(name, dn))
            }
            _ => Ok(()),
        }
    }

    /// What SAM settles about a changed account.
    fn settle_account(
        &self,
        state: &State,
        id: EntryId,
        before: &Entry,
        entry: &mut Entry,
    ) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let changed = |entry: &Entry, name: &str| entry.values(name) != before.values(name);
        let dn = &before.dn;
        if !entry.has("sAMAccountName") && before.has("sAMAccountName") {
            return Err(diagnostics.needed_by_sam("'samAccountName' can't be deleted/empty!"));
        }
        for name in ["sAMAccountName", "userPrincipalName", "servicePrincipalName"] {
            if changed(entry, name) {
                self.check_names(state, Some(id), entry, name)?;
            }
        }
        if changed(entry, "primaryGroupID") {
            self.changed_primary_group(state, id, entry, before.number("primaryGroupID"))?;
        }
        if changed(entry, "userAccountControl") {
            self.changed_control(dn, entry, before.number("userAccountControl"))?;
        }
        if changed(entry, "groupType") && entry.has("groupType") {
            self.changed_group(entry, before)?;
        }
        let last_set_given =
            changed(entry, "pwdLastSet") && entry.password_version == before.password_version;
        if last_set_given {
            self.changed_last_set(entry, before.number("pwdLastSet"))?;
        }
        if changed(entry, "lockoutTime") && entry.number("lockoutTime") == Some(0) {
            // An administrator unlocks the account ([MS-SAMR] 3.1.1.8.10).
            entry.set("badPwdCount", ["0"]);
        }
        Ok(())
    }

    /// Whether the classes allow what was added, and what they demand is left.
    fn check_attributes_left(&self, before: &Entry, entry: &Entry) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let Some(classes) = Classes::of(entry) else { return Ok(()) };
        let all = classes.all();
        let listed = |name: &str, lists: fn(&crate::schema::Class) -> &[&'static str]| {
            all.iter()
                .any(|class| lists(class).iter().any(|known| known.eq_ignore_ascii_case(name)))
        };
        for attribute in &entry.attributes {
            let name = &attribute.name;
            if !before.has(name)
                && !listed(name, |class| &class.must)
                && !listed(name, |class| &class.may)
            {
                return Err(diagnostics.not_for_class(name, &before.dn));
            }
        }
        for attribute in &before.attributes {
            let name = &attribute.name;
            if !entry.has(name) && listed(name, |class| &class.must) {
                return Err(diagnostics.mandatory(Verb::Modify, name, &before.dn));
            }
        }
        Ok(())
    }
}

/// Where among the attributes of an entry one stands.
fn place_of(entry: &Entry, name: &str) -> usize {
    entry.attributes.iter().position(|attribute| attribute.name == name).unwrap_or_default()
}

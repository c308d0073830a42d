//! Changes of entries.

use ldap_wire::{Change, LdapResult, ModifyOperation, ModifyRequest, ResultCode};

use crate::{
    build, defaults,
    diagnostic::Diagnostics,
    directory::Directory,
    entry::Entry,
    password,
    schema::{self, AttributeType},
    search::without_options,
    session::Session,
    state::State,
    store::EntryId,
};

/// Win32 errors behind refused changes.
mod win32 {
    pub(super) const ATTRIBUTE_NOT_ON_OBJECT: u32 = 0x200a;
    pub(super) const BAD_VALUE: u32 = 0x57;
    pub(super) const OWNED_BY_SYSTEM: u32 = 0x20b1;
    pub(super) const VALUE_EXISTS: u32 = 0x2083;
    pub(super) const WILL_NOT: u32 = 0x209a;
    pub(super) const WRONG_PASSWORD: u32 = 0x56;
}

impl Directory {
    /// Makes all changes of a request, or none.
    pub(crate) fn modify(
        &self,
        session: &Session,
        request: &ModifyRequest,
        permissive: bool,
    ) -> Result<(), LdapResult> {
        let mut state = self.write();
        let id = self.resolve(&state, &request.object)?;
        self.require_writer(session, &state, id)?;
        let before = state.store.get(id).cloned();
        let Some(mut entry) = before else {
            return Err(self.domain.diagnostics().unwilling(win32::WILL_NOT));
        };
        let administrator = self.require_administrator(session, &state).is_ok();
        for (at, change) in request.changes.iter().enumerate() {
            if change.modification.name.eq_ignore_ascii_case("unicodePwd") {
                let rest = &request.changes[at..];
                self.set_password(session, &state, &mut entry, rest, administrator)?;
            } else {
                self.change(&state, id, &mut entry, change, permissive)?;
            }
        }
        if entry.is_a("user") && entry.password.is_none() {
            // The old password was removed and no new one added.
            return Err(self.domain.diagnostics().unwilling(win32::WILL_NOT));
        }
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

    /// Checks values that a request brings, and returns them as they are stored.
    pub(crate) fn values_to_store(
        &self,
        state: &State,
        owner: Option<EntryId>,
        name: &str,
        values: &[Vec<u8>],
    ) -> Result<Vec<Vec<u8>>, LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let syntax = schema::syntax(name);
        let stored: Vec<Vec<u8>> = values
            .iter()
            .map(|value| syntax.store(value.clone()))
            .collect::<Option<_>>()
            .ok_or_else(|| {
                let code = ResultCode::INVALID_ATTRIBUTE_SYNTAX;
                diagnostics.attribute_problem(code, win32::BAD_VALUE, name)
            })?;
        let single = schema::attribute(name).is_some_and(|attribute| attribute.single);
        if single && stored.len() > 1 {
            let code = ResultCode::CONSTRAINT_VIOLATION;
            return Err(diagnostics.attribute_problem(code, win32::BAD_VALUE, name));
        }
        let unique = ["sAMAccountName", "servicePrincipalName", "userPrincipalName"];
        let unique = unique.into_iter().find(|unique| unique.eq_ignore_ascii_case(name));
        for value in stored.iter().filter(|_| unique.is_some()) {
            let Some(normal) = syntax.normalise(value) else { continue };
            let holders = state.store.with_value(unique.unwrap_or_default(), &normal);
            if holders.is_some_and(|holders| holders.iter().any(|id| Some(*id) != owner)) {
                return Err(match unique {
                    Some("sAMAccountName") => diagnostics.account_name_taken(),
                    _ => diagnostics.service_name_taken(&String::from_utf8_lossy(value)),
                });
            }
        }
        if name.eq_ignore_ascii_case("member") {
            for member in &stored {
                self.resolve(state, &String::from_utf8_lossy(member))?;
            }
        }
        Ok(stored)
    }

    fn change(
        &self,
        state: &State,
        id: EntryId,
        entry: &mut Entry,
        change: &Change,
        permissive: bool,
    ) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let name = schema::spelling(without_options(&change.modification.name));
        refuse_system(diagnostics, name)?;
        if is_naming(entry, name) {
            return Err(diagnostics.not_on_rdn());
        }
        let given = self.values_to_store(state, Some(id), name, &change.modification.values)?;
        let syntax = schema::syntax(name);
        let same = |a: &Vec<u8>, b: &Vec<u8>| syntax.normalise(a) == syntax.normalise(b);
        let mut values = entry.values(name).to_vec();
        match change.operation {
            ModifyOperation::Replace if name == "pwdLastSet" && given == [b"-1"] => {
                // As if the password was set now ([MS-SAMR] 3.1.1.8.8).
                values = vec![self.domain.now().to_file_time().to_string().into_bytes()];
            }
            ModifyOperation::Replace => values = given,
            ModifyOperation::Add => {
                for value in given {
                    if !values.iter().any(|known| same(known, &value)) {
                        values.push(value);
                    } else if !permissive {
                        let code = ResultCode::ATTRIBUTE_OR_VALUE_EXISTS;
                        return Err(diagnostics.attribute_problem(code, win32::VALUE_EXISTS, name));
                    }
                }
                let single = schema::attribute(name).is_some_and(|attribute| attribute.single);
                if single && values.len() > 1 {
                    let code = ResultCode::ATTRIBUTE_OR_VALUE_EXISTS;
                    return Err(diagnostics.attribute_problem(code, win32::VALUE_EXISTS, name));
                }
            }
            ModifyOperation::Delete => {
                let absent = |value: &Vec<u8>| !values.iter().any(|known| same(known, value));
                let missing =
                    if given.is_empty() { values.is_empty() } else { given.iter().any(absent) };
                if missing && !permissive {
                    let code = ResultCode::NO_SUCH_ATTRIBUTE;
                    return Err(diagnostics.attribute_problem(
                        code,
                        win32::ATTRIBUTE_NOT_ON_OBJECT,
                        name,
                    ));
                }
                values.retain(|known| {
                    !given.is_empty() && !given.iter().any(|value| same(known, value))
                });
            }
            ModifyOperation::Increment => return Err(diagnostics.unwilling(win32::WILL_NOT)),
        }
        entry.set(name, values);
        Ok(())
    }

    /// `unicodePwd`: an administrator replaces it, an owner removes the old one and adds the new.
    fn set_password(
        &self,
        session: &Session,
        state: &State,
        entry: &mut Entry,
        changes: &[Change],
        administrator: bool,
    ) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let read = |change: &Change| match change.modification.values.as_slice() {
            [value] => password::read(&self.domain, state, session, value),
            _ => Err(diagnostics.unwilling(win32::WILL_NOT)),
        };
        match changes {
            [change, ..] if change.operation == ModifyOperation::Replace => {
                let password = read(change)?;
                if !administrator {
                    return Err(diagnostics.no_rights());
                }
                password::set(&self.domain, entry, password);
            }
            [change, ..] if change.operation == ModifyOperation::Delete => {
                let old = read(change)?;
                if entry.password.as_ref() != Some(&old) {
                    let code = ResultCode::CONSTRAINT_VIOLATION;
                    return Err(diagnostics.attribute_problem(
                        code,
                        win32::WRONG_PASSWORD,
                        "unicodePwd",
                    ));
                }
                // Proven: the addition that follows may set the new one.
                entry.password = None;
            }
            [change, ..] if entry.password.is_none() || administrator => {
                let password = read(change)?;
                password::set(&self.domain, entry, password);
            }
            _ => return Err(diagnostics.no_rights()),
        }
        Ok(())
    }
}

pub(crate) fn refuse_system(diagnostics: Diagnostics, name: &str) -> Result<(), LdapResult> {
    if !schema::attribute(name).is_some_and(|attribute: &AttributeType| attribute.system) {
        return Ok(());
    }
    let code = ResultCode::CONSTRAINT_VIOLATION;
    Err(diagnostics.attribute_problem(code, win32::OWNED_BY_SYSTEM, name))
}

/// `name` and the attribute of the RDN change only with the DN.
fn is_naming(entry: &Entry, name: &str) -> bool {
    name == "name"
        || entry.dn.first().is_some_and(|first| first.attribute.eq_ignore_ascii_case(name))
}

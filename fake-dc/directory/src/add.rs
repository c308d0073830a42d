//! New entries.

use ldap_wire::{AddRequest, LdapResult};

use crate::{
    account::control,
    defaults,
    directory::Directory,
    dn::{Dn, EntryName},
    entry::Entry,
    modify, password,
    schema::{self, Class},
    session::Session,
    state::State,
};

impl Directory {
    pub(crate) fn add(&self, session: &Session, request: &AddRequest) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let mut state = self.write();
        let bad_name = || diagnostics.bad_dn(&request.entry);
        let Ok(EntryName::Dn(dn)) = EntryName::parse(&request.entry) else {
            return Err(bad_name());
        };
        self.require_administrator(session, &state)?;
        if state.store.find(&dn).is_some() {
            return Err(diagnostics.exists(&dn));
        }
        let parent = dn.parent().ok_or_else(bad_name)?;
        if state.store.find(&parent).is_none() {
            return Err(self.not_here(&state, &parent));
        }
        let class = self.class(request)?;
        if !dn.first().is_some_and(|first| first.attribute.eq_ignore_ascii_case(class.naming)) {
            return Err(diagnostics.naming_violation());
        }
        let mut entry = self.requested(session, &state, &dn, request)?;
        entry.set("objectClass", class.chain.iter().copied());
        self.prepare_account(&state, &mut entry);
        let usn = state.next_usn();
        if entry.has("sAMAccountName") {
            let sid = loop {
                let sid = self.domain.sid.with_rid(state.take_rid());
                if state.store.by_sid(&sid).is_none() {
                    break sid;
                }
            };
            entry.set("objectSid", [sid.as_bytes()]);
        }
        defaults::complete(&self.domain, &mut entry, usn);
        state.store.insert(entry);
        Ok(())
    }

    /// The most specific of the classes that the request names.
    fn class(&self, request: &AddRequest) -> Result<&'static Class, LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let named = request
            .attributes
            .iter()
            .filter(|attribute| attribute.name.eq_ignore_ascii_case("objectClass"))
            .flat_map(|attribute| &attribute.values);
        let mut class: Option<&Class> = None;
        for name in named {
            let name = String::from_utf8_lossy(name);
            let found = schema::class(&name).ok_or_else(|| diagnostics.unknown_class(&name))?;
            if class.is_none_or(|class| class.chain.len() < found.chain.len()) {
                class = Some(found);
            }
        }
        class.ok_or_else(|| diagnostics.class_missing())
    }

    /// The entry as the request describes it.
    fn requested(
        &self,
        session: &Session,
        state: &State,
        dn: &Dn,
        request: &AddRequest,
    ) -> Result<Entry, LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let mut entry = Entry { password_version: 1, ..Entry::new(dn.clone()) };
        for attribute in &request.attributes {
            let name = schema::spelling(&attribute.name);
            match name {
                "objectClass" => {}
                "unicodePwd" => {
                    let value = attribute.values.first().map_or(&[][..], Vec::as_slice);
                    let new = password::read(&self.domain, state, session, value)?;
                    password::set(&self.domain, &mut entry, new);
                }
                _ => {
                    modify::refuse_system(diagnostics, name)?;
                    let values = self.values_to_store(state, None, name, &attribute.values)?;
                    entry.set(name, values);
                }
            }
        }
        Ok(entry)
    }

    /// What a new account has until somebody sets it: a made-up name, no password, disabled
    /// ([MS-SAMR] 3.1.1.8.10).
    fn prepare_account(&self, state: &State, entry: &mut Entry) {
        const PASSWORD_NOT_REQUIRED: i64 = 0x20;
        if !entry.is_a("user") && !entry.is_a("group") {
            return;
        }
        if !entry.has("sAMAccountName") {
            let drawn = self.domain.seed.uuid(&format!("account {}", state.usn));
            let drawn = drawn.simple().to_string().to_uppercase();
            entry.set("sAMAccountName", [format!("${}-{}", &drawn[..6], &drawn[6..18])]);
        }
        if entry.is_a("user") {
            let kind = control::NORMAL_ACCOUNT;
            let fresh = kind | control::ACCOUNT_DISABLE | PASSWORD_NOT_REQUIRED;
            entry.set_default("userAccountControl", fresh.to_string());
            if entry.password.is_none() {
                entry.set_default("pwdLastSet", "0");
            }
        }
    }
}

//! Names that belong to one account only: account, principal and service names.

use ldap_wire::LdapResult;

use crate::{
    directory::Directory, dn::Dn, entry::Entry, schema::Syntax, state::State, store::EntryId,
};

impl Directory {
    /// Fails if one of the names that `entry` is about to have is another's. `owner` is the entry
    /// as it stands in the store.
    pub(super) fn check_names(
        &self,
        state: &State,
        owner: Option<EntryId>,
        entry: &Entry,
        attribute: &str,
    ) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let others = |attribute: &str, value: &str| {
            let normal = Syntax::Text.normalise(value.as_bytes());
            let holders = normal.and_then(|normal| state.store.with_value(attribute, &normal));
            holders.is_some_and(|ids| ids.iter().any(|id| Some(*id) != owner))
        };
        for value in entry.values(attribute) {
            let value = String::from_utf8_lossy(value);
            match attribute {
                "sAMAccountName" => {
                    if let Some(bad) = value.chars().find(|c| r#""/\[]:;|=,+*?<>"#.contains(*c)) {
                        return Err(diagnostics.bad_account_name(bad));
                    }
                    if others(attribute, &value) {
                        return Err(diagnostics.account_name_taken(&value));
                    }
                }
                "servicePrincipalName" => {
                    let components = value.split('/').count();
                    if !(2..=3).contains(&components) {
                        return Err(diagnostics.bad_service_name(&value, components));
                    }
                    if others(attribute, &value) {
                        return Err(diagnostics.service_name_taken(&value));
                    }
                }
                "userPrincipalName" => {
                    if others(attribute, &value) {
                        return Err(diagnostics.principal_name_taken(&value, None));
                    }
                    let implied = value
                        .rsplit_once('@')
                        .filter(|(_, realm)| realm.eq_ignore_ascii_case(&self.domain.dns_name));
                    if let Some((account, _)) = implied
                        && others("sAMAccountName", account)
                    {
                        return Err(diagnostics.principal_name_taken(&value, Some(account)));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The account name of an account that was given none.
    pub(super) fn drawn_account_name(&self, dn: &Dn, usn: i64, is_computer: bool) -> String {
        let drawn = self.domain.seed.uuid(&format!("account {} {usn}", dn.key()));
        let drawn = drawn.simple().to_string().to_uppercase();
        let end = if is_computer { "$" } else { "" };
        format!("${}-{}{end}", &drawn[..6], &drawn[6..18])
    }
}

//! A new password for the machine account (`wbinfo --change-secret`).
//!
//! winbind asks a DC over NETLOGON; here the machine changes its own password through `unicodePwd`,
//! knowing the old one. AD puts no minimum age on passwords of machines, in either way.

use ldap_wire::Filter;

use super::{Wbc, Winbind};
use crate::samba::{facts::PasswordChanged, values::utf16_quoted};

impl Winbind<'_> {
    /// Gives the machine account a new password: in the directory first, and then in the host's
    /// secrets.
    pub(in crate::samba) async fn change_secret(&self) -> Result<(), Wbc> {
        let machine = self.secrets.account();
        let mut connection = self.connect(&self.own_domain()).await?;
        let new = self.run.new_password();
        let changed = async {
            let value = machine.name.as_bytes().to_vec();
            let filter = Filter::Equality { attribute: "sAMAccountName".to_owned(), value };
            let account = connection.find(filter, &["distinguishedName"]).await?;
            let dn = account.into_iter().next()?.dn;
            let values = (utf16_quoted(&machine.password), utf16_quoted(&new));
            let result = connection.ldap.change_value(&dn, "unicodePwd", values).await.ok()?;
            result.is_success().then_some(())
        };
        let changed = changed.await;
        let dc = connection.dc.answer.dns_name.clone();
        connection.close().await;
        changed.ok_or(Wbc::AuthError)?;
        let secrets = self.secrets.with_password(new);
        secrets.save(self.run.root()).map_err(|_| Wbc::AuthError)?;
        self.run.trail.record(PasswordChanged { account: machine.name, dc });
        Ok(())
    }
}

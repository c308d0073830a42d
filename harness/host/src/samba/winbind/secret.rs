//! A new password for the machine account (`wbinfo --change-secret`).
//!
//! winbind asks a DC over NETLOGON; here the machine changes its own password through `unicodePwd`,
//! knowing the old one. AD puts no minimum age on passwords of machines, in either way.

use ldap_wire::Filter;

use super::{Wbc, Winbind};
use crate::samba::{console::Console, facts::PasswordChanged, values::utf16_quoted};

impl Winbind<'_> {
    /// Gives the machine account a new password: in the directory first, and then in the host's
    /// secrets.
    pub(in crate::samba) async fn change_secret(&self) -> Result<(), Wbc> {
        let machine = self.secrets.account();
        if self.run.settings.syncs_keytab {
            self.keytab_can_follow().await?;
        }
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
        changed.ok_or(Wbc::DomainNotFound)?;
        let secrets = self.secrets.with_password(new);
        secrets.save(self.run.root()).map_err(|_| Wbc::DomainNotFound)?;
        self.run.trail.record(PasswordChanged { account: machine.name, dc });
        Ok(())
    }

    /// With `sync machine password to keytab` nothing is changed before the names of the machine
    /// are read, for its keytab, by LDAP as smb.conf says: who does not trust the DC's certificate
    /// keeps the old password (`secrets_prepare_password_change` and `pw2kt_get_dc_info` of Samba
    /// 4.22).
    async fn keytab_can_follow(&self) -> Result<(), Wbc> {
        let dc = self.run.find_dc(&self.secrets.domain).await.ok_or(Wbc::NoDc)?;
        let (machine, mut log) = (self.secrets.account(), Console::new(0));
        let connected = self.run.context().connect_quietly(&dc, &machine, &mut log).await;
        connected.map_err(|_| Wbc::NoDc)?.unbind().await;
        Ok(())
    }
}

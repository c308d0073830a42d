//! `net ads leave`: deletes the machine account and forgets the secrets.

use ground::Secret;
use ldap_wire::Filter;

use super::{dump, lookup::registered};
use crate::{
    Output,
    samba::{
        ads::Account, client::Run, console::Console, facts::LeaveDone, searches::domain_search,
        secrets::Secrets, values::result_text,
    },
};

pub(in crate::samba) async fn run(
    run: &Run<'_>,
    user: String,
    password: Secret,
    mut console: Console,
) -> Output {
    registered(&mut console);
    let domain = run.settings.realm.to_lowercase();
    let machine = &run.settings.netbios_name;
    if domain.is_empty() {
        console.error("No realm set, are we joined ?");
        return console.net_returns(-1);
    }
    console.debug(1, &dump::unjoin_input(machine, &domain));
    let user = Account { name: user, password };
    match leave(run, &domain, machine, &user, &mut console).await {
        Ok(()) => {
            console.debug(2, "saf_delete: Refusing to delete empty domain");
            console.debug(1, &dump::unjoin_output(Some(&domain), true, None));
            console.print(&format!("Deleted account for '{machine}' in realm '{domain}'"));
            console.net_returns(0)
        }
        Err(error) => {
            console.debug(1, &dump::unjoin_output(None, false, Some(&error)));
            console.print(&format!("Failed to leave domain: {error}"));
            console.net_returns(-1)
        }
    }
}

async fn leave(
    run: &Run<'_>,
    domain: &str,
    machine: &str,
    user: &Account,
    console: &mut Console,
) -> Result<(), String> {
    if Secrets::load(run.root()).is_none() {
        return Err("Unable to fetch domain sid: are we joined?".to_owned());
    }
    let dc = run.find_dc(domain).await.ok_or_else(|| {
        format!(
            "failed to find DC for domain {domain} - \
             A domain controller for this domain was not found."
        )
    })?;
    let mut ldap = run
        .context()
        .connect_quietly(&dc, user, console)
        .await
        .map_err(|error| format!("failed to connect to AD: {}", error.text))?;
    let filter = Filter::Equality {
        attribute: "sAMAccountName".to_owned(),
        value: format!("{machine}$").into_bytes(),
    };
    let search = domain_search(&dc, filter, vec!["distinguishedName".to_owned()]);
    let account = ldap.search(search).await.ok().and_then(|found| found.entries.into_iter().next());
    let deleted = match account {
        Some(account) => match ldap.delete(&account.dn).await {
            Ok(result) if result.is_success() => Ok(()),
            Ok(result) => Err(result_text(result.code)),
            Err(_) => Err("Can't contact LDAP server".to_owned()),
        },
        None => Err("No such object".to_owned()),
    };
    ldap.unbind().await;
    // The real program would still try to disable the account over RPC.
    deleted.map_err(|text| format!("failed to remove machine account from AD: {text}"))?;
    Secrets::remove(run.root()).map_err(|error| error.to_string())?;
    run.trail.record(LeaveDone {
        domain: domain.to_owned(),
        machine: machine.to_owned(),
        account_deleted: true,
    });
    Ok(())
}

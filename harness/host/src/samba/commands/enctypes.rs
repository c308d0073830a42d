//! `net ads enctypes set`: which encryption types the KDC may use for the machine account.

use ldap_wire::{Attribute, Filter};

use super::{
    lookup::registered,
    search::{connect, no_machine_account, no_secrets_ldb},
};
use crate::{
    Output, Server,
    samba::{
        ads::Account, client::Run, console::Console, searches::domain_search, secrets::Secrets,
        values::result_text,
    },
};

const ATTRIBUTE: &str = "msDS-SupportedEncryptionTypes";

/// The bits in the order of `net_ads_enctypes_dump_one` of Samba 4.22.
const TYPES: [(u32, &str); 7] = [
    (0x0000_0001, "DES-CBC-CRC"),
    (0x0000_0002, "DES-CBC-MD5"),
    (0x0000_0004, "RC4-HMAC"),
    (0x0000_0008, "AES128-CTS-HMAC-SHA1-96"),
    (0x0000_0010, "AES256-CTS-HMAC-SHA1-96"),
    (0x0000_0020, "AES256-CTS-HMAC-SHA1-96-SK"),
    (0x0008_0000, "RESOURCE-SID-COMPRESSION-DISABLED"),
];

pub(in crate::samba) async fn set(
    run: &Run<'_>,
    account: &str,
    types: u32,
    mut console: Console,
) -> Output {
    no_secrets_ldb(&mut console);
    let Some(secrets) = Secrets::load(run.root()) else {
        return no_machine_account(&run.settings.workgroup, console);
    };
    registered(&mut console);
    let machine: Account = secrets.account();
    let (dc, mut ldap) = match connect(run, &Server::Unnamed, &machine, &mut console).await {
        Ok(connected) => connected,
        Err(error) => {
            console.error(&format!("ads_startup_int: ads_connect_creds: {}", error.text));
            return console.net_returns(-1);
        }
    };
    let equals = |attribute: &str, value: &str| Filter::Equality {
        attribute: attribute.to_owned(),
        value: value.as_bytes().to_vec(),
    };
    let filter =
        Filter::And(vec![equals("objectclass", "user"), equals("sAMAccountName", account)]);
    let search = domain_search(&dc, filter, vec!["distinguishedName".to_owned()]);
    let found = ldap.search(search).await.ok().and_then(|found| found.entries.into_iter().next());
    let Some(entry) = found else {
        ldap.unbind().await;
        console.print(&format!(
            "no account found with filter: (&(objectclass=user)(sAMAccountName={account}))"
        ));
        return console.net_returns(-1);
    };
    let value = Attribute::new(ATTRIBUTE, [types.to_string()]);
    let changed = match ldap.replace(&entry.dn, vec![value]).await {
        Ok(result) if result.is_success() => Ok(()),
        Ok(result) => Err(result_text(result.code)),
        Err(_) => Err("Can't contact LDAP server".to_owned()),
    };
    ldap.unbind().await;
    // A change that is refused is no failure of the program.
    match changed {
        Ok(()) => dump(account, types, &mut console),
        Err(text) => console.print(&format!("failed to add {ATTRIBUTE}: {text}")),
    }
    console.net_returns(0)
}

fn dump(account: &str, types: u32, console: &mut Console) {
    console.print(&format!("'{account}' uses \"{ATTRIBUTE}\": {types} (0x{types:08x})"));
    for (bit, name) in TYPES {
        let mark = if types & bit == 0 { ' ' } else { 'X' };
        console.print(&format!("[{mark}] 0x{bit:08x} {name}"));
    }
}

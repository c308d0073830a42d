//! The one question xapi asks winbind through `wbinfo`.
//!
//! winbind speaks RPC with the DC, never LDAP: an LDAPS certificate that nobody trusts does not
//! disturb it. The model has no RPC. It looks for a DC by DNS and CLDAP, as winbind does first,
//! and takes one that answers as one that would answer RPC; the names it can turn into SIDs are
//! the accounts that every domain has.

use super::service;
use crate::{
    Output, Wbinfo,
    samba::{client::Run, console::Console, secrets::Secrets},
};

/// RIDs of the accounts that every domain has (\[MS-SAMR\] 2.2.1.14 and well-known SIDs).
const WELL_KNOWN: [(&str, u32, &str); 9] = [
    ("administrator", 500, "SID_USER (1)"),
    ("domain admins", 512, "SID_DOM_GROUP (2)"),
    ("domain computers", 515, "SID_DOM_GROUP (2)"),
    ("domain controllers", 516, "SID_DOM_GROUP (2)"),
    ("domain guests", 514, "SID_DOM_GROUP (2)"),
    ("domain users", 513, "SID_DOM_GROUP (2)"),
    ("enterprise admins", 519, "SID_DOM_GROUP (2)"),
    ("guest", 501, "SID_USER (1)"),
    ("krbtgt", 502, "SID_USER (1)"),
];

/// `wbinfo`.
pub(in crate::samba) async fn wbinfo(
    run: &Run<'_>,
    question: Wbinfo,
    mut console: Console,
) -> Output {
    match question {
        Wbinfo::NameToSid { name } => name_to_sid(run, &name, console).await,
        _ => {
            console.error("WBC_ERR_NOT_IMPLEMENTED");
            console.exit(1)
        }
    }
}

/// `wbinfo -n NAME`.
async fn name_to_sid(run: &Run<'_>, name: &str, mut console: Console) -> Output {
    match resolve(run, name).await {
        Ok(answer) => {
            console.print(&answer);
            console.exit(0)
        }
        Err(cause) => {
            console.error(&format!("failed to call wbcLookupName: {cause}"));
            console.error(&format!("Could not lookup name {name}"));
            console.exit(1)
        }
    }
}

async fn resolve(run: &Run<'_>, name: &str) -> Result<String, &'static str> {
    if !service::answers(run) {
        return Err("WBC_ERR_WINBIND_NOT_AVAILABLE");
    }
    let secrets = Secrets::load(run.root()).ok_or("WBC_ERR_DOMAIN_NOT_FOUND")?;
    run.find_dc(&secrets.domain).await.ok_or("WBC_ERR_DOMAIN_NOT_FOUND")?;
    let (domain, account) = name.split_once('\\').unwrap_or((&secrets.workgroup, name));
    if !domain.eq_ignore_ascii_case(&secrets.workgroup)
        && !domain.eq_ignore_ascii_case(&secrets.domain)
    {
        return Err("WBC_ERR_DOMAIN_NOT_FOUND");
    }
    let known = WELL_KNOWN.iter().find(|known| known.0.eq_ignore_ascii_case(account));
    let (_, rid, kind) = known.ok_or("WBC_ERR_NOT_MAPPED")?;
    Ok(format!("{}-{rid} {kind}", secrets.domain_sid))
}

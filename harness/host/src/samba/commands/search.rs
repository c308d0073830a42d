//! `net ads search`, the probe of xapi, and `net ads sid`, with which it asks for an account.

use ldap_wire::{Filter, ResultCode, SearchRequest};

use crate::{
    Credentials, Output, Server,
    samba::{
        ads::{Account, FoundDc},
        client::Run,
        commands::lookup::registered,
        connect_error::{ConnectError, note_end},
        console::Console,
        ldap::{Ldap, LdapError},
        searches::{account_search, domain_search},
        secrets::Secrets,
        values,
    },
};

/// What is searched for.
#[derive(Debug)]
pub(in crate::samba) enum Wanted {
    /// What a filter finds in the domain.
    Found { filter: String },
    /// The account of a SID.
    Account { sid: String },
}

impl Wanted {
    /// The search; what `net` says where there is none.
    fn request(&self, dc: &FoundDc, attributes: Vec<String>) -> Result<SearchRequest, String> {
        match self {
            Self::Found { filter } => match Filter::parse(filter) {
                Ok(filter) => Ok(domain_search(dc, filter, attributes)),
                Err(_) => Err("search failed: Bad search filter".to_owned()),
            },
            Self::Account { sid } => match values::sid_bytes(sid) {
                Some(sid) => Ok(account_search(&sid, attributes)),
                None => Err("could not convert sid".to_owned()),
            },
        }
    }
}

pub(in crate::samba) async fn run(
    run: &Run<'_>,
    server: Server,
    credentials: Credentials,
    wanted: Wanted,
    attributes: Vec<String>,
    mut console: Console,
) -> Output {
    let account = match credentials {
        Credentials::User { user, password } => Account { name: user, password },
        Credentials::Machine => {
            no_secrets_ldb(&mut console);
            match Secrets::load(run.root()) {
                Some(secrets) => secrets.account(),
                None => return no_machine_account(&run.settings.workgroup, console),
            }
        }
    };
    registered(&mut console);
    let (dc, mut ldap) = match connect(run, &server, &account, &mut console).await {
        Ok(connected) => connected,
        Err(error) => {
            console.error(&format!("ads_startup_int: ads_connect_creds: {}", error.text));
            return console.net_returns(-1);
        }
    };
    let request = match wanted.request(&dc, attributes) {
        Ok(request) => request,
        Err(text) => {
            ldap.unbind().await;
            console.error(&text);
            return console.net_returns(-1);
        }
    };
    let found = ldap.paged_search(request).await.map_err(|error| failure(&error, &mut console));
    let found = found.and_then(|found| match found.result.code {
        ResultCode::SUCCESS => Ok(found),
        ResultCode::TIME_LIMIT_EXCEEDED => Err(too_slow(&mut console)),
        code => Err(values::result_text(code)),
    });
    match found {
        Ok(found) => {
            console.print(&format!("Got {} replies\n", found.entries.len()));
            for lines in found.entries.iter().map_while(values::lines) {
                for line in lines {
                    console.print(&line);
                }
                console.print("");
            }
            ldap.unbind().await;
            console.net_returns(0)
        }
        Err(text) => {
            ldap.unbind().await;
            console.error(&format!("search failed: {text}"));
            console.net_returns(-1)
        }
    }
}

/// Finds the DC that is meant, and binds there.
pub(super) async fn connect(
    run: &Run<'_>,
    server: &Server,
    account: &Account,
    console: &mut Console,
) -> Result<(FoundDc, Ldap), ConnectError> {
    let context = run.context();
    if *server == Server::Unnamed {
        // It knows which domain it looks for: `saf_store` has something to store, and is silent.
        let realm = &run.settings.realm;
        let found = run.find_dc(&realm.to_lowercase()).await;
        let dc = found.ok_or_else(|| context.no_dc(realm, console))?;
        let ldap = context.connect_quietly(&dc, account, console).await?;
        return Ok((dc, ldap));
    }
    let address = run.address_of(server).await.ok_or_else(ConnectError::unknown_server)?;
    let dc = context.find(address, console).await?;
    let ldap = context.connect(&dc, account, console).await?;
    Ok((dc, ldap))
}

/// The two lines that Samba logs whenever it reads the machine account: it looks for the AD DC's
/// kind of secrets file first.
pub(in crate::samba) fn no_secrets_ldb(console: &mut Console) {
    let missing = "Unable to open tdb '/var/lib/samba/private/secrets.ldb': \
                   No such file or directory";
    console.debug(1, &format!("ldb: {missing}"));
    console.debug(
        1,
        &format!(
            "ldb: Failed to connect to '/var/lib/samba/private/secrets.ldb' with backend 'tdb': \
             {missing}"
        ),
    );
}

pub(super) fn no_machine_account(workgroup: &str, mut console: Console) -> Output {
    const STATUS: &str = "NT_STATUS_CANT_ACCESS_DOMAIN_INFO";
    console.debug(
        1,
        &format!(
            "Could not find machine account in secrets database: Failed to fetch machine account \
             password for {workgroup} from both secrets.ldb (Could not open secrets.ldb) and from \
             /var/lib/samba/private/secrets.tdb: {STATUS}"
        ),
    );
    console.debug(
        1,
        &format!(
            "_samba_cmd_set_machine_account_s3: cli_credentials_set_machine_account_db_ctx \
             failed: {STATUS}"
        ),
    );
    console.error(&format!("Failed to set machine account: {STATUS}"));
    console.exit(1)
}

/// What `net` says when the search gets no answer: whatever ended it, Samba takes it for a DC that
/// is too slow for pages of this size.
fn failure(error: &LdapError, console: &mut Console) -> String {
    note_end(error, console);
    too_slow(console)
}

fn too_slow(console: &mut Console) -> String {
    console.debug(1, "Reducing LDAP page size from 1000 to 500 due to IO_TIMEOUT");
    values::result_text(ResultCode::TIME_LIMIT_EXCEEDED)
}

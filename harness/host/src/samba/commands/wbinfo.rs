//! `wbinfo`: what it prints of winbind's answers (words of Samba 4.22, captured in
//! `fixtures/winbind`).

use ground::Secret;

use crate::{
    Output, Wbinfo,
    samba::{
        client::Run,
        console::Console,
        nt_status::NtStatus,
        winbind::{Account, Sid, Wbc, Winbind},
    },
};

/// A failure: the function of libwbclient that failed, and what could not be done.
struct Failure {
    function: &'static str,
    goal: String,
}

pub(in crate::samba) async fn run(run: &Run<'_>, question: Wbinfo, console: Console) -> Output {
    match question {
        Wbinfo::ChangeSecret => change_secret(run, console).await,
        Wbinfo::GetDcName { domain } => dc_name(run, &domain, console).await,
        Wbinfo::Krb5Auth { name, password } => log_on(run, &name, &password, console).await,
        Wbinfo::NameToSid { name } => {
            let found = async { Winbind::of(run)?.lookup_name(&name).await };
            let found = found.await.map(|Account { sid, kind, .. }| format!("{sid} {kind}"));
            let goal = format!("lookup name {name}");
            answer(found, Failure { function: "wbcLookupName", goal }, console)
        }
        Wbinfo::SidToGid { sid } => {
            let goal = format!("convert sid {sid} to gid");
            number(run, &sid, Failure { function: "wbcSidToGid", goal }, console).await
        }
        Wbinfo::SidToName { sid } => {
            let found = async {
                let sid = Sid::parse(&sid)?;
                Winbind::of(run)?.lookup_sid(&sid).await
            };
            let goal = format!("lookup sid {sid}");
            let failure = Failure { function: "wbcLookupSid", goal };
            answer(found.await.map(|account| in_words(&account)), failure, console)
        }
        Wbinfo::SidToUid { sid } => {
            let goal = format!("convert sid {sid} to uid");
            number(run, &sid, Failure { function: "wbcSidToUid", goal }, console).await
        }
        Wbinfo::UidInfo { uid } => {
            let line = async { Winbind::of(run)?.passwd_line(uid).await };
            let goal = format!("get info for uid {uid}");
            answer(line.await, Failure { function: "wbcGetpwuid", goal }, console)
        }
        Wbinfo::UserDomgroups { sid } => {
            let groups = async {
                let sid = Sid::parse(&sid)?;
                Winbind::of(run)?.groups(&sid).await
            };
            let goal = format!("get user's domain groups for user SID {sid}");
            let failure = Failure { function: "wbcLookupUserSids", goal };
            answer(groups.await.map(|sids| sids.join("\n")), failure, console)
        }
    }
}

/// `DOMAIN\name 1`.
fn in_words(Account { kind, domain, name, .. }: &Account) -> String {
    let number = kind.number();
    if name.is_empty() {
        return format!("{domain} {number}");
    }
    format!("{domain}\\{name} {number}")
}

async fn number(run: &Run<'_>, sid: &str, failure: Failure, console: Console) -> Output {
    let number = async {
        let sid = Sid::parse(sid)?;
        Winbind::of(run)?.number(&sid).await
    };
    answer(number.await.map(|number| number.to_string()), failure, console)
}

fn answer(found: Result<String, Wbc>, failure: Failure, mut console: Console) -> Output {
    match found {
        Ok(text) => {
            console.print(&text);
            console.exit(0)
        }
        Err(cause) => {
            if failure.function == "wbcLookupName" && cause == Wbc::WinbindNotAvailable {
                no_details(&mut console);
                console.error("could not obtain winbind separator!");
            }
            // What is no SID does not get as far as winbind.
            let function = match cause {
                Wbc::InvalidParam | Wbc::InvalidSid => "wbcStringToSid",
                _ => failure.function,
            };
            console.error(&format!("failed to call {function}: {cause}"));
            console.error(&format!("Could not {}", failure.goal));
            console.exit(1)
        }
    }
}

/// `wbinfo` asks winbind about itself, before it can take a name apart.
fn no_details(console: &mut Console) {
    let cause = Wbc::WinbindNotAvailable;
    console.error(&format!("could not obtain winbind interface details: {cause}"));
}

async fn dc_name(run: &Run<'_>, domain: &str, mut console: Console) -> Output {
    let found = match Winbind::of(run) {
        Ok(winbind) => winbind.dc_name(domain).await,
        Err(_) => None,
    };
    match found {
        Some(name) => {
            console.print(&name);
            console.exit(0)
        }
        None => {
            console.error(&format!("Could not get dc name for {domain}"));
            console.exit(1)
        }
    }
}

async fn change_secret(run: &Run<'_>, mut console: Console) -> Output {
    let is_running = Winbind::of(run).err() != Some(Wbc::WinbindNotAvailable);
    let domain = if is_running { &*run.settings.workgroup } else { "(null)" };
    let changed = async { Winbind::of(run)?.change_secret().await };
    match changed.await {
        Ok(()) => {
            console.print(&format!(
                "changing the trust secret for domain {domain} via RPC calls succeeded"
            ));
            console.exit(0)
        }
        Err(cause) => {
            if !is_running {
                no_details(&mut console);
                console.error("could not obtain winbind domain name!");
            }
            console.print(&format!(
                "changing the trust secret for domain {domain} via RPC calls failed"
            ));
            console.error(&format!("failed to call wbcChangeTrustCredentials: {cause}"));
            console.error("Could not change secret");
            console.exit(1)
        }
    }
}

async fn log_on(run: &Run<'_>, name: &str, password: &Secret, mut console: Console) -> Output {
    const CACHE: &str = "/dev/null";
    // Whoever cannot be asked for a password may give it with the name.
    let (name, asked, password) = match name.split_once('%') {
        Some((name, password)) => (name, false, &Secret::new(password)),
        None => (name, true, password),
    };
    if asked && password.expose().is_empty() {
        // Not even an empty line.
        console.print_part(&format!("Enter {name}'s password: "));
    } else if asked {
        console.print(&format!("Enter {name}'s password: "));
    }
    let outcome = match Winbind::of(run) {
        _ if asked && password.expose().is_empty() => Err(None),
        Ok(winbind) => winbind.log_on(name, password).await.map_err(Some),
        Err(Wbc::WinbindNotAvailable) => Err(None),
        Err(_) => Err(Some(NtStatus::NO_LOGON_SERVERS)),
    };
    let (word, exit) = if outcome.is_ok() { ("succeeded", 0) } else { ("failed", 1) };
    if let Err(status) = outcome {
        if let Some(NtStatus { name: code, number, text }) = status {
            console.error(&format!(
                "wbcLogonUser({name}): error code was NT_STATUS_{code} (0x{number:08x})"
            ));
            console.error(&format!("error message was: {text}"));
        }
        console.error(&format!(
            "Could not authenticate user [{name}] with Kerberos (ccache: {CACHE})"
        ));
    }
    console.print(&format!(
        "plaintext kerberos password authentication for [{name}] {word} (requesting cctype: {CACHE})"
    ));
    console.exit(exit)
}

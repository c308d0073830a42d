//! The service `winbind` under systemd.
//!
//! Its state is a file below `/run`: absent while it is stopped, else the time from which on it is
//! active. What the unit runs before winbindd (`ExecStartPre=` of a drop-in) decides how long that
//! takes, and whether it comes to it: `sleep` and `false` are understood, everything else is done
//! at once. `systemctl` does not wait for it, which could not be confirmed: it depends on the type
//! of the unit. One that did would leave xapi nothing to wait for (xapi-flows.md §19, Q28).

use ground::Timestamp;

use crate::{
    HostError, Output,
    samba::{client::Run, console::Console, facts::WinbindChanged, secrets::Secrets, winbind},
};

/// Exists while winbind runs or is about to.
const STATE: &str = "/run/samba/winbindd.pid";

/// Where an administrator changes the unit.
const DROP_INS: &str = "/etc/systemd/system/winbind.service.d";

/// `systemctl restart winbind`. As a member of a domain (`security = ads`) winbindd does not start
/// without secrets.
pub(in crate::samba) fn restart(run: &Run<'_>, mut console: Console) -> Output {
    let started = match active_from(run) {
        Ok(started) => {
            started.filter(|_| !run.settings.security_ads || Secrets::load(run.root()).is_some())
        }
        Err(error) => return failed(&error, console),
    };
    winbind::begin(run.root());
    match switch(run, started) {
        Ok(()) if started.is_some() => console.exit(0),
        Ok(()) => {
            console.error(
                "Job for winbind.service failed because the control process exited with error \
                 code.\nSee \"systemctl status winbind.service\" and \"journalctl -xeu \
                 winbind.service\" for details.",
            );
            console.exit(1)
        }
        Err(error) => failed(&error, console),
    }
}

/// `systemctl start winbind`: nothing to do if it runs.
pub(in crate::samba) fn start(run: &Run<'_>, console: Console) -> Output {
    if state(run).is_some() { console.exit(0) } else { restart(run, console) }
}

/// `systemctl stop winbind`.
pub(in crate::samba) fn stop(run: &Run<'_>, console: Console) -> Output {
    match switch(run, None) {
        Ok(()) => console.exit(0),
        Err(error) => failed(&error, console),
    }
}

/// `systemctl is-active winbind`.
pub(in crate::samba) fn is_active(run: &Run<'_>, mut console: Console) -> Output {
    let (word, exit) = match state(run) {
        Some(from) if from <= run.now() => ("active", 0),
        Some(_) => ("activating", 3),
        None => ("inactive", 3),
    };
    console.print(word);
    console.exit(exit)
}

/// Whether winbindd can be asked.
pub(in crate::samba) fn answers(run: &Run<'_>) -> bool {
    state(run).is_some_and(|from| from <= run.now())
}

/// Since when it has been active, or will be; `None` while it is stopped.
fn state(run: &Run<'_>) -> Option<Timestamp> {
    let text = run.root().read_text_if_present(STATE).ok()??;
    // Whatever else somebody has put there: the file of a running service.
    Some(text.trim().parse().unwrap_or(Timestamp::from_unix(0)))
}

/// When a service that is started now becomes active; `None` if something before it fails.
fn active_from(run: &Run<'_>) -> Result<Option<Timestamp>, HostError> {
    let mut from = run.now();
    for name in run.root().list(DROP_INS)?.iter().filter(|name| name.ends_with(".conf")) {
        let path = format!("{DROP_INS}/{name}");
        let text = run.root().read_text_if_present(&path)?.unwrap_or_default();
        let before = text.lines().filter_map(|line| line.trim().strip_prefix("ExecStartPre="));
        for command in before {
            let mut words = command.split_whitespace();
            let program = words.next().and_then(|path| path.rsplit('/').next());
            match (program, words.next().and_then(|word| word.parse().ok())) {
                (Some("sleep"), Some(seconds)) => from = from.plus_seconds(seconds),
                (Some("false"), _) => return Ok(None),
                _ => {}
            }
        }
    }
    Ok(Some(from))
}

fn switch(run: &Run<'_>, started: Option<Timestamp>) -> Result<(), HostError> {
    match started {
        Some(from) => run.root().write(STATE, format!("{from}\n").as_bytes(), 0o644)?,
        None => drop(run.root().remove(STATE)?),
    }
    run.trail.record(WinbindChanged { running: started.is_some() });
    Ok(())
}

fn failed(error: &HostError, mut console: Console) -> Output {
    console.error(&format!("Failed to restart winbind.service: {error}"));
    console.exit(1)
}

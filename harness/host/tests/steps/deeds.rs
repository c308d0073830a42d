//! The programs of one host, with something that happens at the n-th command.

use std::{
    fmt, future,
    sync::{Arc, Mutex},
};

use ground::Trail;
use sim_host::{Credentials, Output, Programs, Running, SambaCommand, Wbinfo, samba::Client};
use tokio::sync::Notify;

/// What a command is for, in the words of xapi-flows.md §6.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// `systemctl is-active winbind`.
    Active,
    /// "DC basics".
    Basics,
    /// Rotate machine password.
    ChangeSecret,
    /// Machine account encryption types.
    EncryptionTypes,
    Flush,
    /// No command: `/etc/hosts` is edited.
    HostsFile,
    Join,
    /// "Find DCs".
    Kdcs,
    /// The same for the probe, after the workgroup was found (§7.4, step 10).
    KdcsAgain,
    Leave,
    /// `wbinfo -n KRBTGT`.
    Ready,
    Restart,
    /// The ping of one DC, with the join account.
    SearchAsUser,
    /// The ping of one DC, with the machine account.
    SearchAsMachine,
    Stop,
    /// No command: one of the two bundles must exist.
    Trust,
    Wipe,
    /// No command: smb.conf is written.
    Write,
}

impl Kind {
    /// A command without a name here is a step without a row in the tables.
    fn of(command: &SambaCommand) -> Self {
        match command {
            SambaCommand::AdsEnctypesSet { .. } => Self::EncryptionTypes,
            SambaCommand::AdsJoin { .. } => Self::Join,
            SambaCommand::AdsLeave { .. } => Self::Leave,
            SambaCommand::AdsLookup { .. } => Self::Basics,
            SambaCommand::AdsSearch { credentials: Credentials::Machine, .. } => {
                Self::SearchAsMachine
            }
            SambaCommand::AdsSearch { .. } => Self::SearchAsUser,
            SambaCommand::CacheFlush => Self::Flush,
            SambaCommand::LookupKdc { .. } => Self::Kdcs,
            SambaCommand::RestartWinbind | SambaCommand::StartWinbind => Self::Restart,
            SambaCommand::StopWinbind => Self::Stop,
            SambaCommand::Wbinfo(Wbinfo::ChangeSecret) => Self::ChangeSecret,
            SambaCommand::Wbinfo(Wbinfo::NameToSid { .. }) => Self::Ready,
            SambaCommand::WinbindIsActive => Self::Active,
            SambaCommand::WipeSecrets => Self::Wipe,
            other => panic!("no table knows the command {other:?}"),
        }
    }
}

/// Acts when a command comes; the output that it gives, if any, takes the place of the program.
type Act = Box<dyn FnMut(Kind) -> Option<Output> + Send>;

struct Deed {
    /// The command, counted from 0.
    first: usize,
    /// Whether it acts at all commands from there on.
    lasting: bool,
    act: Act,
}

/// The model of the Samba programs, watched.
pub(crate) struct Watched {
    client: Client,
    state: Mutex<State>,
    /// Told when xapi of this host has died in the middle of a command.
    pub(crate) died: Arc<Notify>,
}

#[derive(Default)]
struct State {
    log: Vec<Kind>,
    deeds: Vec<Deed>,
    /// What happens once a command has ended.
    after: Option<(usize, Box<dyn FnOnce() + Send>)>,
    dies_at: Option<usize>,
}

impl Watched {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, state: Mutex::default(), died: Arc::default() }
    }

    pub(crate) fn log(&self) -> Vec<Kind> {
        self.state.lock().unwrap().log.clone()
    }

    /// Acts at the command `first`, counted from 0, and if `lasting` at all that follow.
    pub(crate) fn at(
        &self,
        first: usize,
        lasting: bool,
        act: impl FnMut(Kind) -> Option<Output> + Send + 'static,
    ) {
        self.state.lock().unwrap().deeds.push(Deed { first, lasting, act: Box::new(act) });
    }

    /// Acts when the command `number` has ended.
    pub(crate) fn after(&self, number: usize, act: impl FnOnce() + Send + 'static) {
        self.state.lock().unwrap().after = Some((number, Box::new(act)));
    }

    /// The command `number` never comes back.
    pub(crate) fn dies_at(&self, number: usize) {
        self.state.lock().unwrap().dies_at = Some(number);
    }

    /// Nothing happens any more, and counting starts again.
    pub(crate) fn calm(&self) {
        *self.state.lock().unwrap() = State::default();
    }
}

impl Programs for Watched {
    fn run<'a>(&'a self, command: SambaCommand, debug_level: u8, trail: &'a Trail) -> Running<'a> {
        let mut output = None;
        let mut state = self.state.lock().unwrap();
        let number = state.log.len();
        let kind = Kind::of(&command);
        state.log.push(kind);
        for deed in &mut state.deeds {
            if number == deed.first || deed.lasting && number > deed.first {
                output = (deed.act)(kind).or(output);
            }
        }
        if state.dies_at == Some(number) {
            self.died.notify_one();
            return Box::pin(future::pending());
        }
        let after = state.after.take_if(|(after, _)| *after == number);
        let running = match output {
            Some(output) => Box::pin(future::ready(output)),
            None => self.client.run(command, debug_level, trail),
        };
        match after {
            None => running,
            Some((_, act)) => Box::pin(async move {
                let output = running.await;
                act();
                output
            }),
        }
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").finish_non_exhaustive()
    }
}

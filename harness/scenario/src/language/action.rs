//! What a step does, by whom or what it is done to.

use super::{
    Advance, AuthCall, BackgroundAction, BeginOperation, ClientAction, CloudAction, DcAction,
    DomainAction, EndOperation, FileAction, HostAction, HostRef, NetCommand, PinnedAction,
    PkiAction, PoolCall, RotatePoolSecret, RouteAction, SessionCall, SubjectCall, WbinfoCommand,
    XenapiAction,
};
use crate::grammar::Spanned;

choice! {
    /// What a step does.
    pub enum Action: "action" {
        /// A call of the class `auth`, made on the coordinator.
        auth => Auth(AuthCall),
        /// A step in the background.
        call => Background(BackgroundAction),
        /// A client that makes many calls to one end.
        client => Client(ClientAction),
        /// Something that is done in a cloud.
        cloud => Cloud(CloudAction),
        /// Somebody changes a domain.
        domain => Domain(DomainAction),
        /// A call of the class `session`, made on the coordinator.
        session => Session(SessionCall),
        /// A call of the class `subject`, made on the coordinator.
        subject => Subject(SubjectCall),
        /// A call of the class `pool`, made on the coordinator.
        pool => Pool(PoolCall),
        /// A call of the class `host`, or something that happens to a host.
        host => Host(HostAction),
        /// Something done to the toolstack itself.
        xapi => Xapi(XapiAction),
        /// A method of the XenAPI, called over the wire.
        xenapi => Xenapi(XenapiAction),
        /// Time passes.
        clock => Clock(ClockAction),
        /// A domain controller changes.
        dc => Dc(DcAction),
        /// Something done with certificates that clients keep in a directory.
        pki => Pki(PkiAction),
        /// The way from one host to one domain controller changes.
        route => Route(RouteAction),
        /// Somebody changes a file on a host by hand.
        file => File(FileAction),
        /// Somebody runs `net` on a host by hand.
        net => Net(NetCommand),
        /// Somebody runs `wbinfo` on a host by hand.
        wbinfo => Wbinfo(WbinfoCommand),
        /// The model of pinned keys.
        pinned => Pinned(PinnedAction),
    }
}

impl Action {
    /// The name as it stands in the text: `pool.enable_external_auth`.
    pub fn name(&self) -> String {
        let word = match self {
            Self::Auth(call) => call.key(),
            Self::Background(action) => action.key(),
            Self::Client(action) => action.key(),
            Self::Cloud(action) => action.key(),
            Self::Domain(action) => action.key(),
            Self::Session(call) => call.key(),
            Self::Subject(call) => call.key(),
            Self::Pool(call) => call.key(),
            Self::Host(call) => call.key(),
            Self::Xapi(action) => action.key(),
            Self::Xenapi(action) => action.key(),
            Self::Clock(action) => action.key(),
            Self::Dc(action) => action.key(),
            Self::Pki(action) => action.key(),
            Self::Route(action) => action.key(),
            Self::File(action) => action.key(),
            Self::Net(command) => command.key(),
            Self::Wbinfo(command) => command.key(),
            Self::Pinned(action) => action.key(),
        };
        format!("{}.{word}", self.key())
    }

    /// Whether it is a XenAPI call, which can fail with an error code.
    pub fn is_call(&self) -> bool {
        match self {
            Self::Auth(_)
            | Self::Background(_)
            | Self::Client(_)
            | Self::Pool(_)
            | Self::Session(_)
            | Self::Subject(_)
            | Self::Xenapi(_) => true,
            Self::Host(action) => action.is_call(),
            _ => false,
        }
    }

    /// Whether it is an action of a neighbouring model of trust, which can be refused for a reason.
    pub fn is_of_another_model(&self) -> bool {
        matches!(self, Self::Cloud(_) | Self::Pki(_) | Self::Pinned(_))
    }

    /// Ids of the faults that it sets.
    pub fn fault_ids(&self) -> Vec<&str> {
        match self {
            Self::Dc(DcAction::SetFaults(change) | DcAction::AddFaults(change)) => {
                change.faults.iter().map(|fault| fault.id()).collect()
            }
            Self::Host(HostAction::SetFaults(change)) => {
                change.faults.iter().map(|fault| fault.id()).collect()
            }
            Self::Route(RouteAction::SetFaults(change)) => {
                change.faults.iter().map(|fault| fault.id()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether it runs a program, whose output can be expected.
    pub fn runs_program(&self) -> bool {
        matches!(self, Self::Net(_) | Self::Wbinfo(_))
    }
}

choice! {
    /// Something done to the toolstack itself.
    pub enum XapiAction: "action of xapi" {
        /// Restarts it on one host (xapi-flows.md §14).
        restart => Restart(RestartXapi),
        /// Somebody begins something else that the pool must not be disturbed in (xapi-flows.md §17).
        begin_operation => BeginOperation(BeginOperation),
        /// That has ended.
        end_operation => EndOperation(EndOperation),
        /// The rotation of the pool secret begins, or ends.
        rotate_pool_secret => RotatePoolSecret(RotatePoolSecret),
    }
}

table! {
    /// Parameters of `xapi.restart`.
    pub struct RestartXapi {
        /// The host.
        pub host: Spanned<HostRef>,
    }
}

choice! {
    /// Time passes.
    pub enum ClockAction: "move of the clock" {
        /// Moves the clock of the world forward: `8d`, `1d12h`, `90s`.
        advance => Advance(Advance),
    }
}

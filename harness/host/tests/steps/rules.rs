//! The rules of xapi-flows.md §§7–9 as tables: what a host, and then a pool, must have become.
//!
//! They know nothing of the model: which command was disturbed and how goes in, states and error
//! come out.

use sim_host::{Liveness, Quirk};

use crate::{
    deeds::Kind,
    estate::Plan,
    judge::{Error, Expected, Param, message},
    state::{Conf, Configuration, HostState},
    trouble::{What, Words},
};

/// The command of a host that is disturbed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Disturbed {
    pub(crate) host: usize,
    /// Whether it belongs to the undoing, the second call of this host.
    pub(crate) undoing: bool,
    pub(crate) step: Kind,
    pub(crate) what: What,
}

/// A member that goes away while a command runs on a host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Away {
    pub(crate) member: usize,
    pub(crate) liveness: Liveness,
    /// The host whose call is running, and whether that is part of the undoing.
    pub(crate) during: (bool, usize),
}

impl Away {
    /// §0.3: a call that is forwarded after the member has gone fails. One that runs there goes on.
    fn stops(&self, undoing: bool, host: usize) -> bool {
        self.member == host && self.during < (undoing, host)
    }

    fn error(&self) -> Error {
        let code = match self.liveness {
            Liveness::Offline => "HOST_OFFLINE",
            _ => "CANNOT_CONTACT_HOST",
        };
        Error::new(code, [Param::Host(self.member)])
    }
}

/// A call of `pool.external_auth_set_ldaps` in a pool whose hosts have all the same value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SetLdaps<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) from: bool,
    pub(crate) to: bool,
    pub(crate) disturbed: &'a [Disturbed],
    pub(crate) away: Option<Away>,
}

/// How the call of one host ends.
enum End {
    Passed,
    /// Steps 4 and 5 before the ping: "old configuration not restored (quirk Q3)".
    Hard,
    /// Step 3.
    NoTrust,
    /// Step 7.
    PingFailed(Words),
}

impl SetLdaps<'_> {
    /// §9.2.
    pub(crate) fn expected(&self) -> Expected {
        let mut hosts = vec![HostState::inside(self.from); self.plan.hosts];
        let mut switched = Vec::new();
        let mut failed = None;
        for (index, host) in hosts.iter_mut().enumerate() {
            match self.host(host, index, self.to, false) {
                None => switched.push(index),
                Some(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        let reverts = self.from != self.to && !self.plan.has(Quirk::SetLdapsLeavesSwitchedHosts);
        if failed.is_some() && reverts {
            for index in switched {
                // "errors are logged and ignored".
                let _ = self.host(&mut hosts[index], index, self.from, true);
            }
        }
        Expected { error: failed, hosts }
    }

    /// §9.3, the call forwarded to one host.
    fn host(&self, host: &mut HostState, index: usize, to: bool, undoing: bool) -> Option<Error> {
        if let Some(away) = self.away.filter(|away| away.stops(undoing, index)) {
            return Some(away.error());
        }
        let disturbed = self
            .disturbed
            .iter()
            .find(|disturbed| (disturbed.host, disturbed.undoing) == (index, undoing));
        let end = disturbed.map_or(End::Passed, |disturbed| disturbed.end_of_set_ldaps(to));
        let former = host.conf;
        let error = match end {
            End::Passed => {
                host.conf = Conf::Joined { ldaps: to };
                host.configuration = Configuration::Written { ldaps: to };
                return None;
            }
            End::Hard => {
                if self.plan.has(Quirk::SetLdapsNoRestoreOnHardFailure) {
                    host.conf = Conf::Joined { ldaps: to };
                }
                Error::new("AUTH_SET_LDAPS_FAILED", [Param::Host(index), message()])
            }
            End::NoTrust => Error::new("AUTH_NO_TRUSTED_CERTS", [message()]),
            End::PingFailed(words) => self.ping_error(index, words),
        };
        if disturbed.is_some_and(|disturbed| disturbed.what == What::NoConf) {
            host.conf = Conf::Broken;
        } else if let Conf::Broken = former {
            host.conf = former;
        }
        Some(error)
    }

    /// "Ping errors at step 7", and Q6.
    fn ping_error(&self, index: usize, words: Words) -> Error {
        match words {
            Words::Untrusted => Error::new("AUTH_INVALID_TRUSTED_CERTS", [message()]),
            Words::TlsFailed => Error::new("AUTH_SETUP_TLS_CONNECTION", [message()]),
            _ if self.plan.has(Quirk::SetLdapsFlattensTags) => {
                Error::new("AUTH_SET_LDAPS_FAILED", [Param::Host(index), message()])
            }
            _ => {
                let code = format!("AUTH_SET_LDAPS_FAILED{}", words.suffix());
                Error::new(code, [Param::Host(index), message()])
            }
        }
    }
}

impl Disturbed {
    fn end_of_set_ldaps(&self, to: bool) -> End {
        match (self.step, self.what) {
            // "Turning on: one of the two bundles exists".
            (Kind::Trust, _) if to => End::NoTrust,
            (Kind::Trust, _) => End::Passed,
            (Kind::Write, _) => End::Hard,
            // §18: "LDAP ping, DC lookup, join: none of their own"; the readiness limit is one of
            // accumulated waits between the questions.
            (_, What::Slow(_)) => End::Passed,
            // "wait until `wbinfo -n KRBTGT` works".
            (Kind::Ready, What::Once(_)) => End::Passed,
            (Kind::Restart | Kind::Ready | Kind::Kdcs, _) => End::Hard,
            // "any DC that answers is enough": there are two.
            (Kind::SearchAsMachine, What::Once(_)) => End::Passed,
            (Kind::SearchAsMachine, What::Lasting(words)) => End::PingFailed(words),
            (Kind::SearchAsMachine, What::Dark | What::NoConf) => End::PingFailed(Words::Generic),
            (step, what) => panic!("§9 does not know {what:?} at {step:?}"),
        }
    }
}

/// A call of `pool.enable_external_auth` in a pool whose hosts were never in a domain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Enable<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) ldaps: bool,
    /// `winbind_keep_configuration`.
    pub(crate) keep: bool,
    pub(crate) disturbed: &'a [Disturbed],
    pub(crate) away: Option<Away>,
}

impl Enable<'_> {
    /// §7.1.
    pub(crate) fn expected(&self) -> Expected {
        let mut hosts = vec![HostState::OUTSIDE; self.plan.hosts];
        let mut failed = None;
        for (index, host) in hosts.iter_mut().enumerate() {
            if let Some(error) = self.host(host, index) {
                failed = Some((index, error));
                break;
            }
        }
        let Some((last, error)) = failed else { return Expected { error: None, hosts } };
        // "for the hosts done so far plus the failing one, in visiting order … errors ignored".
        for (index, host) in hosts.iter_mut().enumerate().take(last + 1) {
            let disable = Disable { plan: self.plan, keep: self.keep, ..Disable::of(self.plan) };
            let disturbed = self.disturbed.iter().find(|it| (it.host, it.undoing) == (index, true));
            let away = self.away.filter(|away| away.stops(true, index));
            let _ = disable.host(host, disturbed, away);
        }
        Expected { error: Some(error), hosts }
    }

    /// §§7.2, 7.3: the state of one host, and the error of the pool if it fails.
    fn host(&self, host: &mut HostState, index: usize) -> Option<Error> {
        let failed = |suffix: &str| {
            let code = format!("POOL_AUTH_ENABLE_FAILED{suffix}");
            Some(Error::new(code, [Param::Host(index), message()]))
        };
        if let Some(away) = self.away.filter(|away| away.stops(false, index)) {
            // "any other error with exactly one parameter": the rendered error.
            let text = Param::Text(format!("{}: [ ", away.error().code));
            return Some(Error::new("POOL_AUTH_ENABLE_FAILED", [Param::Host(index), text]));
        }
        let disturbed = self.disturbed.iter().find(|it| (it.host, it.undoing) == (index, false));
        let Some(Disturbed { step, what, .. }) = disturbed else {
            *host = HostState::inside(self.ldaps);
            return None;
        };
        let joined = Conf::Joined { ldaps: self.ldaps };
        let kept = if self.keep { joined } else { Conf::NotJoined };
        // Everything that the join has made stays: "the rollback call on the failing host does
        // nothing".
        let member = |winbind, conf| HostState {
            conf,
            winbind,
            secrets: true,
            account: true,
            ..HostState::OUTSIDE
        };
        let conf = |conf| HostState { conf, ..HostState::OUTSIDE };
        let (state, suffix) = match (step, what) {
            // §18; the limit of the encryption type command is 5 s, and its errors are ignored.
            (_, What::Slow(_)) | (Kind::EncryptionTypes, _) => {
                *host = HostState::inside(self.ldaps);
                if *what == What::NoConf {
                    host.conf = Conf::Broken;
                }
                return None;
            }
            // "DCs that do not answer are skipped", "the first that passes", "wait until … works".
            (Kind::Basics | Kind::SearchAsUser | Kind::Ready, What::Once(_)) => {
                *host = HostState::inside(self.ldaps);
                return None;
            }
            (Kind::Trust, _) if !self.ldaps => {
                *host = HostState::inside(false);
                return None;
            }
            (Kind::Trust, _) => (HostState::OUTSIDE, "_NO_TRUSTED_CERTS"),
            (Kind::Write, _) => (HostState::OUTSIDE, ""),
            // "external_auth_configuration is not reset here."
            (Kind::HostsFile, _) => {
                let configuration = Configuration::Written { ldaps: self.ldaps };
                (HostState { configuration, ..member(true, kept) }, "")
            }
            (Kind::Kdcs | Kind::Basics, _) => (HostState::OUTSIDE, "_DOMAIN_LOOKUP_FAILED"),
            (Kind::KdcsAgain | Kind::SearchAsUser, what) => {
                let left = self.plan.has(Quirk::EnableProbeFailureKeepsConf);
                let suffix = match what {
                    What::Lasting(words) if *step == Kind::SearchAsUser => words.suffix(),
                    _ => "",
                };
                (conf(if left { joined } else { Conf::NotJoined }), suffix)
            }
            (Kind::Join, What::Once(words) | What::Lasting(words)) => (conf(kept), words.suffix()),
            (Kind::Join, _) => (conf(kept), ""),
            // "always reset to the not-joined form".
            (Kind::Restart, What::Once(_) | What::Lasting(_) | What::NoConf) => {
                (member(false, Conf::NotJoined), "")
            }
            // Q28: "read once, 0.1 s after restart"; else polled.
            (Kind::Active, What::Once(_)) if !self.plan.has(Quirk::SystemctlStateSampledOnce) => {
                *host = HostState::inside(self.ldaps);
                return None;
            }
            (Kind::Active, What::Once(_) | What::Lasting(_)) => (member(true, Conf::NotJoined), ""),
            // The service starts; then no DC answers its first question.
            (Kind::Restart, What::Dark) | (Kind::Active | Kind::Ready, _) => {
                (member(true, kept), "")
            }
            (step, what) => panic!("§7.4 does not know {what:?} at {step:?}"),
        };
        *host = state;
        if *what == What::NoConf {
            host.conf = Conf::Broken;
        }
        failed(suffix)
    }
}

/// A call of `pool.disable_external_auth` in a pool whose hosts are in the domain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Disable<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) keep: bool,
    pub(crate) ldaps: bool,
    pub(crate) disturbed: &'a [Disturbed],
    pub(crate) away: Option<Away>,
}

impl<'a> Disable<'a> {
    pub(crate) const fn of(plan: &'a Plan) -> Self {
        Self { plan, keep: true, ldaps: false, disturbed: &[], away: None }
    }

    /// §8: every host is visited, and the first that failed is reported.
    pub(crate) fn expected(&self) -> Expected {
        let mut hosts = vec![HostState::inside(self.ldaps); self.plan.hosts];
        let mut first = None;
        for (index, host) in hosts.iter_mut().enumerate() {
            let disturbed = self.disturbed.iter().find(|it| it.host == index);
            let away = self.away.filter(|away| away.stops(false, index));
            let failed = self.host(host, disturbed, away);
            first = first.or_else(|| {
                let text = Param::Text(format!("host{}: {}", index + 1, failed?));
                Some(Error::new("POOL_AUTH_DISABLE_FAILED", [Param::Host(index), text]))
            });
        }
        Expected { error: first, hosts }
    }

    /// `host.disable_external_auth`: what becomes of the host, and how the message of its failure
    /// begins.
    fn host(
        &self,
        host: &mut HostState,
        disturbed: Option<&Disturbed>,
        away: Option<Away>,
    ) -> Option<String> {
        if let Some(away) = away {
            return Some(format!("{}: [ ", away.error().code));
        }
        if host.auth_type.is_empty() {
            return None;
        }
        let disturbed = disturbed.map(|disturbed| (disturbed.step, disturbed.what));
        // "AD is disabled even when an error is returned."
        let conf = if self.keep { host.conf } else { Conf::NotJoined };
        *host = HostState { conf, ..HostState::OUTSIDE };
        match disturbed {
            Some((_, What::Slow(_))) | None => None,
            Some((Kind::HostsFile, _)) => Some(String::new()),
            Some((Kind::Leave, what)) => {
                host.account = true;
                if what == What::NoConf {
                    host.conf = Conf::Broken;
                }
                Some(String::new())
            }
            Some((Kind::Wipe, what)) => {
                if what == What::NoConf {
                    host.conf = Conf::Broken;
                }
                None
            }
            Some((Kind::Stop, What::Once(_) | What::Lasting(_))) => {
                host.winbind = true;
                None
            }
            Some((Kind::Stop, what)) => {
                if what == What::NoConf {
                    host.conf = Conf::Broken;
                }
                None
            }
            Some((step, what)) => panic!("§8 does not know {what:?} at {step:?}"),
        }
    }
}

//! The model of pinned keys (seed-systems.md §1): managers, their agents, and what happens to them.

use super::{Advance, AgentRef, HostName, Kebab, ManagerRef, Password};
use crate::grammar::Spanned;

table! {
    /// A manager of pinned keys.
    pub struct PinnedManager {
        /// Name, unique among managers and agents: `manager1`.
        pub name: Spanned<HostName>,
    }
}

table! {
    /// An agent: a host that managers deploy.
    pub struct PinnedAgent {
        /// Name, unique among managers and agents: `agent1`.
        pub name: Spanned<HostName>,
        /// Managers that have deployed it before the first step.
        pub deployed_by: Vec<Spanned<ManagerRef>>,
    }
}

choice! {
    /// Something that managers, agents or somebody in between do.
    pub enum PinnedAction: "action of pinned keys" {
        /// A manager deploys a host, or deploys it anew.
        deploy => Deploy(Deploy),
        /// A manager connects to an agent and has it do nothing.
        connect => Connect(ManagerAndAgent),
        /// A manager connects to an agent and keeps the channel.
        open => Open(ManagerAndAgent),
        /// The channel that was opened last is used.
        use_open => UseOpen(ManagerAndAgent),
        /// A manager removes a host.
        remove => Remove(ManagerAndAgent),
        /// An agent shows another certificate.
        present => Present(Present),
        /// A manager makes another key and keeps it ready.
        prepare_key => PrepareKey(ManagerOnly),
        /// It has its agents believe the key that is ready.
        announce_key => AnnounceKey(ManagerOnly),
        /// It shows the key that is ready.
        switch_key => SwitchKey(ManagerOnly),
        /// It shows the former key again.
        switch_back => SwitchBack(ManagerOnly),
        /// It has its agents drop the former key.
        withdraw_key => WithdrawKey(ManagerOnly),
        /// A manager and an agent rotate the agent's key in the right order.
        rotate_agent => RotateAgent(ManagerAndAgent),
        /// A manager lends two agents each other's keys, has one connect to the other, and takes the
        /// keys back.
        migrate => Migrate(PinnedMigration),
        /// The first part of a migration alone.
        lend => Lend(PinnedMigration),
        /// The last part alone.
        end_migration => EndMigration(PinnedMigration),
        /// An agent connects to another, without any manager.
        meet => Meet(TwoAgents),
        /// The process of a manager ends, whatever it was about.
        stop_manager => StopManager(ManagerOnly),
        /// It starts again.
        start_manager => StartManager(ManagerOnly),
        /// A manager gives another component of an agent's host a certificate.
        enrol => Enrol(Enrol),
        /// An ordinary TLS client visits that component.
        visit => Visit(Visit),
        /// A proxy that ends TLS stands before an agent from now on.
        insert_proxy => InsertProxy(InsertProxy),
        /// It is gone.
        remove_proxy => RemoveProxy(AgentOnly),
        /// The clock of a manager goes wrong.
        set_clock => SetManagerClock(SetManagerClock),
        /// What a manager and an agent do inside of the channel.
        second_layer => SetSecondLayer(SetSecondLayer),
        /// An agent reports to a manager over HTTPS and proves its symmetric key.
        report => Report(Report),
        /// Somebody says to the manager once more what the agent has said in its last report.
        replay => Replay(ManagerAndAgent),
        /// Somebody reports in the place of an agent with keys that are made up.
        guess => Guess(Guess),
        /// Somebody tries keys, the right one among them, on what was heard of the last report.
        guess_offline => GuessOffline(Guess),
    }
}

table! {
    /// A manager.
    pub struct ManagerOnly {
        /// The manager.
        pub manager: Spanned<ManagerRef>,
    }
}

table! {
    /// Parameters of `pinned.set_clock`.
    pub struct SetManagerClock {
        /// The manager.
        pub manager: Spanned<ManagerRef>,
        /// How far its clock is behind.
        pub behind: Advance,
    }
}

table! {
    /// An agent.
    pub struct AgentOnly {
        /// The agent.
        pub agent: Spanned<AgentRef>,
    }
}

table! {
    /// A manager and an agent.
    pub struct ManagerAndAgent {
        /// The manager.
        pub manager: Spanned<ManagerRef>,
        /// The agent.
        pub agent: Spanned<AgentRef>,
    }
}

table! {
    /// Two agents.
    pub struct TwoAgents {
        /// The one that connects.
        pub from: Spanned<AgentRef>,
        /// The other.
        pub to: Spanned<AgentRef>,
    }
}

table! {
    /// Parameters of `pinned.deploy`.
    pub struct Deploy {
        /// The manager.
        pub manager: Spanned<ManagerRef>,
        /// The host.
        pub agent: Spanned<AgentRef>,
        /// What the operator gives as the host's fingerprint. Default: `right`.
        pub fingerprint: GivenFingerprint = GivenFingerprint::Right,
        /// Of the host's superuser. Default: the right one.
        pub password: Option<Password>,
    }
}

words! {
    /// The fingerprint that an operator gives at a deployment.
    pub enum GivenFingerprint: "fingerprint" {
        /// None: any host is believed.
        None = "none",
        /// That of the host.
        Right = "right",
        /// That of another host.
        Wrong = "wrong",
    }
}

table! {
    /// Parameters of `pinned.present`.
    pub struct Present {
        /// The agent.
        pub agent: Spanned<AgentRef>,
        /// What is to be said of the certificate. Default: `self-signed`.
        pub certificate: PresentedCertificate = PresentedCertificate::SelfSigned,
        /// Whose key is in it. Default: `own`.
        pub key: PresentedKey = PresentedKey::Own,
    }
}

words! {
    /// A certificate around a pinned key.
    pub enum PresentedCertificate: "certificate" {
        /// From the same CA for all parties, and sound.
        FromCa = "from-ca",
        /// Self-signed, and expired.
        Expired = "expired",
        /// Self-signed, and for another name.
        Misnamed = "misnamed",
        /// Self-signed, and sound.
        SelfSigned = "self-signed",
    }
}

words! {
    /// The key in a certificate.
    pub enum PresentedKey: "key" {
        /// The one that the agent has had from the start.
        Own = "own",
        /// One that nobody knows.
        Other = "other",
    }
}

table! {
    /// Parameters of `pinned.migrate` and its parts.
    pub struct PinnedMigration {
        /// The manager.
        pub manager: Spanned<ManagerRef>,
        /// The agent that connects.
        pub from: Spanned<AgentRef>,
        /// The other.
        pub to: Spanned<AgentRef>,
    }
}

table! {
    /// Parameters of `pinned.enrol`.
    pub struct Enrol {
        /// The manager.
        pub manager: Spanned<ManagerRef>,
        /// The agent.
        pub agent: Spanned<AgentRef>,
        /// The component: `console`, `libvirt`.
        pub component: Spanned<Kebab>,
        /// Who issues the certificate.
        pub ca: PinnedCa,
    }
}

table! {
    /// Parameters of `pinned.visit`.
    pub struct Visit {
        /// The agent.
        pub agent: Spanned<AgentRef>,
        /// The component.
        pub component: Spanned<Kebab>,
        /// Whose certificates the visitor believes.
        pub trusting: PinnedCa,
    }
}

words! {
    /// A CA beside the model of pinned keys.
    pub enum PinnedCa: "CA" {
        /// The one of the managers.
        Internal = "internal",
        /// Somebody else's.
        ThirdParty = "third-party",
    }
}

table! {
    /// Parameters of `pinned.insert_proxy`.
    pub struct InsertProxy {
        /// The agent before which it stands.
        pub agent: Spanned<AgentRef>,
        /// Whether the operator has put it there: all managers and agents are told its key. Default:
        /// `true`.
        pub wanted: bool = true,
        /// Whether it alters what the agent says. Default: `false`.
        pub alters: bool = false,
    }
}

table! {
    /// Parameters of `pinned.second_layer`.
    pub struct SetSecondLayer {
        /// The manager.
        pub manager: Spanned<ManagerRef>,
        /// The agent.
        pub agent: Spanned<AgentRef>,
        /// What they do from now on.
        pub layer: PinnedLayer,
    }
}

words! {
    /// What a manager and an agent do inside of the channel.
    pub enum PinnedLayer: "layer" {
        /// A second pinned handshake.
        Keys = "keys",
        /// Nothing.
        Off = "off",
        /// A proof of the symmetric key that was made at deployment.
        SymmetricKey = "symmetric-key",
    }
}

table! {
    /// Parameters of `pinned.report`.
    pub struct Report {
        /// The manager.
        pub manager: Spanned<ManagerRef>,
        /// The agent.
        pub agent: Spanned<AgentRef>,
        /// Who issued the certificate that the manager shows. Default: `third-party`.
        pub certificate: PinnedCa = PinnedCa::ThirdParty,
        /// Whose certificates the agent believes. Default: `third-party`.
        pub trusting: PinnedCa = PinnedCa::ThirdParty,
    }
}

table! {
    /// Parameters of `pinned.guess` and `pinned.guess_offline`.
    pub struct Guess {
        /// The manager.
        pub manager: Spanned<ManagerRef>,
        /// The agent.
        pub agent: Spanned<AgentRef>,
        /// How many keys are made up. Default: 3.
        pub keys: u32 = 3,
    }
}

//! Agents that report over HTTPS, and those who listen, repeat and guess.

use ground::Actor;
use scenario::{Guess, ManagerAndAgent};
use trust_models::pinned::{
    Heard, Home, Link, Order, PinnedError, Proxy, Reception, Reported,
    facts::{Guessed, SymmetricKeyProof, TriedOffline},
    impostor::{self, Tried},
};

use super::{ActError, Parties, certificates::Certificates, key, listener, name};
use crate::world::WorldError;

/// A report with everybody who had to do with it.
#[derive(Debug)]
pub(super) struct Report {
    home: Home,
    /// As long as the manager runs.
    reception: Option<Reception>,
    heard: Heard,
    _link: Link,
    _reported: Reported,
}

impl Report {
    /// The manager closes its HTTPS.
    pub(super) fn close(&mut self) {
        self.reception = None;
    }

    async fn settled(&self) {
        if let Some(reception) = &self.reception {
            reception.settled().await;
        }
    }
}

impl Parties {
    /// Somebody with a valid certificate of the manager's name ends TLS in between and listens.
    pub(super) async fn report(&mut self, report: &scenario::Report) -> Result<(), ActError> {
        let manager = self.manager(&report.manager)?;
        let certificate = self.certificates.of_https(&report.manager, report.certificate)?;
        let mut reception = manager.receive(listener().await?, &certificate)?;
        let address = reception.address();
        let onlooker = Proxy::eavesdrop(listener().await?, &certificate, address)?;
        let home = Home {
            manager: name(&report.manager),
            address: onlooker.address(),
            name: Certificates::https_name(&report.manager),
            roots: self.certificates.roots(report.trusting).map_err(PinnedError::from)?,
        };
        let reported = self.host(&report.agent)?.agent.report(&home).await;
        reception.settled().await;
        let reported = reported?;
        let mut link = reception.next().await.ok_or(PinnedError::Cut)?;
        link.order(&Order::Ping).await?;
        let at = [report.manager.to_string(), report.agent.to_string()];
        let report = Report {
            home: Home { address, ..home },
            reception: Some(reception),
            heard: onlooker.heard(),
            _link: link,
            _reported: reported,
        };
        self.reports.insert(at, report);
        Ok(())
    }

    pub(super) async fn replay(&mut self, pair: &ManagerAndAgent) -> Result<(), ActError> {
        let report = self.report_of(key(pair))?;
        let before = self.ledger.last();
        impostor::replay(report.home.address, &report.heard).await?;
        report.settled().await;
        let events = self.ledger.events_after(before);
        let proven = events.iter().filter_map(|event| event.fact::<SymmetricKeyProof>());
        // What the manager made of it.
        if proven.into_iter().any(|proof| proof.refused.is_some()) {
            return Err(PinnedError::KeyNotProven.into());
        }
        Ok(())
    }

    pub(super) async fn guess(&mut self, guess: &Guess) -> Result<(), ActError> {
        let report = self.report_of([guess.manager.to_string(), guess.agent.to_string()])?;
        let trail = self.ledger.trail(Actor::Host("impostor".to_owned()));
        let trail = trail.under(self.manager(&guess.manager)?.party().trail().cause());
        let mut outcome = Ok(());
        for number in 1..=u64::from(guess.keys) {
            let seed = self.seed.child(&format!("guess {number}"));
            let agent = name(&guess.agent);
            outcome = impostor::guess(&report.home, &agent, &seed, &self.clock, &trail).await;
            report.settled().await;
            let refused = outcome.as_ref().err().map(|error| error.reason().to_owned());
            trail.record(Guessed { number, refused });
            if outcome.is_ok() {
                break;
            }
        }
        Ok(outcome?)
    }

    pub(super) fn guess_offline(&mut self, guess: &Guess) -> Result<(), ActError> {
        let report = self.report_of([guess.manager.to_string(), guess.agent.to_string()])?;
        let manager = self.manager(&guess.manager)?;
        let agent = &self.host(&guess.agent)?.agent;
        let (count, seed) = (u64::from(guess.keys), self.seed.child("offline"));
        let tried = impostor::try_on(&report.heard, agent, manager.name(), count, &seed)?;
        let Tried { by_onlooker, with_draws } = tried;
        let trail = self.ledger.trail(Actor::Host("impostor".to_owned()));
        trail.under(manager.party().trail().cause()).record(TriedOffline {
            keys: count + 1,
            by_onlooker,
            with_draws,
        });
        match by_onlooker {
            0 => Err(PinnedError::KeyNotProven.into()),
            _ => Ok(()),
        }
    }

    fn report_of(&self, at: [String; 2]) -> Result<&Report, ActError> {
        let unknown = || WorldError::Unknown { what: "report of the agent", name: at[1].clone() };
        Ok(self.reports.get(&at).ok_or_else(unknown)?)
    }
}

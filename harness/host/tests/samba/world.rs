//! A domain of fake DCs like that of the transcripts, and hosts in it.

use fake_dc::Domain;
use fake_dc_directory::{DcView, Flavour, Protection};
use ground::{Clock, Ledger, Seed, Timestamp, VirtualClock};
use ldap_wire::{Authentication, BindRequest, LdapMessage, ProtocolOp};
use sim_host::{Network, Output};

use crate::support::{self, CAPTURED_AT, DC, Host, Step};

/// Entries of the captured domain: they give it its SID and GUID.
const CAPTURED_ENTRIES: [(&str, &str); 2] = [
    ("domain-head.ldif", include_str!("../../../../fixtures/samba-ad/ldif/domain-head.ldif")),
    ("krbtgt-all.ldif", include_str!("../../../../fixtures/samba-ad/ldif/krbtgt-all.ldif")),
];

/// The domain `lab.example` with its clock and its ledger.
pub(crate) struct World {
    pub(crate) domain: Domain,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Clock,
}

impl World {
    /// A domain whose DCs have these faults, one DC for each list.
    pub(crate) async fn with(faults: &[&[&str]]) -> Self {
        Self::of(Flavour::Samba4_22, faults).await
    }

    /// The same, answering like another product.
    pub(crate) async fn of(flavour: Flavour, faults: &[&[&str]]) -> Self {
        Self::build(CAPTURED_AT.parse().unwrap(), flavour, faults, "").await
    }

    /// A domain of one DC in the present of the machine, for clients that judge by its clock.
    pub(crate) async fn of_today(faults: &[&str]) -> Self {
        Self::build(Clock::system().now(), Flavour::Samba4_22, &[faults], "").await
    }

    /// A domain of one sound DC with more entries.
    pub(crate) async fn of_entries(flavour: Flavour, ldif: &str) -> Self {
        Self::build(CAPTURED_AT.parse().unwrap(), flavour, &[&[]], ldif).await
    }

    async fn build(now: Timestamp, flavour: Flavour, faults: &[&[&str]], ldif: &str) -> Self {
        let time = VirtualClock::starting_at(now);
        let ledger = Ledger::new(time.clock());
        let mut builder = Domain::builder("lab.example")
            .dcs(faults.len())
            .seed(Seed::new(1))
            .clock(time.clock())
            .ledger(ledger.clone())
            .flavour(flavour);
        for (name, text) in CAPTURED_ENTRIES.into_iter().chain([("more.ldif", ldif)]) {
            builder = builder.ldif(name, text);
        }
        for (index, faults) in faults.iter().enumerate() {
            for fault in *faults {
                builder = builder.fault(format!("dc{}", index + 1), *fault);
            }
        }
        Self { domain: builder.start().await.unwrap(), ledger, clock: time.clock() }
    }

    /// A domain of one sound DC.
    pub(crate) async fn sound() -> Self {
        Self::with(&[&[]]).await
    }

    /// Deletes an account of the domain, as an administrator would.
    pub(crate) fn delete(&self, dn: &str) {
        let directory = self.domain.directory();
        let dc = DcView::new("dc1", "lab.example");
        let mut session = directory.open_session(&dc, Protection::Tls);
        let bind = BindRequest {
            version: 3,
            name: "Administrator@lab.example".into(),
            authentication: Authentication::Simple(b"Passw0rd!Lab1".to_vec()),
        };
        for op in [ProtocolOp::BindRequest(bind), ProtocolOp::DelRequest(dn.into())] {
            let reply = directory.handle(&mut session, LdapMessage::new(1, op));
            let done = match &reply.messages[0].op {
                ProtocolOp::BindResponse(response) => &response.result,
                ProtocolOp::DelResponse(result) => result,
                other => panic!("{other:?}"),
            };
            assert!(done.is_success(), "{done:?}");
        }
    }

    /// A host that trusts the domain's root.
    pub(crate) fn host(&self) -> Host {
        let host = Host::within(self.clock.clone(), &self.ledger);
        let mut network = Network { nameservers: self.domain.name_servers(), ..Network::default() };
        for dc in self.domain.dcs() {
            network.translations.insert((dc.ip(), 88).into(), dc.kdc());
            network.translations.insert((dc.ip(), 389).into(), dc.ldap());
            network.translations.insert((dc.ip(), 636).into(), dc.ldaps());
        }
        // The first DC has the address of the transcripts too.
        let first = self.domain.dcs().next().unwrap();
        network.translations.insert((DC, 88).into(), first.kdc());
        network.translations.insert((DC, 389).into(), first.ldap());
        network.translations.insert((DC, 636).into(), first.ldaps());
        host.network.set(network);
        host.trust(self.domain.ca_pem());
        host
    }
}

/// Puts the address of the transcripts in place of that of the first DC.
pub(crate) fn as_captured(mut output: Output, world: &World) -> Output {
    let address = world.domain.dcs().next().unwrap().ip().to_string();
    for text in [&mut output.stdout, &mut output.stderr] {
        *text = text.replace(&address, &DC.to_string());
    }
    output
}

/// Runs a captured step and compares.
pub(crate) async fn replay(world: &World, host: &Host, step: &Step) {
    let command = step.command().unwrap();
    let output = as_captured(host.run(command).await, world);
    support::assert_same(&output, step);
}

//! The certificates of managers, agents and components, from the seed of the world.

use fake_dc_pki::{CaCertificate, Chain, DcIdentity, KeyKind, KeyOwner, Pki, PkiError};
use ground::{Clock, Seed, Timestamp};
use rustls_pki_types::CertificateDer;
use scenario::{PinnedCa, Present, PresentedCertificate, PresentedKey, Visit};
use trust_models::pinned::{Identity, KeptIdentity, PinnedError, visit};

use super::listener;
use crate::world::WorldError;

/// What certificates name their holders in.
const DOMAIN: &str = "pinned.example";

/// Two CAs.
#[derive(Debug)]
pub(super) struct Certificates {
    internal: Pki,
    third_party: Pki,
    now: Timestamp,
}

impl Certificates {
    pub(super) fn new(seed: &Seed, now: Timestamp) -> Result<Self, PkiError> {
        Ok(Self {
            internal: Pki::new(&seed.child("internal CA"), now, DOMAIN)?,
            third_party: Pki::new(&seed.child("CA of a third party"), now, DOMAIN)?,
            now,
        })
    }

    /// What an agent shows at the start.
    pub(super) fn first_of_agent(&self, agent: &str) -> Result<KeptIdentity, PkiError> {
        let sound = PresentedCertificate::SelfSigned;
        Ok(KeptIdentity::of(&self.around(agent, PresentedKey::Own, sound)?))
    }

    pub(super) fn of_agent(&self, present: &Present) -> Result<KeptIdentity, PkiError> {
        let chain = self.around(&present.agent, present.key, present.certificate)?;
        Ok(KeptIdentity::of(&chain))
    }

    /// The operator's proxy before an agent, or an intruder's.
    pub(super) fn of_proxy(&self, agent: &str, wanted: bool) -> Result<Identity, PinnedError> {
        let whose = if wanted { "the operator's" } else { "an intruder's" };
        let key = KeyOwner::Named(format!("{whose} proxy before {agent}"));
        let chain = self.around_key("proxy", key, PresentedCertificate::SelfSigned)?;
        Ok(KeptIdentity::of(&chain).identity()?)
    }

    pub(super) fn of_component(
        &self,
        agent: &str,
        component: &str,
        ca: PinnedCa,
    ) -> Result<KeptIdentity, PkiError> {
        let holder = holder(&format!("{component}-{agent}"));
        Ok(KeptIdentity::of(&self.pki(ca).chain(&holder, &[])?))
    }

    /// What a manager shows over HTTPS.
    pub(super) fn of_https(&self, manager: &str, ca: PinnedCa) -> Result<Identity, PinnedError> {
        let chain = self.pki(ca).chain(&holder(manager), &[])?;
        Ok(KeptIdentity::of(&chain).identity()?)
    }

    pub(super) fn roots(&self, ca: PinnedCa) -> Result<Vec<CertificateDer<'static>>, PkiError> {
        Ok(vec![self.pki(ca).certificate(CaCertificate::Root)?])
    }

    /// The name in the certificate of a manager.
    pub(super) fn https_name(manager: &str) -> String {
        format!("{manager}.{DOMAIN}")
    }

    /// An ordinary client visits a component.
    pub(super) async fn visit(
        &self,
        to: &Visit,
        shown: Option<Identity>,
        clock: &Clock,
    ) -> Result<(), super::ActError> {
        let Some(shown) = shown else {
            let name = format!("{} of {}", to.component.as_str(), to.agent.as_str());
            return Err(WorldError::Unknown { what: "certificate of the component", name }.into());
        };
        let roots = self.roots(to.trusting).map_err(PinnedError::from)?;
        let name = format!("{}-{}.{DOMAIN}", to.component.as_str(), to.agent.as_str());
        visit(listener().await?, &shown, &name, &roots, clock).await?;
        Ok(())
    }

    /// A certificate around a key of `owner`.
    ///
    /// ```text
    /// leaf ⟲            self-signed
    /// root ──▶ intermediate ──▶ leaf    from-ca
    /// ```
    fn around(
        &self,
        owner: &str,
        key: PresentedKey,
        certificate: PresentedCertificate,
    ) -> Result<Chain, PkiError> {
        let key = KeyOwner::Named(format!("{owner}, {}", key.as_str()));
        self.around_key(owner, key, certificate)
    }

    /// A certificate of this kind around any key.
    fn around_key(
        &self,
        subject: &str,
        key: KeyOwner,
        certificate: PresentedCertificate,
    ) -> Result<Chain, PkiError> {
        let mut plan = self.internal.plan(&holder(subject))?;
        plan.leaf().keyed(key).of_kind(KeyKind::EcdsaP256);
        match certificate {
            PresentedCertificate::FromCa => return plan.issue(),
            PresentedCertificate::Expired => {
                plan.leaf().valid(self.now.plus_days(-400), self.now.plus_days(-35));
            }
            PresentedCertificate::Misnamed => {
                plan.leaf().named("somebody-else").also_named(["somebody.else.example"]);
            }
            PresentedCertificate::SelfSigned => {}
        }
        plan.leaf().signed_by_itself();
        plan.send_only([plan.leaf_id()]);
        plan.issue()
    }

    fn pki(&self, ca: PinnedCa) -> &Pki {
        match ca {
            PinnedCa::Internal => &self.internal,
            PinnedCa::ThirdParty => &self.third_party,
        }
    }
}

fn holder(name: &str) -> DcIdentity {
    DcIdentity::new(name, DOMAIN, [127, 0, 0, 1].into())
}

//! How a DC comes by its next certificate: it enrols, and then it has to look.
//!
//! What is enrolled for lies in the Personal store of the DC, which does not notice it there (see
//! [`fake_dc_pki::CertificateStore`], rule 4). Enrolment archives the former certificate, which then
//! does not count any more (`CERT_ARCHIVED_PROP_ID`; [MS-CAESO] 4.4.5.6); if that is left beside the
//! new one, the DC takes the one that ends last (rule 3).

use std::sync::{Arc, MutexGuard, PoisonError};

use fake_dc_pki::{ChainPlan, RenewalKey};
use ground::{EventId, Timestamp, Trail};

use crate::{
    authority,
    dc::Dc,
    domain::{Common, Domain},
    error::Error,
    face::{self, Condition, Shown, condition},
    facts::{CertificateEnrolled, CertificateLoaded, Listener},
    tls,
};

/// Renewals of the CA and of what it has issued.
impl Domain {
    /// Renews the root and the issuing CA of the domain, as an administrator does who runs "Renew
    /// CA Certificate" of AD CS: under the old name, with a new key or the old one. The root is
    /// valid for so many days from now.
    ///
    /// The certificates are published beside the former ones. DCs go on to show what they have:
    /// see [`Domain::enrol_certificate`].
    ///
    /// # Errors
    ///
    /// It was renewed [`RENEWALS_MAX`](fake_dc_pki::RENEWALS_MAX) times before.
    pub fn renew_ca(&self, key: RenewalKey, days: u32) -> Result<(), Error> {
        let _changing = self.changing();
        let common = self.common();
        let renewed = common.authority.renew(common.clock.now(), key, days)?;
        Ok(authority::publish(&common.directory, renewed)?)
    }

    /// Lets the DC `dc` enrol for a certificate of the domain's CA that is valid for so many days
    /// from now. It shows that once it looks for its certificate again, see
    /// [`Domain::renew_certificate`]; while the former one stays `beside` it, if it ends later.
    ///
    /// # Errors
    ///
    /// No such DC.
    pub fn enrol_certificate(
        &self,
        cause: Option<EventId>,
        dc: &str,
        days: u32,
        beside: bool,
    ) -> Result<(), Error> {
        let dc = self.dc(dc)?;
        dc.enrol(i64::from(days), beside, &dc.trail.under(cause))
    }
}

/// A certificate that a DC has from its CA, as long as nothing is wrong with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Enrolment {
    /// How often the CA had been renewed.
    ca: usize,
    /// When somebody enrolled the DC, and for how many days; `None` is by itself, for a year.
    asked: Option<(Timestamp, i64)>,
}

/// What a DC has enrolled for.
#[derive(Debug, Default)]
pub(crate) struct Enrolments {
    /// What it shows.
    pub(crate) shown: Enrolment,
    /// What it has got since it last looked.
    stored: Option<Enrolment>,
    /// Whether what it shows is in its store, too.
    beside: bool,
}

impl Enrolment {
    /// When it was enrolled for, if somebody did.
    pub(crate) fn at(&self) -> Option<Timestamp> {
        self.asked.map(|(at, _)| at)
    }

    /// The sound chain issued at `now`.
    pub(crate) fn plan(
        &self,
        domain: &Common,
        dc: &fake_dc_pki::DcIdentity,
        now: Timestamp,
    ) -> Result<ChainPlan, Error> {
        let mut plan = domain.authority.after(self.ca).plan_at(now, dc)?;
        if let Some((_, days)) = self.asked.filter(|(at, _)| *at == now) {
            plan.enrolled_for(days);
        }
        Ok(plan)
    }
}

impl Dc {
    pub(crate) fn enrolment(&self) -> Enrolment {
        self.enrolments().shown
    }

    fn enrol(&self, days: i64, beside: bool, trail: &Trail) -> Result<(), Error> {
        let now = self.domain.clock.now();
        let enrolment =
            Enrolment { ca: self.domain.authority.renewals(), asked: Some((now, days)) };
        let plan = self.sound_plan(&enrolment, now)?;
        {
            let mut enrolments = self.enrolments();
            (enrolments.stored, enrolments.beside) = (Some(enrolment), beside);
        }
        trail.record(CertificateEnrolled { not_after: end_of_leaf(&plan) });
        Ok(())
    }

    fn enrolments(&self) -> MutexGuard<'_, Enrolments> {
        // Two words, each sound by itself.
        self.enrolments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sound_plan(&self, enrolment: &Enrolment, issued: Timestamp) -> Result<ChainPlan, Error> {
        face::plan(&self.domain, &self.view, enrolment, &[], issued)
    }

    /// Looks for its certificate again, as `renewServerCertificate` has it do ([MS-ADTS]
    /// 3.1.1.3.3.22), and records what it found.
    ///
    /// What its stores hold changes with time: it enrols by itself before a certificate ends.
    pub(crate) fn renew_certificate(&self, trail: &Trail) -> Result<(), Error> {
        let _changing = self.hold();
        let before = self.condition();
        let now = self.clock(Listener::Ldaps).now();
        let next = self.next_enrolment(&before, now)?;
        let (enrolment, issued) = next.unwrap_or_else(|| (self.enrolment(), now));
        let condition = condition(before.faults.clone(), |faults, listener| {
            let mut shown = Arc::clone(&before.face(listener).shown);
            let issued = if next.is_some() { Some(issued) } else { shown.chain().planned };
            if let Some(issued) = issued {
                let faults = faults.chain(listener);
                let mut plan = face::plan(&self.domain, &self.view, &enrolment, &faults, issued)?;
                plan.reload(now);
                shown = Shown::there(Arc::new(plan.issue()?));
            }
            self.maker(&before).face(shown, faults, listener)
        })?;
        if next.is_some() {
            self.forget_given();
            *self.enrolments() = Enrolments { shown: enrolment, ..Enrolments::default() };
        }
        self.become_this(condition)?;
        let leaf = self.chain().certificates.first().map(|leaf| tls::fingerprint(leaf));
        trail.record(CertificateLoaded { leaf });
        Ok(())
    }

    /// What it finds in its stores other than what it shows, and when that was issued.
    fn next_enrolment(
        &self,
        before: &Condition,
        now: Timestamp,
    ) -> Result<Option<(Enrolment, Timestamp)>, Error> {
        let planned = before.face(Listener::Ldaps).shown.chain().planned;
        let shown = planned.map(|at| self.sound_plan(&self.enrolment(), at)).transpose()?;
        let (stored, beside) = {
            let enrolments = self.enrolments();
            (enrolments.stored, enrolments.beside)
        };
        if let Some((stored, at)) = stored.and_then(|stored| Some((stored, stored.at()?))) {
            let end = end_of_leaf(&self.sound_plan(&stored, at)?);
            let ends_later = |shown: &ChainPlan| {
                let other = end_of_leaf(shown);
                end > other || other < now
            };
            if end >= now && (!beside || shown.as_ref().is_none_or(ends_later)) {
                return Ok(Some((stored, at)));
            }
        }
        let by_itself = Enrolment { ca: self.domain.authority.renewals(), asked: None };
        let is_due = |shown: &ChainPlan| shown.next_enrolment() <= now;
        Ok(shown.filter(is_due).map(|_| (by_itself, now)))
    }
}

fn end_of_leaf(plan: &ChainPlan) -> Timestamp {
    plan.certificate(plan.leaf_id()).not_after()
}

//! Steps: an action, where it happens, and what must be seen.

use super::{
    Action, Expectations, HostRef, InstalledCertificate, Outcome, PoolCall, Profile, QuirkName,
    StepName,
};
use crate::{
    Span,
    grammar::{NonEmpty, Reader, Spanned},
    mistake::Mistake,
};

table! {
    /// One action and what must be seen during it.
    pub struct Step {
        /// What happens, for people; unique, so that later steps can refer to it.
        pub name: Option<Spanned<StepName>>,
        /// Profiles in which the step runs. Default: all of the scenario's.
        pub only: Option<NonEmpty<Spanned<Profile>>>,
        /// Quirks of the toolstack that break an invariant in this step. The breach is excused until
        /// the toolstack writes the file again; where the quirk is on, it must happen.
        pub excused_by: Vec<Spanned<QuirkName>>,
        /// The pool in which this host is at that moment is called and looked at. Default: the first
        /// host.
        pub on: Option<Spanned<HostRef>>,
        /// Whether the call goes on while the next steps are done. The step ends when the call waits
        /// for a lock or a held program, or has ended; `call.ended` tells how.
        pub background: bool = false,
        /// What must be seen. Without it the action must succeed.
        pub expect: Expectations = Expectations::default(),
        one_of {
            /// What is done.
            pub action: Spanned<Action>
        }
    }
    check Step::check;
}

impl Step {
    /// Whether the step runs in `profile`.
    pub fn runs_in(&self, profile: Profile) -> bool {
        self.only.as_ref().is_none_or(|only| only.iter().any(|named| named.value == profile))
    }

    /// The name, or the action where there is none.
    pub fn title(&self) -> String {
        self.name.as_ref().map_or_else(|| self.action.name(), |name| name.to_string())
    }

    fn check(&self, _: Span, reader: &mut Reader<'_>) -> Option<()> {
        self.check_host(reader);
        self.check_outcome(reader);
        self.check_profiles(reader);
        self.check_background(reader);
        self.check_installed(reader);
        Some(())
    }

    /// A call that names no host is made on the first, and some expectations are about its pool.
    fn check_host(&self, reader: &mut Reader<'_>) {
        if !reader.names.hosts.is_empty() {
            return;
        }
        let names_none = matches!(
            self.action.value,
            Action::Auth(_)
                | Action::Pool(_)
                | Action::Session(_)
                | Action::Subject(_)
                | Action::Xenapi(_)
        );
        let calls = names_none.then(|| (self.action.name(), &self.action.span));
        let expect = &self.expect;
        let of_pool = [
            ("expect.certificates", expect.certificates.first().map(|wanted| &wanted.span)),
            ("expect.message", expect.messages.first().map(|wanted| &wanted.span)),
            ("expect.session", expect.sessions.first().map(|wanted| &wanted.span)),
            ("expect.subject", expect.subjects.first().map(|wanted| &wanted.span)),
            ("expect.telemetry", expect.telemetry.as_ref().map(|wanted| &wanted.span)),
        ];
        let expects = of_pool.into_iter().filter_map(|(key, span)| Some((key.to_owned(), span?)));
        for (what, span) in calls.into_iter().chain(expects) {
            reader.report(span.clone(), Mistake::NoHost { what });
        }
    }

    /// Only a call can return something or fail with an error code, and only a program prints.
    fn check_outcome(&self, reader: &mut Reader<'_>) {
        if let Some(returned) = &self.expect.returns
            && !self.action.is_call()
        {
            let mistake = Mistake::NoCall { action: self.action.name() };
            reader.report_beside(returned.span.clone(), mistake, self.action.span.clone());
        }
        if let Some(output) = &self.expect.output
            && !self.action.runs_program()
        {
            let mistake = Mistake::NoProgram { action: self.action.name() };
            reader.report_beside(output.span.clone(), mistake, self.action.span.clone());
        }
        let of_a_call = match &self.expect.outcome {
            Outcome::AnyOutcome(any) => Some(&any.span),
            Outcome::Error(error) => Some(&error.span),
            Outcome::Refused(_) | Outcome::Success(_) => None,
        };
        let ends = self.action.is_call()
            || self.action.is_of_another_model()
                && matches!(self.expect.outcome, Outcome::AnyOutcome(_));
        if let Some(span) = of_a_call.filter(|_| !ends) {
            let mistake = Mistake::NoCall { action: self.action.name() };
            reader.report_beside(span.clone(), mistake, self.action.span.clone());
        }
        if let Outcome::Refused(refused) = &self.expect.outcome
            && !self.action.is_of_another_model()
        {
            let mistake = Mistake::NoRefusal { action: self.action.name() };
            reader.report_beside(refused.span.clone(), mistake, self.action.span.clone());
        }
    }

    /// Only a call can go on in the background, and how it ends is said when it is awaited.
    fn check_background(&self, reader: &mut Reader<'_>) {
        if self.background
            && (!self.action.is_call()
                || matches!(
                    self.action.value,
                    Action::Background(_) | Action::Client(_) | Action::Xenapi(_)
                ))
        {
            let mistake = Mistake::NoCall { action: self.action.name() };
            reader.report(self.action.span.clone(), mistake);
        }
    }

    /// A step must not name a profile that its scenario does not run in.
    fn check_profiles(&self, reader: &mut Reader<'_>) {
        for only in self.only.iter().flatten() {
            let profile = only.as_str();
            if !reader.names.runs_in(profile) {
                let profiles = reader.names.profiles.clone();
                reader.report(only.span.clone(), Mistake::NeverRuns { profile, profiles });
            }
        }
    }

    /// A certificate must have been installed in every profile that removes it.
    fn check_installed(&self, reader: &mut Reader<'_>) {
        let Action::Pool(PoolCall::UninstallTrustedCertificate(call)) = &self.action.value else {
            return;
        };
        let InstalledCertificate::InstalledBy(step) = &call.certificate.value else { return };
        let mut named = reader.names.steps.iter();
        let Some(installing) = named.find(|named| named.name == step.as_str()) else { return };
        let mut profiles = Profile::ALL
            .iter()
            .filter(|profile| reader.names.runs_in(profile.as_str()) && self.runs_in(**profile));
        if let Some(profile) = profiles.find(|profile| !installing.runs_in(profile.as_str())) {
            let profile = profile.as_str();
            let mistake = Mistake::NotInstalled { step: step.to_string(), profile };
            reader.report_beside(step.span.clone(), mistake, installing.span.clone());
        }
    }
}

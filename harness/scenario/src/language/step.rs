//! Steps: the calls, the passing of time, and what people do to hosts and domain controllers.

use super::{
    Advance, AuthCall, AuthConfig, BackgroundAction, BeginOperation, ClearHostFaults, ClientAction,
    CloudAction, DcAction, DcRef, DomainAction, DomainRef, DownloadTrustedCertificate,
    DownloadTrustedCertificates, EndOperation, ExchangeCaCertificates, ExchangeCertificates,
    ExchangeCrls, ExchangeTrustedCertificates, Expectations, HostAndDc, HostDisableExternalAuth,
    HostEnableExternalAuth, HostOnly, HostPath, HostProgram, HostRef, InstallCaCertificate,
    InstallCrl, JoinPool, MakeDirectory, NamedFile, Outcome, Password, PinnedAction, PkiAction,
    Profile, QuirkName, RelativePath, RotatePoolSecret, RouteAction, SessionCall, SetHostFaults,
    SetLiveness, SetNumber, SetSwitch, StepName, StepRef, SubjectCall, SyncTrustedCertificates,
    UninstallCaCertificate, WbinfoCommand, XenapiAction,
};
use crate::{
    Span,
    diagnostics::Mistake,
    grammar::{NonEmpty, Reader, Spanned},
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
    /// A call of the class `pool` (xapi-flows.md §§4, 5, 7–9, 12, 13).
    pub enum PoolCall: "call of the class pool" {
        /// Installs a trusted certificate (§4.1).
        install_trusted_certificate => InstallTrustedCertificate(InstallTrustedCertificate),
        /// Removes a trusted certificate (§4.2).
        uninstall_trusted_certificate => UninstallTrustedCertificate(UninstallTrustedCertificate),
        /// Installs a legacy CA (§4.3).
        install_ca_certificate => InstallCaCertificate(InstallCaCertificate),
        /// Removes a legacy CA (§4.3).
        uninstall_ca_certificate => UninstallCaCertificate(UninstallCaCertificate),
        /// The older name of `install_ca_certificate`.
        certificate_install => CertificateInstall(InstallCaCertificate),
        /// The older name of `uninstall_ca_certificate`.
        certificate_uninstall => CertificateUninstall(NamedFile),
        /// Names of the legacy CAs (§4.3).
        certificate_list => CertificateList(NoParameters),
        /// Installs a list of revoked certificates (§4.4).
        crl_install => CrlInstall(InstallCrl),
        /// Removes one (§4.4).
        crl_uninstall => CrlUninstall(NamedFile),
        /// Names of those that are installed (§4.4).
        crl_list => CrlList(NoParameters),
        /// Copies certificates to all members again (§4.5).
        certificate_sync => CertificateSync(NoParameters),
        /// Reads one trusted certificate (§5.1).
        download_trusted_certificate => DownloadTrustedCertificate(DownloadTrustedCertificate),
        /// Reads several (§5.1).
        download_trusted_certificates => DownloadTrustedCertificates(DownloadTrustedCertificates),
        /// Exchanges legacy CAs with a host that joins (§5.4).
        exchange_ca_certificates_on_join => ExchangeCaCertificates(ExchangeCaCertificates),
        /// Exchanges the pool's internal certificates with it (§5.4).
        exchange_certificates_on_join => ExchangeCertificates(ExchangeCertificates),
        /// Exchanges revocation lists with it (§5.4).
        exchange_crls_on_join => ExchangeCrls(ExchangeCrls),
        /// Exchanges trusted certificates with it (§5.4).
        exchange_trusted_certificates_on_join => ExchangeTrustedCertificates(
            ExchangeTrustedCertificates
        ),
        /// Copies the trusted certificates of another pool (§5.3).
        sync_trusted_certificates_from => SyncTrustedCertificatesFrom(SyncTrustedCertificates),
        /// Compares every host with the coordinator (§7.2).
        detect_nonhomogeneous_external_auth => DetectNonhomogeneousExternalAuth(NoParameters),
        /// Makes the pool's only host a member of another pool (§12).
        join => Join(JoinPool),
        /// The same, whatever its software and processors are (§12).
        join_force => JoinForce(JoinPool),
        /// A member becomes a pool of its own (§13).
        eject => Eject(HostOnly),
        /// Joins all hosts to a domain (§7).
        enable_external_auth => EnableExternalAuth(EnableExternalAuth),
        /// Takes all hosts out of their domain (§8).
        disable_external_auth => DisableExternalAuth(DisableExternalAuth),
        /// Switches all hosts between LDAP and LDAPS (§9).
        external_auth_set_ldaps => ExternalAuthSetLdaps(PoolSetLdaps),
        /// Whether logins are remembered (§10.1).
        set_ext_auth_cache_enabled => SetExtAuthCacheEnabled(SetSwitch),
        /// For how many seconds.
        set_ext_auth_cache_expiry => SetExtAuthCacheExpiry(SetNumber),
        /// How many.
        set_ext_auth_cache_size => SetExtAuthCacheSize(SetNumber),
        /// How many logins are worked on at once.
        set_ext_auth_max_threads => SetExtAuthMaxThreads(SetNumber),
    }
}

choice! {
    /// A call of the class `host` (xapi-flows.md §§7–9), or something that happens to a host.
    pub enum HostAction: "call or change of a host" {
        /// Takes one host out of its domain (§8).
        disable_external_auth => DisableExternalAuth(HostDisableExternalAuth),
        /// Joins one host to a domain (§7.2).
        enable_external_auth => EnableExternalAuth(HostEnableExternalAuth),
        /// Switches one host between LDAP and LDAPS (§9.3).
        external_auth_set_ldaps => ExternalAuthSetLdaps(HostSetLdaps),
        /// The certificate that it shows to clients (§4.6).
        get_server_certificate => GetServerCertificate(HostOnly),
        /// Replaces what somebody has done to its files and its clock.
        set_faults => SetFaults(SetHostFaults),
        /// Undoes that.
        clear_faults => ClearFaults(ClearHostFaults),
        /// Lets no program of a name begin any more, until it is released.
        hold_program => HoldProgram(HostProgram),
        /// Lets held programs begin.
        release_program => ReleaseProgram(HostProgram),
        /// A member goes down, falls silent or comes back.
        set_liveness => SetLiveness(SetLiveness),
    }
}

impl HostAction {
    /// Whether it is a call, rather than something that happens to the host.
    pub fn is_call(&self) -> bool {
        matches!(
            self,
            Self::DisableExternalAuth(_)
                | Self::EnableExternalAuth(_)
                | Self::ExternalAuthSetLdaps(_)
                | Self::GetServerCertificate(_)
        )
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

choice! {
    /// Time passes.
    pub enum ClockAction: "move of the clock" {
        /// Moves the clock of the world forward: `8d`, `1d12h`, `90s`.
        advance => Advance(Advance),
    }
}

choice! {
    /// Somebody changes a file on a host by hand.
    pub enum FileAction: "change of a file" {
        /// Creates or replaces a file.
        write => Write(WriteFile),
        /// Replaces a text that must occur in the file.
        edit => Edit(EditFile),
        /// Removes a file, or a directory with all that is in it.
        delete => Delete(DeleteFile),
        /// Makes a directory.
        make_directory => MakeDirectory(MakeDirectory),
    }
}

table! {
    /// A call without parameters: `{}`.
    pub struct NoParameters {}
}

table! {
    /// Parameters of `pool.install_trusted_certificate`.
    pub struct InstallTrustedCertificate {
        /// Whether it is a CA; otherwise it is pinned.
        pub ca: bool,
        /// The certificate.
        pub cert: Spanned<CertificateSource>,
        /// What it is trusted for. Empty: general.
        pub purpose: Vec<Purpose>,
    }
}

words! {
    /// What a certificate is trusted for (xapi-flows.md §0.2).
    pub enum Purpose: "purpose" {
        /// Connections to domain controllers.
        Ldaps = "ldaps",
        /// Connections to the licence server.
        Licensing = "licensing",
    }
}

choice! {
    /// Where a certificate comes from.
    pub enum CertificateSource: "source of the certificate" {
        /// PEM text, sent as it is, whatever it holds.
        pem => Pem(String),
        /// A file relative to the scenario file, sent as it is.
        file => File(Spanned<RelativePath>),
        /// The root certificate of a domain, as it is at this moment.
        root => Root(Spanned<DomainRef>),
        /// The root certificate that the domain had before `domain.renew_ca`.
        former_root => FormerRoot(Spanned<DomainRef>),
        /// The intermediate certificate of a domain.
        intermediate => Intermediate(Spanned<DomainRef>),
        /// The leaf certificate that a domain controller serves at this moment.
        leaf => Leaf(Spanned<DcRef>),
        /// The CA at the top of the chain that a domain controller serves at this moment.
        ca_of => CaOf(Spanned<DcRef>),
        /// A root that has nothing to do with the domain.
        other_root => OtherRoot(Spanned<DomainRef>),
        /// A root with the subject of the domain's root but another key.
        twin_root => TwinRoot(Spanned<DomainRef>),
    }
}

table! {
    /// Parameters of `pool.uninstall_trusted_certificate`.
    pub struct UninstallTrustedCertificate {
        /// The certificate.
        pub certificate: Spanned<InstalledCertificate>,
    }
}

choice! {
    /// A certificate of the pool's database.
    pub enum InstalledCertificate: "certificate" {
        /// The one that the step of this name installed.
        installed_by => InstalledBy(Spanned<StepRef>),
        /// The one with the fingerprint of this certificate.
        cert => Cert(CertificateSource),
        /// The one that this host shows to clients.
        identity_of => IdentityOf(Spanned<HostRef>),
    }
}

table! {
    /// Parameters of `pool.enable_external_auth`.
    pub struct EnableExternalAuth {
        /// Name of the domain, as the caller types it.
        pub service_name: String,
        /// `AD`.
        pub auth_type: String,
        /// Join account and options (xapi-flows.md §6.1).
        pub config: AuthConfig,
    }
}

table! {
    /// Parameters of `pool.disable_external_auth`.
    pub struct DisableExternalAuth {
        /// Account that leaves; without one the machine account stays.
        pub config: AuthConfig = AuthConfig::default(),
    }
}

table! {
    /// Parameters of `pool.external_auth_set_ldaps`.
    pub struct PoolSetLdaps {
        /// The wanted value.
        pub ldaps: bool,
        /// Whether to run the check though the value is set already. Absent: not sent.
        pub force: Option<bool>,
    }
}

table! {
    /// Parameters of `host.external_auth_set_ldaps`.
    pub struct HostSetLdaps {
        /// The host.
        pub host: Spanned<HostRef>,
        /// The wanted value.
        pub ldaps: bool,
        /// Whether to run the check though the value is set already. Absent: not sent.
        pub force: Option<bool>,
    }
}

table! {
    /// Parameters of `xapi.restart`.
    pub struct RestartXapi {
        /// The host.
        pub host: Spanned<HostRef>,
    }
}

table! {
    /// Parameters of `file.write`.
    pub struct WriteFile {
        /// The host.
        pub host: Spanned<HostRef>,
        /// Absolute path on the host.
        pub path: Spanned<HostPath>,
        one_of {
            /// What the file holds afterwards.
            pub content: FileContent
        }
    }
}

choice! {
    /// What is written into a file.
    pub enum FileContent: "content" {
        /// This text.
        text => Text(String),
        /// A certificate as PEM.
        cert => Cert(Spanned<CertificateSource>),
        /// The lists of revoked certificates that the CAs of this domain controller publish, as PEM.
        crl => Crl(Spanned<DcRef>),
    }
}

table! {
    /// Parameters of `file.edit`.
    pub struct EditFile {
        /// The host.
        pub host: Spanned<HostRef>,
        /// Absolute path on the host.
        pub path: Spanned<HostPath>,
        /// Text to find; the step fails if it does not occur.
        pub find: Spanned<String>,
        /// Text that replaces every occurrence.
        pub with: String,
    }
}

table! {
    /// Parameters of `file.delete`.
    pub struct DeleteFile {
        /// The host.
        pub host: Spanned<HostRef>,
        /// Absolute path on the host.
        pub path: Spanned<HostPath>,
    }
}

choice! {
    /// Samba's `net`, run as an administrator on the host would run it (xapi-flows.md §6.2).
    pub enum NetCommand: "command of net" {
        /// `net ads lookup -S DC`: what the DC answers to a netlogon ping.
        ads_lookup => AdsLookup(HostAndDc),
        /// `net ads search --server DC FILTER ATTRIBUTE…`.
        ads_search => AdsSearch(AdsSearch),
        /// `net lookup kdc DOMAIN`: the domain controllers that DNS names.
        lookup_kdc => LookupKdc(LookupKdc),
    }
}

table! {
    /// Parameters of `net.lookup_kdc`.
    pub struct LookupKdc {
        /// The host.
        pub host: Spanned<HostRef>,
        /// The domain.
        pub domain: Spanned<DomainRef>,
    }
}

table! {
    /// Parameters of `net.ads_search`.
    pub struct AdsSearch {
        /// The host.
        pub host: Spanned<HostRef>,
        /// The domain controller to ask.
        pub dc: Spanned<DcRef>,
        /// Account to bind with. Default: the machine account of the host.
        pub user: Option<String>,
        /// Password of `user`.
        pub password: Option<Password>,
        /// Filter in the form of RFC 4515. Default: the toolstack's own question (§6.5),
        /// `(|(sAMAccountName=KRBTGT)(name=KRBTGT))`.
        pub filter: String = "(|(sAMAccountName=KRBTGT)(name=KRBTGT))".to_owned(),
        /// Attributes to print. Default: `objectSid`.
        pub attributes: Vec<String> = vec!["objectSid".to_owned()],
    }
    check user_has_a_password;
}

fn user_has_a_password(search: &AdsSearch, span: Span, reader: &mut Reader<'_>) -> Option<()> {
    let key = match (&search.user, &search.password) {
        (Some(_), None) => "password",
        (None, Some(_)) => "user",
        _ => return Some(()),
    };
    reader.report(span, Mistake::MissingKey { key });
    None
}

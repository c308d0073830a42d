//! Asking AD about accounts (xapi-flows.md §§10.2, 11.3), by running programs under the plugin
//! lock and reading what they print.

use ground::Secret;

use crate::{
    ApiError, Credentials, HostRecord, Output, Profile, Quirk, SambaCommand, Server, Wbinfo,
    facts::{AccountAsked, AccountDefaulted},
    xapi::{
        dc_warning::LdapFailure,
        host_auth::AD,
        locate::{escape_filter, parse_key_values},
        on_host::OnHost,
        plugin::{PluginError, Tag},
        subject_attributes::{IS_GROUP, NAME, SubjectAttributes, User, group},
        uid_info::parse_uid_info,
        user_attributes::{ATTRIBUTES, UserAttributes, parse_user_attributes},
        wbinfo_failure::{WbinfoFailure, wbinfo_failure},
    },
};

/// What xapi has for a number that winbind cannot give.
const NO_ID: i64 = -1;

/// What `wbinfo --uid-info` says of a number that nobody has (Samba 4.22, `fixtures/winbind`): in the
/// answer to any other question it is a service error, here it tells that the account is gone.
const UNKNOWN_NUMBER: &str = "WBC_ERR_DOMAIN_NOT_FOUND";

/// Why AD has no answer about an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AccountError {
    /// Name or password are wrong.
    Authentication(String),
    /// External authentication is off.
    Disabled,
    /// There is no such account.
    NotFound,
    /// AD, or the way to it, does not work.
    Service(PluginError),
    /// External authentication is on, but nobody knows how it works.
    UnknownType(String),
}

impl AccountError {
    /// Text for an error that embeds it.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Authentication(message) => message.clone(),
            Self::Disabled => "external authentication is disabled".to_owned(),
            Self::NotFound => "the account is not in the external directory".to_owned(),
            Self::Service(error) => error.message.clone(),
            Self::UnknownType(auth_type) => {
                format!("external authentication of type `{auth_type}` is not known")
            }
        }
    }
}

/// The codes of `auth.*` and `subject.create` (§6.6).
impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Disabled => Self::bare("AUTH_IS_DISABLED"),
            AccountError::NotFound => Self::bare("SUBJECT_CANNOT_BE_RESOLVED"),
            AccountError::UnknownType(auth_type) => Self::new("AUTH_UNKNOWN_TYPE", [auth_type]),
            AccountError::Authentication(message) => Self::new("AUTH_SERVICE_ERROR", [message]),
            AccountError::Service(PluginError { tag, message }) => {
                Self::new(tag.direct_code().unwrap_or("AUTH_SERVICE_ERROR"), [message])
            }
        }
    }
}

impl From<ApiError> for AccountError {
    fn from(error: ApiError) -> Self {
        Self::Service(PluginError::generic(error))
    }
}

impl From<PluginError> for AccountError {
    fn from(error: PluginError) -> Self {
        Self::Service(error)
    }
}

/// What AD says of an account.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// What a subject stores of it.
    pub(crate) attributes: SubjectAttributes,
    /// The failure because of which the four flags of a user are all false.
    pub(crate) ldap_failure: Option<LdapFailure>,
}

/// Who a SID is.
enum Account {
    Group { name: String },
    User { name: String },
}

impl OnHost<'_> {
    /// The SID of the account that has this name and password.
    pub(crate) async fn authenticate(
        &self,
        name: &str,
        password: &Secret,
    ) -> Result<String, AccountError> {
        let record = self.ad_record()?;
        let _plugin = self.lock_plugin("session.login_with_password").await;
        // Whatever the cause: the user must not be told that the password was right.
        let sid = self
            .find_sid(&record, name)
            .await
            .map_err(|error| AccountError::Authentication(error.message()))?;
        let name = match self.account(&sid, true).await {
            Ok(Account::Group { name } | Account::User { name }) => name,
            Err(_) => name.to_owned(),
        };
        let question = Wbinfo::Krb5Auth { name: name.clone(), password: password.clone() };
        // `wbinfo --krb5auth` has no word of its own for a wrong password, so every failure is one.
        match self.wbinfo(question).await {
            Ok(_) => Ok(sid),
            Err(_) => Err(AccountError::Authentication(name)),
        }
    }

    /// The SID of the account that people call `name`.
    pub(crate) async fn sid_of_name(
        &self,
        name: &str,
        task: &'static str,
    ) -> Result<String, AccountError> {
        let record = self.ad_record()?;
        let _plugin = self.lock_plugin(task).await;
        self.find_sid(&record, name).await
    }

    /// What a subject stores of this account. Without `trust_stored` even a subject of the pool is
    /// looked up.
    pub(crate) async fn query_account(
        &self,
        sid: &str,
        trust_stored: bool,
        task: &'static str,
    ) -> Result<SubjectAttributes, AccountError> {
        self.ask_account(sid, trust_stored, task).await.map(|answer| answer.attributes)
    }

    /// The same, and whether a failure is hidden in it (§11.3).
    pub(crate) async fn ask_account(
        &self,
        sid: &str,
        trust_stored: bool,
        task: &'static str,
    ) -> Result<Answer, AccountError> {
        let record = self.ad_record()?;
        let _plugin = self.lock_plugin(task).await;
        match self.account(sid, trust_stored).await? {
            Account::Group { name } => {
                let gid = self.id(Wbinfo::SidToGid { sid: sid.to_owned() }).await;
                Ok(Answer { attributes: group(&name, gid, sid), ldap_failure: None })
            }
            Account::User { .. } => self.query_user(&record, sid).await,
        }
    }

    /// The SIDs of the groups of a user, those that it is in through others among them.
    pub(crate) async fn group_closure(
        &self,
        sid: &str,
        task: &'static str,
    ) -> Result<Vec<String>, AccountError> {
        self.ad_record()?;
        let _plugin = self.lock_plugin(task).await;
        let stdout = self.wbinfo(Wbinfo::UserDomgroups { sid: sid.to_owned() }).await?;
        Ok(stdout.lines().map(|line| line.trim().to_owned()).collect())
    }

    /// The host's record, if it says that AD is on.
    fn ad_record(&self) -> Result<HostRecord, AccountError> {
        let record = self.record()?;
        match record.external_auth_type.as_str() {
            AD => Ok(record),
            "" => Err(AccountError::Disabled),
            other => Err(AccountError::UnknownType(other.to_owned())),
        }
    }

    /// §10.2: winbind, then a search at a DC of the account's domain.
    async fn find_sid(&self, record: &HostRecord, name: &str) -> Result<String, AccountError> {
        if let Ok(stdout) = self.wbinfo(Wbinfo::NameToSid { name: name.to_owned() }).await {
            return Ok(first_word(&stdout));
        }
        let (domain, account) = match (halves(name, '\\'), halves(name, '@')) {
            (Some((netbios, account)), _) => {
                let domain = self.domain_name(record, netbios).await?.ok_or_else(|| {
                    let message = format!("the name of the domain {netbios} was not found");
                    PluginError::generic(message)
                })?;
                (domain, account)
            }
            (None, Some((account, domain))) => (domain.to_owned(), account),
            (None, None) => (record.external_auth_service_name.clone(), name),
        };
        let server = self.dc_of(&domain).await?;
        let value = escape_filter(account, self.pool.quirks());
        let filter = format!("(|(sAMAccountName={value})(name={value}))");
        self.trail.record(AccountAsked { dc: server.clone(), filter: filter.clone() });
        let output = self
            .run(SambaCommand::AdsSearch {
                server: Server::Name(server),
                credentials: Credentials::Machine,
                filter,
                attributes: vec!["objectSid".to_owned()],
            })
            .await;
        if !output.succeeded() {
            let message = format!("the query of {account} failed: {}", output.stdout.trim());
            return Err(PluginError::new(Tag::of_stderr(&output.stderr), message).into());
        }
        self.note_ldap_success();
        value_of(&output, "objectSid").ok_or_else(|| {
            PluginError::generic(format!("the answer for {account} has no objectSid")).into()
        })
    }

    /// User or group, and its name: as the subject of the pool has it, or as winbind says.
    async fn account(&self, sid: &str, trust_stored: bool) -> Result<Account, AccountError> {
        if trust_stored && let Some(account) = self.stored_account(sid) {
            return Ok(account);
        }
        let stdout = self.wbinfo(Wbinfo::SidToName { sid: sid.to_owned() }).await?;
        let unreadable = || PluginError::generic(format!("`{stdout}` is no name for {sid}"));
        let (name, kind) =
            stdout.trim_end().rsplit_once(char::is_whitespace).ok_or_else(unreadable)?;
        if name.starts_with(char::is_whitespace) || kind.parse::<u32>().is_err() {
            return Err(unreadable().into());
        }
        let name = name.trim_end().to_owned();
        Ok(if kind == "1" { Account::User { name } } else { Account::Group { name } })
    }

    fn stored_account(&self, sid: &str) -> Option<Account> {
        self.pool.database().read(|records| {
            let subject = records.subjects.iter().find(|row| row.subject_identifier == sid)?;
            let name = subject.other_config.get(NAME)?.clone();
            let is_group = subject.other_config.get(IS_GROUP)?.to_lowercase() == "true";
            Some(if is_group { Account::Group { name } } else { Account::User { name } })
        })
    }

    /// Steps 3–6 of §11.3.
    async fn query_user(&self, record: &HostRecord, sid: &str) -> Result<Answer, AccountError> {
        let uid = self.id(Wbinfo::SidToUid { sid: sid.to_owned() }).await;
        // The program reads a C integer: −1 is the largest number.
        let number = u32::try_from(uid).unwrap_or(u32::MAX);
        let stdout = match self.wbinfo(Wbinfo::UidInfo { uid: number }).await {
            Err(AccountError::Service(error))
                if error.message != UNKNOWN_NUMBER
                    && !self.has(Quirk::RevalidateWinbindOutageKills) =>
            {
                return Err(error.into());
            }
            answer => answer.map_err(|_| AccountError::NotFound)?,
        };
        let info = parse_uid_info(&stdout).ok_or(AccountError::NotFound)?;
        let (netbios, account) = halves(&info.user_name, '\\').ok_or(AccountError::NotFound)?;
        let (domain, found) = match self.domain_name(record, netbios).await {
            Ok(Some(domain)) => {
                let found = self.user_attributes(&domain, sid).await;
                (Some(domain), found)
            }
            Ok(None) => (None, Ok(None)),
            Err(error) => {
                let joined = &record.external_auth_service_name;
                (None, Err(Defaulted::new(joined, joined, error)))
            }
        };
        let (attributes, ldap_failure) = match found {
            Ok(attributes) => (attributes, None),
            Err(Defaulted { failure, cause }) => {
                let LdapFailure { dc, domain } = failure.clone();
                let level = match self.profile() {
                    Profile::DesignV1 => "warn",
                    Profile::Landed => "debug",
                };
                let user = info.user_name.clone();
                self.trail.record(AccountDefaulted { user, dc, domain, cause, level });
                (None, Some(failure))
            }
        };
        let domain = domain.as_deref();
        let user = User { info: &info, uid, netbios, account, domain, attributes };
        Ok(Answer { attributes: user.stored(), ldap_failure })
    }

    /// The user attribute query at a DC of the domain.
    async fn user_attributes(
        &self,
        domain: &str,
        sid: &str,
    ) -> Result<Option<UserAttributes>, Defaulted> {
        let server = self.dc_of(domain).await;
        let server = server.map_err(|error| Defaulted::new(domain, domain, error))?;
        let found = self.user_attributes_at(&server, sid).await;
        let found = found.map_err(|error| Defaulted::new(&server, domain, error))?;
        self.note_ldap_success();
        Ok(Some(found))
    }

    /// The same at this DC, 20 s at most.
    async fn user_attributes_at(
        &self,
        server: &str,
        sid: &str,
    ) -> Result<UserAttributes, AccountError> {
        let clock = self.host.clock();
        let limit = i64::try_from(self.process.conf.winbind_ldap_query_subject_timeout.as_secs())
            .unwrap_or(i64::MAX);
        let end = clock.now().plus_seconds(limit);
        let query = self.run(SambaCommand::AdsSid {
            server: Server::Name(server.to_owned()),
            credentials: Credentials::Machine,
            sid: sid.to_owned(),
            attributes: ATTRIBUTES.map(str::to_owned).to_vec(),
        });
        let output = clock.limit(end, query).await;
        let output = output.ok_or_else(|| PluginError::generic("the query took too long"))?;
        if !output.succeeded() {
            return Err(PluginError::generic("the query failed").into());
        }
        Ok(parse_user_attributes(&output.stdout, clock.now())?)
    }

    /// DNS name of the domain with this NetBIOS name (§6.4), if the DCs know it.
    async fn domain_name(
        &self,
        record: &HostRecord,
        netbios: &str,
    ) -> Result<Option<String>, AccountError> {
        let joined = record.external_auth_configuration.get("workgroup");
        if joined.is_some_and(|workgroup| workgroup == netbios) {
            return Ok(Some(record.external_auth_service_name.clone()));
        }
        if let Some(name) = self.process.trusted_domains.find(netbios) {
            return Ok(Some(name));
        }
        let output = self
            .run(SambaCommand::AdsSearch {
                server: Server::Unnamed,
                credentials: Credentials::Machine,
                filter: format!("(&(objectClass=trustedDomain)(flatName={netbios}))"),
                attributes: vec!["name".to_owned()],
            })
            .await;
        if !output.succeeded() {
            let message = format!("the query for the domain {netbios} failed");
            return Err(PluginError::generic(message).into());
        }
        self.note_ldap_success();
        let name = value_of(&output, "name");
        if let Some(name) = &name {
            self.process.trusted_domains.note(netbios, name);
        }
        Ok(name)
    }

    /// A DC of a domain, by its name.
    async fn dc_of(&self, domain: &str) -> Result<String, AccountError> {
        let stdout = self.wbinfo(Wbinfo::GetDcName { domain: domain.to_owned() }).await?;
        Ok(stdout.trim().to_owned())
    }

    /// A number of winbind, or −1.
    async fn id(&self, question: Wbinfo) -> i64 {
        let answer = self.wbinfo(question).await.ok();
        answer.and_then(|stdout| stdout.trim().parse().ok()).unwrap_or(NO_ID)
    }

    /// What `wbinfo` prints, or why it failed (§6.9).
    async fn wbinfo(&self, question: Wbinfo) -> Result<String, AccountError> {
        let name = question.name();
        let output = self.run(SambaCommand::Wbinfo(question)).await;
        if output.succeeded() {
            return Ok(output.stdout);
        }
        Err(match wbinfo_failure(&output.stderr, name) {
            WbinfoFailure::Authentication { token } => AccountError::Authentication(token),
            WbinfoFailure::NotFound => AccountError::NotFound,
            WbinfoFailure::Service(error) => AccountError::Service(error),
        })
    }
}

/// An LDAP(S) query that failed; harmless values stand for what it would have told.
struct Defaulted {
    failure: LdapFailure,
    cause: String,
}

impl Defaulted {
    fn new(dc: &str, domain: &str, error: AccountError) -> Self {
        let failure = LdapFailure { dc: dc.to_owned(), domain: domain.to_owned() };
        Self { failure, cause: error.message() }
    }
}

fn first_word(stdout: &str) -> String {
    stdout.split_whitespace().next().unwrap_or_default().to_owned()
}

/// The text on both sides of the only `separator`.
fn halves(text: &str, separator: char) -> Option<(&str, &str)> {
    text.split_once(separator).filter(|(_, after)| !after.contains(separator))
}

fn value_of(output: &Output, key: &str) -> Option<String> {
    let values = parse_key_values(&output.stdout);
    values.get(key).filter(|value| !value.is_empty()).map(|value| (*value).to_owned())
}

//! `net ads join`: the half of it that is LDAP.
//!
//! The real program first speaks LSARPC over SMB as the joining user, and at the end NETLOGON as
//! the machine (real-client-wire.md). Neither is modelled: a DC that answers the ping is taken as
//! one whose RPC works. What remains is the real order: a connection as the user that makes the
//! account, and two as the machine.

use std::net::IpAddr;

use ground::Secret;
use ldap_wire::{
    Attribute, Filter, LdapResult, ResultCode, Scope, SearchRequest, SearchResultEntry,
};

use super::{
    dump::{JoinInput, JoinOutput},
    lookup::registered,
    search::no_secrets_ldb,
};
use crate::{
    Output,
    samba::{
        ads::{Account, FoundDc, TIME_LIMIT},
        cldap,
        client::Run,
        connect_error::ConnectError,
        console::Console,
        facts::JoinDone,
        ldap::{Ldap, LdapError},
        secrets::Secrets,
        values::{result_text, sid_text, utf16_quoted},
    },
};

/// The container of computers by its well-known GUID (\[MS-ADTS\] 6.1.1.4).
const COMPUTERS: &str = "AA312825768811D1ADED00C04FD8D5CD";
/// UF_WORKSTATION_TRUST_ACCOUNT.
const ENABLED: &str = "4096";
/// The same with UF_ACCOUNTDISABLE.
const DISABLED: &str = "4098";
/// RC4, AES-128 and AES-256.
const ENCRYPTION_TYPES: &str = "28";
/// What Samba reads of a machine account.
const ACCOUNT_ATTRIBUTES: [&str; 11] = [
    "objectClass",
    "SamAccountName",
    "userAccountControl",
    "DnsHostName",
    "ServicePrincipalName",
    "userPrincipalName",
    "unicodePwd",
    "msDS-AdditionalDnsHostName",
    "msDS-SupportedEncryptionTypes",
    "nTSecurityDescriptor",
    "objectSid",
];
const DC_NOT_FOUND: &str = "A domain controller for this domain was not found.";

/// The arguments of the command.
#[derive(Debug)]
pub(in crate::samba) struct Request {
    /// Domain, by DNS name.
    pub(in crate::samba) domain: String,
    /// Account that joins.
    pub(in crate::samba) user: String,
    /// Its password.
    pub(in crate::samba) password: Secret,
    /// NetBIOS name of the machine.
    pub(in crate::samba) machine: String,
    /// `-S`.
    pub(in crate::samba) server: Option<IpAddr>,
    /// `createcomputer`.
    pub(in crate::samba) ou: Option<String>,
    /// `dnshostname`.
    pub(in crate::samba) dns_hostname: Option<String>,
}

pub(in crate::samba) async fn run(run: &Run<'_>, request: Request, mut console: Console) -> Output {
    registered(&mut console);
    let dc_name = request.server.map(|server| server.to_string());
    let mut input = JoinInput {
        dc_name: dc_name.as_deref(),
        machine: &request.machine,
        domain: &request.domain,
        is_dns_name: true,
        ou: request.ou.as_deref(),
        dns_hostname: request.dns_hostname.as_deref(),
    };
    console.debug(1, &input.text());
    let Some(dc) = find_dc(run, &request).await else {
        not_found(&input, &mut console);
        // Samba tries again with the NetBIOS name, and reports that.
        input.domain = &run.settings.workgroup;
        input.is_dns_name = false;
        console.debug(1, &input.text());
        let error = not_found(&input, &mut console);
        console.print(&format!("Failed to join domain: {error}"));
        return console.net_returns(-1);
    };
    let mut join = Join { run, request: &request, dc: &dc, account: None };
    match join.execute(&mut console).await {
        Ok(secrets) => {
            console.debug(1, &join.output(Some(&secrets), None));
            console.print(&format!("Using short domain name -- {}", secrets.workgroup));
            console
                .print(&format!("Joined '{}' to dns domain '{}'", secrets.machine, secrets.domain));
            console.net_returns(0)
        }
        Err(error) => {
            console.debug(1, &join.output(None, Some(&error)));
            console.print(&format!("Failed to join domain: {}", error.text));
            console.net_returns(-1)
        }
    }
}

async fn find_dc(run: &Run<'_>, request: &Request) -> Option<FoundDc> {
    match request.server {
        Some(address) => cldap::ping(address, run.network, run.trail)
            .await
            .map(|answer| FoundDc { address, answer }),
        None => run.find_dc(&request.domain).await,
    }
}

fn not_found(input: &JoinInput<'_>, console: &mut Console) -> String {
    let error = format!("failed to find DC for domain {} - {DC_NOT_FOUND}", input.domain);
    let output = JoinOutput {
        machine: input.machine,
        error: Some(&error),
        result: "WERR_NERR_DCNOTFOUND",
        ..JoinOutput::default()
    };
    console.debug(1, &output.text());
    error
}

/// A join that failed.
#[derive(Debug)]
struct JoinError {
    /// Samba's `error_string`.
    text: String,
    /// Whether the real program would have failed before it asked the domain about itself.
    before_rpc: bool,
}

impl JoinError {
    fn connect(error: ConnectError, domain: &str) -> Self {
        // An account that Kerberos refuses does not get as far as LDAP in the real program.
        if error.account_refused {
            let text =
                format!("failed to lookup DC info for domain '{domain}' over rpc: {}", error.text);
            return Self { text, before_rpc: true };
        }
        Self { text: format!("failed to connect to AD: {}", error.text), before_rpc: false }
    }

    fn account(ou: Option<&str>, text: &str) -> Self {
        let ou = ou.unwrap_or("(null)");
        let text = format!("failed to precreate account in ou {ou}: {text}");
        Self { text, before_rpc: false }
    }
}

/// The machine account as found or made.
#[derive(Clone, Debug)]
struct MachineAccount {
    dn: String,
    sid: String,
}

struct Join<'a, 'b> {
    run: &'a Run<'b>,
    request: &'a Request,
    dc: &'a FoundDc,
    account: Option<MachineAccount>,
}

impl Join<'_, '_> {
    async fn execute(&mut self, console: &mut Console) -> Result<Secrets, JoinError> {
        let user =
            Account { name: self.request.user.clone(), password: self.request.password.clone() };
        let password = self.run.new_password();
        let mut ldap = self.connect(&user, console).await?;
        let made = self.make_account(&mut ldap, &password, console).await;
        ldap.unbind().await;
        let account = made?;
        self.account = Some(account.clone());
        let (domain_sid, _rid) = split_sid(&account.sid);
        let answer = &self.dc.answer;
        let secrets = Secrets::new(
            &answer.domain,
            &answer.netbios_domain,
            domain_sid.to_owned(),
            &self.request.machine,
            password,
        );
        self.as_machine(&secrets, &account, console).await?;
        secrets.save(self.run.root()).map_err(|error| JoinError {
            text: format!("failed to store machine password in secrets.tdb: {error}"),
            before_rpc: false,
        })?;
        no_secrets_ldb(console);
        no_secrets_ldb(console);
        self.run.trail.record(JoinDone {
            domain: answer.domain.clone(),
            machine: self.request.machine.clone(),
            dc: answer.dns_name.clone(),
        });
        Ok(secrets)
    }

    async fn connect(&self, account: &Account, console: &mut Console) -> Result<Ldap, JoinError> {
        // Within a join `saf_store` has a domain and a server, and stays silent.
        let context = self.run.context();
        context
            .connect_quietly(self.dc, account, console)
            .await
            .map_err(|error| JoinError::connect(error, &self.request.domain))
    }

    /// The first connection: as the joining user.
    async fn make_account(
        &self,
        ldap: &mut Ldap,
        password: &Secret,
        console: &mut Console,
    ) -> Result<MachineAccount, JoinError> {
        let ou = self.request.ou.as_deref();
        let failed = |text: String| JoinError::account(ou, &text);
        let container = self.container(ldap).await.map_err(failed)?;
        let found = base(ldap, &container, &["distinguishedName"]).await.map_err(failed)?;
        found.ok_or_else(|| failed(result_text(ResultCode::NO_SUCH_OBJECT)))?;
        let dn = match self.find_account(ldap).await.map_err(failed)? {
            Some(entry) => entry.dn,
            None => {
                let dn = format!("CN={},{container}", self.request.machine);
                done(ldap.add(&dn, self.new_account()).await).map_err(failed)?;
                console.debug(
                    1,
                    "libnet_join_precreate_machine_acct: Machine account successfully created",
                );
                dn
            }
        };
        for change in [
            Attribute::new("unicodePwd", [utf16_quoted(password)]),
            Attribute::new("userAccountControl", [DISABLED]),
            Attribute::new("userAccountControl", [ENABLED]),
        ] {
            done(ldap.replace(&dn, vec![change]).await).map_err(failed)?;
        }
        let account = base(ldap, &dn, &["objectSid"]).await.map_err(failed)?;
        let sid = account
            .as_ref()
            .and_then(|entry| entry.values("objectSid").first())
            .and_then(|sid| sid_text(sid))
            .ok_or_else(|| failed("No such attribute".to_owned()))?;
        self.find_account(ldap).await.map_err(failed)?;
        self.find_account(ldap).await.map_err(failed)?;
        let names = vec![
            Attribute::new("dNSHostName", [self.dns_hostname()]),
            Attribute::new("servicePrincipalName", self.principals()),
        ];
        done(ldap.replace(&dn, names).await).map_err(failed)?;
        self.find_account(ldap).await.map_err(failed)?;
        functionality(ldap).await.map_err(failed)?;
        Ok(MachineAccount { dn, sid })
    }

    /// The second and third connection: as the new machine.
    async fn as_machine(
        &self,
        secrets: &Secrets,
        account: &MachineAccount,
        console: &mut Console,
    ) -> Result<(), JoinError> {
        let machine = secrets.account();
        let failed = |text: String| JoinError {
            text: format!("failed to connect to AD: {text}"),
            before_rpc: false,
        };
        let mut ldap = self.connect(&machine, console).await?;
        let types = Attribute::new("msDS-SupportedEncryptionTypes", [ENCRYPTION_TYPES]);
        let set = async {
            self.find_account(&mut ldap).await?;
            done(ldap.replace(&account.dn, vec![types]).await)?;
            functionality(&mut ldap).await
        };
        let set = set.await;
        ldap.unbind().await;
        set.map_err(failed)?;
        let mut ldap = self.connect(&machine, console).await?;
        let read = self.find_account(&mut ldap).await;
        ldap.unbind().await;
        read.map(drop).map_err(failed)
    }

    /// DN of the container for the account.
    async fn container(&self, ldap: &mut Ldap) -> Result<String, String> {
        let top = self.dc.bind_path();
        if let Some(ou) = &self.request.ou {
            // `Top/Below` as `createcomputer` writes it is read from the right.
            let parts = ou.split('/').rev().filter(|part| !part.is_empty());
            let path: Vec<_> = parts.map(|part| format!("ou={part}")).collect();
            return Ok(format!("{},{top}", path.join(",")));
        }
        let known = format!("<WKGUID={COMPUTERS},{top}>");
        let found = base(ldap, &known, &["distinguishedName"]).await?;
        found.map(|entry| entry.dn).ok_or_else(|| result_text(ResultCode::NO_SUCH_OBJECT))
    }

    async fn find_account(&self, ldap: &mut Ldap) -> Result<Option<SearchResultEntry>, String> {
        let request = SearchRequest {
            base: self.dc.bind_path(),
            scope: Scope::WholeSubtree,
            time_limit: TIME_LIMIT,
            filter: Filter::Equality {
                attribute: "sAMAccountName".to_owned(),
                value: format!("{}$", self.request.machine).into_bytes(),
            },
            attributes: ACCOUNT_ATTRIBUTES.map(str::to_owned).to_vec(),
            ..SearchRequest::default()
        };
        let found = ldap.search(request).await.map_err(|error| lost(&error))?;
        if found.result.is_success() {
            Ok(found.entries.into_iter().next())
        } else {
            Err(result_text(found.result.code))
        }
    }

    fn new_account(&self) -> Vec<Attribute> {
        let classes = ["top", "person", "organizationalPerson", "user", "computer"];
        vec![
            Attribute::new("objectClass", classes),
            Attribute::new("cn", [&*self.request.machine]),
            Attribute::new("sAMAccountName", [format!("{}$", self.request.machine)]),
            Attribute::new("userAccountControl", [DISABLED]),
        ]
    }

    fn dns_hostname(&self) -> String {
        self.request.dns_hostname.clone().unwrap_or_else(|| {
            format!("{}.{}", self.request.machine.to_lowercase(), self.dc.answer.domain)
        })
    }

    fn principals(&self) -> Vec<String> {
        let (machine, fqdn) = (&self.request.machine, self.dns_hostname());
        ["HOST", "RestrictedKrbHost"]
            .iter()
            .flat_map(|service| [format!("{service}/{machine}"), format!("{service}/{fqdn}")])
            .collect()
    }

    fn output(&self, secrets: Option<&Secrets>, error: Option<&JoinError>) -> String {
        let answer = &self.dc.answer;
        let salt = secrets.map(|_| {
            let (machine, domain) = (self.request.machine.to_lowercase(), &answer.domain);
            format!("host/{machine}.{domain}@{}", domain.to_uppercase())
        });
        let rid = self.account.as_ref().map_or(0, |account| split_sid(&account.sid).1);
        let result = match error {
            None => "WERR_OK",
            Some(error) if error.before_rpc => "WERR_INVALID_PARAMETER",
            // What the real program says here has not been captured.
            Some(_) => "WERR_GEN_FAILURE",
        };
        JoinOutput {
            machine: &self.request.machine,
            dc: Some((answer, self.dc.address)),
            domain_known: !error.is_some_and(|error| error.before_rpc),
            dn: self.account.as_ref().map(|account| &*account.dn),
            domain_sid: secrets.map(|secrets| &*secrets.domain_sid),
            salt: salt.as_deref(),
            rid: if secrets.is_some() { rid } else { 0 },
            error: error.map(|error| &*error.text),
            result,
        }
        .text()
    }
}

/// A base search for one entry.
async fn base(
    ldap: &mut Ldap,
    dn: &str,
    attributes: &[&str],
) -> Result<Option<SearchResultEntry>, String> {
    let request = SearchRequest {
        base: dn.to_owned(),
        time_limit: TIME_LIMIT,
        attributes: attributes.iter().map(|name| (*name).to_owned()).collect(),
        ..SearchRequest::default()
    };
    let found = ldap.search(request).await.map_err(|error| lost(&error))?;
    match found.result.code {
        ResultCode::SUCCESS => Ok(found.entries.into_iter().next()),
        code => Err(result_text(code)),
    }
}

/// The question at the end of each change: the function level, from the rootDSE.
async fn functionality(ldap: &mut Ldap) -> Result<(), String> {
    base(ldap, "", &["domainFunctionality"]).await.map(drop)
}

fn done(outcome: Result<LdapResult, LdapError>) -> Result<(), String> {
    match outcome {
        Ok(result) if result.is_success() => Ok(()),
        Ok(result) => Err(result_text(result.code)),
        Err(error) => Err(lost(&error)),
    }
}

fn lost(error: &LdapError) -> String {
    match error {
        LdapError::TimedOut => "Time limit exceeded".to_owned(),
        _ => "Can't contact LDAP server".to_owned(),
    }
}

/// The SID of the domain and the RID in it.
fn split_sid(sid: &str) -> (&str, u32) {
    sid.rsplit_once('-').map_or((sid, 0), |(domain, rid)| (domain, rid.parse().unwrap_or(0)))
}

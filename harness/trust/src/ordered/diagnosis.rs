//! What an operator should conclude from what there is to be seen: CloudStack's troubleshooting list
//! as rules over the evidence.
//!
//! [`Cloud::examine`] looks where the list says to look: the rows of the keystore, what each
//! appliance sends over TLS, what is in its trust store, which set-up script it runs, what the
//! consoles speak, what the links say. [`diagnose`] is a function of that alone.

use std::{collections::BTreeSet, fmt};

use ground::{Secret, Trail};
use rustls::pki_types::CertificateDer;

use super::{
    Cloud, CloudError, Evidence, Row, Script, StorageEvidence, UploadError,
    appliance::{certificates_in, has_readable_key, subjects},
    certificate::Link as Certificate,
    cloud::{URL_CLEANUP, URL_EXPIRATION},
    facts::Diagnosed,
};

/// One conclusion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The entry of the troubleshooting list.
    pub diagnosis: Diagnosis,
    /// What it is about.
    pub subject: String,
    /// What was seen.
    pub evidence: String,
    /// What to do.
    pub advice: String,
}

/// The entries of the troubleshooting list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Diagnosis {
    /// A server does not send the whole chain, although it has it.
    ChainNotServed,
    /// The console speaks what it was created with.
    ConsoleNotRecreated,
    /// A link still names a domain that is not in use.
    LinkNamesFormerDomain,
    /// A certificate was not URL-encoded on its way.
    NotUrlEncoded,
    /// An appliance was not set up since the keystore has changed.
    NotSetUpSince,
    /// An appliance runs a set-up script of an earlier release.
    OldSetUpScript,
    /// The trust store of an appliance lacks the root.
    StoreLacksRoot,
    /// A certificate in the keystore, or its key, cannot be read by those who need it.
    UnreadableCertificate,
    /// The files of an appliance cannot be read.
    UnreadableFiles,
    /// The keystore holds what an earlier release has left, without order.
    UploadedByEarlierRelease,
    /// A link of the uploaded chain is not signed by the one before.
    WrongCertificate,
}

impl Diagnosis {
    /// Its name in events and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChainNotServed => "chain-not-served",
            Self::ConsoleNotRecreated => "console-not-recreated",
            Self::LinkNamesFormerDomain => "link-names-former-domain",
            Self::NotUrlEncoded => "not-url-encoded",
            Self::NotSetUpSince => "not-set-up-since",
            Self::OldSetUpScript => "old-set-up-script",
            Self::StoreLacksRoot => "store-lacks-root",
            Self::UnreadableCertificate => "unreadable-certificate",
            Self::UnreadableFiles => "unreadable-files",
            Self::UploadedByEarlierRelease => "uploaded-by-earlier-release",
            Self::WrongCertificate => "wrong-certificate",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { diagnosis, subject, evidence, advice } = self;
        write!(f, "{}: {subject}: {evidence}; {advice}", diagnosis.name())
    }
}

impl Cloud {
    /// Looks, concludes, and records each conclusion.
    ///
    /// # Errors
    ///
    /// The keystore cannot be read.
    pub async fn diagnose(&self, trail: &Trail) -> Result<Vec<Finding>, CloudError> {
        let findings = diagnose(&self.examine(trail).await?);
        for finding in &findings {
            trail.record(Diagnosed {
                diagnosis: finding.diagnosis.name(),
                subject: finding.subject.clone(),
                evidence: finding.evidence.clone(),
                advice: finding.advice.clone(),
            });
        }
        Ok(findings)
    }
}

/// What follows from the evidence: of the keystore first, then of appliances, consoles and links.
pub fn diagnose(evidence: &Evidence) -> Vec<Finding> {
    let mut findings = Vec::new();
    of_refusal(evidence, &mut findings);
    of_rows(evidence, &mut findings);
    let domains: BTreeSet<_> = evidence.rows.iter().map(|row| &row.domain_suffix).collect();
    for domain in domains {
        of_chain(domain, &Uploaded::of(evidence, domain), &mut findings);
    }
    let uploaded = Uploaded::of(evidence, &evidence.domain);
    for appliance in &evidence.storage {
        of_storage(appliance, &uploaded, &mut findings);
    }
    of_consoles(evidence, &mut findings);
    of_links(evidence, &mut findings);
    findings
}

/// The rows of a domain, in order.
struct Uploaded<'a> {
    links: Vec<&'a Row>,
    server: Option<&'a Row>,
    without_place: Vec<&'a Row>,
}

impl<'a> Uploaded<'a> {
    fn of(evidence: &'a Evidence, domain: &str) -> Self {
        let own = || evidence.rows.iter().filter(|row| row.domain_suffix == domain);
        let mut links: Vec<_> = own().filter(|row| row.seq.is_some()).collect();
        links.sort_by_key(|row| row.seq);
        Self {
            links,
            // As the keystore chooses: an earlier release may have left several.
            server: own().rfind(|row| row.key.is_some()),
            without_place: own().filter(|row| row.is_without_place()).collect(),
        }
    }

    fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.links.iter().flat_map(|row| certificates_in(&row.certificate)).collect()
    }
}

fn of_refusal(evidence: &Evidence, findings: &mut Vec<Finding>) {
    let Some(refused) = &evidence.last_refusal else { return };
    let (diagnosis, advice) = match refused.reason {
        "not-url-encoded" => (
            Diagnosis::NotUrlEncoded,
            "URL-encode certificate and key and upload again; compare the row in the keystore with \
             the original"
                .to_owned(),
        ),
        "chain-broken"
        | "intermediate-not-signed"
        | "no-authority"
        | "no-root"
        | "other-key"
        | "self-signed"
        | "server-not-signed" => (
            Diagnosis::WrongCertificate,
            "find the link that is wrong, and upload the right one with the same name and domain \
             suffix"
                .to_owned(),
        ),
        _ => return,
    };
    findings.push(Finding {
        diagnosis,
        subject: format!("upload `{}`", refused.name),
        evidence: refused.words.clone(),
        advice,
    });
}

/// Rows that cannot be read: an earlier release took anything, and a table can be edited by hand.
fn of_rows(evidence: &Evidence, findings: &mut Vec<Finding>) {
    for row in &evidence.rows {
        let error = match Certificate::from_pem(&row.certificate) {
            Err(error) => error,
            Ok(_) => {
                findings.extend(of_text(row));
                continue;
            }
        };
        let (diagnosis, evidence, advice) = match error {
            UploadError::NotUrlEncoded { .. } => (
                Diagnosis::NotUrlEncoded,
                "the certificate in the keystore has blanks where base64 has `+`".to_owned(),
                "URL-encode the original, and upload it with the same name and domain suffix",
            ),
            error => (
                Diagnosis::UnreadableCertificate,
                error.to_string(),
                "compare the row in the keystore with the original, and upload that with the same \
                 name and domain suffix",
            ),
        };
        let (subject, advice) = (format!("row `{}`", row.name), advice.to_owned());
        findings.push(Finding { diagnosis, subject, evidence, advice });
    }
}

/// The management server reads PEM as Java does, which finds the end of a block anywhere in a line. An
/// appliance reads it as OpenSSL does, at the beginning of a line alone.
fn of_text(row: &Row) -> Option<Finding> {
    let is_unreadable = |key: &Secret| !has_readable_key(key.expose());
    let what = if first_in(row).is_none() {
        "certificate"
    } else if row.key.as_ref().is_some_and(is_unreadable) {
        "key"
    } else {
        return None;
    };
    Some(Finding {
        diagnosis: Diagnosis::UnreadableCertificate,
        subject: format!("row `{}`", row.name),
        evidence: format!(
            "the management server can read the {what}, and appliances cannot: `-----END` does not \
             stand at the beginning of a line"
        ),
        advice: "begin a line with `-----END`, and upload with the same name and domain suffix"
            .to_owned(),
    })
}

fn of_chain(domain: &str, uploaded: &Uploaded<'_>, findings: &mut Vec<Finding>) {
    if uploaded.server.is_some() && uploaded.links.is_empty() {
        let left: Vec<_> =
            uploaded.without_place.iter().map(|row| format!("`{}`", row.name)).collect();
        let left = if left.is_empty() { "none".to_owned() } else { left.join(", ") };
        findings.push(Finding {
            diagnosis: Diagnosis::UploadedByEarlierRelease,
            subject: format!("domain `{domain}`"),
            evidence: format!(
                "the keystore has a server certificate and no chain in order; rows without a place: \
                 {left}"
            ),
            advice: "upload the whole chain again, root to server certificate, with the same names \
                     and ids"
                .to_owned(),
        });
        return;
    }
    // One that cannot be read has a finding of its own, and says nothing of its neighbours.
    let rows = uploaded.links.iter().chain(&uploaded.server);
    let read: Vec<_> =
        rows.map(|row| (row, Certificate::from_pem(&row.certificate).ok())).collect();
    for pair in read.windows(2) {
        let [(before_row, Some(before)), (row, Some(after))] = pair else { continue };
        if !after.is_signed_by(before) {
            findings.push(Finding {
                diagnosis: Diagnosis::WrongCertificate,
                subject: format!("row `{}`", before_row.name),
                evidence: format!(
                    "`{}` has not signed `{}` of row `{}`, which is issued by `{}`",
                    before.subject(),
                    after.subject(),
                    row.name,
                    after.issuer()
                ),
                advice: format!(
                    "upload the right certificate for one of the two with the same name and domain \
                     suffix `{domain}`"
                ),
            });
        }
    }
}

/// What sets an appliance up once more.
const RESTART: &str =
    "restart the appliance, or upload the server certificate again, which restarts all";

fn first_in(row: &Row) -> Option<CertificateDer<'static>> {
    certificates_in(&row.certificate).into_iter().next()
}

fn of_storage(appliance: &StorageEvidence, uploaded: &Uploaded<'_>, findings: &mut Vec<Finding>) {
    let files = match &appliance.files {
        Ok(files) => files,
        Err(error) => {
            findings.push(Finding {
                diagnosis: Diagnosis::UnreadableFiles,
                subject: format!("appliance `{}`", appliance.name),
                evidence: error.clone(),
                advice: "destroy the appliance, so that it is created again".to_owned(),
            });
            return;
        }
    };
    let Some(server) = uploaded.server else { return };
    let Some(root) = uploaded.links.first().and_then(|row| first_in(row)) else { return };
    let mut missing = uploaded.chain();
    missing.retain(|link| !appliance.shown.contains(link));
    let leaf = first_in(server);
    // Whether it shows the right leaf cannot be told where that is unreadable.
    let former_leaf = leaf.filter(|leaf| appliance.shown.first() != Some(leaf));
    let lacks_root = !files.trusted.contains(&root);
    let subject = format!("appliance `{}`", appliance.name);
    let shows = format!(
        "it shows {} of {} certificates",
        appliance.shown.len(),
        uploaded.chain().len() + 1
    );
    let names = || subjects(&missing).join("`, `");
    if appliance.script == Script::Old && (!missing.is_empty() || lacks_root) {
        findings.push(Finding {
            diagnosis: Diagnosis::OldSetUpScript,
            subject,
            evidence: format!(
                "{shows}, and its `/usr/local/cloud/systemvm/config_ssl.sh` is of an earlier release, \
                 which installs neither chain nor root"
            ),
            advice: "have the latest systemvm.iso patched in: destroy the appliance, so that it is \
                     created again"
                .to_owned(),
        });
        return;
    }
    if !missing.is_empty() || former_leaf.is_some() {
        // Whoever has a chain file and sends nothing of it does not serve it; whoever shows other
        // certificates has been set up before they changed.
        let (diagnosis, evidence, advice) = match former_leaf {
            None if appliance.shown.len() == 1 => {
                let file = if files.has_chain { "is there" } else { "is missing" };
                (
                    Diagnosis::ChainNotServed,
                    format!("{shows}, not `{}`; its chain file {file}", names()),
                    "let SSLCertificateChainFile in `/etc/apache2/sites-available/default-ssl` \
                     name `/etc/ssl/certs/cert_apache_chain.crt`, or restart the appliance",
                )
            }
            Some(_) if missing.is_empty() => (
                Diagnosis::NotSetUpSince,
                format!("its server certificate is another than that of row `{}`", server.name),
                RESTART,
            ),
            _ => (
                Diagnosis::NotSetUpSince,
                format!("{shows}, not `{}`, which the keystore holds", names()),
                RESTART,
            ),
        };
        let advice = advice.to_owned();
        let subject = subject.clone();
        findings.push(Finding { diagnosis, subject, evidence, advice });
    }
    if lacks_root {
        let root = subjects(std::slice::from_ref(&root)).concat();
        findings.push(Finding {
            diagnosis: Diagnosis::StoreLacksRoot,
            subject,
            evidence: format!("`keytool -list` of realhostip.keystore does not show `{root}`"),
            advice: "import the root with keytool, or restart the appliance".to_owned(),
        });
    }
}

fn of_consoles(evidence: &Evidence, findings: &mut Vec<Finding>) {
    let wanted = evidence.console_protocol;
    for (name, protocol) in &evidence.consoles {
        if *protocol != wanted {
            findings.push(Finding {
                diagnosis: Diagnosis::ConsoleNotRecreated,
                subject: format!("console `{name}`"),
                evidence: format!("it speaks {protocol}, and {wanted} is configured"),
                advice: "destroy it, so that it is created again with the other protocol"
                    .to_owned(),
            });
        }
    }
}

fn of_links(evidence: &Evidence, findings: &mut Vec<Finding>) {
    for (link, deleted) in &evidence.links {
        if link.domain() == evidence.domain {
            continue;
        }
        let advice = if evidence.intervals == evidence.configured_intervals {
            format!(
                "lower {URL_EXPIRATION} and {URL_CLEANUP}, restart the management server, wait for the \
                 clean-up, and ask for the link again"
            )
        } else {
            format!(
                "{URL_EXPIRATION} and {URL_CLEANUP} have changed since the management server started: \
                 restart it"
            )
        };
        findings.push(Finding {
            diagnosis: Diagnosis::LinkNamesFormerDomain,
            subject: format!("link `{}`", link.url),
            evidence: format!(
                "it names `{}`, and `{}` is in use; it was made at {}, expires after {} seconds, and \
                 the clean-up of every {} seconds deletes it at {deleted}",
                link.domain(),
                evidence.domain,
                link.made,
                evidence.intervals.expiration_seconds,
                evidence.intervals.cleanup_seconds,
            ),
            advice,
        });
    }
}

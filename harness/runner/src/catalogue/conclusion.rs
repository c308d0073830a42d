//! What the host makes of a fault, in every mode of verification, computed by letting it meet the
//! fault.

use std::net::IpAddr;

use serde::Serialize;
use sim_host::{Output, Patience, ProbeFailure, SambaCommand, samba::facts::TlsVerdict};
use tokio::sync::{OnceCell, OwnedSemaphorePermit};

use super::{
    Entry, Story, kerberos,
    world::{DC, DOMAIN, ExplainError, SmallWorld},
};

/// Everything there is to say about a fault.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// What it is.
    #[serde(flatten)]
    pub entry: Entry,
    /// The fault as it was set: its id, with value and listener if they were given.
    pub text: String,
    /// What `net ads search` says, for each way of asking.
    pub attempts: Vec<Attempt>,
    /// What other programs of the host say otherwise than of a sound DC.
    pub findings: Vec<Finding>,
    /// The bundled scenarios that use it.
    pub stories: Vec<Story>,
}

/// One way of asking, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// How the host asks.
    #[serde(flatten)]
    pub way: Way,
    /// What came of it.
    #[serde(flatten)]
    pub conclusion: Conclusion,
}

/// How a host asks a DC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Way {
    /// `client ldap sasl wrapping`: `ldaps`, `seal`, `starttls`.
    pub wrapping: &'static str,
    /// `tls verify peer`.
    pub mode: &'static str,
    /// Whom it trusts.
    pub trusts: Trusts,
}

/// Whom a host trusts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trusts {
    /// The CA at the top of the very chain that the DC shows.
    ChainRoot,
    /// The root that the domain had when all was sound.
    DomainRoot,
}

/// What `net ads search` says, and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conclusion {
    /// Class of the verdict on what the DC showed, such as `reject`; `None` if it came to none.
    pub class: Option<String>,
    /// GnuTLS status bits of the verdict, in hex.
    pub status: Option<String>,
    /// Why, most important reason first.
    pub reasons: Vec<String>,
    /// Whether the program got its answer.
    pub succeeded: bool,
    /// The line on standard error that says most.
    pub stderr: Option<String>,
    /// Seconds that the real program waits for something that does not come.
    pub waits_seconds: u64,
    /// What `pool.external_auth_set_ldaps` makes of it; `None` if it succeeds, or does not ask so.
    pub xapi: Option<ProbeFailure>,
}

/// What a program of the host says otherwise than of a sound DC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its command line.
    pub program: String,
    /// What it says.
    pub says: Vec<String>,
}

impl Way {
    /// What xapi 26.16 writes.
    const XAPI: Self =
        Self { wrapping: "ldaps", mode: "ca_and_name_if_available", trusts: Trusts::DomainRoot };

    /// The same once an administrator has installed the CA that the DC now has.
    const INFORMED: Self = Self { trusts: Trusts::ChainRoot, ..Self::XAPI };

    /// What xapi writes before LDAPS is switched on.
    pub(super) const SEALED: Self = Self { wrapping: "seal", ..Self::XAPI };

    /// All that are tried: LDAPS in each mode, then StartTLS and sealed LDAP.
    fn all() -> Vec<Self> {
        let modes =
            ["no_check", "ca_only", Self::XAPI.mode, "ca_and_name", "as_strict_as_possible"];
        let mut ways: Vec<Self> =
            modes.map(|mode| Self { mode, ..Self::XAPI }).into_iter().collect();
        ways.extend([Self { wrapping: "starttls", ..Self::XAPI }, Self::SEALED]);
        ways
    }

    pub(super) fn is_ldaps(&self) -> bool {
        self.wrapping == "ldaps"
    }
}

impl Conclusion {
    /// In few words.
    pub fn headline(&self) -> String {
        let mut words = match (&self.class, &self.status, self.succeeded) {
            (Some(class), _, true) => class.clone(),
            (Some(class), _, false) if class == "accept" => "accept, then LDAP fails".to_owned(),
            (Some(class), Some(status), false) if status != "0x0" => format!("{class} {status}"),
            (Some(class), _, false) => class.clone(),
            (None, _, true) => "success".to_owned(),
            (None, _, false) => "fails".to_owned(),
        };
        if self.waits_seconds > 0 {
            words += &format!(", after {} s", self.waits_seconds);
        }
        words
    }
}

/// Lets hosts meet the fault in `text`. `busy` is dropped when the world stands.
pub(super) async fn explain(
    entry: Entry,
    text: &str,
    stories: Vec<Story>,
    busy: OwnedSemaphorePermit,
) -> Result<Explanation, ExplainError> {
    // The same in every small world.
    static SOUND: OnceCell<Programs> = OnceCell::const_new();
    let mut world = SmallWorld::start().await?;
    let sound = SOUND.get_or_try_init(|| Programs::run(&world)).await?;
    world.set(text)?;
    drop(busy);
    let explained = async {
        let (attempts, programs) = tokio::join!(attempts(&world, &entry), Programs::run(&world));
        Ok::<_, ExplainError>((attempts?, programs?.otherwise_than(sound)))
    };
    let explained = explained.await;
    world.stop().await;
    let (attempts, findings) = explained?;
    Ok(Explanation { entry, text: text.to_owned(), attempts, findings, stories })
}

/// Enough to see who answers at once.
const SCOUT: Patience = Patience(1);
/// Enough to tell a slow DC, on a machine that is busy with others, from a silent one.
const THOROUGH: Patience = Patience(4);

async fn attempts(world: &SmallWorld, entry: &Entry) -> Result<Vec<Attempt>, ExplainError> {
    let (scouted, reached_tls) = attempt(world, entry, Way::XAPI, SCOUT).await?;
    let again = |way: Way| async move {
        let conclusion = attempt(world, entry, way, THOROUGH).await?.0;
        Ok(Attempt { way, conclusion })
    };
    if scouted.waits_seconds > 0 {
        // Waiting costs nothing: all at once.
        return join_all(Way::all().into_iter().map(again).collect()).await.into_iter().collect();
    }
    let mut attempts = Vec::new();
    let informed = world.has_another_root().then_some(Way::INFORMED);
    for way in Way::all().into_iter().chain(informed) {
        // smb.conf's mode is first read when TLS begins: without TLS it is the same in every mode.
        let known = way == Way::XAPI || (way.is_ldaps() && !reached_tls && way != Way::INFORMED);
        attempts.push(match known {
            true => Attempt { way, conclusion: scouted.clone() },
            false => again(way).await?,
        });
    }
    Ok(attempts)
}

/// One attempt, and whether it came to TLS.
async fn attempt(
    world: &SmallWorld,
    entry: &Entry,
    way: Way,
    patience: Patience,
) -> Result<(Conclusion, bool), ExplainError> {
    // Without a list of revoked certificates the strictest mode refuses to begin.
    let has_crl = entry.family() == "revocation" || way.mode == "as_strict_as_possible";
    let host = world.host(&way, has_crl, patience)?;
    let output = host.search(dc(world)).await;
    let events = host.events();
    let verdict = events.iter().rev().find_map(|event| event.fact::<TlsVerdict>());
    let waits = events.iter().filter_map(|event| event.fields().get("real_seconds")?.as_u64());
    let xapi = if way.is_ldaps() { host.probe_failure(&output)? } else { None };
    let conclusion = Conclusion {
        class: verdict.map(|verdict| verdict.class.clone()),
        status: verdict.map(|verdict| verdict.status.clone()),
        reasons: verdict.map(|verdict| verdict.reasons.clone()).unwrap_or_default(),
        succeeded: output.succeeded(),
        stderr: if output.succeeded() { None } else { telling_line(&output.stderr) },
        waits_seconds: waits.sum(),
        xapi,
    };
    Ok((conclusion, events.iter().any(|event| event.kind().starts_with("tls."))))
}

fn dc(world: &SmallWorld) -> IpAddr {
    let first = world.domain.dcs().next().map(fake_dc::Dc::ip);
    first.map_or(IpAddr::from([127, 0, 0, 1]), IpAddr::from)
}

/// The first line that is no noise: what follows repeats it in other words.
fn telling_line(stderr: &str) -> Option<String> {
    const NOISE: [&str; 5] = [
        "Registered MSG_REQ_DMALLOC_MARK",
        "return code =",
        "saf_store: Refusing to store",
        "ldb: Unable to open tdb",
        "ldb: Failed to connect",
    ];
    let mut lines = stderr.lines();
    lines.find(|line| !NOISE.iter().any(|noise| line.starts_with(noise))).map(str::to_owned)
}

/// What the programs say that find DCs and log on, without looking at certificates.
struct Programs(Vec<(String, String)>);

impl Programs {
    async fn run(world: &SmallWorld) -> Result<Self, ExplainError> {
        let host = world.host(&Way::XAPI, false, THOROUGH)?;
        let server = dc(world);
        let lookup_kdc = host.run(SambaCommand::LookupKdc { domain: DOMAIN.to_owned() });
        let ads_lookup = host.run(SambaCommand::AdsLookup { server });
        let kerberos = kerberos::log_on(world);
        let (kdc, lookup, logged_on) = tokio::join!(lookup_kdc, ads_lookup, kerberos);
        Ok(Self(vec![
            (format!("net lookup kdc {DOMAIN}"), said(&kdc)),
            (format!("net ads lookup -S {server}"), said(&lookup)),
            (format!("kinit and kvno ldap/{DC}.{DOMAIN}"), logged_on),
        ]))
    }

    /// The lines that `sound` does not have.
    fn otherwise_than(self, sound: &Self) -> Vec<Finding> {
        let pairs = self.0.into_iter().zip(&sound.0).filter(|(now, sound)| now != *sound);
        pairs
            .map(|((program, now), (_, before))| {
                let before: Vec<&str> = before.lines().collect();
                let new = now.lines().filter(|line| !before.contains(line));
                let mut says: Vec<String> = new.map(|line| line.trim().to_owned()).collect();
                if says.is_empty() {
                    says.push("says less than of a sound DC".to_owned());
                }
                Finding { program, says }
            })
            .collect()
    }
}

/// What a program printed, or why it failed.
fn said(output: &Output) -> String {
    if output.succeeded() {
        return output.stdout.clone();
    }
    telling_line(&output.stderr).unwrap_or_else(|| format!("exit status {}", output.exit))
}

/// Waits for all at once.
pub(crate) async fn join_all<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut pinned: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<T>> = pinned.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in pinned.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *done = Some(value);
            }
        }
        if done.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

//! The catalogue of everything that can be wrong: what each fault is, what leads to it, and what the
//! real client makes of it.
//!
//! The entries come from where the faults live: [`fake_dc::faults`] and
//! [`host_faults`]. What the client says is never looked up: [`explain`]
//! sets the fault in a small world and lets the model of the Samba client meet it.

mod conclusion;
mod kerberos;
mod markdown;
mod show;
mod stories;
mod world;

use std::{collections::BTreeMap, fmt, num::NonZeroUsize, sync::Arc, thread};

use serde::{Serialize, Serializer};
use tokio::{sync::Semaphore, task::JoinSet};

pub(crate) use conclusion::join_all;
pub use conclusion::{Attempt, Conclusion, Explanation, Finding, Trusts, Way};
pub use markdown::markdown;
pub use scenario::FaultPlace;
pub(crate) use stories::bundled;
pub use stories::{Story, stories_of};
pub use world::ExplainError;

use crate::host_faults::{self, HostFault};

/// What a fault is, for people and programs.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Its id, which never changes.
    pub id: &'static str,
    /// What is wrong, in one line.
    pub summary: &'static str,
    /// What leads to it in real life.
    pub cause: &'static str,
    /// The chain, drawn, or what passes between client and DC, line by line.
    pub drawing: &'static str,
    /// What its value says and is by default; `None` if it takes none.
    pub value: Option<String>,
    /// The listeners at which it acts, and may be limited to.
    pub listeners: Vec<&'static str>,
    /// Where it may be set.
    #[serde(serialize_with = "places")]
    pub places: Vec<FaultPlace>,
}

/// The families, in the order of the catalogue, with what they have in common.
pub const FAMILIES: [(&str, &str); 13] = [
    ("time", "When certificates are valid, and what the clocks say."),
    ("anchor", "Whether the chain ends at something that the host trusts."),
    ("chain", "What the server sends of the chain it has."),
    ("name", "What the certificate, and the DC itself, say that it is called."),
    ("profile", "What certificates say about their own use."),
    ("algorithm", "Keys and signatures."),
    ("revocation", "Certificates that their CA has taken back, and the lists that say so."),
    ("handshake", "What happens between the first byte on the port and the first byte of LDAP."),
    ("ldap", "Answers of the directory."),
    ("kerberos", "Answers of the KDC."),
    ("discovery", "How a client finds its DC: DNS and the netlogon ping."),
    ("net", "What happens to packets on the way."),
    ("store", "Which certificate of its store a Windows DC shows."),
];

/// All faults, family by family.
pub fn catalogue() -> Vec<Entry> {
    let dc = fake_dc::faults::catalogue().into_iter().map(Entry::of_dc);
    let mut entries: Vec<Entry> = dc.chain(host_faults::catalogue().map(Entry::of_host)).collect();
    // Stable: within a family the order of the source.
    entries.sort_by_cached_key(|entry| {
        FAMILIES.iter().position(|(family, _)| *family == entry.family()).unwrap_or(FAMILIES.len())
    });
    entries
}

/// The entry of the fault in `text`, which may have a value and a listener.
///
/// # Errors
///
/// No fault of that id, or not with that value at that listener; with the nearest ids.
pub fn find(text: &str) -> Result<Entry, NoSuchFault> {
    if let Ok(fault) = text.parse::<HostFault>() {
        return Ok(Entry::of_host(fault.info()));
    }
    let refused = match text.parse::<fake_dc::Fault>() {
        Ok(fault) => return Ok(Entry::of_dc(fault.info())),
        Err(refused) => refused,
    };
    let id = text.split([':', '@']).next().unwrap_or_default();
    if let Some(info) = host_faults::catalogue().find(|info| info.id == id) {
        let cause = match text.parse::<HostFault>() {
            Err(error) if !text.contains('@') => error.to_string(),
            _ => format!("`{}` is a fault of a host, which has no listeners", info.id),
        };
        return Err(NoSuchFault { cause, nearest: Vec::new() });
    }
    if fake_dc::faults::catalogue().iter().any(|info| info.id == id) {
        return Err(NoSuchFault { cause: refused.to_string(), nearest: Vec::new() });
    }
    Err(NoSuchFault { cause: format!("`{id}` is no fault"), nearest: nearest(id) })
}

/// Explains the fault in `text`.
///
/// # Errors
///
/// There is no such fault, or a small world could not be set up.
pub async fn explain(text: &str) -> Result<Explanation, ExplainError> {
    explain_with(text, &Arc::new(Semaphore::new(1))).await
}

/// Explains every fault, in the order of the catalogue.
///
/// # Errors
///
/// A small world could not be set up.
pub async fn explain_all() -> Result<Vec<Explanation>, ExplainError> {
    /// No more worlds at a time; many of them wait for what never comes.
    const WORLDS_MAX: usize = 32;
    let processors = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    // Making the certificates of a world keeps a processor busy.
    let busy = Arc::new(Semaphore::new(processors.get()));
    let worlds = Arc::new(Semaphore::new(WORLDS_MAX));
    let mut running = JoinSet::new();
    for (index, entry) in catalogue().into_iter().enumerate() {
        let (busy, worlds) = (Arc::clone(&busy), Arc::clone(&worlds));
        running.spawn(async move {
            // The semaphores are never closed.
            let _world = worlds.acquire_owned().await;
            (index, explain_with(entry.id, &busy).await)
        });
    }
    let mut explanations = BTreeMap::new();
    while let Some(joined) = running.join_next().await {
        match joined {
            Ok((index, explanation)) => drop(explanations.insert(index, explanation?)),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => {}
        }
    }
    Ok(explanations.into_values().collect())
}

async fn explain_with(text: &str, busy: &Arc<Semaphore>) -> Result<Explanation, ExplainError> {
    let entry = find(text)?;
    let stories = stories_of(entry.id);
    let busy = Arc::clone(busy).acquire_owned().await.map_err(ExplainError::Stopped)?;
    conclusion::explain(entry, text, stories, busy).await
}

impl Entry {
    fn of_dc(info: fake_dc::FaultInfo) -> Self {
        let on_the_way = info.on_route;
        Self {
            id: info.id,
            summary: info.summary,
            cause: info.cause,
            drawing: info.drawing,
            value: info.value.map(str::to_owned),
            listeners: info.listeners.iter().map(|listener| listener.id()).collect(),
            places: if on_the_way {
                vec![FaultPlace::Dc, FaultPlace::Route]
            } else {
                vec![FaultPlace::Dc]
            },
        }
    }

    fn of_host(info: &'static host_faults::HostFaultInfo) -> Self {
        Self {
            id: info.id,
            summary: info.summary,
            cause: info.cause,
            drawing: info.drawing,
            value: info.default_value.map(|default| {
                format!("a duration such as `90s` or `1d12h`; `{default}` if none is given")
            }),
            listeners: Vec::new(),
            places: vec![FaultPlace::Host],
        }
    }

    /// The first word of its id.
    pub fn family(&self) -> &'static str {
        self.id.split('.').next().unwrap_or_default()
    }
}

/// Text that names no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct NoSuchFault {
    /// What is wrong with it.
    pub cause: String,
    /// Ids that are spelt alike, the nearest first.
    pub nearest: Vec<&'static str>,
}

impl fmt::Display for NoSuchFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)?;
        match self.nearest.as_slice() {
            [] => Ok(()),
            nearest => write!(f, "; did you mean `{}`", nearest.join("` or `")),
        }
    }
}

/// Ids that look like `text`, or whose part behind the family does.
fn nearest(text: &str) -> Vec<&'static str> {
    const SHOWN_MAX: usize = 3;
    let last = text.rsplit('.').next().unwrap_or_default();
    let mut alike: Vec<(usize, &str)> = catalogue()
        .iter()
        .filter_map(|entry| {
            let tail = entry.id.split_once('.').map_or("", |(_, tail)| tail);
            let whole = strsim::damerau_levenshtein(text, entry.id);
            let part = strsim::damerau_levenshtein(last, tail);
            let (distance, length) =
                (whole.min(part), if part < whole { tail.len() } else { entry.id.len() });
            (distance * 3 <= length).then_some((distance, entry.id))
        })
        .collect();
    alike.sort_unstable();
    alike.into_iter().take(SHOWN_MAX).map(|(_, id)| id).collect()
}

fn places<S: Serializer>(places: &[FaultPlace], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(places.iter().map(|place| match place {
        FaultPlace::Dc => "dc",
        FaultPlace::Host => "host",
        FaultPlace::Route => "route",
    }))
}

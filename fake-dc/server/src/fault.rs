//! A fault as it is set on a DC or a route, and its text: `ID[:VALUE][@LISTENER]`.

use std::{fmt, str::FromStr, sync::Arc};

use fake_dc_pki::ChainFault;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{
    facts::Listener,
    faults::{
        FaultInfo, ServerFault, WITHOUT_CERTIFICATE, catalogue, chain_fault_info, server_faults,
    },
};

/// A fault of the catalogue, with the value and the listener that were given for it.
///
/// Its text is `ID[:VALUE][@LISTENER]`. Without a value a fault does what is usual; without a
/// listener it acts wherever it can.
///
/// ```
/// use fake_dc::{Fault, facts::Listener};
///
/// let fault: Fault = "net.latency:250ms@ldaps".parse()?;
/// assert_eq!((fault.id(), fault.value()), ("net.latency", Some("250ms")));
/// assert_eq!(fault.listener(), Some(Listener::Ldaps));
/// assert_eq!(fault.to_string(), "net.latency:250ms@ldaps");
///
/// let error = |text: &str| text.parse::<Fault>().unwrap_err().to_string();
/// assert_eq!(error("net.refuze"), "`net.refuze` is no fault; did you mean `net.refuse`");
/// assert_eq!(error("net.refuse:5s"), "`net.refuse` takes no value, and `5s` was given");
/// assert_eq!(
///     error("net.refuse@smb"),
///     "`smb` is no listener; the listeners are cldap, dns, gc, gcs, kdc, kpasswd, ldap, ldaps, rpc"
/// );
/// # Ok::<(), fake_dc::FaultError>(())
/// ```
#[derive(Clone)]
pub struct Fault {
    kind: Kind,
    value: Option<String>,
    listener: Option<Listener>,
    /// Which guard takes it away again.
    mark: Option<u64>,
}

#[derive(Clone)]
enum Kind {
    Chain(ChainFault),
    Server(Arc<dyn ServerFault>),
    /// As it is in the catalogue.
    Usual(&'static dyn ServerFault),
}

impl Fault {
    /// Its id.
    pub fn id(&self) -> &'static str {
        self.info().id
    }

    /// What it is, for people.
    pub fn info(&self) -> FaultInfo {
        match &self.kind {
            Kind::Chain(fault) => chain_fault_info(fault.info()),
            Kind::Server(fault) => fault.info(),
            Kind::Usual(fault) => fault.info(),
        }
    }

    /// The value given for it.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// The listener that it is limited to.
    pub fn listener(&self) -> Option<Listener> {
        self.listener
    }

    /// Whether it acts at `listener`.
    pub fn is_at(&self, listener: Listener) -> bool {
        self.listener.map_or_else(|| self.info().listeners.contains(&listener), |at| at == listener)
    }

    /// The same fault limited to `listener`.
    ///
    /// # Errors
    ///
    /// [`FaultError::NotThere`] if it does nothing there.
    pub fn at(self, listener: Listener) -> Result<Self, FaultError> {
        let FaultInfo { id, listeners, .. } = self.info();
        if !listeners.contains(&listener) {
            return Err(FaultError::NotThere { fault: id, listener, listeners });
        }
        Ok(Self { listener: Some(listener), ..self })
    }

    /// Whether it stands for `other`: the same, or without its value or listener.
    pub fn covers(&self, other: &Self) -> bool {
        self.id() == other.id()
            && (self.value.is_none() || self.value == other.value)
            && (self.listener.is_none() || self.listener == other.listener)
    }

    /// Whether it changes what only a DC of our own making has: its KDC, or its clock. What a real
    /// DC answers with them passes sealed or signed, and is not for a front to change.
    pub(crate) fn is_of_own_making(&self) -> bool {
        let FaultInfo { id, on_route, .. } = self.info();
        let has_clock = self.server().is_some_and(|fault| fault.clock_offset() != 0);
        !on_route && (id.starts_with("kerberos.") || has_clock)
    }

    /// Makes it one that the guard `mark` takes away.
    pub(crate) fn mark(&mut self, mark: u64) {
        self.mark = Some(mark);
    }

    pub(crate) fn has_mark(&self, mark: u64) -> bool {
        self.mark == Some(mark)
    }

    pub(crate) fn chain(&self) -> Option<ChainFault> {
        match self.kind {
            Kind::Chain(fault) => Some(fault),
            Kind::Server(_) | Kind::Usual(_) => None,
        }
    }

    pub(crate) fn server(&self) -> Option<&dyn ServerFault> {
        match &self.kind {
            Kind::Chain(_) => None,
            Kind::Server(fault) => Some(fault.as_ref()),
            Kind::Usual(fault) => Some(*fault),
        }
    }

    fn named(id: &str) -> Result<Kind, FaultError> {
        let id = ALIASES.iter().find(|(alias, _)| *alias == id).map_or(id, |&(_, id)| id);
        if let Some(fault) = fake_dc_pki::fault(id) {
            return Ok(Kind::Chain(fault));
        }
        server_faults()
            .find(|fault| fault.info().id == id)
            .map(Kind::Usual)
            .ok_or_else(|| FaultError::Unknown(UnknownFault::new(id)))
    }

    fn give(&mut self, value: &str) -> Result<(), FaultError> {
        let FaultInfo { id, value: expected, .. } = self.info();
        let value = value.to_owned();
        let (Some(expected), Some(fault)) = (expected, self.server()) else {
            return Err(FaultError::NoValue { fault: id, value });
        };
        let fault = fault.with(&value);
        let fault = fault.ok_or(FaultError::BadValue { fault: id, value: value.clone(), expected });
        (self.kind, self.value) = (Kind::Server(fault?), Some(value));
        Ok(())
    }
}

/// Other ids of faults, which are read and never written.
const ALIASES: &[(&str, &str)] = &[("ldap.invalid-credentials", "ldap.invalid-credentials-52e")];

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (rest, listener) =
            text.rsplit_once('@').map_or((text, None), |(rest, at)| (rest, Some(at)));
        let (id, value) =
            rest.split_once(':').map_or((rest, None), |(id, value)| (id, Some(value)));
        let mut fault = Self { kind: Self::named(id)?, value: None, listener: None, mark: None };
        if let Some(value) = value {
            fault.give(value)?;
        }
        match listener {
            Some(listener) => fault.at(listener.parse()?),
            None => Ok(fault),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())?;
        if let Some(value) = &self.value {
            write!(f, ":{value}")?;
        }
        self.listener.map_or(Ok(()), |listener| write!(f, "@{}", listener.id()))
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Fault {
    fn eq(&self, other: &Self) -> bool {
        (self.id(), &self.value, self.listener) == (other.id(), &other.value, other.listener)
    }
}

impl Eq for Fault {}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Text that is no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FaultError {
    /// A value that the fault cannot read.
    #[error("`{value}` is no value of `{fault}`, which takes {expected}")]
    BadValue {
        /// Id of the fault.
        fault: &'static str,
        /// The value.
        value: String,
        /// What the fault takes.
        expected: &'static str,
    },
    /// A listener at which the fault does nothing.
    #[error("`{fault}` does nothing at `{}`; it acts at {}", .listener.id(), ids(listeners))]
    NotThere {
        /// Id of the fault.
        fault: &'static str,
        /// The listener.
        listener: Listener,
        /// Where it acts.
        listeners: &'static [Listener],
    },
    /// A value for a fault that takes none.
    #[error("`{fault}` takes no value, and `{value}` was given")]
    NoValue {
        /// Id of the fault.
        fault: &'static str,
        /// The value.
        value: String,
    },
    /// No fault of that id.
    #[error(transparent)]
    Unknown(#[from] UnknownFault),
    /// No listener of that name.
    #[error(transparent)]
    UnknownListener(#[from] UnknownListener),
}

/// Text that is no id of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFault {
    /// The text.
    pub id: String,
    /// Ids that are spelt alike, the nearest first.
    pub nearest: Vec<&'static str>,
}

impl UnknownFault {
    fn new(id: &str) -> Self {
        let mut alike: Vec<(usize, &str)> = catalogue()
            .iter()
            .map(|known| (strsim::damerau_levenshtein(id, known.id), known.id))
            .filter(|&(distance, known)| distance * 3 <= known.len())
            .collect();
        alike.sort_unstable();
        let nearest = alike.into_iter().take(3).map(|(_, known)| known).collect();
        Self { id: id.to_owned(), nearest }
    }
}

impl fmt::Display for UnknownFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no fault", self.id)?;
        match self.nearest.as_slice() {
            [] => Ok(()),
            nearest => write!(f, "; did you mean `{}`", nearest.join("` or `")),
        }
    }
}

impl std::error::Error for UnknownFault {}

/// Text that is no id of a [`Listener`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no listener; the listeners are {}", ids(&Listener::ALL))]
pub struct UnknownListener {
    /// The text.
    pub text: String,
}

impl FromStr for Listener {
    type Err = UnknownListener;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|listener| listener.id() == text);
        known.ok_or_else(|| UnknownListener { text: text.to_owned() })
    }
}

fn ids(listeners: &[Listener]) -> String {
    listeners.iter().map(|listener| listener.id()).collect::<Vec<_>>().join(", ")
}

/// The faults of one DC or route, in the order in which they were set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    set: Vec<Fault>,
    /// Where there is no certificate to show, which has effects like those of a fault.
    without_certificate: Vec<Listener>,
}

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        Self { set: faults, without_certificate: Vec::new() }
    }

    pub(crate) fn all(&self) -> &[Fault] {
        &self.set
    }

    /// Those that act at `listener`.
    pub(crate) fn at(&self, listener: Listener) -> impl Iterator<Item = &Fault> {
        self.set.iter().filter(move |fault| fault.is_at(listener))
    }

    /// Those of the chain that `listener` shows.
    pub(crate) fn chain(&self, listener: Listener) -> Vec<ChainFault> {
        self.at(listener).filter_map(Fault::chain).collect()
    }

    /// Those of the server that act at `listener`, whose hooks may be asked for it.
    pub(crate) fn server(&self, listener: Listener) -> impl Iterator<Item = &dyn ServerFault> {
        let without = self.without_certificate.contains(&listener);
        let implied = WITHOUT_CERTIFICATE.iter().copied().filter(move |_| without);
        self.at(listener).filter_map(Fault::server).chain(implied)
    }

    /// The same, at a listener that has no certificate to show.
    pub(crate) fn without_certificate(mut self, listener: Listener) -> Self {
        self.without_certificate.push(listener);
        self
    }
}

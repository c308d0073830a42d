//! What a KDC must know of accounts.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use ground::{Secret, Timestamp};

use crate::{
    crypto::{DEFAULT_ROUNDS, Etype, EtypeNumber, Key},
    pac::LogonInfo,
    principal::PrincipalName,
};

/// The accounts of a realm.
pub trait PrincipalDb {
    /// The account that `name` names, as client or as service: by account name, user principal
    /// name, service principal name, or `krbtgt/REALM`, in any letter case.
    fn lookup(&self, name: &PrincipalName) -> Option<PrincipalEntry>;

    /// The account that may log on as `name`: nobody does as a service.
    fn lookup_client(&self, name: &PrincipalName) -> Option<PrincipalEntry> {
        if name.parts.len() == 1 { self.lookup(name) } else { None }
    }

    /// The domain that goes by that DNS or NetBIOS name and shares a password with this one.
    fn partner(&self, _realm: &str) -> Option<Partner> {
        None
    }

    /// The partner that has the service or the user of that name, by the suffix of it:
    /// `ldap/dc1.other.example`, `alice@other.example`.
    fn partner_of(&self, _name: &PrincipalName) -> Option<Partner> {
        None
    }

    /// A client gave the wrong password. A directory counts that, and may lock the account.
    fn wrong_password(&self, _client: &PrincipalEntry) {}

    /// A client gave the right password.
    fn right_password(&self, _client: &PrincipalEntry) {}
}

impl<D: PrincipalDb + ?Sized> PrincipalDb for &D {
    fn lookup(&self, name: &PrincipalName) -> Option<PrincipalEntry> {
        (**self).lookup(name)
    }

    fn lookup_client(&self, name: &PrincipalName) -> Option<PrincipalEntry> {
        (**self).lookup_client(name)
    }

    fn partner(&self, realm: &str) -> Option<Partner> {
        (**self).partner(realm)
    }

    fn partner_of(&self, name: &PrincipalName) -> Option<Partner> {
        (**self).partner_of(name)
    }

    fn wrong_password(&self, client: &PrincipalEntry) {
        (**self).wrong_password(client);
    }

    fn right_password(&self, client: &PrincipalEntry) {
        (**self).right_password(client);
    }
}

/// An account as a KDC sees it.
#[derive(Clone, Debug)]
pub struct PrincipalEntry {
    /// Its canonical name: the account name as it is spelled, or `krbtgt/REALM`.
    pub name: PrincipalName,
    /// Its keys.
    pub keys: Arc<Keys>,
    /// Whether it may log on.
    pub state: AccountState,
    /// When its password expires, as told to the client. `None`: never.
    pub password_expires: Option<Timestamp>,
    /// Whether a client must prove that it knows the password before it gets a ticket. Off with
    /// `DONT_REQ_PREAUTH` in `userAccountControl`.
    pub requires_preauthentication: bool,
    /// Whether there are tickets to it: AD has none for users without a service principal name.
    pub is_service: bool,
    /// Whether clients may hand their tickets to it: `TRUSTED_FOR_DELEGATION`.
    pub trusted_for_delegation: bool,
    /// Whether its tickets may be forwarded: not with `NOT_DELEGATED`.
    pub may_be_delegated: bool,
    /// Encryption types of tickets to it.
    pub ticket_etypes: Vec<Etype>,
    /// Encryption types of the keys that it shares with clients.
    pub session_etypes: Vec<Etype>,
    /// What its tickets tell services of it; without, they have no PAC.
    pub logon: Option<Arc<LogonInfo>>,
}

impl PrincipalEntry {
    /// An active account that takes tickets of every type.
    pub fn new(name: PrincipalName, keys: Arc<Keys>) -> Self {
        Self {
            name,
            keys,
            state: AccountState::Active,
            password_expires: None,
            requires_preauthentication: true,
            is_service: true,
            trusted_for_delegation: false,
            may_be_delegated: true,
            ticket_etypes: Etype::ALL.to_vec(),
            session_etypes: Etype::ALL.to_vec(),
            logon: None,
        }
    }
}

/// A domain at the other end of a trust, as a KDC sees it ([MS-ADTS] 6.1.6).
#[derive(Clone, Debug)]
pub struct Partner {
    /// Its realm: its DNS name in capitals.
    pub realm: String,
    /// Its SID, in the binary form: accounts of its tickets are of that domain.
    pub domain_sid: Vec<u8>,
    /// The keys of tickets with which its users come here, `krbtgt/HERE@THERE`; `None` unless
    /// this domain trusts it.
    pub incoming: Option<Arc<Keys>>,
    /// The keys of tickets with which users of this domain go there, `krbtgt/THERE@HERE`; `None`
    /// unless it trusts this domain.
    pub outgoing: Option<Arc<Keys>>,
}

impl Partner {
    /// Its ticket-granting service as this realm has it, for those who go there.
    pub(crate) fn ticket_granting(&self) -> Option<PrincipalEntry> {
        let name = PrincipalName::ticket_granting(&self.realm);
        let keys = self.outgoing.clone()?;
        Some(PrincipalEntry {
            ticket_etypes: Etype::AES.to_vec(),
            ..PrincipalEntry::new(name, keys)
        })
    }
}

/// Whether an account may log on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountState {
    /// It may.
    #[default]
    Active,
    /// `ACCOUNTDISABLE` is set.
    Disabled,
    /// `accountExpires` has passed.
    Expired,
    /// Too many wrong passwords.
    LockedOut,
    /// An administrator demands a new password.
    MustChangePassword,
    /// The password is older than the domain allows.
    PasswordExpired,
}

/// The keys of one version of an account's password.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    version: u32,
    salt: String,
    /// The strongest first.
    keys: Vec<Key>,
}

impl Keys {
    /// The keys of `password`, of all encryption types. `version` is `msDS-KeyVersionNumber`.
    pub fn from_password(password: &Secret, salt: impl Into<String>, version: u32) -> Self {
        let salt = salt.into();
        let keys = Etype::ALL
            .map(|etype| Key::from_password(etype, password, &salt, DEFAULT_ROUNDS))
            .to_vec();
        Self { version, salt, keys }
    }

    /// Version of the password.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// What the keys were made with beside the password.
    pub fn salt(&self) -> &str {
        &self.salt
    }

    /// All keys, the strongest first.
    pub fn all(&self) -> &[Key] {
        &self.keys
    }

    /// The key of that encryption type.
    pub fn of(&self, etype: EtypeNumber) -> Option<&Key> {
        self.keys.iter().find(|key| key.etype().number() == etype)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys(version {}, ***)", self.version)
    }
}

/// Keys that were made already: one costs 8,192 hashes.
///
/// ```
/// use fake_dc_kerberos::KeyCache;
/// use ground::Secret;
///
/// let cache = KeyCache::default();
/// let password = Secret::new("Passw0rd!Lab1");
/// let first = cache.keys(&password, "CORP.EXAMPLEalice", 2);
/// assert_eq!(first, cache.keys(&password, "CORP.EXAMPLEalice", 2));
/// ```
#[derive(Debug, Default)]
pub struct KeyCache {
    made: Mutex<BTreeMap<CacheKey, Arc<Keys>>>,
}

/// Salt, version and password.
type CacheKey = (String, u32, HiddenText);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct HiddenText(String);

impl fmt::Debug for HiddenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl KeyCache {
    /// The keys of `password`, as [`Keys::from_password`] makes them.
    pub fn keys(&self, password: &Secret, salt: &str, version: u32) -> Arc<Keys> {
        let key = (salt.to_owned(), version, HiddenText(password.expose().to_owned()));
        // The map is whole after every statement under the lock.
        let made = || self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keys) = made().get(&key) {
            return Arc::clone(keys);
        }
        let keys = Arc::new(Keys::from_password(password, salt, version));
        let mut made = made();
        if made.len() >= ENTRIES_MAX {
            made.pop_first();
        }
        made.insert(key, Arc::clone(&keys));
        keys
    }
}

/// Keys that a cache keeps.
const ENTRIES_MAX: usize = 10_000;

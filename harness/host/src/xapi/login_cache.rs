//! Logins that succeeded a short while ago (xapi-flows.md §10.1 step 3).
//!
//! In memory only, and of a password only a salted digest.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ground::{Secret, Seed, Timestamp};
use rand::Rng as _;
use sha2::{Digest as _, Sha512};

use crate::{PoolRecord, Reference};

/// What a login has found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Admission {
    /// The first subject that lets the account in.
    pub(super) subject: Reference,
    /// SID of the account.
    pub(super) sid: String,
    /// Its name as AD has it.
    pub(super) name: String,
    /// What the roles of all its subjects permit.
    pub(super) permissions: Arc<BTreeSet<String>>,
}

/// The logins by the names that were typed.
#[derive(Debug)]
pub(super) struct LoginCache {
    seed: Seed,
    salted: u64,
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    salt: [u8; 16],
    digest: [u8; 64],
    at: Timestamp,
    /// Number of its last use: the smallest gives way.
    used: u64,
    admission: Admission,
}

impl LoginCache {
    pub(super) fn new(seed: Seed) -> Self {
        Self { seed: seed.child("login cache"), salted: 0, entries: BTreeMap::new() }
    }

    /// The login of this user with this password, if it was so short a while ago.
    pub(super) fn find(
        &mut self,
        user: &str,
        password: &Secret,
        now: Timestamp,
        pool: &PoolRecord,
    ) -> Option<Admission> {
        if !pool.ext_auth_cache_enabled {
            return None;
        }
        let lifetime = i64::from(pool.ext_auth_cache_expiry);
        self.entries.retain(|_, entry| now <= entry.at.plus_seconds(lifetime));
        let used = self.next_use();
        let entry = self.entries.get_mut(user)?;
        if digest(&entry.salt, password) != entry.digest {
            return None;
        }
        entry.used = used;
        Some(entry.admission.clone())
    }

    /// Remembers a login.
    pub(super) fn insert(
        &mut self,
        user: &str,
        password: &Secret,
        now: Timestamp,
        pool: &PoolRecord,
        admission: Admission,
    ) {
        if !pool.ext_auth_cache_enabled || pool.ext_auth_cache_size == 0 {
            return;
        }
        self.salted += 1;
        let mut salt = [0; 16];
        self.seed.stream(&format!("salt {}", self.salted)).fill_bytes(&mut salt);
        let (digest, used) = (digest(&salt, password), self.next_use());
        self.entries.insert(user.to_owned(), Entry { salt, digest, at: now, used, admission });
        let most = usize::try_from(pool.ext_auth_cache_size).unwrap_or(usize::MAX);
        while self.entries.len() > most {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used);
            let Some(user) = oldest.map(|(user, _)| user.clone()) else { break };
            self.entries.remove(&user);
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    fn next_use(&self) -> u64 {
        self.entries.values().map(|entry| entry.used + 1).max().unwrap_or(0)
    }
}

fn digest(salt: &[u8], password: &Secret) -> [u8; 64] {
    let mut digest = Sha512::new();
    digest.update(salt);
    digest.update(password.expose());
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(size: u32) -> PoolRecord {
        PoolRecord {
            ext_auth_cache_size: size,
            ..crate::xapi::founding::first_records("pool", Seed::new(1), &[]).unwrap().pool
        }
    }

    fn admission(sid: &str) -> Admission {
        Admission {
            subject: Reference::null(),
            sid: sid.to_owned(),
            name: String::new(),
            permissions: Arc::default(),
        }
    }

    struct Rig {
        cache: LoginCache,
        pool: PoolRecord,
        now: Timestamp,
    }

    impl Rig {
        fn new(size: u32) -> Self {
            let (cache, now) = (LoginCache::new(Seed::new(1)), Timestamp::from_unix(1_000));
            Self { cache, pool: pool(size), now }
        }

        fn login(&mut self, user: &str) {
            let password = Secret::new(format!("password of {user}"));
            self.cache.insert(user, &password, self.now, &self.pool, admission(user));
        }

        fn finds(&mut self, user: &str, password: &str) -> bool {
            self.cache.find(user, &Secret::new(password), self.now, &self.pool).is_some()
        }

        fn knows(&mut self, user: &str) -> bool {
            self.finds(user, &format!("password of {user}"))
        }
    }

    #[test]
    fn a_login_counts_for_its_password_and_lifetime() {
        let mut rig = Rig::new(50);
        rig.login("alice");
        assert!(rig.knows("alice"));
        assert!(!rig.finds("alice", "another"));
        assert!(!rig.finds("Alice", "password of alice"));
        rig.now = rig.now.plus_seconds(300);
        assert!(rig.knows("alice"));
        rig.now = rig.now.plus_seconds(1);
        assert!(!rig.knows("alice"));
        rig.login("alice");
        rig.cache.clear();
        assert!(!rig.knows("alice"));
        rig.pool.ext_auth_cache_enabled = false;
        rig.login("alice");
        rig.pool.ext_auth_cache_enabled = true;
        assert!(!rig.knows("alice"));
    }

    #[test]
    fn the_login_that_was_not_used_for_longest_gives_way() {
        let mut rig = Rig::new(2);
        rig.login("alice");
        rig.login("bob");
        assert!(rig.knows("alice"));
        rig.login("carol");
        assert!(rig.knows("alice") && rig.knows("carol") && !rig.knows("bob"));
    }

    #[test]
    fn no_password_is_kept() {
        let mut rig = Rig::new(2);
        rig.login("alice");
        assert!(!format!("{:?}", rig.cache).contains("password of"));
    }
}

//! `subject.*` and `auth.*` (xenapi-wire.md §7.4), and what becomes of subjects and sessions when
//! AD is switched on or off (xapi-flows.md §§7.1, 8, 11.4).

use ground::Trail;

use crate::{
    ApiError, Quirk, Reference, Role, Subject,
    xapi::{Pool, account::AccountError, lock::LockGuard},
};

/// Holds the pool extauth lock. Before it is given back, the hooks run that have become due
/// meanwhile.
#[derive(Debug)]
pub(super) struct PoolExtauth<'a> {
    pool: &'a Pool,
    guard: Option<LockGuard>,
}

impl Drop for PoolExtauth<'_> {
    fn drop(&mut self) {
        self.pool.run_due_hooks();
        self.guard = None;
        // One that became due after the look, while the lock was still held.
        self.pool.run_hooks_if_free();
    }
}

impl Pool {
    /// The pool extauth lock of §17.
    pub(super) async fn lock_extauth(&self, task: &'static str, trail: &Trail) -> PoolExtauth<'_> {
        PoolExtauth { pool: self, guard: Some(self.extauth_lock().take(task, trail).await) }
    }

    /// `subject.create`. Whatever the caller says of the account, AD knows better.
    pub(super) async fn create_subject(
        &self,
        sid: &str,
        trail: &Trail,
    ) -> Result<Reference, ApiError> {
        let is_known =
            || self.database().read(|all| all.subjects.iter().any(|s| s.subject_identifier == sid));
        if is_known() {
            return Err(ApiError::bare("SUBJECT_ALREADY_EXISTS"));
        }
        let at_work = self.coordinator_at_work(trail);
        let attributes = at_work.query_account(sid, true, "subject.create").await?;
        let reference = self.database().change(trail, |draft| {
            let (reference, uuid) = draft.identity();
            draft.records.subjects.push(Subject {
                reference: reference.clone(),
                uuid,
                subject_identifier: sid.to_owned(),
                other_config: attributes,
                roles: Vec::new(),
            });
            reference
        })?;
        self.hook_is_due("after-subject-add", trail);
        Ok(reference)
    }

    /// `subject.destroy`.
    pub(super) fn destroy_subject(
        &self,
        subject: &Reference,
        trail: &Trail,
    ) -> Result<(), ApiError> {
        self.subject(subject)?;
        self.database().change(trail, |draft| {
            draft.records.subjects.retain(|row| row.reference != *subject);
        })?;
        self.hook_is_due("after-subject-remove", trail);
        Ok(())
    }

    /// `subject.add_to_roles`.
    pub(super) fn add_to_roles(
        &self,
        subject: &Reference,
        role: &Reference,
        trail: &Trail,
    ) -> Result<(), ApiError> {
        let row = self.subject(subject)?;
        if Role::from_reference(role).is_none_or(Role::is_internal) {
            return Err(ApiError::bare("ROLE_NOT_FOUND"));
        }
        if row.roles.contains(role) {
            return Err(ApiError::bare("ROLE_ALREADY_EXISTS"));
        }
        self.change_subject(subject, trail, |row| row.roles.push(role.clone()))?;
        self.hook_is_due("after-roles-update", trail);
        Ok(())
    }

    /// `subject.remove_from_roles`.
    pub(super) fn remove_from_roles(
        &self,
        subject: &Reference,
        role: &Reference,
        trail: &Trail,
    ) -> Result<(), ApiError> {
        let row = self.subject(subject)?;
        if !row.roles.contains(role) {
            return Err(ApiError::bare("ROLE_NOT_FOUND"));
        }
        self.change_subject(subject, trail, |row| row.roles.retain(|has| has != role))?;
        self.hook_is_due("after-roles-update", trail);
        Ok(())
    }

    /// Step 5 of `pool.enable_external_auth`: subjects that AD does not know go.
    ///
    /// Any other failure makes the call fail, although AD is on everywhere (quirk Q43).
    pub(super) async fn revalidate_subjects(&self, trail: &Trail) -> Result<(), ApiError> {
        let at_work = self.coordinator_at_work(trail);
        let trust_stored = self.quirks().has(Quirk::RevalidateKeepsGroups);
        let subjects = self.database().read(|records| records.subjects.clone());
        for Subject { reference, subject_identifier: sid, .. } in subjects {
            match at_work.query_account(&sid, trust_stored, "pool.enable_external_auth").await {
                Ok(_) => {}
                Err(AccountError::NotFound) => self.destroy_subject(&reference, trail)?,
                Err(error) if self.quirks().has(Quirk::EnableFailsAfterSuccess) => {
                    return Err(ApiError::internal(error.message()));
                }
                // Logged by xapi.
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// The subjects that let an account in: its own, then those of its groups in their order.
    pub(super) fn subjects_of(&self, sid: &str, groups: &[String]) -> Vec<Subject> {
        let mut sids: Vec<&str> = vec![sid];
        sids.extend(groups.iter().map(String::as_str).filter(|group| *group != sid));
        self.database().read(|records| {
            let of = |sid: &&str| records.subjects.iter().find(|s| s.subject_identifier == **sid);
            sids.iter().filter_map(of).cloned().collect()
        })
    }

    fn subject(&self, reference: &Reference) -> Result<Subject, ApiError> {
        self.database()
            .read(|all| all.subjects.iter().find(|row| row.reference == *reference).cloned())
            .ok_or_else(|| ApiError::handle_invalid("subject", reference))
    }

    pub(super) fn change_subject(
        &self,
        reference: &Reference,
        trail: &Trail,
        change: impl FnOnce(&mut Subject),
    ) -> Result<(), ApiError> {
        self.database().change(trail, |draft| {
            let mut rows = draft.records.subjects.iter_mut();
            if let Some(row) = rows.find(|row| row.reference == *reference) {
                change(row);
            }
        })?;
        Ok(())
    }

    /// The hook runs on every host, under the pool extauth lock: at once, or when whoever holds
    /// the lock gives it back. The caller does not wait, and a run that is due already is enough.
    fn hook_is_due(&self, reason: &'static str, trail: &Trail) {
        self.due_hooks().entry(reason).or_insert_with(|| trail.clone());
        self.run_hooks_if_free();
    }

    fn run_hooks_if_free(&self) {
        if self.due_hooks().is_empty() {
            return;
        }
        if let Some(guard) = self.extauth_lock().take_if_free("extauth hook") {
            drop(PoolExtauth { pool: self, guard: Some(guard) });
        }
    }

    /// Hosts that are not reached are left out.
    fn run_due_hooks(&self) {
        let due = std::mem::take(&mut *self.due_hooks());
        let coordinator = self.coordinator_record();
        if !coordinator.is_ok_and(|record| !record.external_auth_type.is_empty()) {
            return;
        }
        for (reason, trail) in due {
            for host in self.hosts() {
                if let Ok(at_work) = self.at_work(&host, &trail) {
                    // Ignored by xapi: every host has its turn.
                    let _ = at_work.run_extauth_hook(reason);
                }
            }
        }
    }
}

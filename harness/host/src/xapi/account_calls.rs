//! The calls about accounts, subjects and sessions, by their names (xenapi-wire.md §§6, 7.4).

use ground::Trail;

use crate::{
    ApiError,
    xapi::{
        Call, CallResult, Pool,
        pool::{begin, end},
    },
};

impl Pool {
    /// Runs such a call on the coordinator, and records it.
    pub(super) async fn call_about_accounts(
        &self,
        call: &Call,
        trail: &Trail,
    ) -> Result<CallResult, ApiError> {
        let trail = begin(call, None, trail);
        let result = self.run_about_accounts(call, &trail).await;
        end(call.name(), &trail, &result);
        result
    }

    async fn run_about_accounts(&self, call: &Call, trail: &Trail) -> Result<CallResult, ApiError> {
        let at_work = self.coordinator_at_work(trail);
        match call {
            Call::AuthGetGroupMembership { subject_identifier } => {
                let groups = at_work.group_closure(subject_identifier, call.name()).await?;
                Ok(CallResult::Texts(groups))
            }
            Call::AuthGetSubjectIdentifier { subject_name } => {
                Ok(CallResult::Text(at_work.sid_of_name(subject_name, call.name()).await?))
            }
            Call::AuthGetSubjectInformationFromIdentifier { subject_identifier } => {
                let account = at_work.query_account(subject_identifier, true, call.name()).await?;
                Ok(CallResult::Map(account))
            }
            Call::PoolSetExtAuth { setting } => {
                self.set_ext_auth(*setting, trail).map(|()| CallResult::Void)
            }
            Call::SessionGetAllSubjectIdentifiers => {
                Ok(CallResult::Texts(self.all_subject_identifiers()))
            }
            Call::SubjectAddToRoles { subject, role } => {
                self.add_to_roles(subject, role, trail).map(|()| CallResult::Void)
            }
            Call::SubjectCreate { subject_identifier } => {
                Ok(CallResult::Reference(self.create_subject(subject_identifier, trail).await?))
            }
            Call::SubjectDestroy { subject } => {
                self.destroy_subject(subject, trail).map(|()| CallResult::Void)
            }
            Call::SubjectRemoveFromRoles { subject, role } => {
                self.remove_from_roles(subject, role, trail).map(|()| CallResult::Void)
            }
            _ => Err(ApiError::internal(format!("{} is not about accounts", call.name()))),
        }
    }
}

//! The refresh of what subjects store of their accounts (xapi-flows.md §11.4; xen-api,
//! `ocaml/xapi/xapi_subject.ml`).

use ground::Trail;

use crate::{
    HostRecord, Subject,
    facts::{SubjectNotRefreshed, SubjectsRefreshed},
    xapi::{Pool, on_host::OnHost},
};

const TASK: &str = "subject refresh";

impl Pool {
    /// Asks AD about every subject, on the coordinator, and stores what it says in place of what was
    /// stored. Of a subject about which AD says nothing everything stays.
    pub async fn refresh_subjects(&self, trail: &Trail) {
        if !self.has_subjects_to_refresh() {
            return;
        }
        let at_work = self.coordinator_at_work(trail);
        let subjects = self.database().read(|records| records.subjects.clone());
        let trail = at_work.trail.begin(SubjectsRefreshed { subjects: subjects.len() });
        let at_work = OnHost { trail, ..at_work };
        for Subject { reference, subject_identifier: sid, .. } in subjects {
            let stored = match at_work.query_account(&sid, true, TASK).await {
                Ok(attributes) => self.change_subject(&reference, &at_work.trail, |row| {
                    row.other_config = attributes;
                }),
                Err(error) => Err(error.into()),
            };
            if let Err(error) = stored {
                at_work.trail.record(SubjectNotRefreshed { sid, cause: error.to_string() });
            }
        }
    }

    /// Whether that would find anything to do: not while AD is off.
    pub fn has_subjects_to_refresh(&self) -> bool {
        let is_on = |record: HostRecord| !record.external_auth_type.is_empty();
        // Asked many times while time goes by: what costs least comes first.
        self.database().read(|records| !records.subjects.is_empty())
            && self.coordinator_record().is_ok_and(is_on)
    }
}

//! Names of refusals, in one place with the list of all: what `expect.refused` of a scenario can name.

use std::collections::BTreeSet;

use super::{UploadError, api::ErrorCode, pkix, web::Obstacle};

/// The API has not answered, or not what can be read.
pub(super) const CALL_FAILED: &str = "call-failed";

/// Every reason for which something is refused in a cloud: an upload, another call of the API, a copy,
/// a download, the sight of a console.
pub fn reasons() -> BTreeSet<String> {
    let lists =
        [UploadError::REASONS, Obstacle::REASONS, pkix::Refusal::REASONS, &[CALL_FAILED]].concat();
    let codes = ErrorCode::ALL.map(|code| format!("api-{}", code as u16));
    lists.into_iter().map(str::to_owned).chain(codes).collect()
}

/// For an enum of refusals: the reason of each, and the list of all.
macro_rules! named_by_reason {
    ($visibility:vis $refusals:ty { $($refusal:pat => $reason:literal,)* }) => {
        impl $refusals {
            /// All reasons there are.
            $visibility const REASONS: &[&str] = &[$($reason),*];

            /// Its name in events and expectations.
            $visibility fn reason(&self) -> &'static str {
                match self {
                    $($refusal => $reason,)*
                }
            }
        }
    };
}
pub(super) use named_by_reason;

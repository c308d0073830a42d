//! `session.login_with_password` (xapi-flows.md §10).

use ground::{Secret, Trail};

use crate::{
    ApiError, Reference,
    xapi::{
        Pool,
        session::{Newcomer, ROOT},
    },
};

/// What PAM says about a wrong password.
const REFUSED: &str = "Authentication failure";

impl Pool {
    /// Opens a session for `user`. `originator` is what the client calls itself.
    pub async fn login(
        &self,
        user: &str,
        password: &Secret,
        originator: &str,
        _trail: &Trail,
    ) -> Result<Reference, ApiError> {
        if user == ROOT && self.sessions().is_root_password(password) {
            return Ok(self.sessions().open(Newcomer::root(originator)));
        }
        Err(ApiError::new("SESSION_AUTHENTICATION_FAILED", [user, REFUSED]))
    }
}

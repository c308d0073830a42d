//! Reading why `wbinfo` failed (xapi-flows.md §6.9).

use crate::xapi::plugin::PluginError;

/// What a failure of `wbinfo` means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WbinfoFailure {
    /// The account's name and password were refused.
    Authentication {
        /// The token that says so.
        token: String,
    },
    /// There is no such account, or it has no number on this host.
    NotFound,
    /// winbind or the domain could not answer.
    Service(PluginError),
}

const PREFIX: &str = "WBC_ERR_";

/// Reads the first `WBC_ERR_…` token on stderr. `command` is the command line without secrets,
/// for the case that there is none.
pub(crate) fn wbinfo_failure(stderr: &str, command: &str) -> WbinfoFailure {
    let Some(token) = first_token(stderr) else {
        return WbinfoFailure::Service(PluginError::generic(format!("'{command}' failed")));
    };
    match token {
        "WBC_ERR_AUTH_ERROR" => WbinfoFailure::Authentication { token: token.to_owned() },
        "WBC_ERR_INVALID_SID"
        | "WBC_ERR_NOT_MAPPED"
        | "WBC_ERR_UNKNOWN_GROUP"
        | "WBC_ERR_UNKNOWN_USER" => WbinfoFailure::NotFound,
        "WBC_ERR_DOMAIN_NOT_FOUND"
        | "WBC_ERR_INVALID_PARAM"
        | "WBC_ERR_INVALID_RESPONSE"
        | "WBC_ERR_NOT_IMPLEMENTED"
        | "WBC_ERR_NO_MEMORY"
        | "WBC_ERR_NSS_ERROR"
        | "WBC_ERR_PWD_CHANGE_FAILED"
        | "WBC_ERR_UNKNOWN_FAILURE"
        | "WBC_ERR_WINBIND_NOT_AVAILABLE" => WbinfoFailure::Service(PluginError::generic(token)),
        unknown => {
            let message = format!("unknown error code: {unknown}");
            WbinfoFailure::Service(PluginError::generic(message))
        }
    }
}

fn first_token(stderr: &str) -> Option<&str> {
    let token = &stderr[stderr.find(PREFIX)?..];
    let end = token.find(|c: char| !c.is_ascii_uppercase() && c != '_').unwrap_or(token.len());
    Some(&token[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMAND: &str = "wbinfo --name-to-sid alice";

    fn service(text: &str) -> WbinfoFailure {
        WbinfoFailure::Service(PluginError::generic(text))
    }

    #[test]
    fn every_token_has_its_meaning() {
        for token in ["INVALID_SID", "UNKNOWN_USER", "NOT_MAPPED", "UNKNOWN_GROUP"] {
            let stderr = format!("failed to call wbcLookupSid: WBC_ERR_{token}\nCould not look up");
            assert_eq!(wbinfo_failure(&stderr, COMMAND), WbinfoFailure::NotFound);
        }
        let token = "WBC_ERR_AUTH_ERROR".to_owned();
        assert_eq!(
            wbinfo_failure(
                "wbcAuthenticateUserEx(CORP\\alice): error code was x WBC_ERR_AUTH_ERROR",
                COMMAND
            ),
            WbinfoFailure::Authentication { token }
        );
        for token in [
            "NOT_IMPLEMENTED",
            "UNKNOWN_FAILURE",
            "NO_MEMORY",
            "INVALID_PARAM",
            "WINBIND_NOT_AVAILABLE",
            "DOMAIN_NOT_FOUND",
            "INVALID_RESPONSE",
            "NSS_ERROR",
            "PWD_CHANGE_FAILED",
        ] {
            let token = format!("WBC_ERR_{token}");
            assert_eq!(wbinfo_failure(&format!("x: {token}!"), COMMAND), service(&token));
        }
    }

    #[test]
    fn unknown_and_missing_tokens_are_service_errors_that_say_so() {
        assert_eq!(
            wbinfo_failure("WBC_ERR_QUITE_NEW (9)", COMMAND),
            service("unknown error code: WBC_ERR_QUITE_NEW")
        );
        assert_eq!(
            wbinfo_failure("Could not look up", COMMAND),
            service("'wbinfo --name-to-sid alice' failed")
        );
    }

    #[test]
    fn the_first_token_decides() {
        let stderr = "a: WBC_ERR_NOT_MAPPED\nb: WBC_ERR_AUTH_ERROR\n";
        assert_eq!(wbinfo_failure(stderr, COMMAND), WbinfoFailure::NotFound);
    }
}

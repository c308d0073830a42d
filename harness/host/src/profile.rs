//! The two behaviour profiles of xapi-flows.md §0.1.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Which xapi a pool runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// The revision 1 design request, with the proposals of its review.
    DesignV1,
    /// The released toolstack: API 2.23, xen-api revision `e2ee48d6883e`.
    Landed,
}

impl Profile {
    /// Both profiles.
    pub const ALL: [Self; 2] = [Self::DesignV1, Self::Landed];

    /// The name in scenarios: `design-v1` or `landed`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DesignV1 => "design-v1",
            Self::Landed => "landed",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|profile| profile.name() == text)
            .ok_or_else(|| UnknownProfile { name: text.to_owned() })
    }
}

/// A name that is no profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown profile `{name}`; the profiles are `design-v1` and `landed`")]
pub struct UnknownProfile {
    name: String,
}

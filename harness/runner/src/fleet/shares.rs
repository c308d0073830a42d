//! A made-up domain: how many DCs, and which share of them is in which condition.

use std::{fmt, str::FromStr};

use ground::{Seed, Stream};
use rand::RngExt as _;

/// Condition of a DC of a made-up domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It shows a certificate that a host with the domain's root does not take.
    BadCertificate,
    /// It swallows everything for LDAP: no answer, no reset.
    BlackHole,
    /// It answers within 1 to 20 ms and is sound.
    Fine,
    /// It refuses connections and netlogon pings.
    Refused,
    /// It is sound and answers after 200 to 800 ms.
    Slow,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Fine, Self::Slow, Self::Refused, Self::BlackHole, Self::BadCertificate];

    /// Its name: `black-hole`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadCertificate => "bad-certificate",
            Self::BlackHole => "black-hole",
            Self::Fine => "fine",
            Self::Refused => "refused",
            Self::Slow => "slow",
        }
    }

    /// Whether a DC of this kind passes a probe.
    pub const fn passes(self) -> bool {
        matches!(self, Self::Fine | Self::Slow)
    }

    /// The faults of one DC of this kind. Its KDC is sound: the strategies are about LDAPS.
    pub(super) fn faults(self, dice: &mut Stream) -> Vec<String> {
        let at_ldap = |fault: &str| {
            ["cldap", "ldap", "ldaps"].map(|listener| format!("{fault}@{listener}")).to_vec()
        };
        let answers_after = |ms: u32| at_ldap(&format!("net.latency:{ms}ms"));
        match self {
            Self::BadCertificate => {
                let mut faults = answers_after(dice.random_range(1..=20));
                faults.push(BAD_CERTIFICATES[dice.random_range(0..BAD_CERTIFICATES.len())].into());
                faults
            }
            Self::BlackHole => at_ldap("net.black-hole"),
            Self::Fine => answers_after(dice.random_range(1..=20)),
            Self::Refused => at_ldap("net.refuse"),
            Self::Slow => answers_after(dice.random_range(200..=800)),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What is wrong with bad certificates: what administrators forget most often.
const BAD_CERTIFICATES: &[&str] =
    &["chain.missing-intermediate", "name.other-host", "time.leaf-expired"];

/// How many of a hundred DCs are of which kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Shares {
    /// In the order in which they were given; `fine` takes the rest.
    percent: Vec<(Kind, f64)>,
    /// Whether those that pass come last.
    worst_first: bool,
}

/// Text that is no [`Shares`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SharesError {
    /// A part without `=`.
    #[error("`{part}` is no share; write it as KIND=PERCENT, such as `refused=10`")]
    NoShare {
        /// The part.
        part: String,
    },
    /// A number that is none, or none of a percentage.
    #[error("`{number}` of `{kind}` is no percentage; give a number from 0 to 100")]
    NotAPercentage {
        /// The kind.
        kind: &'static str,
        /// The text.
        number: String,
    },
    /// More or less than all DCs.
    #[error(
        "the shares are {sum} % together; without `fine`, which takes the rest, they can be 100 % at most, and with it they must be 100 %"
    )]
    NotAll {
        /// The sum.
        sum: f64,
    },
    /// A kind twice.
    #[error("`{kind}` has two shares; give it one")]
    Twice {
        /// The kind.
        kind: &'static str,
    },
    /// A word that is no kind.
    #[error("`{word}` is no kind of DC; the kinds are {}", Kind::ALL.map(Kind::name).join(", "))]
    UnknownKind {
        /// The word.
        word: String,
    },
}

impl Shares {
    /// The shares of the benches: of ten DCs one refuses, two are black holes, one is slow, one shows
    /// a bad certificate, and five are fine.
    pub fn standard() -> Self {
        let percent = vec![
            (Kind::Refused, 10.0),
            (Kind::BlackHole, 20.0),
            (Kind::Slow, 10.0),
            (Kind::BadCertificate, 10.0),
        ];
        Self { percent, worst_first: false }
    }

    /// Only DCs of one kind but for those that are fine.
    pub fn mostly(kind: Kind, percent: f64) -> Self {
        Self { percent: vec![(kind, percent)], worst_first: false }
    }

    /// The same in the worst order: kind by kind as given, and those that are fine last.
    #[must_use]
    pub fn worst_first(self) -> Self {
        Self { worst_first: true, ..self }
    }

    /// The kinds of `count` DCs, in an order drawn from `seed` unless it is the worst.
    pub fn draw(&self, count: usize, seed: &Seed) -> Vec<Kind> {
        let mut kinds = Vec::with_capacity(count);
        let mut sum = 0.0;
        for &(kind, percent) in &self.percent {
            sum += percent;
            // Up to here so many of all: rounding is never carried on.
            let until = of(count, sum);
            kinds.resize(until.max(kinds.len()), kind);
        }
        kinds.resize(count, Kind::Fine);
        if self.worst_first {
            return kinds;
        }
        let mut dice = seed.stream("order");
        for last in (1..kinds.len()).rev() {
            kinds.swap(last, dice.random_range(0..=last));
        }
        kinds
    }
}

/// So many per cent of `count`, rounded.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "counts of DCs are small, and percentages were checked"
)]
fn of(count: usize, percent: f64) -> usize {
    ((count as f64 * percent / 100.0).round() as usize).min(count)
}

impl FromStr for Shares {
    type Err = SharesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut percent: Vec<(Kind, f64)> = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (word, number) = part
                .split_once('=')
                .ok_or_else(|| SharesError::NoShare { part: part.to_owned() })?;
            let kind = Kind::ALL
                .into_iter()
                .find(|kind| kind.name() == word)
                .ok_or_else(|| SharesError::UnknownKind { word: word.to_owned() })?;
            let kind_name = kind.name();
            let value = number.trim_end_matches('%').parse::<f64>().ok();
            let value = value.filter(|value| (0.0..=100.0).contains(value)).ok_or_else(|| {
                SharesError::NotAPercentage { kind: kind_name, number: number.to_owned() }
            })?;
            if percent.iter().any(|(other, _)| *other == kind) {
                return Err(SharesError::Twice { kind: kind_name });
            }
            percent.push((kind, value));
        }
        let sum: f64 = percent.iter().map(|(_, value)| value).sum();
        let says_fine = percent.iter().any(|(kind, _)| *kind == Kind::Fine);
        if sum > 100.0 || (says_fine && sum < 100.0) {
            return Err(SharesError::NotAll { sum });
        }
        percent.retain(|(kind, _)| *kind != Kind::Fine);
        Ok(Self { percent, worst_first: false })
    }
}

impl fmt::Display for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = 100.0 - self.percent.iter().map(|(_, percent)| percent).sum::<f64>();
        write!(f, "fine={rest}")?;
        self.percent.iter().try_for_each(|(kind, percent)| write!(f, ",{kind}={percent}"))?;
        f.write_str(if self.worst_first { ", the worst first" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_and_written() {
        let shares: Shares =
            "refused=10, black-hole=20%,slow=10,bad-certificate=10".parse().unwrap();
        assert_eq!(shares, Shares::standard());
        assert_eq!(
            shares.to_string(),
            "fine=50,refused=10,black-hole=20,slow=10,bad-certificate=10"
        );
        assert_eq!(shares.to_string().parse(), Ok(shares));
        let error = |text: &str| text.parse::<Shares>().unwrap_err().to_string();
        assert_eq!(
            error("slow"),
            "`slow` is no share; write it as KIND=PERCENT, such as `refused=10`"
        );
        assert_eq!(error("slow=x"), "`x` of `slow` is no percentage; give a number from 0 to 100");
        assert_eq!(
            error("slow=101"),
            "`101` of `slow` is no percentage; give a number from 0 to 100"
        );
        assert_eq!(
            error("slow=nan"),
            "`nan` of `slow` is no percentage; give a number from 0 to 100"
        );
        assert_eq!(
            error("slow=60,refused=41"),
            "the shares are 101 % together; without `fine`, which takes the rest, they can be 100 % at most, and with it they must be 100 %"
        );
        assert!(error("fine=10,slow=10").starts_with("the shares are 20 % together"));
        assert_eq!(error("slow=1,slow=2"), "`slow` has two shares; give it one");
        assert_eq!(
            error("dead=1"),
            "`dead` is no kind of DC; the kinds are fine, slow, refused, black-hole, bad-certificate"
        );
    }

    #[test]
    fn as_many_dcs_are_of_a_kind_as_the_shares_say() {
        let count = |kinds: &[Kind], kind| kinds.iter().filter(|&&each| each == kind).count();
        for size in [1, 3, 10, 30, 100, 1_000] {
            let kinds = Shares::standard().draw(size, &Seed::new(5));
            assert_eq!(kinds.len(), size);
            assert_eq!(kinds, Shares::standard().draw(size, &Seed::new(5)));
            if size >= 10 {
                assert_eq!(count(&kinds, Kind::BlackHole), size / 5);
                assert_eq!(count(&kinds, Kind::Fine), size / 2);
            }
        }
        let most = Shares::mostly(Kind::BlackHole, 90.0).draw(1_000, &Seed::new(1));
        assert_eq!(count(&most, Kind::BlackHole), 900);
    }
}

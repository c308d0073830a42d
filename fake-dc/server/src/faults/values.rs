//! Values of faults, read in one way.

use std::time::Duration;

/// A duration: a whole number and `ms`, `s`, `m` or `h`. At most a day, which no client waits.
pub(super) fn duration(text: &str) -> Option<Duration> {
    span(text).filter(|&duration| duration <= DURATION_MAX)
}

const DURATION_MAX: Duration = Duration::from_secs(86_400);

fn span(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let number: u64 = number.parse().ok()?;
    Some(match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        "h" => Duration::from_secs(number.checked_mul(3_600)?),
        _ => return None,
    })
}

/// By how many seconds a clock is wrong: a duration with `+` or, for behind, `-` in front, and
/// also in days: `-10m`, `+5h`, `2d`.
pub(super) fn clock_offset(text: &str) -> Option<i64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let seconds = match rest.strip_suffix('d') {
        Some(days) => days.parse::<u64>().ok()?.checked_mul(86_400)?,
        None => span(rest)?.as_secs(),
    };
    (seconds <= OFFSET_SECONDS_MAX).then_some(())?;
    Some(sign * i64::try_from(seconds).ok()?)
}

/// A hundred years.
const OFFSET_SECONDS_MAX: u64 = 36_525 * 86_400;

/// A DNS name: labels of letters, digits, hyphens and underscores.
pub(super) fn dns_name(text: &str) -> Option<String> {
    let is_label = |label: &str| (1..=63).contains(&label.len()) && is_word(label, "-_");
    (text.len() <= 200 && text.split('.').all(is_label)).then(|| text.to_owned())
}

/// The name of an account, `XS1$`, of a class or of an attribute.
pub(super) fn word(text: &str) -> Option<String> {
    is_word(text, "-_.$").then(|| text.to_owned())
}

fn is_word(text: &str, also: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
}

/// A whole number, such as one of bytes.
pub(super) fn number(text: &str) -> Option<u64> {
    text.starts_with(|c: char| c.is_ascii_digit()).then(|| text.parse().ok())?
}

/// A whole number other than 0.
pub(super) fn positive(text: &str) -> Option<u64> {
    number(text).filter(|&number| number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_offsets() {
        assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Some(Duration::from_secs(120)));
        for wrong in ["", "5", "s", "-5s", "5 s", "1.5s", "25h", "99999999999999999999s"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
        assert_eq!(clock_offset("-10m"), Some(-600));
        assert_eq!(clock_offset("+1h"), Some(3_600));
        assert_eq!(clock_offset("2d"), Some(172_800));
        for wrong in ["", "10", "--5s", "d", "1000000d"] {
            assert_eq!(clock_offset(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn names_are_names() {
        assert!(["dc1.corp.example", "DC1", "_msdcs.corp"].iter().all(|n| dns_name(n).is_some()));
        assert!(["", "a..b", "a b", "?", "a."].iter().all(|wrong| dns_name(wrong).is_none()));
        assert!(["XS1$", "objectSid"].iter().all(|name| word(name).is_some()));
        assert!(["", "?", "a b", "a/b"].iter().all(|wrong| word(wrong).is_none()));
    }

    #[test]
    fn numbers_are_whole() {
        assert_eq!((number("0"), positive("0"), positive("1400")), (Some(0), None, Some(1_400)));
        for wrong in ["", "+1", "-1", "1.0", "1k", "18446744073709551616"] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
    }
}

//! Values of faults, read from their text: `250ms`, `1400`.

use std::time::Duration;

/// A duration with its unit: `250ms`, `2s`, `5m`. At most a day, which no client waits.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    const MOST: Duration = Duration::from_secs(86_400);
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        _ => return None,
    };
    let duration = unit.checked_mul(number.parse().ok()?)?;
    (duration <= MOST).then_some(duration)
}

/// A whole number, such as one of bytes.
pub(crate) fn number(text: &str) -> Option<u64> {
    if text.starts_with('+') { None } else { text.parse().ok() }
}

/// A whole number other than 0.
pub(crate) fn positive(text: &str) -> Option<u64> {
    number(text).filter(|&number| number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_and_an_end() {
        assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(duration("2s"), Some(Duration::from_secs(2)));
        assert_eq!(duration("5m"), Some(Duration::from_secs(300)));
        for wrong in ["", "ms", "250", "fast", "-1s", "1.5s", "2 s", "2h", "86401s", "99999999999s"]
        {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_are_whole() {
        assert_eq!((number("0"), positive("0"), positive("1400")), (Some(0), None, Some(1_400)));
        for wrong in ["", "+1", "-1", "1.0", "1k", "18446744073709551616"] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
    }
}

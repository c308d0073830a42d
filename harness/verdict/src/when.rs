//! Times in certificates, computed as GnuTLS does (`lib/x509/time.c`).
//!
//! GnuTLS reads digits in pairs, wants no seconds, and lets days run over the end of a month.

/// Seconds since the epoch; `None` where GnuTLS computes no time.
pub(crate) fn calendar_time(generalized: bool, text: &[u8]) -> Option<i64> {
    let (year, rest) = if generalized {
        if text.len() < 12 || text.contains(&b'.') {
            return None;
        }
        (pair(text, 0) * 100 + pair(text, 2), &text[4..])
    } else {
        if text.len() < 10 {
            return None;
        }
        let year = pair(text, 0);
        (if year > 49 { 1900 + year } else { 2000 + year }, &text[2..])
    };
    let (month, day) = (pair(rest, 0), pair(rest, 2));
    let (hour, minute, second) = (pair(rest, 4), pair(rest, 6), pair(rest, 8));
    if year < 1970 {
        return Some(0);
    }
    let sane = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !sane {
        return None;
    }
    let days = days_before(year, month) + day - 1;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// Two digits as C's `atoi` reads them: 0 if there are none.
fn pair(text: &[u8], at: usize) -> i64 {
    let digits = text.get(at..).unwrap_or_default().iter().take(2);
    digits
        .take_while(|octet| octet.is_ascii_digit())
        .fold(0, |value, octet| value * 10 + i64::from(octet - b'0'))
}

/// Days from 1970-01-01 to the first of a month.
fn days_before(year: i64, month: i64) -> i64 {
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let past = year - 1;
    let leap_days = past / 4 - past / 100 + past / 400 - 477;
    let index = usize::try_from(month - 1).unwrap_or_default().min(11);
    (year - 1970) * 365 + leap_days + BEFORE[index] + i64::from(is_leap && month > 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        assert_eq!(calendar_time(false, b"700101000000Z"), Some(0));
        assert_eq!(calendar_time(true, b"20240229120000Z"), Some(1_709_208_000));
        assert_eq!(calendar_time(false, b"491231235959Z"), Some(2_524_607_999));
        assert_eq!(calendar_time(true, b"99991231235959Z"), Some(253_402_300_799));
    }

    #[test]
    fn everything_before_the_epoch_is_the_epoch() {
        assert_eq!(calendar_time(false, b"691231235959Z"), Some(0));
        assert_eq!(calendar_time(true, b"19601301000000Z"), Some(0));
    }

    #[test]
    fn seconds_may_be_left_out() {
        assert_eq!(calendar_time(false, b"7001010001Z"), Some(60));
    }

    #[test]
    fn times_that_cannot_be_computed_are_none() {
        assert_eq!(calendar_time(false, b"701301000000Z"), None);
        assert_eq!(calendar_time(true, b"20240101000000.5Z"), None);
        assert_eq!(calendar_time(false, b""), None);
    }
}

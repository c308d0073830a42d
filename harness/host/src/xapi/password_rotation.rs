//! The rotation of the machine account's password (xapi-flows.md §§1.3, 7.4 step 15, 14).
//!
//! It is a duty of the host ([`super::schedule`]) that comes back every
//! `winbind_machine_pwd_timeout`, the first time right after a join and 5 s after a start. A password
//! that is not old enough by then has to wait for the next turn.

use ground::Timestamp;

use crate::{Quirk, SambaCommand, Wbinfo, xapi::on_host::OnHost};

const CHANGED: &str = "machine_pwd_last_change_time";

impl OnHost<'_> {
    /// Whether the password is as old as it may get, or nobody knows how old it is.
    pub(crate) fn password_is_old(&self) -> bool {
        let Ok(record) = self.record() else { return false };
        let interval = self.process.conf.winbind_machine_pwd_timeout.as_secs_f64();
        match record.external_auth_configuration.get(CHANGED).map(|changed| float(changed)) {
            Some(Some(changed)) => float_of(self.whole_second()) >= changed + interval,
            // xapi stumbles over what is no number.
            Some(None) => false,
            None => true,
        }
    }

    /// Changes the password if it is old enough. A failure is logged by xapi and forgotten.
    pub(crate) async fn rotate_machine_password(&self) {
        let now = self.whole_second();
        if !self.password_is_old()
            || !self.run(SambaCommand::Wbinfo(Wbinfo::ChangeSecret)).await.succeeded()
        {
            return;
        }
        let text = float_text(now, self.has(Quirk::FloatTrailingDot));
        let _ = self.change_record(|host| {
            host.external_auth_configuration.insert(CHANGED.to_owned(), text);
        });
    }

    /// xapi reads the time of day in whole seconds.
    pub(crate) fn whole_second(&self) -> Timestamp {
        Timestamp::from_unix(self.host.clock().now().unix())
    }
}

/// Unix seconds as a decimal float with 12 significant digits; a whole number keeps a dot at the
/// end (quirk Q27). From 2001 to 2286 that is ten digits before the dot and up to two after it.
pub(crate) fn float_text(time: Timestamp, trailing_dot: bool) -> String {
    let hundredths = (time.unix_micros() + 5_000).div_euclid(10_000);
    let (seconds, fraction) = (hundredths.div_euclid(100), hundredths.rem_euclid(100));
    match fraction {
        0 if trailing_dot => format!("{seconds}."),
        0 => seconds.to_string(),
        tenths if tenths % 10 == 0 => format!("{seconds}.{}", tenths / 10),
        hundredths => format!("{seconds}.{hundredths:02}"),
    }
}

fn float(text: &str) -> Option<f64> {
    text.parse().ok()
}

fn float_of(time: Timestamp) -> f64 {
    std::time::Duration::from_secs(u64::try_from(time.unix()).unwrap_or(0)).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_have_twelve_digits() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let texts = [
            ("2026-01-04T06:38:29Z", "1767508709."),
            ("2026-01-04T06:38:29.5Z", "1767508709.5"),
            ("2026-01-04T06:38:29.054999Z", "1767508709.05"),
            ("2026-01-04T06:38:29.999Z", "1767508710."),
        ];
        for (time, text) in texts {
            assert_eq!(float_text(at(time), true), text);
            assert!(float(text).is_some(), "{text}");
        }
        assert_eq!(float_text(at("2026-01-04T06:38:29Z"), false), "1767508709");
    }
}

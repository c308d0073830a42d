//! Family `time` on the host: its clock is wrong, and so is its opinion of every certificate.

use super::{Hand, HostFaultError, HostFaultInfo, Value};

pub(super) const FAULTS: &[HostFaultInfo] = &[
    HostFaultInfo {
        id: "time.host-clock-behind",
        summary: "the host's clock is behind: a certificate issued since then is not valid yet",
        cause: "the battery of the board is empty, or the host has never reached an NTP server",
        drawing: "world  ────────── leaf starts ───── now ──────────▶\n\
                  host   ── now [behind] ──── leaf starts ─────────▶",
        default_value: Some("60d"),
        together_with: &[],
        apply: |hand, value| set(hand, value, -1),
    },
    HostFaultInfo {
        id: "time.host-clock-ahead",
        summary: "the host's clock is ahead: a certificate that will end is over",
        cause: "somebody set the year by hand, or a virtual clock jumped after a resume",
        drawing: "world  ── now ──────────── leaf ends ────────────▶\n\
                  host   ──────────── leaf ends ──── now [ahead] ──▶",
        default_value: Some("400d"),
        together_with: &[],
        apply: |hand, value| set(hand, value, 1),
    },
];

fn set(hand: &mut Hand<'_>, value: Value, direction: i64) -> Result<(), HostFaultError> {
    if let Value::Seconds(seconds) = value {
        hand.skew.set(seconds.saturating_mul(direction));
    }
    Ok(())
}

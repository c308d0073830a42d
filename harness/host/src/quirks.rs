//! The known quirks of xapi-flows.md §19, each a toggle, and which of them a pool has.
//!
//! A quirk that is on is the behaviour of the released toolstack; off is the right or expected
//! behaviour. Options of other sections (ids `O1` to `O4`) are toggled in the same
//! way.

use std::{collections::BTreeSet, fmt, str::FromStr};

use crate::Profile;

macro_rules! quirks {
    ($($(#[doc = $doc:literal])+ $variant:ident: $id:literal, $name:literal, $on:expr, $issue:expr;)+) => {
        /// One toggle.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Quirk {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Quirk {
            /// All toggles in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            const fn row(self) -> Row {
                match self {
                    $(Self::$variant => Row {
                        id: $id,
                        name: $name,
                        about: concat!($($doc),+),
                        on: $on,
                        issue: $issue,
                    },)+
                }
            }
        }
    };
}

struct Row {
    id: &'static str,
    name: &'static str,
    about: &'static str,
    /// Default in design-v1, in landed.
    on: [bool; 2],
    issue: Option<u8>,
}

// Id, name, on by default in design-v1 and landed, issue that brings the calls it concerns.
quirks! {
    /// Backslash in a filter value becomes `\5d`, which is `]`; names containing a backslash are
    /// never found. Off: `\5c`.
    LdapEscapeBackslash5d: "Q1", "ldap_escape_backslash_5d", [false, true], None;
    /// `/` becomes `\2f`. Off: not needed; equal in meaning.
    LdapEscapeSlash: "Q2", "ldap_escape_slash", [false, true], None;
    /// Restart failure, winbind not ready in 300 s or DC lookup failure leave the trial smb.conf in
    /// place while the database keeps the old value; corrected at the next xapi start. Off: restore
    /// as for a failed ping.
    SetLdapsNoRestoreOnHardFailure: "Q3", "set_ldaps_no_restore_on_hard_failure", [false, true], None;
    /// Old value read before the lock, and from the coordinator only; revert forces that value on
    /// every host that had succeeded. Off: read under the lock, per host.
    SetLdapsOldValueRace: "Q4", "set_ldaps_old_value_race", [false, true], None;
    /// All DCs failing: first DC's error even if a later one is more telling; message is stdout
    /// although the tag came from stderr. Off: report the most specific, or all.
    PingReportsFirstDc: "Q5", "ping_reports_first_dc", [false, true], None;
    /// Credential, account, encryption-type failures all appear as `AUTH_SET_LDAPS_FAILED`. Off:
    /// distinct codes.
    SetLdapsFlattensTags: "Q6", "set_ldaps_flattens_tags", [false, true], None;
    /// Host-level `AUTH_ENABLE_FAILED_SETUP_TLS_CONNECTION` and
    /// `AUTH_ENABLE_FAILED_NO_SUPPORT_ENCRYPT_TYPE` are emitted but missing from the published
    /// error list; their `POOL_` forms are listed. Off: list them.
    UndeclaredHostCodes: "Q7", "undeclared_host_codes", [false, true], None;
    /// Only one-parameter host errors keep their meaning; `AUTH_ALREADY_ENABLED` with two
    /// parameters becomes generic. Off: map by code.
    PoolEnableSingleParamOnly: "Q8", "pool_enable_single_param_only", [false, true], None;
    /// Enable never removes group subjects that no longer resolve, because stored attributes are
    /// trusted. Off: remove both.
    RevalidateKeepsGroups: "Q9", "revalidate_keeps_groups", [false, true], None;
    /// Winbind unable to answer `--uid-info` makes the account "not found"; session destroyed. Off:
    /// treat as a service error; keep.
    RevalidateWinbindOutageKills: "Q10", "revalidate_winbind_outage_kills", [false, true], None;
    /// Sessions skipped through the per-run verdict keep their old `validation_time`. Off: renew.
    RevalidateMemoStaleTime: "Q11", "revalidate_memo_stale_time", [false, true], None;
    /// Row created before files; any later failure leaves it, so a retry says "already exists".
    /// Off: roll back.
    InstallLeavesRow: "Q12", "install_leaves_row", [false, true], None;
    /// A purpose listed twice: `CERTIFICATE_ALREADY_EXISTS [<uuid>.pem]`, row and file remain. Off:
    /// treat as a set.
    DuplicatePurposeSelfClash: "Q13", "duplicate_purpose_self_clash", [false, true], None;
    /// Once a trusted CA exists, a member always finds certificates missing (§2.5). Off: ignore
    /// trusted rows in the legacy test.
    MissingCertsAlways: "Q15", "missing_certs_always", [false, true], None;
    /// Member files lack the final line feed. Off: byte-identical copies.
    MemberCopyDropsNewline: "Q16", "member_copy_drops_newline", [false, true], None;
    /// Private keys or other blocks in the text are stored. Off: store only the certificate.
    PemExtraBlocksKept: "Q17", "pem_extra_blocks_kept", [false, true], None;
    /// Same PEM twice as map key; a receiver using a real map loses one purpose set. Off: list of
    /// pairs.
    ExchangeMapDuplicateKeys: "Q18", "exchange_map_duplicate_keys", [false, true], None;
    /// Unknown purpose: no rollback at all; failing certificate's own row stays. Off: full
    /// rollback.
    SyncIncompleteRollback: "Q19", "sync_incomplete_rollback", [false, true], None;
    /// Peer not verified if TLS verification is off here; host name never checked. Off: always
    /// verify against the given certificate.
    SyncUnverifiedWhenTlsOff: "Q20", "sync_unverified_when_tls_off", [false, true], None;
    /// Certificate changes do not refresh smb.conf. Off: a change of certificates rewrites smb.conf
    /// on every host with AD.
    SmbConfNotRefreshed: "Q21", "smb_conf_not_refreshed", [true, true], None;
    /// LDAPS refused without an uploaded CA though system CAs would do. Off: the system CAs are
    /// enough.
    BundleRequiredEvenWithPublicCa: "Q22", "bundle_required_even_with_public_ca", [true, true], None;
    /// Ca=false with purpose `ldaps` installs and is useless. Off: reject (design-v1, P11).
    PinnedLdapsAccepted: "Q23", "pinned_ldaps_accepted", [false, true], None;
    /// A failed probe during enable leaves the new smb.conf (§7.4). Off: clean up.
    EnableProbeFailureKeepsConf: "Q25", "enable_probe_failure_keeps_conf", [false, true], None;
    /// Whole file lower-cased; `127.0.0.10 ...` is taken for a loopback line and mangled; a tab
    /// after the address mangles the line; a line holding only the address, or only the address and
    /// the host's own names, makes the add fail (§6.10). Off: parse by fields.
    HostsFileRoughEdges: "Q26", "hosts_file_rough_edges", [false, true], None;
    /// `machine_pwd_last_change_time` = `1767508709.`. Off: `1767508709` (as in the request's
    /// sample).
    FloatTrailingDot: "Q27", "float_trailing_dot", [false, true], None;
    /// The active state is read once, 0.1 s after restart; if winbind is slower, enable fails after
    /// 5 s. Off: poll.
    SystemctlStateSampledOnce: "Q28", "systemctl_state_sampled_once", [false, true], None;
    /// Sessions survive a partly failed disable (§8). Off: revalidate anyway.
    PartialDisableKeepsSessions: "Q29", "partial_disable_keeps_sessions", [false, true], None;
    /// A login waits while AD is being reconfigured (§10.3). Off: fail (design-v1).
    LoginBlocksDuringSetLdaps: "Q30", "login_blocks_during_set_ldaps", [false, true], None;
    /// Validity before name; empty name → `INTERNAL_ERROR`. Off: name first;
    /// `CERTIFICATE_NAME_INVALID`.
    CaInstallChecksNameLate: "Q31", "ca_install_checks_name_late", [false, true], None;
    /// Keys of `external_auth_configuration` that xapi does not know vanish in set_ldaps (§1.3).
    /// Off: keep.
    SetLdapsDropsUnknownKeys: "Q32", "set_ldaps_drops_unknown_keys", [false, true], None;
    /// If `workgroup`/`netbios_name` were missing and repaired during the call, the final write
    /// drops them again. Off: keep.
    SetLdapsLosesMigratedNames: "Q33", "set_ldaps_loses_migrated_names", [false, true], None;
    /// Calls with defaulted parameters accept surplus arguments silently; the count in
    /// `MESSAGE_PARAMETER_COUNT_MISMATCH` excludes defaulted parameters. Off: reject.
    ExtraArgsIgnored: "Q34", "extra_args_ignored", [false, true], None;
    /// Syncing from itself waits for up to 2 h (§5.3). Off: reject.
    SyncFromSelfWaits: "Q35", "sync_from_self_waits", [false, true], None;
    /// Code published without parameters but carries names. Off: declare.
    CaConflictUndeclaredParams: "Q37", "ca_conflict_undeclared_params", [false, true], None;
    /// A legacy CA can be uninstalled as a trusted certificate; its file stays (§4.2). Off:
    /// `NOT_TRUSTED_CERTIFICATE`.
    UninstallAcceptsLegacy: "Q38", "uninstall_accepts_legacy", [false, true], None;
    /// `netbios-name` and `dns-hostname` go to every host of a pool (§6.1). Off: reject in pools of
    /// several hosts.
    PerHostNamesShared: "Q39", "per_host_names_shared", [false, true], None;
    /// One bad line of `net lookup kdc` fails the whole lookup (§6.4). Off: skip the line.
    OneBadKdcLineFailsAll: "Q40", "one_bad_kdc_line_fails_all", [false, true], None;
    /// Joiner may stay on the wrong `ldaps` value; operator is told in the log to use `pool-
    /// external-auth-set-ldaps` with force. Off: fail or retry.
    JoinLdapsSyncBestEffort: "Q41", "join_ldaps_sync_best_effort", [false, true], None;
    /// In `get_all_records_where`, `not a and b` means `not (a and b)`. Off: usual precedence.
    FilterNotBindsLoosely: "Q42", "filter_not_binds_loosely", [false, true], None;
    /// A service error while revalidating subjects makes pool.enable return an error though AD is
    /// enabled everywhere. Off: log only.
    EnableFailsAfterSuccess: "Q43", "enable_fails_after_success", [false, true], None;
    /// A CRL present under the same name on both sides, even with equal content, makes pool.join
    /// fail with `CRL_ALREADY_EXISTS`. Off: skip equal content.
    CrlExchangeNameClash: "Q44", "crl_exchange_name_clash", [false, true], None;
    /// Pre-check 30 keeps one row per fingerprint and side (the last listed), so with several rows
    /// a real overlap can be missed. Off: compare all rows.
    JoinPrecheckOneRowPerFingerprint: "Q45", "join_precheck_one_row_per_fingerprint", [false, true], None;
    /// The `pool`/`self` reference of the calls in §4, §5.3, §7–§9 is not looked at; any text is
    /// accepted. Off: `HANDLE_INVALID [pool, ref]`.
    PoolRefNotChecked: "Q46", "pool_ref_not_checked", [false, true], None;
    /// Option of smb-conf.md §3.1: without a bundle smb.conf names the directory of the legacy CAs,
    /// as early builds did, and missing certificates are never noticed.
    LegacyCaDirectory: "O1", "legacy_ca_directory", [false, false], None;
    /// Option of xapi-flows.md §20: hosts that were already switched stay so when a later host
    /// fails in `pool.external_auth_set_ldaps`.
    SetLdapsLeavesSwitchedHosts: "O2", "set_ldaps_leaves_switched_hosts", [false, false], None;
    /// Toggle of xapi-flows.md §5.2: pool.join is refused if a trusted certificate is on both sides
    /// for purposes that overlap without being equal. Off: what the review assumed, the exchange
    /// passes over the duplicate.
    JoinPurposePrecheck: "O3", "join_purpose_precheck", [true, true], None;
    /// xapi-flows.md §12.1: certificates that were exchanged before pool.join failed stay on the
    /// joiner. Off: the joiner has again what it had before.
    JoinKeepsExchangedCertificates: "O4", "join_keeps_exchanged_certificates", [true, true], None;
}

impl Quirk {
    /// Id in the table: `Q3`.
    pub const fn id(self) -> &'static str {
        self.row().id
    }

    /// Name in scenarios: `set_ldaps_no_restore_on_hard_failure`.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// What it is, on and off, for people.
    pub const fn about(self) -> &'static str {
        // The text of a doc comment begins with a blank.
        self.row().about.trim_ascii_start()
    }

    /// Whether it is on in `profile` unless a pool says otherwise.
    pub const fn default_in(self, profile: Profile) -> bool {
        match profile {
            Profile::DesignV1 => self.row().on[0],
            Profile::Landed => self.row().on[1],
        }
    }

    /// The issue that brings the calls in which the toggle matters; `None` if it works already.
    pub const fn awaits_issue(self) -> Option<u8> {
        self.row().issue
    }
}

impl fmt::Display for Quirk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Quirk {
    type Err = UnknownQuirk;

    /// Reads a name or an id.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|quirk| quirk.name() == text || quirk.id() == text)
            .ok_or_else(|| UnknownQuirk { name: text.to_owned() })
    }
}

/// A name that is no quirk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown quirk `{name}`")]
pub struct UnknownQuirk {
    name: String,
}

/// The quirks that are on in a pool.
///
/// ```
/// use sim_host::{Profile, Quirk, Quirks};
///
/// let quirks = Quirks::of(Profile::Landed).with(Quirk::FloatTrailingDot, false);
/// assert!(quirks.has(Quirk::PingReportsFirstDc));
/// assert!(!quirks.has(Quirk::FloatTrailingDot));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quirks {
    on: BTreeSet<Quirk>,
}

impl Quirks {
    /// The defaults of `profile`.
    pub fn of(profile: Profile) -> Self {
        Self { on: Quirk::ALL.iter().copied().filter(|quirk| quirk.default_in(profile)).collect() }
    }

    /// The same with one quirk switched.
    #[must_use]
    pub fn with(mut self, quirk: Quirk, on: bool) -> Self {
        self.set(quirk, on);
        self
    }

    /// Switches one quirk.
    pub fn set(&mut self, quirk: Quirk, on: bool) {
        if on {
            self.on.insert(quirk);
        } else {
            self.on.remove(&quirk);
        }
    }

    /// Whether `quirk` is on.
    pub fn has(&self, quirk: Quirk) -> bool {
        self.on.contains(&quirk)
    }

    /// The quirks that differ from the defaults of `profile`.
    pub fn switched(&self, profile: Profile) -> impl Iterator<Item = Quirk> + '_ {
        let differs = move |quirk: &Quirk| self.has(*quirk) != quirk.default_in(profile);
        Quirk::ALL.iter().copied().filter(differs)
    }

    /// The quirks that are on, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = Quirk> + '_ {
        self.on.iter().copied()
    }
}

//! Family `time`: validity that does not hold now.
//!
//! Dates are relative to the time at which the DC enrols for the chain.

use ground::Timestamp;

use super::FaultInfo;
use crate::certificate::TimeForm;

pub(super) const FAULTS: &[FaultInfo] = &[
    FaultInfo {
        id: "time.leaf-expired",
        summary: "the DC's certificate ended 30 days ago",
        cause: "auto-enrolment failed (template withdrawn, CA offline) and nobody looked",
        chain: "root → intermediate → leaf [ended 30 days ago]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let now = plan.now();
            plan.leaf().valid(now.plus_days(-395), now.plus_days(-30));
        },
    },
    FaultInfo {
        id: "time.intermediate-expired",
        summary: "the intermediate ended 30 days ago, the DC's certificate is still valid",
        cause: "the issuing CA was not renewed in time, or the DC still sends the old certificate \
                of a renewed one",
        chain: "root → intermediate [ended 30 days ago] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let now = plan.now();
            plan.intermediate().valid(now.plus_days(-5 * 365), now.plus_days(-30));
        },
    },
    FaultInfo {
        id: "time.root-expired",
        summary: "the root ended 30 days ago; the DC sends the same bytes as before",
        cause: "a root made 20 years ago ran out, in the bundle of every host at once",
        chain: "root [ended 30 days ago] → intermediate → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let now = plan.now();
            plan.anchor().valid(now.plus_days(-20 * 365), now.plus_days(-30));
        },
    },
    FaultInfo {
        id: "time.leaf-not-yet-valid",
        summary: "the DC's certificate starts in 30 days",
        cause: "it was issued by a CA whose clock is ahead, or installed before its time",
        chain: "root → intermediate → leaf [starts in 30 days]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let now = plan.now();
            plan.leaf().valid(now.plus_days(30), now.plus_days(395));
        },
    },
    FaultInfo {
        id: "time.intermediate-not-yet-valid",
        summary: "the intermediate starts in 30 days",
        cause: "the issuing CA was renewed for a later date and the new certificate published now",
        chain: "root → intermediate [starts in 30 days] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let now = plan.now();
            plan.intermediate().valid(now.plus_days(30), now.plus_days(30 + 5 * 365));
        },
    },
    FaultInfo {
        id: "time.root-not-yet-valid",
        summary: "the root starts in 30 days; the DC sends the same bytes as before",
        cause: "a new root was made on an offline CA whose clock is ahead",
        chain: "root [starts in 30 days] → intermediate → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let now = plan.now();
            plan.anchor().valid(now.plus_days(30), now.plus_days(30 + 20 * 365));
        },
    },
    FaultInfo {
        id: "time.expires-during-run",
        summary: "the DC's certificate is sound and ends in 40 days",
        cause: "nothing is wrong yet: it will not be renewed in time",
        chain: "root → intermediate → leaf [ends in 40 days]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let now = plan.now();
            plan.leaf().valid(now.plus_days(-325), now.plus_days(40));
        },
    },
    FaultInfo {
        id: "time.one-second-before",
        summary: "the DC's certificate starts in one second",
        cause: "it was issued this very moment and the clocks differ a little",
        chain: "root → intermediate → leaf [starts in one second]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let now = plan.now();
            plan.leaf().valid(now.plus_seconds(1), now.plus_days(365));
        },
    },
    FaultInfo {
        id: "time.one-second-after",
        summary: "the DC's certificate ended one second ago",
        cause: "it has just run out",
        chain: "root → intermediate → leaf [ended one second ago]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let now = plan.now();
            plan.leaf().valid(now.plus_days(-365), now.plus_seconds(-1));
        },
    },
    FaultInfo {
        id: "time.inverted-validity",
        summary: "the DC's certificate ends before it starts, with now in between",
        cause: "a home-made CA script swapped the two dates",
        chain: "root → intermediate → leaf [from in 30 days until 30 days ago]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let now = plan.now();
            plan.leaf().valid(now.plus_days(30), now.plus_days(-30));
        },
    },
    FaultInfo {
        id: "time.intermediate-expires-during-run",
        summary: "the intermediate is sound and ends in 40 days",
        cause: "nothing is wrong yet: certificates that outlive their CA end with it",
        chain: "root → intermediate [ends in 40 days] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let now = plan.now();
            plan.intermediate().valid(now.plus_days(-5 * 365), now.plus_days(40));
        },
    },
    FaultInfo {
        id: "time.root-expires-during-run",
        summary: "the root ends in a day; what it has signed outlives it",
        cause: "nobody has renewed the CA: hosts that have installed it trust it to its last second",
        chain: "root [ends in a day] → intermediate → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let now = plan.now();
            plan.anchor().valid(now.plus_days(-20 * 365), now.plus_days(1));
        },
    },
    FaultInfo {
        id: "time.leaf-outlives-intermediate",
        summary: "the DC's certificate ends a year after the intermediate",
        cause: "a CA other than AD CS, which does not cut the validity to its own",
        chain: "root → intermediate → leaf [ends a year after the intermediate]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let end = plan.intermediate().not_after();
            let start = plan.leaf().not_before();
            plan.leaf().valid(start, end.plus_days(365));
        },
    },
    FaultInfo {
        id: "time.leaf-older-than-intermediate",
        summary: "the DC's certificate starts a year before the intermediate",
        cause: "the issuing CA was renewed with its key; the DC's certificate is of the time \
                before",
        chain: "root → intermediate → leaf [starts a year before the intermediate]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let start = plan.intermediate().not_before();
            let end = plan.leaf().not_after();
            plan.leaf().valid(start.plus_days(-365), end);
        },
    },
    FaultInfo {
        id: "time.never-ends",
        summary: "the DC's certificate ends at the end of the year 9999",
        cause: "RFC 5280 has this date for devices that outlive all plans, and \
                New-SelfSignedCertificate takes any",
        chain: "root → intermediate → leaf [ends on 31 December 9999]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let start = plan.leaf().not_before();
            plan.leaf().valid(start, Timestamp::from_unix(253_402_300_799));
        },
    },
    FaultInfo {
        id: "time.ten-years",
        summary: "the DC's certificate is valid for ten years",
        cause: "an administrator who wants to be left alone; some clients take 398 days at most",
        chain: "root → intermediate → leaf [valid for ten years]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let start = plan.leaf().not_before();
            plan.leaf().valid(start, start.plus_days(3_650));
        },
    },
    FaultInfo {
        id: "time.generalized-before-2050",
        summary: "the dates are written as GeneralizedTime, which X.509 keeps for 2050 and later",
        cause: "a home-made CA that knows one form only",
        chain: "root → intermediate → leaf [GeneralizedTime]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().dated_in(TimeForm::Generalized);
        },
    },
    FaultInfo {
        id: "time.without-seconds",
        summary: "the dates are written without seconds",
        cause: "an encoder for BER, which allows that, where DER does not",
        chain: "root → intermediate → leaf [UTCTime without seconds]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().dated_in(TimeForm::WithoutSeconds);
        },
    },
];

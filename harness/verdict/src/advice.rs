//! Advice: the smallest changes that would turn a refusal into an acceptance.
//!
//! Each reason leads to at most two pieces of advice. They are guesses about what the owner of the
//! domain wants, and are kept apart from what was observed.

use crate::{
    client::Client,
    facts::Facts,
    reason::{Advice, Check, Reason, Remedy},
    status::StatusBits,
    subject::subject_text,
    verdict::Verdict,
};

/// Advice on a judged chain.
pub(crate) fn advise(verdict: &Verdict, client: &Client, facts: &Facts<'_>) -> Vec<Advice> {
    let mut list: Vec<Advice> = Vec::new();
    for reason in &verdict.reasons {
        for (remedy, text) in remedies(verdict, reason, client, facts) {
            if !list.iter().any(|advice| advice.text == text) {
                list.push(Advice { remedy, text });
            }
        }
    }
    list
}

/// Advice on a configuration that cannot be used.
pub(crate) fn advise_config(verdict: &Verdict) -> Vec<Advice> {
    let Some(reason) = verdict.reasons.first() else { return Vec::new() };
    let file = reason.file.as_deref().unwrap_or("a file");
    let (remedy, text) = match reason.check {
        Check::TrustFile => {
            (Remedy::FixFile, format!("repair or remove the certificate in {file} that cannot be read"))
        }
        Check::CrlFile => (
            Remedy::FixFile,
            "let `tls crlfile` name a file of CRLs in PEM form, or choose another `tls verify peer`"
                .to_owned(),
        ),
        Check::TrustSet => (
            Remedy::AddAnchor,
            format!("put the root CA of the domain in PEM form into {file}"),
        ),
        Check::Priority => (Remedy::FixTls, "correct `tls priority` in smb.conf".to_owned()),
        _ => return Vec::new(),
    };
    vec![Advice { remedy, text }]
}

fn remedies(
    verdict: &Verdict,
    reason: &Reason,
    client: &Client,
    facts: &Facts<'_>,
) -> Vec<(Remedy, String)> {
    let culprit = match (&reason.certificate, &reason.anchor) {
        (Some(certificate), _) => format!("certificate {certificate}"),
        (None, Some(anchor)) => format!("the anchor {anchor}"),
        (None, None) => "the certificate".to_owned(),
    };
    let reissue = |how: &str| vec![(Remedy::Reissue, format!("issue {culprit} again {how}"))];
    match reason.check {
        Check::Signer => signer(reason, client, facts),
        Check::Validity => validity(reason, &culprit),
        Check::Signature => {
            let mut list = reissue("with a signature by the CA that is trusted");
            if let Some(anchor) = &reason.anchor {
                let text = format!(
                    "remove {anchor} from the bundle if another CA of that name signed {culprit}"
                );
                list.push((Remedy::RemoveAnchor, text));
            }
            list
        }
        Check::Strength if reason.found.ends_with("issuer's key") => {
            reissue("below a CA with an RSA key of 2048 bits or more")
        }
        Check::Strength if reason.found.ends_with("anchor's key") => vec![(
            Remedy::Renew,
            format!("replace the anchor of {culprit} by one with an RSA key of 2048 bits or more"),
        )],
        Check::SignatureFit | Check::Strength => {
            reissue("with an RSA key of 2048 bits or more and a SHA-256 signature")
        }
        Check::Authority => reissue("below a CA certificate with CA:TRUE"),
        Check::KeyUsage => reissue("below a CA whose key usage allows signing certificates"),
        Check::PathLength => reissue("with fewer CAs above it, or lift the path length constraint"),
        Check::NameConstraints => reissue("with names its CA may certify, or lift the constraint"),
        Check::TlsFeature => reissue("with the TLS features its CA lists"),
        Check::CriticalExtension => reissue("without that critical extension"),
        Check::Stapling => reissue("without the must-staple feature"),
        Check::Revocation => reissue("under a new serial number"),
        Check::Binding => reissue("with a signature algorithm GnuTLS knows"),
        Check::LeafKeyUsage => reissue("with the key usage it needs, digital signature"),
        Check::Name => name(verdict, reason),
        Check::Parse => {
            let mut list = reissue("in correct encoding");
            if reason.certificate.as_ref().is_some_and(|certificate| certificate.position > 0) {
                let text = format!("let the server leave out {culprit} if it is not needed");
                list.push((Remedy::SendInOrder, text));
            }
            list
        }
        Check::Count => {
            vec![(Remedy::SendInOrder, "let the server send 16 certificates or fewer".to_owned())]
        }
        Check::KeyType => vec![(
            Remedy::FixTls,
            "give the DC a certificate with an RSA key, or offer suites for its key in `tls priority`"
                .to_owned(),
        )],
        Check::Handshake => {
            vec![(Remedy::FixTls, "let the DC offer a version of `tls priority`".to_owned())]
        }
        Check::PeerUri => vec![(
            Remedy::FixPeerName,
            "let the DC name a DNS name without blanks in its netlogon answer".to_owned(),
        )],
        Check::TrustFile | Check::TrustSet | Check::CrlFile | Check::Priority => Vec::new(),
    }
}

/// The issuer is missing: it may be on the wire already, or somewhere behind.
fn signer(reason: &Reason, client: &Client, facts: &Facts<'_>) -> Vec<(Remedy, String)> {
    let bundle = client
        .files
        .cafile
        .as_ref()
        .map_or_else(|| "the file of `tls cafile`".to_owned(), |file| file.path.clone());
    let Some(child) = reason
        .certificate
        .as_ref()
        .and_then(|certificate| facts.parsed.get(certificate.position)?.as_ref().ok())
    else {
        return Vec::new();
    };
    let sent = facts.parsed.iter().enumerate().find_map(|(position, parsed)| {
        let parsed = parsed.as_ref().ok()?;
        let is_other = parsed.der != child.der;
        (is_other && child.is_issued_by(parsed)).then_some((position, parsed))
    });
    let add = match sent {
        Some((position, issuer)) => format!(
            "add certificate #{position} {}, which the server sends, to {bundle}",
            subject_text(&issuer.subject)
        ),
        None if child.is_self_signed() => {
            format!("add {} itself to {bundle}", subject_text(&child.subject))
        }
        None => format!("add the CA certificate {} to {bundle}", subject_text(&child.issuer)),
    };
    let mut list = vec![(Remedy::AddAnchor, add)];
    if sent.is_none() && !child.is_self_signed() {
        let text = format!(
            "let the server send {} too, if it is an intermediate below a trusted root",
            subject_text(&child.issuer)
        );
        list.push((Remedy::SendIntermediate, text));
    }
    list
}

fn validity(reason: &Reason, culprit: &str) -> Vec<(Remedy, String)> {
    let what = match &reason.anchor {
        Some(anchor)
            if reason.expected.contains("anchor") || reason.expected.contains("issuer") =>
        {
            format!("the anchor {anchor}")
        }
        _ if reason.expected.starts_with("the issuer") => format!("the issuer of {culprit}"),
        _ => culprit.to_owned(),
    };
    let clock = format!("set the clock, if it is not {}", reason.at);
    if reason.status.has(StatusBits::EXPIRED) {
        return vec![
            (Remedy::Renew, format!("renew {what} and install the new one")),
            (Remedy::SetClock, clock),
        ];
    }
    vec![
        (Remedy::SetClock, clock),
        (Remedy::Renew, format!("replace {what} by one that is valid already")),
    ]
}

fn name(verdict: &Verdict, reason: &Reason) -> Vec<(Remedy, String)> {
    let Some(peer) = verdict.peer.as_ref() else { return Vec::new() };
    if reason.certificate.is_none() {
        return vec![(
            Remedy::FixPeerName,
            "let the DC name a DNS name in its netlogon answer, or set `tls verify peer` to \
             ca_and_name_if_available"
                .to_owned(),
        )];
    }
    vec![
        (Remedy::Reissue, format!("issue the leaf again with the dNSName {peer}")),
        (
            Remedy::FixPeerName,
            format!("let the DC call itself by one of the names it has: {}", reason.found),
        ),
    ]
}

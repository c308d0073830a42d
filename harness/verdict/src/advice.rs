//! From what was found to advice, and the advice that takes another judgement to give.

use ground::Timestamp;

use crate::{
    chain,
    client::{Client, VerifyPeer},
    evidence::Presented,
    facts::Facts,
    findings::Finding,
    judge::DEPTH_MAX,
    name::PeerName,
    priority::{SAMBA_PRIORITY, TlsOffer},
    reason::{Check, Reason},
    remedy::{Advice, Remedy, Wanted},
    verdict::Cause,
};

/// Advice on a judged chain, each piece once and in the order of the reasons.
pub(crate) fn advise(
    findings: &[Finding],
    client: &Client,
    peer: &PeerName,
    presented: &Presented,
    at: Timestamp,
) -> Vec<Advice> {
    let mut list: Vec<Advice> = Vec::new();
    for (reason, finding) in findings.iter().enumerate() {
        // To send less is the smallest change of all where it is enough; too many must be fewer.
        let less = send_less(&finding.reason, client, presented)
            .filter(|positions| {
                finding.reason.check == Check::Count
                    || passes(client, peer, presented, positions, at)
            })
            .map(|positions| Remedy::SendOnly { positions });
        for remedy in less.into_iter().chain(finding.remedies.iter().cloned()) {
            if !list.iter().any(|advice| advice.remedy == remedy) {
                list.push(Advice::new(reason, remedy));
            }
        }
    }
    list
}

/// Certificates looked at for a shorter chain, if too many are sent.
const ORDERED_MAX: usize = 2 * DEPTH_MAX;

/// Which certificates might be enough: the faulty one is left out, or all that lead nowhere.
fn send_less(reason: &Reason, client: &Client, presented: &Presented) -> Option<Vec<usize>> {
    let sent = &presented.certificates;
    if reason.check == Check::Count {
        let (places, parsed): (Vec<usize>, Vec<_>) = Facts::parse(presented)
            .into_iter()
            .enumerate()
            .take(ORDERED_MAX)
            .filter_map(|(place, parsed)| Some((place, parsed.ok()?)))
            .unzip();
        let path = chain::path(&parsed, &client.trust);
        return Some(path.into_iter().take(DEPTH_MAX).map(|index| places[index]).collect());
    }
    let culprit = reason.certificate.as_ref()?.position;
    (culprit > 0)
        .then(|| (0..sent.len()).filter(|&position| sent[position] != sent[culprit]).collect())
}

fn passes(
    client: &Client,
    peer: &PeerName,
    presented: &Presented,
    positions: &[usize],
    at: Timestamp,
) -> bool {
    let certificates =
        positions.iter().map(|&position| presented.certificates[position].clone()).collect();
    let presented = Presented { certificates, tls: presented.tls };
    Facts::gather(client, peer, &presented, at).conclude(client.mode).0 == Cause::Accepted
}

/// Advice on files that cannot be used.
pub(crate) fn advise_config(cause: &Cause, mode: VerifyPeer, reason: &Reason) -> Vec<Advice> {
    let remedies = match cause {
        Cause::BadCafile { path, line, .. } => {
            vec![Remedy::RemoveBlock { file: path.clone(), line: *line }]
        }
        Cause::BadCrlfile { path, .. } => {
            let mut remedies = vec![Remedy::WriteCrl { file: path.clone() }];
            if mode < VerifyPeer::AsStrictAsPossible {
                remedies.push(Remedy::SetParameter { parameter: "tls crlfile", value: None });
            }
            remedies
        }
        Cause::NoTrustSource => vec![Remedy::AddAnchor {
            wanted: Wanted { subject: None, key_id: None, position: None },
            file: reason.file.clone(),
        }],
        Cause::StrictWithoutCrl { path } => {
            let write = (!path.is_empty()).then(|| Remedy::WriteCrl { file: path.clone() });
            let relax = Remedy::SetParameter {
                parameter: "tls verify peer",
                value: Some(VerifyPeer::CaAndName.name().to_owned()),
            };
            write.into_iter().chain([relax]).collect()
        }
        _ => Vec::new(),
    };
    remedies.into_iter().map(|remedy| Advice::new(0, remedy)).collect()
}

/// Advice on a priority string that cannot be used.
pub(crate) fn advise_priority(text: &str) -> Vec<Advice> {
    let value = Some(usable_priority(text));
    vec![Advice::new(0, Remedy::SetParameter { parameter: "tls priority", value })]
}

/// The string without the words GnuTLS refuses, or Samba's own if nothing useful is left.
fn usable_priority(text: &str) -> String {
    let mut words: Vec<&str> = text.split(':').collect();
    while let Err(error) = TlsOffer::parse(&words.join(":")) {
        let before = words.len();
        words.retain(|word| *word != error.token);
        if words.len() == before || words.is_empty() {
            return SAMBA_PRIORITY.to_owned();
        }
    }
    words.join(":")
}

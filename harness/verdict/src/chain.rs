//! From what the server sent to the list that is judged: ordering, cutting, dropping
//! (samba-tls-verify.md §5, steps 3 to 6).

use crate::{certificate::Certificate, trust::TrustSet};

/// The path to judge, as indices into `sent`, leaf first.
///
/// This copies GnuTLS 3.8.9: it follows the first issuer in wire order and never turns back.
pub(crate) fn path(sent: &[Certificate], trust: &TrustSet) -> Vec<usize> {
    let mut rest: Vec<usize> = (0..sent.len()).collect();
    let mut path: Vec<usize> = Vec::new();
    while !rest.is_empty() {
        let run = run(sent, &rest);
        rest.retain(|index| !run.contains(index));
        let is_known =
            |index: usize| path.iter().any(|&earlier| sent[earlier].der == sent[index].der);
        // A repeat at the head of a run ends the list.
        if run.first().is_some_and(|&head| is_known(head)) {
            break;
        }
        let run: Vec<usize> = run.into_iter().filter(|&index| !is_known(index)).collect();
        path.extend(run);
        if path.last().is_some_and(|&last| trust.knows_issuer_of(&sent[last])) {
            break;
        }
    }
    shorten(sent, trust, &mut path);
    path
}

/// The first of `rest` and, one after the other, the first issuer among the others.
fn run(sent: &[Certificate], rest: &[usize]) -> Vec<usize> {
    let mut run: Vec<usize> = rest.first().copied().into_iter().collect();
    while let Some(&last) = run.last() {
        if sent[last].is_self_signed() {
            break;
        }
        let issuer = rest
            .iter()
            .skip(1)
            .copied()
            .find(|&other| other != last && sent[last].is_issued_by(&sent[other]));
        match issuer {
            Some(issuer) if !run.contains(&issuer) => run.push(issuer),
            _ => break,
        }
    }
    run
}

/// Drops a self-signed end, and what stands above a self-issued certificate that is trusted.
fn shorten(sent: &[Certificate], trust: &TrustSet, path: &mut Vec<usize>) {
    if path.len() > 1 && path.last().is_some_and(|&last| sent[last].is_self_signed()) {
        path.pop();
    }
    let trusted = path.iter().skip(1).position(|&index| {
        let certificate = &sent[index];
        certificate.issuer == certificate.subject
            && trust.anchors.iter().any(|anchor| anchor.certificate.der == certificate.der)
    });
    if let Some(trusted) = trusted {
        path.truncate(trusted + 2);
    }
}

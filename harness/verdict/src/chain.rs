//! From what the server sent to the list that is judged: ordering, cutting, dropping
//! (samba-tls-verify.md §5, steps 3 to 6).

use crate::{certificate::Certificate, trust::TrustSet};

/// The path to judge, as indices into `sent`, leaf first.
///
/// This copies GnuTLS (`lib/x509/verify-high.c` and `_gnutls_sort_clist`, 3.7.9 to 3.8.9): it
/// follows the first issuer in wire order and never turns back. Every round either adds a run or
/// shortens the list, so there are at most twice as many rounds as certificates.
pub(crate) fn path(sent: &[Certificate], trust: &TrustSet) -> Vec<usize> {
    let mut list: Vec<usize> = (0..sent.len()).collect();
    let mut done = 0;
    while done < list.len() {
        let run = sort(sent, &mut list[done..]);
        let is_repeat =
            |index: usize| list[..done].iter().any(|&earlier| sent[earlier].der == sent[index].der);
        if let Some(place) = (done..done + run).find(|&place| is_repeat(list[place])) {
            // GnuTLS closes the gap with the next certificate only, and then drops the last one:
            // behind a repeat one certificate may stand twice, and another not at all.
            if let Some(&next) = list.get(place + 1) {
                list[place] = next;
            }
            list.pop();
            continue;
        }
        done += run;
        if trust.knows_issuer_of(&sent[list[done - 1]]) {
            list.truncate(done);
        }
    }
    shorten(sent, trust, &mut list);
    list
}

/// Moves the first of `rest` and, one after the other, the first issuer of the last one to the
/// front; returns how many these are. The others keep their order.
fn sort(sent: &[Certificate], rest: &mut [usize]) -> usize {
    let mut run = vec![0];
    while let Some(last) = run.last().copied() {
        let child = &sent[rest[last]];
        if child.is_self_signed() {
            break;
        }
        let issuer = (1..rest.len())
            .find(|&place| place != last && child.is_issued_by(&sent[rest[place]]))
            .filter(|place| !run.contains(place));
        let Some(issuer) = issuer else { break };
        run.push(issuer);
    }
    let others = (0..rest.len()).filter(|place| !run.contains(place));
    let sorted: Vec<usize> = run.iter().copied().chain(others).map(|place| rest[place]).collect();
    rest.copy_from_slice(&sorted);
    run.len()
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

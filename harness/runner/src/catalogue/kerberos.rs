//! A logon as `kinit` and `kvno` do it: the part of a host that finds a wrong KDC.

use std::{io, time::Duration};

use fake_dc_kerberos::{
    AsExchange, AsOutcome, ClientSecret, Principal, PrincipalName, TgsExchange, frame,
};
use ground::{Secret, Seed};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::world::{DC, DOMAIN, PASSWORD, SmallWorld, USER};

/// Gets a ticket for the DC's LDAP service, and says how that went.
pub(super) async fn log_on(world: &SmallWorld) -> String {
    match tokio::time::timeout(ONCE * world.patience.0, exchange(world)).await {
        Ok(Ok(())) => "a ticket".to_owned(),
        Ok(Err(why)) => why,
        Err(_) => "no answer".to_owned(),
    }
}

/// Far above what a KDC on loopback takes.
const ONCE: Duration = Duration::from_millis(1_500);
/// A KDC sends no answer of this size.
const ANSWER_BYTES_MAX: u32 = 1 << 20;

async fn exchange(world: &SmallWorld) -> Result<(), String> {
    let mut random = Seed::new(1).stream("kinit");
    let clock = world.time.clock();
    let client =
        Principal { name: PrincipalName::account(USER), realm: DOMAIN.to_ascii_uppercase() };
    let secret = ClientSecret::Password(Secret::new(PASSWORD));
    let mut logon = AsExchange::new(client, secret, clock.clone(), &mut random);
    let granting = loop {
        let answer =
            ask(world, logon.request()).await.map_err(|error| format!("kinit: {error}"))?;
        match logon.answer(&answer, &mut random).map_err(|error| format!("kinit: {error}"))? {
            AsOutcome::Ticket(ticket) => break ticket,
            AsOutcome::SendAgain | AsOutcome::SendOverTcp => {}
        }
    };
    let service = PrincipalName::service("ldap", format!("{DC}.{DOMAIN}"));
    let request = TgsExchange::new(&granting, service, &clock, &mut random);
    let answer = ask(world, request.request()).await.map_err(|error| format!("kvno: {error}"))?;
    request.answer(&answer).map(drop).map_err(|error| format!("kvno: {error}"))
}

async fn ask(world: &SmallWorld, request: &[u8]) -> Result<Vec<u8>, io::Error> {
    let kdc = world.domain.dc(DC).map_err(io::Error::other)?.kdc();
    let mut stream = TcpStream::connect(kdc).await?;
    stream.write_all(&frame(request)).await?;
    let length = stream.read_u32().await?;
    if length > ANSWER_BYTES_MAX {
        return Err(io::Error::other(format!("an answer of {length} bytes")));
    }
    let mut answer = vec![0; usize::try_from(length).unwrap_or_default()];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

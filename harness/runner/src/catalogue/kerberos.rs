//! A logon as `kinit` and `kvno` do it: the part of a host that finds a wrong KDC.

use std::{
    fmt::Display,
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use fake_dc_kerberos::{
    AsExchange, AsOutcome, ClientSecret, Principal, PrincipalName, TgsExchange, frame,
};
use ground::{Secret, Seed};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
    time::timeout,
};

use super::world::{DC, DOMAIN, PASSWORD, SmallWorld, USER};

/// Gets a ticket for the DC's LDAP service, and says how that went.
pub(super) async fn log_on(world: &SmallWorld) -> String {
    let mut client = Client { world, over: Transport::Udp };
    match client.exchange().await {
        Ok(()) if client.over == Transport::Udp => "a ticket".to_owned(),
        Ok(()) => "a ticket, over TCP".to_owned(),
        Err(why) => why,
    }
}

/// How long the client waits for one answer; far above what a KDC on loopback takes. MIT's asks
/// again over TCP after 1 s.
const LIMIT: Duration = Duration::from_secs(4);
/// A KDC sends no answer of this size.
const ANSWER_BYTES_MAX: u32 = 1 << 20;

struct Client<'a> {
    world: &'a SmallWorld,
    over: Transport,
}

/// UDP first; once that has failed, TCP.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Transport {
    Udp,
    Tcp,
}

impl Client<'_> {
    async fn exchange(&mut self) -> Result<(), String> {
        let mut random = Seed::new(1).stream("kinit");
        let clock = self.world.time.clock();
        let client =
            Principal { name: PrincipalName::account(USER), realm: DOMAIN.to_ascii_uppercase() };
        let secret = ClientSecret::Password(Secret::new(PASSWORD));
        let mut logon = AsExchange::new(client, secret, clock.clone(), &mut random);
        let granting = loop {
            let answer = self.ask(logon.request()).await.map_err(|why| failed("kinit", why))?;
            match logon.answer(&answer, &mut random).map_err(|why| failed("kinit", why))? {
                AsOutcome::Ticket(ticket) => break ticket,
                AsOutcome::SendAgain => {}
                AsOutcome::SendOverTcp => self.over = Transport::Tcp,
            }
        };
        let service = PrincipalName::service("ldap", format!("{DC}.{DOMAIN}"));
        let request = TgsExchange::new(&granting, service, &clock, &mut random);
        let answer = self.ask(request.request()).await.map_err(|why| failed("kvno", why))?;
        request.answer(&answer).map(drop).map_err(|why| failed("kvno", why))
    }

    async fn ask(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        let kdc = self.world.domain.dc(DC).map_err(io::Error::other)?.kdc();
        if self.over == Transport::Udp {
            match timeout(LIMIT, over_udp(kdc, request)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(_)) | Err(_) => self.over = Transport::Tcp,
            }
        }
        let answer = timeout(LIMIT, over_tcp(kdc, request)).await;
        answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

fn failed(program: &str, why: impl Display) -> String {
    format!("{program}: {why}")
}

async fn over_udp(kdc: SocketAddr, request: &[u8]) -> io::Result<Vec<u8>> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    socket.connect(kdc).await?;
    socket.send(request).await?;
    let mut answer = vec![0; usize::from(u16::MAX)];
    let length = socket.recv(&mut answer).await?;
    answer.truncate(length);
    Ok(answer)
}

async fn over_tcp(kdc: SocketAddr, request: &[u8]) -> io::Result<Vec<u8>> {
    // The words of the system end in a number that only it knows.
    let plain = |error: io::Error| io::Error::from(error.kind());
    let mut stream = TcpStream::connect(kdc).await.map_err(plain)?;
    stream.write_all(&frame(request)).await.map_err(plain)?;
    let length = stream.read_u32().await.map_err(plain)?;
    if length > ANSWER_BYTES_MAX {
        return Err(io::Error::other(format!("an answer of {length} bytes")));
    }
    let mut answer = vec![0; usize::try_from(length).unwrap_or_default()];
    stream.read_exact(&mut answer).await.map_err(plain)?;
    Ok(answer)
}

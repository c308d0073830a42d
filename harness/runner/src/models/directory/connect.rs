//! Applications that connect.

use std::{fs, io, net::Ipv4Addr, path::Path, sync::Arc};

use ground::{Actor, Trail};
use scenario::{PkiAnswer, PkiConnect, PkiConnectAtOnce, PkiData, PkiPeer};
use tokio::net::{TcpListener, TcpStream};
use trust_models::directory::{
    Answer, CertData, Client, ConnectError, Connection, DataError, DataKind, PkiDirectory, Question,
};

use super::{Host, Pki, PkiError, dc, refusal};
use crate::{catalogue::join_all, models::Refusal, steps::StepError, world::World};

/// What an application brings, the same from files and from memory.
fn data(name: &str, path: &Path, way: PkiData) -> Result<CertData, DataError> {
    // Two runs have it at two places, and say the same.
    let directory = PkiDirectory::at(path).called(format!("/etc/pki/{name}"));
    if way == PkiData::Files {
        return directory.load();
    }
    let mut data = CertData::new();
    for kind in DataKind::ALL {
        match fs::read_to_string(directory.path(kind)) {
            Ok(text) => data.add(kind, &text)?,
            // As for files: what is missing is told by what misses it.
            Err(_) if kind == DataKind::CaCertificate => return directory.load(),
            Err(_) => {}
        }
    }
    Ok(data)
}

/// A client as the step wants it, or why there is none.
fn client(
    pki: &Pki,
    connect: &PkiConnect,
    trail: &Trail,
) -> Result<Result<Client, Refusal>, PkiError> {
    let directory = pki.directory(connect.directory.as_str())?;
    let data = match data(connect.directory.as_str(), &directory.path, connect.data) {
        Ok(data) => data,
        Err(error) => {
            let words = error.to_string();
            return Ok(Err(Refusal {
                reason: "data".to_owned(),
                words,
                diagnosis: vec![error.advice()],
            }));
        }
    };
    let clock = pki.clock.skewed_by(&directory.skew);
    let mut client = match Client::new(data, clock, trail.clone()) {
        Ok(client) => client,
        Err(error) => {
            return Ok(Err(Refusal {
                reason: error.id().to_owned(),
                words: error.to_string(),
                diagnosis: Vec::new(),
            }));
        }
    };
    if let Some(answer) = connect.answer {
        let answer = match answer {
            PkiAnswer::AcceptOnce => Answer::AcceptOnce,
            PkiAnswer::AcceptPermanently => Answer::AcceptPermanently,
            PkiAnswer::Reject => Answer::Reject,
        };
        client = client.asking(move |_: &Question<'_>| answer);
    }
    if connect.asks_about_untrusted {
        client = client.asking_about_untrusted();
    }
    if connect.demands_current_lists {
        client = client.demanding_current_lists();
    }
    if !connect.checks_own_certificate {
        client = client.without_own_check();
    }
    Ok(Ok(client))
}

pub(super) async fn one(
    world: &mut World,
    connect: &PkiConnect,
    trail: &Trail,
) -> Result<Option<Refusal>, StepError> {
    let application = connect.application.as_ref().map_or("application", |name| name.as_str());
    let trail = &trail.of(Actor::Host(application.to_owned()));
    let client = match client(&world.pki, connect, trail)? {
        Ok(client) => client,
        Err(refusal) => return Ok(Some(refusal)),
    };
    match &connect.peer {
        PkiPeer::Ldaps(dc) => {
            let (_, dc) = world.dc(dc.as_str())?;
            Ok(dc::over_ldaps(&client, dc, trail).await)
        }
        PkiPeer::Server(name) => {
            let host = world.pki.server(name.as_str())?;
            Ok(meet(&client.awaiting_consent(), host, name.as_str())
                .await?
                .err()
                .as_ref()
                .map(refusal))
        }
        PkiPeer::StartTls(dc) => {
            let (_, dc) = world.dc(dc.as_str())?;
            Ok(dc::over_starttls(&client, dc, trail).await)
        }
    }
}

/// A connection of a client to a server of the world.
async fn meet(
    client: &Client,
    host: &Host,
    name: &str,
) -> Result<Result<Connection<TcpStream>, ConnectError>, PkiError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let mut connecting = std::pin::pin!(client.connect(name, address));
    // A client that judges its own certificate may never come.
    let tcp = tokio::select! {
        early = &mut connecting => return Ok(early),
        tcp = listener.accept() => tcp?.0,
    };
    let (connected, served) = tokio::join!(connecting, host.server.accept(tcp));
    // Kept until both are through.
    drop(served);
    Ok(connected)
}

pub(super) async fn at_once(
    world: &mut World,
    connect: &PkiConnectAtOnce,
    trail: &Trail,
) -> Result<Option<Refusal>, StepError> {
    let pki = &world.pki;
    let path = &pki.directory(connect.directory.as_str())?.path;
    let mut tasks = Vec::new();
    for application in connect.applications.iter() {
        let trail = trail.of(Actor::Host(application.name.to_string()));
        let data = PkiDirectory::at(path)
            .load()
            .map_err(|error| PkiError::File(io::Error::other(error.to_string())))?;
        let client = Client::new(data, pki.clock.clone(), trail).map_err(PkiError::from)?;
        let client = Arc::new(
            client.asking(|_: &Question<'_>| Answer::AcceptPermanently).awaiting_consent(),
        );
        for server in application.servers.iter() {
            let host = pki.server(server.as_str())?;
            let client = Arc::clone(&client);
            tasks.push(async move { meet(&client, host, server.as_str()).await });
        }
    }
    for met in join_all(tasks).await {
        if let Err(error) = met? {
            return Ok(Some(refusal(&error)));
        }
    }
    Ok(None)
}

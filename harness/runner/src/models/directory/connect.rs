//! Applications that connect.

use std::{fs, io, net::Ipv4Addr, path::Path, sync::Arc};

use ground::{Actor, Trail};
use scenario::{PkiAnswer, PkiConnect, PkiConnectAtOnce, PkiData, PkiPeer};
use tokio::net::{TcpListener, TcpStream};
use trust_models::{
    directory::{
        Answer, CertData, Client, ConnectError, Connection, DataError, DataKind, PkiDirectory,
        Question,
    },
    pinned::{Dials, Proxy},
};

use super::{Host, Pki, PkiError, dc, refusal, servers};
use crate::{catalogue::join_all, models::Refusal, steps::StepError, world::World};

/// Reason of a refusal: what a file holds is not what it should be.
pub(super) const DATA: &str = "data";

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
            Err(error)
                if error.kind() == io::ErrorKind::NotFound && kind != DataKind::CaCertificate => {}
            Err(_) => return directory.load(),
        }
    }
    Ok(data)
}

/// A client of whoever has the directory, on the clock of its machine, or why there is none.
fn client_of(
    pki: &Pki,
    name: &str,
    way: PkiData,
    trail: Trail,
) -> Result<Result<Client, Refusal>, PkiError> {
    let directory = pki.directory(name)?;
    let data = match data(name, &directory.path, way) {
        Ok(data) => data,
        Err(error) => {
            let (words, diagnosis) = (error.to_string(), vec![error.advice()]);
            return Ok(Err(Refusal { reason: DATA.to_owned(), words, diagnosis }));
        }
    };
    let clock = pki.clock.skewed_by(&directory.skew);
    Ok(Client::new(data, clock, trail).map_err(|error| Refusal {
        reason: error.id().to_owned(),
        words: error.to_string(),
        diagnosis: Vec::new(),
    }))
}

/// A client as the step wants it, or why there is none.
fn client(
    pki: &Pki,
    connect: &PkiConnect,
    trail: &Trail,
) -> Result<Result<Client, Refusal>, PkiError> {
    let mut client = match client_of(pki, connect.directory.as_str(), connect.data, trail.clone())?
    {
        Ok(client) => client,
        Err(refusal) => return Ok(Err(refusal)),
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
            let (name, believed, direct) =
                (dc.dns_name().to_owned(), servers::ldaps_of(dc), dc.ldaps());
            let address = world.pki.proxies.lead(believed, direct)?;
            Ok(dc::over_ldaps(&client, &name, address, trail).await)
        }
        PkiPeer::Server(name) => {
            let host = world.pki.server(name.as_str())?;
            Ok(meet(&client.awaiting_consent(), host, name.as_str(), trail)
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
    trail: &Trail,
) -> Result<Result<Connection<TcpStream>, ConnectError>, PkiError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let proxy = match &host.proxy {
        Some(identity) => {
            let trail = trail.of(Actor::Host(servers::PROXY.to_owned()));
            // The server speaks first.
            Some(servers::start(identity, address, Dials::AtOnce, &trail)?)
        }
        None => None,
    };
    let address = proxy.as_ref().map_or(address, Proxy::address);
    let mut connecting = std::pin::pin!(client.connect(name, address));
    // A client that judges its own certificate, or what a proxy shows, may never come.
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
    let mut tasks = Vec::new();
    for application in connect.applications.iter() {
        let trail = trail.of(Actor::Host(application.name.to_string()));
        let client =
            match client_of(pki, connect.directory.as_str(), PkiData::Files, trail.clone())? {
                Ok(client) => client,
                Err(refusal) => return Ok(Some(refusal)),
            };
        let client = Arc::new(
            client.asking(|_: &Question<'_>| Answer::AcceptPermanently).awaiting_consent(),
        );
        for server in application.servers.iter() {
            let host = pki.server(server.as_str())?;
            let client = Arc::clone(&client);
            let trail = trail.clone();
            tasks.push(async move { meet(&client, host, server.as_str(), &trail).await });
        }
    }
    for met in join_all(tasks).await {
        if let Err(error) = met? {
            return Ok(Some(refusal(&error)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without its list a client would believe a revoked server.
    #[test]
    fn what_cannot_be_read_is_no_data_from_memory_either() {
        let folder = tempfile::tempdir().unwrap();
        let directory = PkiDirectory::at(folder.path());
        let write = |kind, text: &[u8]| {
            let path = directory.path(kind);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let pki = fake_dc_pki::Pki::new(
            &ground::Seed::new(1),
            ground::Timestamp::from_unix(1_767_508_709),
            "lab.example",
        );
        write(DataKind::CaCertificate, pki.unwrap().root_pem().as_bytes());
        for way in [PkiData::Files, PkiData::Memory] {
            assert!(data("lab", folder.path(), way).is_ok());
        }
        write(DataKind::CaRevocationList, b"\xff");
        let [files, memory] = [PkiData::Files, PkiData::Memory]
            .map(|way| data("lab", folder.path(), way).unwrap_err().to_string());
        assert_eq!(files, memory);
    }
}

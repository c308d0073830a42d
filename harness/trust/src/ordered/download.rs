//! A user with a browser or curl, who follows a link for a download or opens a console.

use std::net::{Ipv4Addr, SocketAddr};

use ground::Trail;
use trust_verdict::{
    Client, ClientConfig, PeerName, PemFile, Presented, TlsVersion, TrustFiles, VerifyPeer,
    XAPI_PRIORITY,
};

use super::{
    Cloud, CloudError, CopyError, Link, Protocol,
    facts::{DownloadFailed, Downloaded, Fetching},
    web::{FetchError, Fetched, Judge, Objection, Obstacle, ask_plainly, fetch},
};

impl Cloud {
    /// The name of an appliance in links.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub fn host_name(&self, address: Ipv4Addr) -> Result<String, CloudError> {
        Ok(self.state().host_name(address)?)
    }

    /// Where the appliance of this name in a link listens, as DNS and the standard port would lead.
    pub async fn resolve(&self, host_name: &str) -> Option<SocketAddr> {
        let label = host_name.split('.').next()?;
        let address: Ipv4Addr = label.replace('-', ".").parse().ok()?;
        let storage = self.storage_appliances();
        let found = storage.iter().find(|appliance| appliance.address() == address)?;
        found.https().await
    }

    /// Follows a link as a client does that trusts `roots` (PEM) and goes by OpenSSL's rules: chain,
    /// dates and name.
    ///
    /// # Errors
    ///
    /// The link leads nowhere, or the client refuses what it is shown.
    pub async fn download(
        &self,
        link: &Link,
        roots: &str,
        trail: &Trail,
    ) -> Result<Vec<u8>, CopyError> {
        let trail = trail.begin(Fetching { url: link.url.clone() });
        let failed = |objection: Objection| {
            let Objection { reason, words } = objection.clone();
            trail.record(DownloadFailed { url: link.url.clone(), reason, words });
            CopyError::from(objection)
        };
        let host_name = link.host_name();
        let Some(address) = self.resolve(host_name).await else {
            let words = format!("Could not resolve host: {host_name}");
            return Err(failed(Objection::of(Obstacle::NameUnknown, words)));
        };
        let judge = openssl_judge(host_name, roots, self);
        let path = format!("/userdata/{}", link.file_name());
        let Fetched { file, .. } = fetch(address, host_name, &path, judge, &trail).await;
        match file {
            Ok(content) => {
                trail.record(Downloaded { url: link.url.clone() });
                Ok(content)
            }
            Err(error) => Err(failed(error.objection())),
        }
    }
}

impl Cloud {
    /// Opens a console with a browser that trusts `roots` (PEM) and speaks this protocol.
    ///
    /// # Errors
    ///
    /// There is no such console, it speaks another protocol, or the browser refuses what it is shown.
    pub async fn view_console(
        &self,
        name: &str,
        protocol: Protocol,
        roots: &str,
        trail: &Trail,
    ) -> Result<(), CopyError> {
        let missing = |words: String| Objection::of(Obstacle::NoAppliance, words);
        let console = self.console(name).map_err(|error| missing(error.to_string()))?;
        let address = console.listens().await;
        let address = address.ok_or_else(|| missing(format!("`{name}` does not run")))?;
        let host_name = self.host_name(console.address());
        let host_name = host_name.map_err(|error| Objection::of(Obstacle::FilesUnusable, error))?;
        let trail = trail.begin(Fetching { url: format!("{protocol}://{host_name}/") });
        match protocol {
            Protocol::Http => {
                let asked = ask_plainly(address, "GET", &host_name, "/", b"", &trail).await;
                asked.map_err(|error| FetchError::Io(error).objection())?;
            }
            Protocol::Https => {
                let judge = openssl_judge(&host_name, roots, self);
                let fetched = fetch(address, &host_name, "/", judge, &trail).await;
                fetched.file.map_err(FetchError::objection)?;
            }
        }
        Ok(())
    }
}

fn openssl_judge(host_name: &str, roots: &str, cloud: &Cloud) -> Judge {
    let config = ClientConfig {
        mode: VerifyPeer::CaAndName,
        trust: TrustFiles {
            cafile: Some(PemFile::new("cacert.pem", roots.as_bytes().to_vec())),
            ..Default::default()
        },
        priority: XAPI_PRIORITY.to_owned(),
    };
    let client = Client::new(config);
    let (peer, clock) = (PeerName::new(host_name), cloud.state().options.clock.clone());
    Box::new(move |shown| {
        let objection = |words: String| Objection::of(Obstacle::OpensslRefused, words);
        let client = client.as_ref().map_err(|error| objection(error.to_string()))?;
        let presented = Presented {
            certificates: shown.iter().map(|der| der.to_vec()).collect(),
            tls: TlsVersion::Tls12,
        };
        let judged = client.compare(&peer, &presented, clock.now());
        let openssl = judged.into_iter().find(|judged| judged.rules.starts_with("OpenSSL"));
        match openssl.and_then(|judged| judged.objection) {
            None => Ok(()),
            Some(words) => Err(objection(words)),
        }
    })
}

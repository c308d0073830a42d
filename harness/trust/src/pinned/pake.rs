//! A symmetric key, made at deployment, and its proof by OPAQUE (RFC 9807), an augmented PAKE.
//!
//! The agent keeps the key. The manager keeps a record that lets it check a proof and give none: who
//! steals its database cannot pose as an agent. What passes between the two tells an onlooker, and an
//! impostor who made up a key, nothing that a guess could be tried on later; each conversation lets
//! an impostor try one guess. Nobody is locked out for wrong guesses, since everybody who reaches a
//! manager could then lock out an agent, and a key of 256 bits is not guessed.
//!
//! The proof leaves both with a key that nobody else has, and all that follows is sealed with it
//! (`seal.rs`). So nothing depends on who ends the TLS that it travels in: to pass the messages on is
//! all that a proxy can do, wanted or not. (A proof that is bound to the TLS channel instead, by
//! RFC 9266, would refuse the wanted proxy, too.)

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ground::{Secret, Stream};
use opaque_ke::{
    CipherSuite, ClientLogin, ClientLoginFinishParameters, ClientRegistration,
    ClientRegistrationFinishParameters, CredentialFinalization, CredentialRequest,
    CredentialResponse, Identifiers, RegistrationRequest, RegistrationResponse, RegistrationUpload,
    Ristretto255, ServerLogin, ServerLoginParameters, ServerRegistration, ServerSetup, TripleDh,
    errors::ProtocolError,
    ksf::Identity as Unstretched,
    rand::{self as draws, CryptoRng, RngCore},
};
use opaque_sha2::Sha512;
use rand::Rng as _;
use serde::{Deserialize, Serialize};

use super::{
    Frames, PeerName, PinnedError,
    encoding::Bytes,
    seal::{End, Seal},
};

/// What both ends must mean.
const CONTEXT: &[u8] = b"trustrig pinned keys, version 1";

struct Suite;

impl CipherSuite for Suite {
    type OprfCs = Ristretto255;
    type KeyExchange = TripleDh<Ristretto255, Sha512>;
    /// Stretching is for what people remember; this key has all its bits.
    type Ksf = Unstretched;
}

/// The numbers of a run, as OPAQUE draws them.
struct Draws<'a>(&'a mut Stream);

impl RngCore for Draws<'_> {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), draws::Error> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Draws<'_> {}

/// What an agent has from its deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SymmetricKey {
    key: Secret,
    /// What the manager proves to own in turn; who has not been deployed does not know it.
    manager: Option<Bytes>,
}

impl SymmetricKey {
    /// One that nobody has registered.
    pub(super) fn made_up(key: Secret) -> Self {
        Self { key, manager: None }
    }

    /// As somebody would have it who has guessed it.
    pub(super) fn guessed_by_somebody(self) -> Self {
        Self::made_up(self.key)
    }
}

/// An agent about to leave a record of a key with a manager.
pub(super) struct Registering {
    key: Secret,
    state: ClientRegistration<Suite>,
}

impl Registering {
    /// A fresh key; what to send to the manager.
    pub(super) fn begin(rng: &mut Stream) -> Result<(Self, Bytes), PinnedError> {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        let key = Secret::new(BASE64_STANDARD.encode(bytes));
        let begun = ClientRegistration::start(&mut Draws(rng), key.expose().as_bytes())
            .map_err(unusable)?;
        let request = Bytes(begun.message.serialize().to_vec());
        Ok((Self { key, state: begun.state }, request))
    }

    /// With the manager's reply: what the agent keeps, and the record for the manager.
    pub(super) fn finish(
        self,
        agent: &PeerName,
        manager: &PeerName,
        reply: &Bytes,
        rng: &mut Stream,
    ) -> Result<(SymmetricKey, Bytes), PinnedError> {
        let reply = RegistrationResponse::deserialize(&reply.0).map_err(unusable)?;
        let parameters = ClientRegistrationFinishParameters::new(identifiers(agent, manager), None);
        let key = self.key.expose().as_bytes();
        let done = self.state.finish(&mut Draws(rng), key, reply, parameters).map_err(unusable)?;
        let manager = Some(Bytes(done.server_s_pk.serialize().to_vec()));
        Ok((SymmetricKey { key: self.key, manager }, Bytes(done.message.serialize().to_vec())))
    }
}

/// The manager's own key of OPAQUE.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Registrar(Secret);

impl Registrar {
    pub(super) fn new(rng: &mut Stream) -> Self {
        let setup = ServerSetup::<Suite>::new(&mut Draws(rng));
        Self(Secret::new(BASE64_STANDARD.encode(setup.serialize())))
    }

    /// The reply to an agent that registers.
    pub(super) fn reply(&self, agent: &PeerName, request: &Bytes) -> Result<Bytes, PinnedError> {
        let request = RegistrationRequest::deserialize(&request.0).map_err(unusable)?;
        let name = agent.as_str().as_bytes();
        let begun =
            ServerRegistration::<Suite>::start(&self.setup()?, request, name).map_err(unusable)?;
        Ok(Bytes(begun.message.serialize().to_vec()))
    }

    /// What to keep of the record that the agent has sent.
    pub(super) fn record(upload: &Bytes) -> Result<Bytes, PinnedError> {
        let upload = RegistrationUpload::<Suite>::deserialize(&upload.0).map_err(unusable)?;
        Ok(Bytes(ServerRegistration::finish(upload).serialize().to_vec()))
    }

    fn setup(&self) -> Result<ServerSetup<Suite>, PinnedError> {
        let bytes = BASE64_STANDARD.decode(self.0.expose()).unwrap_or_default();
        ServerSetup::deserialize(&bytes).map_err(unusable)
    }
}

impl fmt::Debug for Registrar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registrar(***)")
    }
}

/// The first message of a proof.
#[derive(Serialize, Deserialize)]
struct Opening {
    agent: PeerName,
    request: Bytes,
}

/// The first sealed message: the manager says that it is content.
#[derive(Serialize, Deserialize)]
struct Welcome {}

/// The agent's end of a proof: each shows the other that it knows what was made at deployment.
pub(super) async fn prove(
    frames: &mut Frames,
    agent: &PeerName,
    manager: &PeerName,
    key: &SymmetricKey,
    mut rng: Stream,
) -> Result<(), PinnedError> {
    let password = key.key.expose().as_bytes();
    let begun = ClientLogin::<Suite>::start(&mut Draws(&mut rng), password).map_err(unusable)?;
    let request = Bytes(begun.message.serialize().to_vec());
    let reply: Bytes = frames.ask(&Opening { agent: agent.clone(), request }).await?;
    let reply = CredentialResponse::deserialize(&reply.0).map_err(|_| PinnedError::Malformed)?;
    let parameters =
        ClientLoginFinishParameters::new(Some(CONTEXT), identifiers(agent, manager), None);
    let done = begun
        .state
        .finish(&mut Draws(&mut rng), password, reply, parameters)
        .map_err(|_| PinnedError::KeyNotProven)?;
    // Whoever has guessed the key is not yet the manager.
    let shown = done.server_s_pk.serialize();
    if key.manager.as_ref().is_some_and(|own| shown.as_slice() != own.0) {
        return Err(PinnedError::KeyNotProven);
    }
    frames.send(&Bytes(done.message.serialize().to_vec())).await?;
    frames.seal_with(Seal::new(&done.session_key, End::Agent));
    let Welcome {} = frames.answer().await?;
    Ok(())
}

/// Whether a key fits to the reply of a manager to an agent that has drawn `rng` for its proof. For whoever has not
/// got those draws the right key fits no better than a wrong one.
pub(super) fn fits(
    key: &SymmetricKey,
    agent: &PeerName,
    manager: &PeerName,
    reply: &Bytes,
    mut rng: Stream,
) -> Result<bool, PinnedError> {
    let password = key.key.expose().as_bytes();
    let begun = ClientLogin::<Suite>::start(&mut Draws(&mut rng), password).map_err(unusable)?;
    let reply = CredentialResponse::deserialize(&reply.0).map_err(|_| PinnedError::Malformed)?;
    let parameters =
        ClientLoginFinishParameters::new(Some(CONTEXT), identifiers(agent, manager), None);
    Ok(begun.state.finish(&mut Draws(&mut rng), password, reply, parameters).is_ok())
}

/// The manager's end of a proof. `record_of` an agent that is not known is none, and such an agent is
/// answered like any other.
pub(super) async fn check(
    frames: &mut Frames,
    manager: &PeerName,
    registrar: &Registrar,
    record_of: impl Fn(&PeerName) -> Option<Bytes>,
    mut rng: Stream,
) -> Result<PeerName, PinnedError> {
    let Opening { agent, request } = frames.answer().await?;
    let request = CredentialRequest::deserialize(&request.0).map_err(|_| PinnedError::Malformed)?;
    let record = record_of(&agent)
        .map(|Bytes(record)| ServerRegistration::<Suite>::deserialize(&record))
        .transpose()
        .map_err(unusable)?;
    let begun = ServerLogin::start(
        &mut Draws(&mut rng),
        &registrar.setup()?,
        record,
        request,
        agent.as_str().as_bytes(),
        parameters(&agent, manager),
    )
    .map_err(|_| PinnedError::Malformed)?;
    let reply = Bytes(begun.message.serialize().to_vec());
    // An agent that finds the reply wrong leaves.
    let proof = match frames.ask::<Bytes>(&reply).await {
        Ok(proof) => proof,
        Err(PinnedError::Cut | PinnedError::Io(_)) => return Err(PinnedError::KeyNotProven),
        Err(error) => return Err(error),
    };
    let proof =
        CredentialFinalization::deserialize(&proof.0).map_err(|_| PinnedError::Malformed)?;
    let done = begun
        .state
        .finish(proof, parameters(&agent, manager))
        .map_err(|_| PinnedError::KeyNotProven)?;
    frames.seal_with(Seal::new(&done.session_key, End::Manager));
    frames.send(&Welcome {}).await?;
    Ok(agent)
}

fn identifiers<'a>(agent: &'a PeerName, manager: &'a PeerName) -> Identifiers<'a> {
    Identifiers {
        client: Some(agent.as_str().as_bytes()),
        server: Some(manager.as_str().as_bytes()),
    }
}

fn parameters<'a>(
    agent: &'a PeerName,
    manager: &'a PeerName,
) -> ServerLoginParameters<'static, 'a> {
    ServerLoginParameters { context: Some(CONTEXT), identifiers: identifiers(agent, manager) }
}

fn unusable(error: ProtocolError) -> PinnedError {
    PinnedError::Pake(error.to_string())
}

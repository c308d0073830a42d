//! Another way to servers than sockets: within this process, in no real time.
//!
//! The programs of a host are the same on both. What the model waits for on sockets in short real
//! time, it waits for here as long as the real program does, on a clock that is paused.

use std::{fmt, future::Future, io, net::SocketAddr, ops::Deref, pin::Pin, sync::Arc};

use ground::EventId;
use tokio::io::{AsyncRead, AsyncWrite};

/// Carries what the programs of a host send.
pub trait Medium: fmt::Debug + Send + Sync {
    /// Connects to a TCP port. Never returns where nobody answers.
    ///
    /// What the server sees of the connection is caused by `cause`.
    fn connect(
        &self,
        to: SocketAddr,
        cause: Option<EventId>,
    ) -> Carried<'_, io::Result<Box<dyn MediumStream>>>;

    /// Sends a datagram and waits for the answer. Never returns where nobody answers.
    fn ask(
        &self,
        to: SocketAddr,
        cause: Option<EventId>,
        datagram: Vec<u8>,
    ) -> Carried<'_, io::Result<Vec<u8>>>;
}

/// Something under way.
pub type Carried<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One end of a connection. Dropping it closes it; what was written before arrives.
pub trait MediumStream: AsyncRead + AsyncWrite + fmt::Debug + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + fmt::Debug + Send + Sync + Unpin> MediumStream for T {}

/// A medium that many hosts use. It equals only itself.
#[derive(Clone, Debug)]
pub struct SharedMedium(Arc<dyn Medium>);

impl SharedMedium {
    /// Shares `medium`.
    pub fn new(medium: impl Medium + 'static) -> Self {
        Self(Arc::new(medium))
    }
}

impl Deref for SharedMedium {
    type Target = dyn Medium;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl PartialEq for SharedMedium {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for SharedMedium {}

//! A client's TCP connection as the DC sees it: straight to the socket, or through a
//! [`Line`](crate::line::Line) that is not as it should be. A client in this process may come without
//! a socket.

use std::{
    io,
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex},
    net::TcpStream,
    time::timeout,
};

use crate::{
    limits,
    line::{Course, pump},
    memory::MemoryStream,
};

/// The connection. A line that becomes wrong while it is open is noticed with the next byte.
#[derive(Debug)]
pub(crate) struct Stream {
    end: End,
    /// Where the client is.
    client: Option<IpAddr>,
    /// What the line is like; none where no fault reaches it.
    course: Option<Course>,
}

#[derive(Debug)]
enum End {
    /// What leads to the client itself.
    Direct(Link),
    /// Our end of a line; at the other end a task passes the bytes on.
    Shaped { near: DuplexStream, is_reset: Arc<AtomicBool> },
}

/// What leads to a client without any line between.
#[derive(Debug)]
pub(crate) enum Link {
    /// Within this process.
    Memory(MemoryStream),
    /// A TCP socket.
    Socket(TcpStream),
}

impl Link {
    /// Makes the coming close a reset.
    pub(crate) fn reset_on_close(&self) {
        match self {
            Self::Memory(stream) => stream.reset_on_close(),
            Self::Socket(socket) => reset_on_close(socket),
        }
    }

    /// Waits until the client has sent something, or has left.
    pub(crate) async fn heard(mut self) {
        // A failure is as good as its end.
        let _ = match &mut self {
            Self::Memory(stream) => stream.read(&mut [0]).await,
            Self::Socket(socket) => socket.peek(&mut [0]).await,
        };
    }

    fn get(&mut self) -> Pin<&mut dyn Both> {
        match self {
            Self::Memory(stream) => Pin::new(stream),
            Self::Socket(socket) => Pin::new(socket),
        }
    }
}

impl Stream {
    /// The connection `link` to `client` on the way that `course` follows.
    pub(crate) fn new(link: Link, client: IpAddr, course: Course) -> Self {
        let mut stream =
            Self { end: End::Direct(link), client: Some(client), course: Some(course) };
        stream.follow();
        stream
    }

    /// A connection to a client in this process, on which nothing is wrong.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn of(near: DuplexStream) -> Self {
        Self {
            end: End::Shaped { near, is_reset: Arc::default() },
            client: Some(std::net::Ipv4Addr::LOCALHOST.into()),
            course: None,
        }
    }

    /// Tells the client at once that its bytes have come, instead of waiting for an answer to send
    /// that with. A client that writes its last flight of a handshake in small pieces waits for
    /// that, 40 ms each time: Samba's and GnuTLS' do.
    pub(crate) fn acknowledge_at_once(&self) {
        if let End::Direct(Link::Socket(socket)) = &self.end {
            // A failure costs latency only.
            let _ = SockRef::from(socket).set_tcp_quickack(true);
        }
    }

    /// The address of the client, unless it has gone.
    pub(crate) fn client(&self) -> Option<IpAddr> {
        self.client
    }

    /// Ends the connection with a reset.
    pub(crate) fn reset(self) {
        match self.end {
            End::Direct(link) => link.reset_on_close(),
            End::Shaped { is_reset, .. } => is_reset.store(true, Ordering::Release),
        }
    }

    /// Goes over to a line if there is something wrong with it now. It stays there.
    fn follow(&mut self) {
        let (Some(course), End::Direct(_)) = (&mut self.course, &self.end) else { return };
        if !course.turned() || course.line().is_plain() {
            return;
        }
        let (near, far) = duplex(limits::LINE_BYTES_MAX);
        let is_reset = Arc::new(AtomicBool::new(false));
        let shaped = End::Shaped { near, is_reset: Arc::clone(&is_reset) };
        let before = std::mem::replace(&mut self.end, shaped);
        if let (End::Direct(link), Some(course)) = (before, self.course.take()) {
            course.spawner().spawn(pump(link, far, is_reset, course));
        }
    }

    fn end(&mut self) -> Pin<&mut dyn Both> {
        self.follow();
        match &mut self.end {
            End::Direct(link) => link.get(),
            End::Shaped { near, .. } => Pin::new(near),
        }
    }
}

/// What both ends are.
trait Both: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Both for T {}

impl From<TcpStream> for Stream {
    /// A connection on which nothing is wrong, ever.
    fn from(socket: TcpStream) -> Self {
        let client = socket.peer_addr().ok().map(|client| client.ip());
        Self { end: End::Direct(Link::Socket(socket)), client, course: None }
    }
}

impl AsyncRead for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.get().poll_read(cx, buffer)
    }
}

impl AsyncWrite for Link {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get().poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get().poll_shutdown(cx)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.end().poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.end().poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end().poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.end().poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}

/// Ends the connection so that the client gets everything sent before.
///
/// The kernel answers bytes that arrive at a closed socket with a reset, and a reset discards what
/// the client has not read yet. So what it still sends is read and dropped until it closes.
pub(crate) async fn close(mut stream: Stream) {
    if stream.shutdown().await.is_ok() {
        see_off(stream).await;
    }
}

/// The same of a connection that we have ended, and the client may have yet to.
pub(crate) async fn see_off(mut stream: Stream) {
    let mut rest = [0; 1_024];
    let drained = async { while matches!(stream.read(&mut rest).await, Ok(size) if size > 0) {} };
    // A client that goes on talking gets its reset.
    let _ = timeout(LINGER, drained).await;
}

/// How long a client may take to notice the end of the connection.
pub(crate) const LINGER: Duration = Duration::from_secs(5);

/// Makes the coming close of `socket` a reset.
pub(crate) fn reset_on_close(socket: &TcpStream) {
    // Fails only on a socket that is none.
    let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
}

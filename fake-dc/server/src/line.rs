//! What happens to the bytes of a connection on their way: delay, pace, loss, reset.
//!
//! The shaping works on real sockets in real time. While nothing is wrong with a line, the DC reads
//! and writes the socket itself; once something is, a task stands between the two and passes
//! bytes on as the [`Line`] says. Lost bytes are kept back rather than thrown away: as with a real
//! TCP, which sends again what was lost, they arrive once the line is well again.

use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ground::Stream as Dice;
use rand::RngExt as _;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, split},
    sync::{Notify, watch},
    time::{Instant, sleep_until, timeout},
};

use crate::{
    facts::Listener,
    limits,
    route::Way,
    stream::{LINGER, Link},
    tasks::{OpenConnection, Spawner},
};

/// The line between a client and a DC. Faults change it, one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// By how much everything comes later to the client. Datagrams are delayed as well.
    pub(crate) delay: Duration,
    /// Up to how much more that is, drawn anew each time.
    pub(crate) jitter: Duration,
    /// Largest piece that passes, in either direction. A larger one, and all that follows, is lost.
    pub(crate) piece_max: Option<u64>,
    /// The connection is reset when so many bytes have reached the client.
    pub(crate) reset_after: Option<u64>,
    /// The connection is reset after a silence of this length.
    pub(crate) silence_max: Option<Duration>,
    /// What is special about the way to the client.
    pub(crate) to_client: Lane,
    /// What is special about the way to the server.
    pub(crate) to_server: Lane,
}

/// One direction of a [`Line`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lane {
    /// How fast bytes pass, if not as fast as they can.
    pub(crate) pace: Option<Pace>,
    /// How many bytes arrive; those that follow, and the end of the stream, are lost.
    pub(crate) lost_after: Option<u64>,
}

/// So many bytes, and then a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Bytes that are sent at once; at least one.
    pub(crate) bytes: usize,
    /// The pause behind them.
    pub(crate) pause: Duration,
}

impl Line {
    /// Whether nothing is special about it.
    pub(crate) fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Loses everything from now on, in both directions.
    pub(crate) fn go_dark(&mut self) {
        sooner(&mut self.to_client.lost_after, 0);
        sooner(&mut self.to_server.lost_after, 0);
    }

    fn lane(&self, direction: Direction) -> &Lane {
        match direction {
            Direction::ToClient => &self.to_client,
            Direction::ToServer => &self.to_server,
        }
    }

    /// How much later something comes to the client.
    pub(crate) fn draw_delay(&self, dice: &mut Dice) -> Duration {
        let jitter = u64::try_from(self.jitter.as_micros()).unwrap_or(u64::MAX);
        self.delay + Duration::from_micros(dice.random_range(0..=jitter))
    }
}

impl Pace {
    /// A rate in bytes per second, in steps that are small to the eye.
    pub(crate) fn rate(bytes_per_second: u64) -> Self {
        const STEPS_PER_SECOND: u64 = 20;
        let rate = bytes_per_second.max(1);
        let bytes = rate.div_ceil(STEPS_PER_SECOND);
        Self {
            bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
            pause: Duration::from_micros(bytes.saturating_mul(1_000_000) / rate),
        }
    }
}

/// Lowers `limit` to `other`, if that is less.
pub(crate) fn sooner<T: Ord>(limit: &mut Option<T>, other: T) {
    let least = match limit.take() {
        Some(limit) => limit.min(other),
        None => other,
    };
    *limit = Some(least);
}

/// The line of one connection while faults come and go.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    way: Way,
    listener: Listener,
    changes: watch::Receiver<u64>,
    spawner: Spawner,
    _open: Arc<OpenConnection>,
}

impl Course {
    pub(crate) fn new(
        way: &Way,
        listener: Listener,
        spawner: &Spawner,
        open: &Arc<OpenConnection>,
    ) -> Self {
        let mut changes = way.dc.changes();
        changes.mark_changed();
        Self {
            way: way.clone(),
            listener,
            changes,
            spawner: spawner.clone(),
            _open: Arc::clone(open),
        }
    }

    /// Whether faults have changed since this was asked last; true the first time.
    pub(crate) fn turned(&mut self) -> bool {
        // An error says that the DC is gone, and with it its faults.
        let turned = self.changes.has_changed().unwrap_or(false);
        if turned {
            self.changes.mark_unchanged();
        }
        turned
    }

    /// The line as it is now.
    pub(crate) fn line(&self) -> Line {
        self.way.line(self.listener)
    }

    pub(crate) fn spawner(&self) -> Spawner {
        self.spawner.clone()
    }
}

/// Passes bytes between the `link` to the client and the server's end of the line until one of them
/// ends the connection.
pub(crate) async fn pump(
    mut link: Link,
    server: DuplexStream,
    is_reset: Arc<AtomicBool>,
    course: Course,
) {
    let shared = Shared {
        course,
        is_reset,
        last_byte: Mutex::new(Instant::now()),
        client_has_left: Notify::new(),
    };
    let end = {
        let (from_client, to_client) = split(&mut link);
        let (from_server, to_server) = split(server);
        let up = Carrier::new(Direction::ToServer, &shared).carry(from_client, to_server);
        let down = Carrier::new(Direction::ToClient, &shared).carry(from_server, to_client);
        tokio::pin!(up, down);
        tokio::select! {
            biased;
            end = &mut down => match end {
                // The server may close its socket now, as any server may.
                End::Passed => timeout(LINGER, up).await.unwrap_or(End::Passed),
                end => end,
            },
            end = &mut up => match end {
                End::Passed => down.await,
                end => end,
            },
        }
    };
    if end == End::Reset {
        link.reset_on_close();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    ToClient,
    ToServer,
}

/// How one direction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// One of the two sides is gone.
    Gone,
    /// The end of the stream was passed on.
    Passed,
    /// The connection is to be reset.
    Reset,
}

/// What the two directions of a line share.
struct Shared {
    course: Course,
    /// Whether the server wants its end to be a reset.
    is_reset: Arc<AtomicBool>,
    /// When a byte last came or went, in either direction.
    last_byte: Mutex<Instant>,
    client_has_left: Notify,
}

impl Shared {
    fn last_byte(&self) -> MutexGuard<'_, Instant> {
        self.last_byte.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Carries the bytes of one direction.
struct Carrier<'a> {
    direction: Direction,
    shared: &'a Shared,
    line: Line,
    dice: Dice,
    /// What is under way, and when it arrives. Nothing overtakes.
    under_way: VecDeque<(Instant, Piece)>,
    /// Bytes under way.
    size: usize,
    /// Bytes that have arrived.
    arrived: u64,
    /// When the pace allows more.
    not_before: Instant,
    /// Whether so much was lost that no sending again can repair it.
    is_torn: bool,
}

enum Piece {
    Bytes(Vec<u8>),
    End,
}

impl<'a> Carrier<'a> {
    fn new(direction: Direction, shared: &'a Shared) -> Self {
        Self {
            direction,
            shared,
            line: shared.course.line(),
            dice: shared.course.way.dc.dice(),
            under_way: VecDeque::new(),
            size: 0,
            arrived: 0,
            not_before: Instant::now(),
            is_torn: false,
        }
    }

    async fn carry(
        mut self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
    ) -> End {
        let mut changes = self.shared.course.changes.clone();
        let mut buffer = vec![0; limits::LINE_BYTES_MAX];
        let mut has_ended = false;
        let mut client_has_left = false;
        loop {
            if client_has_left && self.is_lost() {
                return End::Gone;
            }
            let next = self.next();
            let has_room = self.size < limits::LINE_BYTES_MAX || self.is_lost();
            let silence = self.silence();
            tokio::select! {
                // In this order: of two things that come at one time the same is always first.
                biased;
                Ok(()) = changes.changed() => self.line = self.shared.course.line(),
                read = from.read(&mut buffer), if !has_ended && has_room => match read {
                    Ok(0) => {
                        has_ended = true;
                        if self.direction == Direction::ToServer {
                            client_has_left = true;
                            self.shared.client_has_left.notify_one();
                        }
                        self.send(Piece::End);
                    }
                    Ok(size) => self.send(Piece::Bytes(buffer[..size].to_vec())),
                    Err(_) => return End::Gone,
                },
                () = sleep_until(next.unwrap_or(self.not_before)), if next.is_some() => {
                    match self.deliver(&mut to).await {
                        Ok(None) => {}
                        Ok(Some(end)) => return end,
                        Err(_) => return End::Gone,
                    }
                }
                () = self.shared.client_has_left.notified(),
                    if self.direction == Direction::ToClient && !client_has_left =>
                {
                    client_has_left = true;
                }
                () = sleep_until(silence.unwrap_or(self.not_before)), if silence.is_some() => {
                    if self.silence().is_some_and(|end| end <= Instant::now()) {
                        return End::Reset;
                    }
                }
            }
        }
    }

    /// Puts `piece` under way.
    fn send(&mut self, piece: Piece) {
        let now = Instant::now();
        if let Piece::Bytes(bytes) = &piece {
            *self.shared.last_byte() = now;
            if self.size >= limits::LINE_BYTES_MAX {
                self.is_torn = true;
                return;
            }
            self.size += bytes.len();
        }
        let delay = match self.direction {
            Direction::ToClient => self.line.draw_delay(&mut self.dice),
            Direction::ToServer => Duration::ZERO,
        };
        let last = self.under_way.back().map_or(now, |&(arrival, _)| arrival);
        self.under_way.push_back((last.max(now + delay), piece));
    }

    /// When something arrives next; never while it is lost.
    fn next(&self) -> Option<Instant> {
        let &(arrival, _) = self.under_way.front()?;
        (!self.is_lost()).then(|| arrival.max(self.not_before))
    }

    /// Whether what comes next is lost on the way.
    fn is_lost(&self) -> bool {
        let lane = self.line.lane(self.direction);
        let is_too_large = match (self.line.piece_max, self.under_way.front()) {
            (Some(most), Some((_, Piece::Bytes(bytes)))) => bytes.len() > to_size(most),
            _ => false,
        };
        is_too_large || lane.lost_after.is_some_and(|after| self.arrived >= after)
    }

    /// When the silence has lasted too long. One direction watches over both.
    fn silence(&self) -> Option<Instant> {
        let most = self.line.silence_max.filter(|_| self.direction == Direction::ToClient)?;
        Some(*self.shared.last_byte() + most)
    }

    /// Delivers what arrives now, or as much of it as the pace allows.
    async fn deliver(&mut self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<Option<End>> {
        let lane = *self.line.lane(self.direction);
        if self.is_torn {
            return Ok(Some(End::Reset));
        }
        let Some((arrival, piece)) = self.under_way.pop_front() else { return Ok(None) };
        let Piece::Bytes(mut bytes) = piece else {
            if self.direction == Direction::ToClient && self.shared.is_reset.load(Ordering::Acquire)
            {
                return Ok(Some(End::Reset));
            }
            to.shutdown().await?;
            return Ok(Some(End::Passed));
        };
        let reset_after = self.line.reset_after.filter(|_| self.direction == Direction::ToClient);
        let most = [lane.lost_after, reset_after].into_iter().flatten().min();
        let most = most.map_or(usize::MAX, |most| to_size(most.saturating_sub(self.arrived)));
        let size = bytes.len().min(most).min(lane.pace.map_or(usize::MAX, |pace| pace.bytes));
        let rest = bytes.split_off(size);
        if !rest.is_empty() {
            self.under_way.push_front((arrival, Piece::Bytes(rest)));
        }
        self.size -= size;
        self.arrived += u64::try_from(size).unwrap_or(u64::MAX);
        to.write_all(&bytes).await?;
        to.flush().await?;
        *self.shared.last_byte() = Instant::now();
        if let Some(pace) = lane.pace {
            self.not_before = Instant::now() + pace.pause;
        }
        let is_over = reset_after.is_some_and(|most| self.arrived >= most);
        Ok(is_over.then_some(End::Reset))
    }
}

fn to_size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

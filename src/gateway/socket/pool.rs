//! The connections of a gateway over sockets, and their life and death.
//!
//! Waiting connections are with the poller and hold no thread. A thread made in advance takes one that is ready, goes
//! on with it as far as it can, and hands it back; a method may block the thread it runs on, while others go on with
//! other connections.

use std::io::{self, Read};
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, Weak, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};

use super::codec::Codec;
use super::connection::{Connection, End, Host, ThreadContext};
use super::listener::Listener;
use super::poller::{Event, Poller, Wait};
use super::watch::Watch;
use crate::gateway::memory::Memory;
use crate::service::{Limits, Service};

/// The octets read at once: an ordinary request, or as much of a large one as a socket holds.
const BUFFER: usize = 64 << 10;

/// The pause after a failure to accept, for example for want of descriptors.
const RECOVERY: Duration = Duration::from_millis(100);

/// The time that a connection must have been idle to be closed in favour of a new one.
const LONG_IDLE: Duration = Duration::from_secs(1);

/// Serves connections until a signal ends it; calls `ready` once it can.
///
/// TERM, INT and USR1 end it once the running calls are answered, or [`Limits::stop`] has passed; a second TERM or INT
/// ends the process at once, after `abandon` has ended what the process has started. Of peers with an IP address, only
/// the `allowed` may connect, if these are named.
///
/// # Errors
/// If it cannot begin.
pub(in crate::gateway) fn serve<C: Codec>(
    service: Arc<dyn Service>,
    listeners: Vec<Listener>,
    allowed: Option<Vec<IpAddr>>,
    ready: impl FnOnce(),
    abandon: fn(),
) -> io::Result<()> {
    let stop = stop_signal(abandon)?;
    let threads = threads(&service.limits());
    let pool = ConnectionPool::<C>::new(service, listeners, allowed, threads)?;
    for number in 1..=threads {
        start(format!("{}-{number}", C::NAME), &pool, ConnectionPool::work)?;
    }
    start(format!("{}-guard", C::NAME), &pool, |pool| pool.watch.guard())?;
    pool.check_descriptors()?;
    ready();
    // an error means that the thread of signals is ending the process
    _ = stop.recv();
    pool.stop();
    while ENDS_AT_ONCE.load(Ordering::SeqCst) {
        // that is why the calls have ended, and the other thread chooses the status
        thread::park();
    }
    Ok(())
}

fn start<C: Codec>(
    name: String,
    pool: &Arc<ConnectionPool<C>>,
    work: impl FnOnce(&ConnectionPool<C>) + Send + 'static,
) -> io::Result<()> {
    /// The stack of a thread, as Rust has it; half of it where addresses are limited, as each stack takes up as many.
    const STACK: usize = 2 << 20;

    let is_limited = getrlimit(Resource::As).current.is_some();
    let stack = if is_limited { STACK / 2 } else { STACK };
    let pool = Arc::clone(pool);
    thread::Builder::new().name(name).stack_size(stack).spawn(move || work(&pool)).map(drop)
}

fn threads(limits: &Limits) -> usize {
    let processors = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
    limits.threads.map_or_else(|| (4 * processors()).max(8), NonZeroUsize::get)
}

/// Set when a second signal is about to end the process.
static ENDS_AT_ONCE: AtomicBool = AtomicBool::new(false);

/// Returns a channel that reports the first signal to end. Its thread outlives the gateway: until the process has
/// ended, a second TERM or INT ends it at once.
fn stop_signal(abandon: fn()) -> io::Result<mpsc::Receiver<()>> {
    let (mut receiver, sender) = UnixStream::pair()?;
    let last = Arc::new(AtomicUsize::new(0));
    for signal in [SIGTERM, SIGINT, SIGUSR1] {
        // in this order: when the octet arrives, the number of the signal is there
        signal_hook::flag::register_usize(signal, Arc::clone(&last), signal.unsigned_abs() as usize)?;
        signal_hook::low_level::pipe::register(signal, sender.try_clone()?)?;
    }
    let (tell, stop) = mpsc::channel();
    let wait = move || {
        let mut is_told = false;
        while receiver.read_exact(&mut [0]).is_ok() {
            let signal = last.load(Ordering::SeqCst) as i32;
            if signal != SIGUSR1 && std::mem::replace(&mut is_told, true) {
                ENDS_AT_ONCE.store(true, Ordering::SeqCst);
                abandon();
                std::process::exit(128 + signal);
            }
            _ = tell.send(());
        }
        log::error!("signals cannot be received any more");
        abandon();
        std::process::exit(1);
    };
    thread::Builder::new().name("signals".into()).spawn(wait)?;
    Ok(stop)
}

/// The connections, and everything else that the threads share.
pub(super) struct ConnectionPool<C: Codec> {
    service: Arc<dyn Service>,
    limits: Limits,
    poller: Poller,
    watch: Watch,
    memory: Memory,
    /// The slots of connections that have been granted memory, with the generation of each.
    roused: Mutex<Vec<(u32, u32)>>,
    /// A reference to itself, for the callbacks that wake its connections.
    own: Weak<ConnectionPool<C>>,
    /// Empty once it stops.
    listeners: RwLock<Vec<Listener>>,
    /// The machines that may connect, if not all.
    allowed: Option<Vec<IpAddr>>,
    slots: Vec<Mutex<Slot<C>>>,
    free: Mutex<Free>,
    /// Notified when a slot becomes free while it stops.
    freed: Condvar,
    /// The slot of the connection that was ready last.
    last: AtomicU32,
    /// Set if the last connection could not be accepted.
    is_failing: AtomicBool,
    /// Set once a peer that may not connect was refused.
    has_refused: AtomicBool,
    /// The time at which it was told to stop, if it was.
    stopped: OnceLock<Instant>,
}

/// The poller's knowledge of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watched {
    /// The poller does not know it yet.
    Unknown,
    /// The poller knows it, and watches it for nothing.
    Idle,
    For(Wait),
}

/// The poller's reports of a connection while a thread had it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum News {
    #[default]
    None,
    /// Something has changed.
    Changed,
    /// The peer has ended it.
    Ended,
}

/// The place of a connection; empty while a thread has the connection.
struct Slot<C: Codec> {
    /// A new number for each connection: an event may come for one that is gone.
    generation: u32,
    connection: Option<Box<Connection<C>>>,
    watched: Watched,
    news: News,
}

struct Free {
    /// Slots without a connection.
    slots: Vec<u32>,
    /// Set while the listeners wait for something to become free.
    is_paused: bool,
}

impl<C: Codec> ConnectionPool<C> {
    fn new(
        service: Arc<dyn Service>,
        listeners: Vec<Listener>,
        allowed: Option<Vec<IpAddr>>,
        threads: usize,
    ) -> io::Result<Arc<ConnectionPool<C>>> {
        let limits = service.limits();
        let connections = max_connections(&limits);
        let limits = Limits { connections: connections as usize, ..limits };
        let poller = Poller::new()?;
        let pool = Arc::new_cyclic(|own| ConnectionPool {
            service,
            limits,
            poller,
            watch: Watch::new(threads),
            memory: Memory::new(limits.memory),
            roused: Mutex::default(),
            own: Weak::clone(own),
            listeners: RwLock::new(listeners),
            allowed,
            slots: (0..connections).map(|_| Mutex::new(Slot::new())).collect(),
            free: Mutex::new(Free { slots: (0..connections).rev().collect(), is_paused: false }),
            freed: Condvar::new(),
            last: AtomicU32::new(0),
            is_failing: AtomicBool::new(false),
            has_refused: AtomicBool::new(false),
            stopped: OnceLock::new(),
        });
        for (index, listener) in pool.listeners().iter().enumerate() {
            listener.prepare()?;
            pool.poller.listen(listener, index)?;
        }
        Ok(pool)
    }

    /// Handles events, for ever: the loop of each thread.
    fn work(&self) {
        let mut worker = ThreadContext { buffer: vec![0; BUFFER].into(), host: self, slot: 0 };
        loop {
            self.watch.wait_turn();
            let event = self.poller.wait();
            self.watch.leave();
            // a mistake of this gateway costs a connection, not a thread
            let worked = catch_unwind(AssertUnwindSafe(|| self.handle_event(event, &mut worker)));
            if worked.is_err() {
                log::error!("a connection is lost: the gateway panicked");
            }
        }
    }

    fn handle_event(&self, event: Result<(Event, bool), Errno>, worker: &mut ThreadContext<'_>) {
        match event {
            Ok((Event::Listener(index), _)) => self.accept(index, worker),
            Ok((Event::Timer, _)) => self.tick(worker),
            Ok((Event::Connection { slot, generation }, is_ended)) => self.resume(slot, generation, is_ended, worker),
            Err(error) => {
                log::error!("the poller fails: {error}");
                thread::sleep(RECOVERY);
            }
        }
    }

    fn slot(&self, slot: u32) -> MutexGuard<'_, Slot<C>> {
        lock(&self.slots[slot as usize])
    }

    fn listeners(&self) -> RwLockReadGuard<'_, Vec<Listener>> {
        self.listeners.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Accepts one connection, and goes on with it.
    fn accept(&self, index: usize, worker: &mut ThreadContext<'_>) {
        let Some(slot) = self.take_slot() else {
            return;
        };
        let accepted = self.listeners().get(index).map_or(Err(Errno::INVAL), Listener::accept);
        if let Err(error) = accepted
            && !matches!(error, Errno::AGAIN | Errno::INTR | Errno::CONNABORTED)
        {
            self.pause(slot, error);
            return;
        }
        if self.is_failing.load(Ordering::Relaxed) && accepted.is_ok() {
            self.is_failing.store(false, Ordering::Relaxed);
        }
        // the next is for another thread
        self.listen(index);
        match accepted.ok().and_then(|(socket, peer)| self.admit(socket, peer)) {
            Some(connection) => self.go_on(slot, connection, false, worker),
            None => self.release(slot),
        }
    }

    /// Makes a connection of a socket, if its peer may connect.
    fn admit(&self, socket: OwnedFd, peer: Option<IpAddr>) -> Option<Box<Connection<C>>> {
        match (peer, &self.allowed) {
            (Some(peer), Some(allowed)) if !allowed.contains(&peer) => {
                // once: strangers must not be able to fill the log
                let is_news = !self.has_refused.swap(true, Ordering::Relaxed);
                let level = if is_news { log::Level::Warn } else { log::Level::Debug };
                log::log!(level, "connection from {peer} refused: it is not in FCGI_WEB_SERVER_ADDRS");
                None
            }
            _ => Some(Box::new(Connection::new(socket, &self.limits))),
        }
    }

    /// Asks the poller to report one more waiting connection. If that fails, it is tried again a little later; until
    /// then nothing is accepted.
    fn listen(&self, index: usize) {
        if let Some(listener) = self.listeners().get(index)
            && let Err(error) = self.poller.listen_again(listener, index)
        {
            lock(&self.free).is_paused = true;
            if !self.is_failing.swap(true, Ordering::Relaxed) {
                log::error!(
                    "no connection can be accepted, until that changes: the listener cannot be watched: {error}"
                );
            }
            self.poller.wake_at(Instant::now() + RECOVERY);
        }
    }

    /// Checks that there is a descriptor for a connection: without one it would listen and never answer.
    fn check_descriptors(&self) -> io::Result<()> {
        for listener in self.listeners().iter() {
            rustix::io::dup(listener)?;
        }
        Ok(())
    }

    fn listen_to_all(&self) {
        let listeners = self.listeners().len();
        (0..listeners).for_each(|index| self.listen(index));
    }

    /// Takes a slot for a new connection. If there is none, the listeners pause.
    fn take_slot(&self) -> Option<u32> {
        if let Some(slot) = self.free_slot() {
            return Some(slot);
        }
        let evicted = self.evict();
        if evicted.is_none() {
            self.poller.wake_at(Instant::now() + LONG_IDLE);
        }
        evicted
    }

    fn free_slot(&self) -> Option<u32> {
        let mut free = lock(&self.free);
        let slot = free.slots.pop();
        free.is_paused |= slot.is_none();
        slot
    }

    /// Closes the connection that has been idle for longest, if that is long: clients that keep unused connections must
    /// not lock others out.
    fn evict(&self) -> Option<u32> {
        let idle_since = |slot| self.slot(slot).connection.as_ref()?.idle_since();
        let (since, slot) = self.slots().filter_map(|slot| Some((idle_since(slot)?, slot))).min()?;
        if since.elapsed() < LONG_IDLE {
            return None;
        }
        let mut place = self.slot(slot);
        // it may have become busy in between
        place.connection.as_ref()?.idle_since()?;
        place.clear();
        Some(slot)
    }

    fn slots(&self) -> impl Iterator<Item = u32> {
        // the cap on connections fits into a `u32`
        (0..).take(self.slots.len())
    }

    /// Accepts nothing for a while.
    fn pause(&self, slot: u32, error: Errno) {
        let mut free = lock(&self.free);
        free.slots.push(slot);
        free.is_paused = true;
        drop(free);
        if self.is_stopping() {
            self.freed.notify_all();
            return;
        }
        if !self.is_failing.swap(true, Ordering::Relaxed) {
            log::error!("no connection can be accepted, until that changes: {error}");
        }
        self.poller.wake_at(Instant::now() + RECOVERY);
    }

    /// Goes on with a connection on which something has changed, unless it is gone or a thread has it.
    fn resume(&self, slot: u32, generation: u32, is_ended: bool, worker: &mut ThreadContext<'_>) {
        let connection = self.slot(slot).take(generation, is_ended);
        if let Some(connection) = connection {
            let is_same = self.last.swap(slot, Ordering::Relaxed) == slot;
            self.go_on(slot, connection, is_same, worker);
        }
    }

    /// Goes on with a connection until it waits for its peer, or is closed.
    fn go_on(&self, slot: u32, mut connection: Box<Connection<C>>, linger: bool, worker: &mut ThreadContext<'_>) {
        worker.slot = slot;
        loop {
            let mut next = connection.turn(worker);
            while linger && next.as_ref().is_ok_and(|wait| *wait == Wait::Input) && self.may_linger(slot, &connection) {
                match self.linger(slot, &mut connection, worker) {
                    Ok(Some(wait)) => next = Ok(wait),
                    Ok(None) => break,
                    Err(end) => next = Err(end),
                }
            }
            match next.and_then(|wait| self.park(slot, connection, wait)) {
                Ok(None) => return,
                Ok(Some(ready)) => connection = ready,
                Err(end) => return self.close(slot, &end),
            }
        }
    }

    /// Tests whether a thread may wait for one idle connection: if no other is active. Then a web server that uses one
    /// connection is answered with half the system calls, and other threads are there for all others.
    fn may_linger(&self, slot: u32, connection: &Connection<C>) -> bool {
        self.last.load(Ordering::Relaxed) == slot
            && self.watch.is_staffed()
            && connection.idle_since().is_some()
            && !self.is_stopping()
    }

    fn linger(
        &self,
        slot: u32,
        connection: &mut Connection<C>,
        worker: &mut ThreadContext<'_>,
    ) -> Result<Option<Wait>, End<C>> {
        let mut place = self.slot(slot);
        if matches!(place.watched, Watched::For(_)) {
            self.poller.watch_for(&*connection, place.event(slot), None)?;
            place.watched = Watched::Idle;
        }
        drop(place);
        connection.linger(worker)
    }

    /// Leaves a connection to the poller, or returns it if it is ready by now.
    fn park(
        &self,
        slot: u32,
        mut connection: Box<Connection<C>>,
        wait: Wait,
    ) -> Result<Option<Box<Connection<C>>>, End<C>> {
        let mut place = self.slot(slot);
        let news = std::mem::take(&mut place.news);
        if news != News::None {
            connection.is_ended |= news == News::Ended;
            return Ok(Some(connection));
        }
        let event = place.event(slot);
        match place.watched {
            // an unfinished one is watched anew, which makes the poller look again
            Watched::For(watched) if watched == wait && !connection.is_unfinished => {}
            Watched::Idle | Watched::For(_) => {
                self.poller.watch_for(&connection, event, Some(wait)).map_err(End::Unwatched)?
            }
            Watched::Unknown => self.poller.watch(&connection, event, wait).map_err(End::Unwatched)?,
        }
        place.watched = Watched::For(wait);
        // store the connection before reading `stopped`: stopping sets that first, then looks for connections
        let deadline = place.connection.insert(connection).deadline(self.limits.stall, self.stopped.get().copied());
        drop(place);
        if let Some(deadline) = deadline {
            self.poller.wake_at(deadline);
        }
        Ok(None)
    }

    /// Closes a connection that has ended, and logs why.
    fn close(&self, slot: u32, end: &End<C>) {
        match end {
            End::Closed => {}
            end @ (End::Violation(_) | End::Unwatched(_)) => log::warn!("a connection is closed: {end}"),
            end => log::debug!("a connection is closed: {end}"),
        }
        self.release(slot);
    }

    /// Frees a slot whose connection is gone.
    fn release(&self, slot: u32) {
        self.slot(slot).clear();
        let mut free = lock(&self.free);
        free.slots.push(slot);
        let was_paused = std::mem::take(&mut free.is_paused);
        drop(free);
        if self.is_stopping() {
            self.freed.notify_all();
        } else if was_paused {
            self.listen_to_all();
        }
    }

    /// Makes the poller report the connection in a slot, to any thread that has time.
    fn rouse(&self, slot: u32, generation: u32) {
        let mut place = self.slot(slot);
        if place.generation != generation {
            return;
        }
        let event = place.event(slot);
        let Some(connection) = &place.connection else {
            place.news = place.news.max(News::Changed);
            return;
        };
        match self.poller.watch_for(connection, event, Some(Wait::Either)) {
            Ok(()) => place.watched = Watched::For(Wait::Either),
            // its deadline will wake it
            Err(error) => log::error!("a connection cannot be watched: {error}"),
        }
    }

    /// Does what is due by now.
    fn tick(&self, worker: &mut ThreadContext<'_>) {
        self.poller.woken();
        let roused = std::mem::take(&mut *lock(&self.roused));
        roused.into_iter().for_each(|(slot, generation)| self.rouse(slot, generation));
        if std::mem::take(&mut lock(&self.free).is_paused) {
            self.listen_to_all();
        }
        if let Some(next) = self.close_overdue(worker) {
            self.poller.wake_at(next);
        }
    }

    /// Closes connections that have waited too long, and answers those that have waited for memory. Returns when the
    /// next is due.
    fn close_overdue(&self, worker: &mut ThreadContext<'_>) -> Option<Instant> {
        let now = Instant::now();
        let mut next: Option<Instant> = None;
        for slot in self.slots() {
            let mut place = self.slot(slot);
            let connection = place.connection.as_ref();
            let deadline = connection.and_then(|waits| waits.deadline(self.limits.stall, self.stopped.get().copied()));
            match deadline {
                Some(deadline) if deadline <= now => {
                    let overdue = place.connection.take();
                    drop(place);
                    match overdue {
                        Some(overdue) if overdue.is_waiting() => self.go_on(slot, overdue, false, worker),
                        Some(overdue) if overdue.idle_since().is_some() => self.close(slot, &End::Closed),
                        _ => self.close(slot, &End::Stalled),
                    }
                }
                Some(deadline) => next = Some(next.map_or(deadline, |next| next.min(deadline))),
                None => {}
            }
        }
        next
    }

    /// Accepts nothing more, and waits until all connections are closed.
    fn stop(&self) {
        self.stopped.get_or_init(Instant::now);
        let listeners = std::mem::take(&mut *self.listeners.write().unwrap_or_else(PoisonError::into_inner));
        for listener in &listeners {
            self.accept_the_last(listener);
            listener.close();
            // connections that came in between; a unix socket still has them
            self.accept_the_last(listener);
        }
        drop(listeners);
        // the timer then closes idle connections, one after the other
        self.poller.wake_at(Instant::now());
        let are_open = |free: &mut Free| free.slots.len() < self.slots.len();
        let waited = self.freed.wait_timeout_while(lock(&self.free), self.limits.stop, are_open);
        let (free, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let left = self.slots.len() - free.slots.len();
        if left > 0 {
            log::warn!("{left} connections were not finished in {:?}", self.limits.stop);
        }
    }

    /// Accepts connections that still wait: a web server considers them open, and has sent requests on them.
    fn accept_the_last(&self, listener: &Listener) {
        while let Some(slot) = self.free_slot() {
            let connection = match listener.accept() {
                Ok((socket, peer)) => self.admit(socket, peer),
                Err(Errno::INTR | Errno::CONNABORTED) => None,
                Err(_) => return self.release(slot),
            };
            let parked = connection.map(|connection| self.park(slot, connection, Wait::Input));
            if !matches!(parked, Some(Ok(None))) {
                self.release(slot);
            }
        }
    }
}

impl<C: Codec> Host for ConnectionPool<C> {
    fn service(&self) -> &dyn Service {
        &*self.service
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn memory(&self) -> &Memory {
        &self.memory
    }

    fn waker(&self, slot: u32) -> Box<dyn FnOnce() + Send> {
        let (pool, generation) = (Weak::clone(&self.own), self.slot(slot).generation);
        Box::new(move || {
            if let Some(pool) = pool.upgrade() {
                lock(&pool.roused).push((slot, generation));
                pool.poller.wake_at(Instant::now());
            }
        })
    }

    fn is_stopping(&self) -> bool {
        self.stopped.get().is_some()
    }
}

impl<C: Codec> Slot<C> {
    fn new() -> Slot<C> {
        Slot { generation: 0, connection: None, watched: Watched::Unknown, news: News::None }
    }

    /// Takes out the connection of this generation; if a thread has it, leaves word for that thread.
    fn take(&mut self, generation: u32, is_ended: bool) -> Option<Box<Connection<C>>> {
        if self.generation != generation {
            return None;
        }
        match self.connection.take() {
            Some(mut connection) => {
                connection.is_ended |= is_ended;
                Some(connection)
            }
            None => {
                self.news = self.news.max(if is_ended { News::Ended } else { News::Changed });
                None
            }
        }
    }

    /// Returns the event by which the poller reports the connection.
    fn event(&self, slot: u32) -> Event {
        Event::Connection { slot, generation: self.generation }
    }

    /// Makes it ready for another connection, closing the one it has.
    fn clear(&mut self) {
        *self = Slot { generation: self.generation.wrapping_add(1), ..Slot::new() };
    }
}

/// Returns the most connections that may be open: some descriptors are for the methods.
fn max_connections(limits: &Limits) -> u32 {
    /// No kernel lets a process open more files.
    const MAX: usize = 1 << 30;

    let descriptors = getrlimit(Resource::Nofile).current.and_then(|most| usize::try_from(most).ok());
    let most = descriptors.map_or(MAX, |most| most / 4 * 3).min(MAX);
    limits.connections.clamp(1, most.max(1)) as u32
}

/// Locks a mutex; data that a panicked thread left is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! FastCGI (1.0), as a responder: many requests, over connections that web servers keep.
//!
//! Waiting connections are with the poller and hold no thread. A thread of a fixed pool takes one that is ready, works
//! on it until it waits again, and hands it back; a method may block its thread, while others go on with other
//! connections.
//!
//! | file | what it knows |
//! |---|---|
//! | `record`, `responder` | the protocol, without any I/O |
//! | `connection` | a socket, and the state of its protocol |
//! | `listener` | where connections come from |
//! | `poller`, `watch` | which connections are ready; which threads wait for that |
//! | this one | the connections there are, and their life and death |

mod connection;
mod record;
mod responder;

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

use self::connection::{Connection, End, Worker};
use super::memory::Memory;
pub use super::socket::{Address, ListenError, Listener, ParseAddressError};
use super::socket::{Event, Poller, Wait, Watch};
use crate::service::Limits;
use crate::service::Service;

/// The octets read at once: an ordinary request, or as much of a large one as a socket holds.
const BUFFER: usize = 64 << 10;

/// The pause after a failure to accept, for example for want of descriptors.
const RECOVERY: Duration = Duration::from_millis(100);

/// The time that a connection must have been idle to be closed in favour of a new one.
const LONG_IDLE: Duration = Duration::from_secs(1);

/// Serves connections of web servers until a signal ends it; `ready` is called when it can.
///
/// TERM, INT and USR1 end it when what runs has been answered, or [`Limits::stop`] has passed; a second TERM or INT ends
/// the process at once.
///
/// # Errors
/// If it cannot begin: there is no descriptor or thread to be had.
///
/// # Example
///
/// ```no_run
/// use rpcgi::Server;
/// use rpcgi::gateway::fastcgi::{self, Listener};
///
/// let endpoint = Server::new("Example").method("add", |a: i32, b: i32| a + b).build()?;
/// let listeners = Listener::bind(&"unix:/run/example.sock".parse()?)?;
/// fastcgi::serve(endpoint, listeners, || println!("ready"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn serve(service: impl Service + 'static, listeners: Vec<Listener>, ready: impl FnOnce()) -> io::Result<()> {
    serve_until(Arc::new(service), listeners, ready, || ())
}

/// The same; `abandon` is called before a second signal ends the process at once, to end what it has started.
pub(crate) fn serve_until(
    service: Arc<dyn Service>,
    listeners: Vec<Listener>,
    ready: impl FnOnce(),
    abandon: fn(),
) -> io::Result<()> {
    let stop = stop_signal(abandon)?;
    let threads = threads(&service.limits());
    let pool = Pool::new(service, listeners, threads)?;
    for number in 1..=threads {
        start(format!("fastcgi-{number}"), &pool, Pool::work)?;
    }
    start("fastcgi-guard".into(), &pool, |pool| pool.watch.guard())?;
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

fn start(name: String, pool: &Arc<Pool>, work: impl FnOnce(&Pool) + Send + 'static) -> io::Result<()> {
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
    thread::Builder::new().name("fastcgi-signals".into()).spawn(wait)?;
    Ok(stop)
}

/// The connections, and everything else that the threads share.
struct Pool {
    service: Arc<dyn Service>,
    limits: Limits,
    poller: Poller,
    watch: Watch,
    memory: Memory,
    /// The slots of connections that have been granted memory, with the generation of each.
    roused: Mutex<Vec<(u32, u32)>>,
    /// A reference to itself, for the callbacks that wake its connections.
    own: Weak<Pool>,
    /// Empty once it stops.
    listeners: RwLock<Vec<Listener>>,
    /// The machines that may connect, if not all.
    allowed: Option<Vec<IpAddr>>,
    slots: Vec<Mutex<Slot>>,
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

/// The place of a connection; empty while a thread has the connection.
#[derive(Default)]
struct Slot {
    /// A new number for each connection: an event may come for one that is gone.
    generation: u32,
    connection: Option<Box<Connection>>,
    /// The wait that the poller watches it for, if any, once the poller knows it.
    watched: Option<Option<Wait>>,
    /// Set if the poller has reported a change while a thread had it; `true` if the peer has ended it.
    news: Option<bool>,
}

struct Free {
    /// Slots without a connection.
    slots: Vec<u32>,
    /// Set while the listeners wait for something to become free.
    is_paused: bool,
}

impl Pool {
    fn new(service: Arc<dyn Service>, listeners: Vec<Listener>, threads: usize) -> io::Result<Arc<Pool>> {
        let limits = service.limits();
        let connections = most_connections(&limits);
        let limits = Limits { connections: connections as usize, ..limits };
        let poller = Poller::new()?;
        let pool = Arc::new_cyclic(|own| Pool {
            service,
            limits,
            poller,
            watch: Watch::new(threads),
            memory: Memory::new(limits.memory),
            roused: Mutex::default(),
            own: Weak::clone(own),
            listeners: RwLock::new(listeners),
            allowed: allowed(),
            slots: (0..connections).map(|_| Mutex::default()).collect(),
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
        let mut worker = Worker { buffer: vec![0; BUFFER].into(), pool: self, slot: 0 };
        loop {
            self.watch.attend();
            let event = self.poller.wait();
            self.watch.leave();
            // a mistake of this gateway costs a connection, not a thread
            let worked = catch_unwind(AssertUnwindSafe(|| self.attend_to(event, &mut worker)));
            if worked.is_err() {
                log::error!("a connection is lost: the FastCGI gateway panicked");
            }
        }
    }

    fn attend_to(&self, event: Result<(Event, bool), Errno>, worker: &mut Worker<'_>) {
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

    fn slot(&self, slot: u32) -> MutexGuard<'_, Slot> {
        lock(&self.slots[slot as usize])
    }

    fn listeners(&self) -> RwLockReadGuard<'_, Vec<Listener>> {
        self.listeners.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.stopped.get().is_some()
    }

    /// Accepts one connection, and goes on with it.
    fn accept(&self, index: usize, worker: &mut Worker<'_>) {
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
    fn admit(&self, socket: OwnedFd, peer: Option<IpAddr>) -> Option<Box<Connection>> {
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
    fn resume(&self, slot: u32, generation: u32, is_ended: bool, worker: &mut Worker<'_>) {
        let connection = self.slot(slot).take(generation, is_ended);
        if let Some(connection) = connection {
            let is_same = self.last.swap(slot, Ordering::Relaxed) == slot;
            self.go_on(slot, connection, is_same, worker);
        }
    }

    /// Goes on with a connection until it waits for its peer, or is closed.
    fn go_on(&self, slot: u32, mut connection: Box<Connection>, linger: bool, worker: &mut Worker<'_>) {
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
    fn may_linger(&self, slot: u32, connection: &Connection) -> bool {
        self.last.load(Ordering::Relaxed) == slot
            && self.watch.is_attended()
            && connection.idle_since().is_some()
            && !self.is_stopping()
    }

    fn linger(&self, slot: u32, connection: &mut Connection, worker: &mut Worker<'_>) -> Result<Option<Wait>, End> {
        let mut place = self.slot(slot);
        if place.watched.is_some_and(|watched| watched.is_some()) {
            self.poller.watch_for(&*connection, place.event(slot), None)?;
            place.watched = Some(None);
        }
        drop(place);
        connection.linger(worker)
    }

    /// Leaves a connection to the poller, or returns it if it is ready by now.
    fn park(&self, slot: u32, mut connection: Box<Connection>, wait: Wait) -> Result<Option<Box<Connection>>, End> {
        let mut place = self.slot(slot);
        if let Some(is_ended) = place.news.take() {
            connection.is_ended |= is_ended;
            return Ok(Some(connection));
        }
        let event = place.event(slot);
        match place.watched {
            // an unfinished one is watched anew, which makes the poller look again
            Some(watched) if watched == Some(wait) && !connection.is_unfinished => {}
            Some(_) => self.poller.watch_for(&connection, event, Some(wait)).map_err(End::Unwatched)?,
            None => self.poller.watch(&connection, event, wait).map_err(End::Unwatched)?,
        }
        place.watched = Some(Some(wait));
        // store the connection before reading `stopped`: stopping sets that first, then looks for connections
        let deadline = place.connection.insert(connection).deadline(self.limits.stall, self.stopped.get().copied());
        drop(place);
        if let Some(deadline) = deadline {
            self.poller.wake_at(deadline);
        }
        Ok(None)
    }

    /// Closes a connection that has ended, and logs why.
    fn close(&self, slot: u32, end: &End) {
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

    /// Makes a callback that wakes the connection in a slot.
    fn waker(&self, slot: u32) -> Box<dyn FnOnce() + Send> {
        let (pool, generation) = (Weak::clone(&self.own), self.slot(slot).generation);
        Box::new(move || {
            if let Some(pool) = pool.upgrade() {
                lock(&pool.roused).push((slot, generation));
                pool.poller.wake_at(Instant::now());
            }
        })
    }

    /// Makes the poller report the connection in a slot, to any thread that has time.
    fn rouse(&self, slot: u32, generation: u32) {
        let mut place = self.slot(slot);
        if place.generation != generation {
            return;
        }
        let event = place.event(slot);
        let Some(connection) = &place.connection else {
            place.news = Some(place.news.unwrap_or_default());
            return;
        };
        match self.poller.watch_for(connection, event, Some(Wait::Either)) {
            Ok(()) => place.watched = Some(Some(Wait::Either)),
            // its deadline will wake it
            Err(error) => log::error!("a connection cannot be watched: {error}"),
        }
    }

    /// Does what is due by now.
    fn tick(&self, worker: &mut Worker<'_>) {
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
    fn close_overdue(&self, worker: &mut Worker<'_>) -> Option<Instant> {
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

impl Slot {
    /// Takes out the connection of this generation; if a thread has it, leaves word for that thread.
    fn take(&mut self, generation: u32, is_ended: bool) -> Option<Box<Connection>> {
        if self.generation != generation {
            return None;
        }
        match self.connection.take() {
            Some(mut connection) => {
                connection.is_ended |= is_ended;
                Some(connection)
            }
            None => {
                self.news = Some(self.news.unwrap_or_default() | is_ended);
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
        *self = Slot { generation: self.generation.wrapping_add(1), ..Slot::default() };
    }
}

/// Returns the most connections that may be open: some descriptors are for the methods.
fn most_connections(limits: &Limits) -> u32 {
    /// No kernel lets a process open more files.
    const MOST: usize = 1 << 30;

    let descriptors = getrlimit(Resource::Nofile).current.and_then(|most| usize::try_from(most).ok());
    let most = descriptors.map_or(MOST, |most| most / 4 * 3).min(MOST);
    limits.connections.clamp(1, most.max(1)) as u32
}

/// Returns the addresses of FCGI_WEB_SERVER_ADDRS (FastCGI 1.0 §3.2), if that is set.
fn allowed() -> Option<Vec<IpAddr>> {
    let list = std::env::var_os("FCGI_WEB_SERVER_ADDRS")?;
    let address = |text: &str| {
        let address = text.trim().parse().ok().map(|address: IpAddr| address.to_canonical());
        if address.is_none() {
            log::warn!("FCGI_WEB_SERVER_ADDRS: expected an IP address, found \"{text}\"");
        }
        address
    };
    Some(list.to_string_lossy().split(',').filter_map(address).collect())
}

/// Locks a mutex; data that a panicked thread left is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

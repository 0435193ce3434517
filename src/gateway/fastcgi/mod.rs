//! FastCGI (1.0), as a responder: many requests, over connections that web servers keep.
//!
//! Connections that wait are in a poller (epoll, one-shot) and hold no thread. A thread made in advance takes one that is
//! ready, goes on with it as far as it goes, and hands it back; a method may block the thread it runs on, while others
//! go on with other connections.
//!
//! | file | |
//! |---|---|
//! | `record`, `responder` | the protocol, without any I/O |
//! | `connection` | a socket and the state of its protocol |
//! | `listener` | where connections come from |
//! | this one | threads, poller, time, signals |

mod connection;
mod listener;
mod record;
mod responder;

use std::io::{self, Read};
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};
use rustix::time::{self, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};

use self::connection::{Connection, End, Wait, Worker};
pub(crate) use self::listener::{Address, Listener};
use crate::limits::Limits;
use crate::service::Service;

/// How much is read at once: an ordinary request, or as much as a socket holds of a large one.
const BUFFER: usize = 64 << 10;

/// How long nothing is accepted after that has failed, as for want of descriptors.
const RECOVERY: Duration = Duration::from_millis(100);

/// How long a connection must have been idle to be closed in favour of a new one.
const LONG_IDLE: Duration = Duration::from_secs(1);

/// Serves connections until a signal ends it.
///
/// TERM, INT and USR1 end it when what runs has been answered, or [`Limits::stop`] has passed; a second TERM or INT ends the
/// process at once.
///
/// # Errors
/// If it cannot begin.
pub(crate) fn serve(service: Arc<dyn Service>, listeners: Vec<Listener>) -> io::Result<()> {
    let signals = signals()?;
    let limits = *service.limits();
    let pool = Arc::new(Pool::new(service, listeners)?);
    for number in 1..=threads(&limits) {
        let pool = Arc::clone(&pool);
        thread::Builder::new().name(format!("fastcgi-{number}")).spawn(move || pool.work())?;
    }
    wait_for(signals)?;
    pool.stop(limits.stop);
    Ok(())
}

fn threads(limits: &Limits) -> usize {
    limits.threads.map_or_else(
        || (4 * thread::available_parallelism().map_or(1, NonZeroUsize::get)).max(8),
        NonZeroUsize::get,
    )
}

/// Where an octet comes for every signal to end.
fn signals() -> io::Result<UnixStream> {
    let (receiver, sender) = UnixStream::pair()?;
    let again = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        // in this order: the first signal does not see what it sets itself
        signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&again))?;
        signal_hook::flag::register(signal, Arc::clone(&again))?;
    }
    for signal in [SIGTERM, SIGINT, SIGUSR1] {
        signal_hook::low_level::pipe::register(signal, sender.try_clone()?)?;
    }
    Ok(receiver)
}

fn wait_for(mut signals: UnixStream) -> io::Result<()> {
    signals.read_exact(&mut [0])
}

/// Everything that the threads share.
struct Pool {
    service: Arc<dyn Service>,
    limits: Limits,
    poller: OwnedFd,
    listeners: Vec<Listener>,
    /// The machines that may connect, if not all.
    allowed: Option<Vec<IpAddr>>,
    slots: Vec<Mutex<Slot>>,
    free: Mutex<Free>,
    /// Told when a slot becomes free while it stops.
    freed: Condvar,
    timer: Timer,
    /// Threads that do something.
    busy: AtomicUsize,
    is_stopping: AtomicBool,
}

/// Where a connection waits.
#[derive(Default)]
struct Slot {
    /// Another for each connection: an event may come for one that is gone.
    generation: u32,
    /// Whether the poller knows it.
    is_registered: bool,
    connection: Option<Box<Connection>>,
}

struct Free {
    /// Slots without a connection.
    slots: Vec<usize>,
    /// Whether the listeners wait for something to become free.
    is_paused: bool,
}

/// What the poller has to say.
enum Event {
    Listener(usize),
    Timer,
    Connection { slot: usize, generation: u32 },
}

impl Event {
    const LISTENER: u64 = 1 << 63;
    const TIMER: u64 = 1 << 62;

    fn data(&self) -> EventData {
        EventData::new_u64(match *self {
            Event::Listener(index) => Event::LISTENER | index as u64,
            Event::Timer => Event::TIMER,
            Event::Connection { slot, generation } => (slot as u64) << 32 | u64::from(generation),
        })
    }

    fn from_data(data: EventData) -> Event {
        match data.u64() {
            number if number & Event::LISTENER != 0 => Event::Listener((number & !Event::LISTENER) as usize),
            number if number & Event::TIMER != 0 => Event::Timer,
            number => Event::Connection { slot: (number >> 32) as usize, generation: number as u32 },
        }
    }
}

impl Pool {
    fn new(service: Arc<dyn Service>, listeners: Vec<Listener>) -> io::Result<Pool> {
        let limits = Limits { connections: most_connections(service.limits()), ..*service.limits() };
        let pool = Pool {
            service,
            limits,
            poller: epoll::create(CreateFlags::CLOEXEC)?,
            listeners,
            allowed: allowed(),
            slots: (0..limits.connections).map(|_| Mutex::default()).collect(),
            free: Mutex::new(Free { slots: (0..limits.connections).rev().collect(), is_paused: false }),
            freed: Condvar::new(),
            timer: Timer::new()?,
            busy: AtomicUsize::new(0),
            is_stopping: AtomicBool::new(false),
        };
        epoll::add(&pool.poller, &pool.timer.descriptor, Event::Timer.data(), EventFlags::IN | EventFlags::ET)?;
        for (index, listener) in pool.listeners.iter().enumerate() {
            listener.prepare()?;
            epoll::add(&pool.poller, listener, Event::Listener(index).data(), ONCE_READABLE)?;
        }
        Ok(pool)
    }

    /// What a thread does, for ever.
    fn work(&self) {
        let mut worker =
            Worker { buffer: vec![0; BUFFER].into(), service: &*self.service, is_stopping: &self.is_stopping };
        let mut events = Vec::with_capacity(1);
        loop {
            events.clear();
            match epoll::wait(&self.poller, spare_capacity(&mut events), None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => {
                    log::error!("the poller fails: {error}");
                    thread::sleep(RECOVERY);
                }
            }
            self.busy.fetch_add(1, Ordering::Relaxed);
            for event in &events {
                match Event::from_data(event.data) {
                    Event::Listener(index) => self.accept(index, &mut worker),
                    Event::Timer => self.tick(),
                    Event::Connection { slot, generation } => self.resume(slot, generation, &mut worker),
                }
            }
            self.busy.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Accepts one connection, and goes on with it.
    fn accept(&self, index: usize, worker: &mut Worker<'_>) {
        let Some(slot) = self.take_slot() else {
            return;
        };
        let accepted = self.listeners[index].accept();
        if let Err(error) = accepted
            && !matches!(error, Errno::AGAIN | Errno::INTR | Errno::CONNABORTED)
        {
            self.pause(slot, error);
            return;
        }
        // the next is for another thread
        self.listen(index);
        match accepted.ok().and_then(|(socket, peer)| self.admit(socket, peer)) {
            Some(connection) => self.go_on(slot, connection, worker),
            None => self.release(slot),
        }
    }

    /// A connection of a socket, if its peer may connect.
    fn admit(&self, socket: OwnedFd, peer: Option<IpAddr>) -> Option<Box<Connection>> {
        match (peer, &self.allowed) {
            (Some(peer), Some(allowed)) if !allowed.contains(&peer) => {
                log::warn!("connection from {peer} refused: it is not in FCGI_WEB_SERVER_ADDRS");
                None
            }
            _ => Some(Box::new(Connection::new(socket, &self.limits))),
        }
    }

    /// Lets the poller tell of one more connection that waits.
    fn listen(&self, index: usize) {
        if !self.is_stopping.load(Ordering::SeqCst)
            && let Err(error) =
                epoll::modify(&self.poller, &self.listeners[index], Event::Listener(index).data(), ONCE_READABLE)
        {
            log::error!("nothing more is accepted: {error}");
        }
    }

    fn listen_to_all(&self) {
        (0..self.listeners.len()).for_each(|index| self.listen(index));
    }

    /// A slot for a new connection. If there is none, the listeners pause.
    fn take_slot(&self) -> Option<usize> {
        if let Some(slot) = self.free_slot() {
            return Some(slot);
        }
        let evicted = self.evict();
        if evicted.is_none() {
            self.timer.set(Instant::now() + LONG_IDLE);
        }
        evicted
    }

    fn free_slot(&self) -> Option<usize> {
        let mut free = lock(&self.free);
        let slot = free.slots.pop();
        free.is_paused |= slot.is_none();
        slot
    }

    /// Closes the connection that has been idle for longest, if that is long: those who keep connections they do not use
    /// must not lock others out.
    fn evict(&self) -> Option<usize> {
        let idle_since = |slot: &Mutex<Slot>| lock(slot).connection.as_ref()?.idle_since();
        let idle = self.slots.iter().enumerate().filter_map(|(index, slot)| Some((idle_since(slot)?, index)));
        let (since, index) = idle.min()?;
        if since.elapsed() < LONG_IDLE {
            return None;
        }
        // it may have become busy in between
        lock(&self.slots[index]).vacate()?;
        Some(index)
    }

    /// Accepts nothing for a while.
    fn pause(&self, slot: usize, error: Errno) {
        let mut free = lock(&self.free);
        free.slots.push(slot);
        let is_news = !std::mem::replace(&mut free.is_paused, true);
        drop(free);
        if self.is_stopping.load(Ordering::SeqCst) {
            self.freed.notify_all();
            return;
        }
        if is_news {
            log::warn!("no connection can be accepted: {error}");
        }
        self.timer.set(Instant::now() + RECOVERY);
    }

    /// Goes on with a connection that was ready, unless it is gone.
    fn resume(&self, slot: usize, generation: u32, worker: &mut Worker<'_>) {
        let connection = lock(&self.slots[slot]).take(generation);
        if let Some(connection) = connection {
            self.go_on(slot, connection, worker);
        }
    }

    fn go_on(&self, slot: usize, mut connection: Box<Connection>, worker: &mut Worker<'_>) {
        let mut next = connection.turn(worker);
        while next.as_ref().is_ok_and(|wait| *wait == Wait::ToRead) && self.may_linger(&connection) {
            match connection.linger(worker) {
                Ok(Some(wait)) => next = Ok(wait),
                Ok(None) => break,
                Err(end) => next = Err(end),
            }
        }
        let parked = next.and_then(|wait| self.park(slot, connection, wait));
        if let Err(end) = parked {
            match end {
                End::Closed => {}
                End::Violation(violation) => log::warn!("a connection is closed: {violation}"),
                end => log::debug!("a connection is closed: {end}"),
            }
            self.release(slot);
        }
    }

    /// Whether a thread may wait for one idle connection: if nothing else happens. Then a web server that uses one
    /// connection is answered by half of the system calls, and the other threads are there for all others.
    fn may_linger(&self, connection: &Connection) -> bool {
        self.busy.load(Ordering::Relaxed) == 1
            && connection.idle_since().is_some()
            && !self.is_stopping.load(Ordering::SeqCst)
    }

    /// Leaves a connection to the poller.
    fn park(&self, index: usize, connection: Box<Connection>, wait: Wait) -> Result<(), End> {
        let flags = EventFlags::ONESHOT
            | match wait {
                Wait::ToRead => EventFlags::IN,
                Wait::ToWrite => EventFlags::OUT,
                Wait::ToReadOrWrite => EventFlags::IN | EventFlags::OUT,
            };
        let mut slot = lock(&self.slots[index]);
        let data = Event::Connection { slot: index, generation: slot.generation }.data();
        match slot.is_registered {
            true => epoll::modify(&self.poller, &connection, data, flags)?,
            false => epoll::add(&self.poller, &connection, data, flags)?,
        }
        slot.is_registered = true;
        // after it is there to be found: whoever stops looks first at the one, then at the other
        let connection = slot.connection.insert(connection);
        let deadline = connection.deadline(self.limits.stall, self.is_stopping.load(Ordering::SeqCst));
        drop(slot);
        if let Some(deadline) = deadline {
            self.timer.set(deadline);
        }
        Ok(())
    }

    /// Gives a slot back whose connection is gone.
    fn release(&self, index: usize) {
        lock(&self.slots[index]).clear();
        let mut free = lock(&self.free);
        free.slots.push(index);
        let was_paused = std::mem::take(&mut free.is_paused);
        drop(free);
        if self.is_stopping.load(Ordering::SeqCst) {
            self.freed.notify_all();
        } else if was_paused {
            self.listen_to_all();
        }
    }

    /// Does what is due by now.
    fn tick(&self) {
        self.timer.has_fired();
        if std::mem::take(&mut lock(&self.free).is_paused) {
            self.listen_to_all();
        }
        if let Some(next) = self.close_overdue() {
            self.timer.set(next);
        }
    }

    /// Closes connections that have waited too long; when the next is due.
    fn close_overdue(&self) -> Option<Instant> {
        let is_stopping = self.is_stopping.load(Ordering::SeqCst);
        let now = Instant::now();
        let mut next: Option<Instant> = None;
        for (index, slot) in self.slots.iter().enumerate() {
            let mut slot = lock(slot);
            let deadline = slot.connection.as_ref().and_then(|waits| waits.deadline(self.limits.stall, is_stopping));
            match deadline {
                Some(deadline) if deadline <= now => {
                    slot.clear();
                    drop(slot);
                    if !is_stopping {
                        log::debug!("a connection is closed: nothing came for {:?}", self.limits.stall);
                    }
                    self.release(index);
                }
                Some(deadline) => next = Some(next.map_or(deadline, |next| next.min(deadline))),
                None => {}
            }
        }
        next
    }

    /// Accepts nothing more, and waits until all connections are closed.
    fn stop(&self, most: Duration) {
        self.is_stopping.store(true, Ordering::SeqCst);
        for listener in &self.listeners {
            self.accept_the_last(listener);
            listener.close();
        }
        // by and by it closes what is idle
        self.timer.set(Instant::now());
        let all_free = |free: &mut Free| free.slots.len() < self.slots.len();
        let waited = self.freed.wait_timeout_while(lock(&self.free), most, all_free);
        let (free, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let left = self.slots.len() - free.slots.len();
        if left > 0 {
            log::warn!("{left} connections were not finished in {most:?}");
        }
    }

    /// Accepts what still waits: a web server takes these connections for good, and has sent requests on them.
    fn accept_the_last(&self, listener: &Listener) {
        while let Some(slot) = self.free_slot() {
            let Ok((socket, peer)) = listener.accept() else {
                return self.release(slot);
            };
            let parked = self.admit(socket, peer).map(|connection| self.park(slot, connection, Wait::ToRead));
            if !matches!(parked, Some(Ok(()))) {
                self.release(slot);
            }
        }
    }
}

const ONCE_READABLE: EventFlags = EventFlags::IN.union(EventFlags::ONESHOT);

impl Slot {
    fn take(&mut self, generation: u32) -> Option<Box<Connection>> {
        if self.generation == generation { self.connection.take() } else { None }
    }

    /// Closes the connection that waits here, if it has nothing to do.
    fn vacate(&mut self) -> Option<()> {
        self.connection.as_ref()?.idle_since()?;
        self.clear();
        Some(())
    }

    /// Makes it ready for another connection.
    fn clear(&mut self) {
        *self = Slot { generation: self.generation.wrapping_add(1), ..Slot::default() };
    }
}

/// Tells the poller when some moment has come.
struct Timer {
    descriptor: OwnedFd,
    /// The moment that is set.
    next: Mutex<Option<Instant>>,
}

impl Timer {
    fn new() -> io::Result<Timer> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        Ok(Timer { descriptor: time::timerfd_create(TimerfdClockId::Monotonic, flags)?, next: Mutex::new(None) })
    }

    /// Sets it, unless it goes off earlier.
    fn set(&self, moment: Instant) {
        let mut next = lock(&self.next);
        if next.is_some_and(|next| next <= moment) {
            return;
        }
        // zero would switch it off
        let wait = moment.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
        let once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let value = Timespec::try_from(wait).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 });
        match time::timerfd_settime(&self.descriptor, TimerfdTimerFlags::empty(), &Itimerspec { it_interval: once, it_value: value }) {
            Ok(_) => *next = Some(moment),
            Err(error) => log::error!("the timer cannot be set: {error}"),
        }
    }

    fn has_fired(&self) {
        *lock(&self.next) = None;
    }
}

/// How many connections there may be: some descriptors are for the methods.
fn most_connections(limits: &Limits) -> usize {
    let descriptors = getrlimit(Resource::Nofile).current.and_then(|most| usize::try_from(most).ok());
    let most = descriptors.map_or(usize::MAX, |most| most / 4 * 3);
    limits.connections.min(most).max(1)
}

/// The addresses of FCGI_WEB_SERVER_ADDRS (FastCGI 1.0 §3.2), if that is set.
fn allowed() -> Option<Vec<IpAddr>> {
    let list = std::env::var("FCGI_WEB_SERVER_ADDRS").ok()?;
    let address = |text: &str| {
        let address = text.trim().parse().ok();
        if address.is_none() {
            log::warn!("FCGI_WEB_SERVER_ADDRS: expected an IP address, found \"{text}\"");
        }
        address
    };
    Some(list.split(',').filter_map(address).collect())
}

/// Locks; what a thread left that panicked is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

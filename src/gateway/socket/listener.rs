//! Sockets to accept connections on: inherited at start, or bound to an address.

use std::env;
use std::fmt;
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use listenfd::ListenFd;
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketAddrAny, SocketAddrUnix, SocketFlags, SocketType, sockopt};

/// The number of connections that wait in a socket until they are accepted. The kernel has its own limit, mostly 4,096.
const BACKLOG: i32 = 4096;

/// A socket to accept connections on.
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    /// The socket file to remove when the listener closes.
    path: Option<PathBuf>,
    /// Set if another process has the socket too, and goes on with it.
    is_shared: bool,
}

impl Listener {
    /// Returns the sockets that this process has inherited: those of systemd (LISTEN_PID, LISTEN_FDS), and standard
    /// input (FastCGI 1.0 §2.2).
    pub fn inherited() -> Vec<Listener> {
        let listeners = passed_by_systemd().into_iter().chain(standard_input());
        listeners.map(|socket| Listener { socket, path: None, is_shared: true }).collect()
    }

    /// Listens at an address; a name may stand for several.
    ///
    /// # Errors
    /// The reason why it cannot listen, as text.
    pub fn bind(address: &Address) -> Result<Vec<Listener>, ListenError> {
        let listeners = match address {
            Address::Unix { path, mode, group } => vec![bind_unix(path, *mode, group.as_deref())?],
            Address::Tcp { address, public } => bind_tcp(address, *public)?,
        };
        for listener in &listeners {
            net::listen(&listener.socket, BACKLOG).map_err(io::Error::from)?;
        }
        Ok(listeners)
    }

    /// Returns the address it listens at, as written on the command line.
    pub fn address(&self) -> String {
        match net::getsockname(&self.socket).ok().and_then(|address| SocketAddr::try_from(address).ok()) {
            Some(address) => format!("tcp:{address}"),
            None => format!("unix:{}", self.path.as_deref().unwrap_or(Path::new("")).display()),
        }
    }

    /// Prepares it for a poller: accepting must not block when no connection waits.
    pub(in crate::gateway) fn prepare(&self) -> io::Result<()> {
        rustix::io::ioctl_fionbio(&self.socket, true)?;
        if matches!(sockopt::socket_domain(&self.socket)?, AddressFamily::INET | AddressFamily::INET6) {
            // an answer is written in one piece; connections inherit this from their listener
            sockopt::set_tcp_nodelay(&self.socket, true)?;
        }
        Ok(())
    }

    /// Accepts a connection. Returns the peer's address too, if it has an IP address.
    pub(in crate::gateway) fn accept(&self) -> Result<(OwnedFd, Option<IpAddr>), Errno> {
        let (socket, peer) = net::acceptfrom_with(&self.socket, SocketFlags::CLOEXEC)?;
        let peer = peer.and_then(|peer: SocketAddrAny| SocketAddr::try_from(peer).ok());
        Ok((socket, peer.map(|peer| peer.ip().to_canonical())))
    }

    /// Stops accepting connections; a process that shares the socket may go on.
    pub(in crate::gateway) fn close(&self) {
        if let Some(path) = &self.path {
            // another program may be about to bind its own there; if the file is gone, so much the better
            _ = fs::remove_file(path);
        }
        if !self.is_shared {
            _ = net::shutdown(&self.socket, net::Shutdown::Both);
        }
    }
}

/// Returns systemd's sockets, if they are meant for this process. Sockets for other purposes are left alone.
fn passed_by_systemd() -> Vec<OwnedFd> {
    let is_meant = env::var("LISTEN_PID").is_ok_and(|pid| pid == std::process::id().to_string());
    let mut passed = if is_meant { ListenFd::from_env() } else { ListenFd::empty() };
    let sockets = (0..passed.len()).filter_map(|index| match passed.take_tcp_listener(index) {
        Ok(socket) => socket.map(OwnedFd::from),
        Err(_) => passed.take_unix_listener(index).ok()?.map(OwnedFd::from),
    });
    sockets.filter(|socket| sockopt::socket_acceptconn(socket) == Ok(true)).collect()
}

/// Takes standard input, if it is a listening socket. `/dev/null` replaces it: programs that methods start must not
/// inherit the socket.
fn standard_input() -> Option<OwnedFd> {
    let stdin = rustix::stdio::stdin();
    if sockopt::socket_acceptconn(stdin) != Ok(true) {
        return None;
    }
    let socket = stdin.try_clone_to_owned().ok()?;
    if let Ok(nothing) = fs::File::open("/dev/null") {
        _ = rustix::stdio::dup2_stdin(nothing);
    }
    Some(socket)
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// An address to listen at. It is parsed from the form that the command line has.
///
/// # Example
///
/// ```
/// use rpcgi::gateway::fastcgi::Address;
///
/// let address: Address = "unix:/run/example.sock,mode=0600".parse()?;
/// assert!(matches!(address, Address::Unix { mode: 0o600, .. }));
/// # Ok::<(), rpcgi::gateway::fastcgi::ParseAddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// A socket in the file system: `unix:PATH[,mode=MODE][,group=GROUP]`.
    Unix {
        /// The path of the socket.
        path: PathBuf,
        /// The mode of its file; 0660 unless told otherwise.
        mode: u32,
        /// The group of its file: a name or a number.
        group: Option<String>,
    },
    /// A port: `tcp:HOST:PORT[,public]`.
    Tcp {
        /// The host and the port.
        address: String,
        /// Set if other machines may reach it.
        public: bool,
    },
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Unix { path, .. } => write!(f, "unix:{}", path.display()),
            Address::Tcp { address, .. } => write!(f, "tcp:{address}"),
        }
    }
}

impl FromStr for Address {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Address, ParseAddressError> {
        let mut words = text.split(',');
        match words.next().and_then(|first| first.split_once(':')) {
            Some(("unix", path)) if !path.is_empty() => unix_address(path, words),
            Some(("tcp", address)) if address.contains(':') => tcp_address(address, words),
            _ => Err(ParseAddressError {
                expected: "unix:PATH[,mode=MODE][,group=GROUP] or tcp:HOST:PORT[,public]",
                found: None,
            }),
        }
    }
}

/// An address that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseAddressError {
    expected: &'static str,
    found: Option<String>,
}

impl ParseAddressError {
    fn new(expected: &'static str, found: &str) -> ParseAddressError {
        ParseAddressError { expected, found: Some(found.to_owned()) }
    }
}

impl fmt::Display for ParseAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.expected)?;
        self.found.iter().try_for_each(|found| write!(f, ", found \"{found}\""))
    }
}

impl std::error::Error for ParseAddressError {}

/// The reason why there is no listening at an address.
#[derive(Debug)]
#[non_exhaustive]
pub enum ListenError {
    /// The system refuses it.
    Io(io::Error),
    /// There is no group of this name.
    NoGroup(String),
    /// The socket cannot be given to the group.
    Group(io::Error),
    /// There is a file in its place, and it is not a socket.
    NoSocket,
    /// Another program listens there.
    InUse,
    /// The socket that a program left behind cannot be removed.
    Stale(io::Error),
    /// There is a socket in its place that may be in use.
    Unknown(io::Error),
    /// Other machines can reach the address, and it is not marked `public`.
    Public,
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListenError::Io(error) => error.fmt(f),
            ListenError::NoGroup(group) => write!(f, "there is no group \"{group}\""),
            ListenError::Group(error) => write!(f, "cannot give it to the group: {error}"),
            ListenError::NoSocket => f.write_str("there is a file, and it is not a socket"),
            ListenError::InUse => f.write_str("another program listens there"),
            ListenError::Stale(error) => write!(f, "a stale socket is in the way: {error}"),
            ListenError::Unknown(error) => {
                write!(f, "there is a socket already, and the check whether it is in use failed: {error}")
            }
            ListenError::Public => f.write_str(
                "other machines can reach this address, and FastCGI asks no client who it is: \
                 write tcp:HOST:PORT,public if only the web server gets through to it",
            ),
        }
    }
}

impl std::error::Error for ListenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ListenError::Io(error)
            | ListenError::Group(error)
            | ListenError::Stale(error)
            | ListenError::Unknown(error) => Some(error),
            ListenError::NoGroup(_) | ListenError::NoSocket | ListenError::InUse | ListenError::Public => None,
        }
    }
}

impl From<io::Error> for ListenError {
    fn from(error: io::Error) -> ListenError {
        ListenError::Io(error)
    }
}

fn unix_address<'a>(path: &str, options: impl Iterator<Item = &'a str>) -> Result<Address, ParseAddressError> {
    // the web server is seldom in our group, but other users are not meant to connect
    let (mut mode, mut group) = (0o660, None);
    for option in options {
        match option.split_once('=') {
            Some(("mode", digits)) => {
                let number = u32::from_str_radix(digits, 8).ok().filter(|mode| *mode <= 0o777);
                mode = number.ok_or_else(|| ParseAddressError::new("an octal mode as 0660", digits))?;
            }
            Some(("group", name)) if !name.is_empty() => group = Some(name.to_owned()),
            _ => return Err(ParseAddressError::new("mode=MODE or group=GROUP", option)),
        }
    }
    Ok(Address::Unix { path: path.into(), mode, group })
}

fn tcp_address<'a>(address: &str, options: impl Iterator<Item = &'a str>) -> Result<Address, ParseAddressError> {
    let mut public = false;
    for option in options {
        match option {
            "public" => public = true,
            _ => return Err(ParseAddressError::new("\"public\"", option)),
        }
    }
    Ok(Address::Tcp { address: address.to_owned(), public })
}

fn bind_unix(path: &Path, mode: u32, group: Option<&str>) -> Result<Listener, ListenError> {
    let group = group.map(group_id).transpose()?;
    let socket = match bind_private(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            remove_stale(path)?;
            bind_private(path)
        }
        bound => bound,
    };
    let socket = socket?;
    std::os::unix::fs::chown(path, None, group).map_err(ListenError::Group)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    Ok(Listener { socket: socket.into(), path: Some(path.to_owned()), is_shared: false })
}

/// Creates a socket that no process can connect to yet.
fn bind_private(path: &Path) -> io::Result<UnixListener> {
    let before = rustix::process::umask(Mode::from_raw_mode(0o777));
    let bound = UnixListener::bind(path);
    rustix::process::umask(before);
    bound
}

fn group_id(group: &str) -> Result<u32, ListenError> {
    let known = || uzers::get_group_by_name(group).map(|group| group.gid());
    group.parse().ok().or_else(known).ok_or_else(|| ListenError::NoGroup(group.to_owned()))
}

/// Removes a socket that a program left behind; other files, and sockets in use, are left alone.
fn remove_stale(path: &Path) -> Result<(), ListenError> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.file_type().is_socket() {
        return Err(ListenError::NoSocket);
    }
    match connect(path) {
        Err(Errno::CONNREFUSED) => fs::remove_file(path).map_err(ListenError::Stale),
        Ok(()) | Err(Errno::AGAIN) => Err(ListenError::InUse),
        Err(error) => Err(ListenError::Unknown(error.into())),
    }
}

/// Tries to connect, without waiting.
fn connect(path: &Path) -> Result<(), Errno> {
    let socket =
        net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC, None)?;
    net::connect(&socket, &SocketAddrUnix::new(path)?)
}

fn bind_tcp(address: &str, public: bool) -> Result<Vec<Listener>, ListenError> {
    let addresses: Vec<SocketAddr> = address.to_socket_addrs()?.collect();
    if !addresses.iter().all(|address| address.ip().is_loopback()) {
        if !public {
            return Err(ListenError::Public);
        }
        log::warn!("{address} can be reached by other machines: any client that gets through may call everything");
    }
    // a name such as localhost has several addresses, and not every machine has them all
    let (bound, failed): (Vec<_>, Vec<_>) = addresses.iter().map(TcpListener::bind).partition(Result::is_ok);
    match failed.into_iter().find_map(Result::err) {
        Some(error) if bound.is_empty() => Err(error.into()),
        _ => Ok(bound
            .into_iter()
            .flatten()
            .map(|socket| Listener { socket: socket.into(), path: None, is_shared: false })
            .collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let unix = |path: &str, mode, group: Option<&str>| {
            Ok(Address::Unix { path: path.into(), mode, group: group.map(str::to_owned) })
        };
        let tcp = |address: &str, public| Ok(Address::Tcp { address: address.into(), public });
        let error = |message: &str| Err(message.to_owned());
        let usage = "expected unix:PATH[,mode=MODE][,group=GROUP] or tcp:HOST:PORT[,public]";
        for (text, address) in [
            ("unix:/run/api.sock", unix("/run/api.sock", 0o660, None)),
            ("unix:a:b,mode=0600,group=www-data", unix("a:b", 0o600, Some("www-data"))),
            ("tcp:localhost:9000", tcp("localhost:9000", false)),
            ("tcp:[::]:9000,public", tcp("[::]:9000", true)),
            ("", error(usage)),
            ("unix:", error(usage)),
            ("tcp:9000", error(usage)),
            ("/run/api.sock", error(usage)),
            ("127.0.0.1:9000", error(usage)),
            ("unix:x,mode=0o660", error("expected an octal mode as 0660, found \"0o660\"")),
            ("unix:x,mode=1777", error("expected an octal mode as 0660, found \"1777\"")),
            ("unix:x,public", error("expected mode=MODE or group=GROUP, found \"public\"")),
            ("tcp:x:1,mode=0660", error("expected \"public\", found \"mode=0660\"")),
        ] {
            assert_eq!(text.parse().map_err(|error: ParseAddressError| error.to_string()), address, "{text:?}");
        }
    }

    fn bind(address: &str) -> Result<Vec<Listener>, String> {
        Listener::bind(&address.parse().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn only_a_stale_socket_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let address = format!("unix:{},mode=0600", path.display());
        let mut listeners = bind(&address).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(bind(&address).err().unwrap(), "another program listens there");
        // as a killed program leaves it
        listeners.clear();
        let listeners = bind(&address).unwrap();
        listeners[0].close();
        assert!(!path.exists());
        fs::write(&path, "precious").unwrap();
        assert_eq!(bind(&address).err().unwrap(), "there is a file, and it is not a socket");
        assert_eq!(fs::read(&path).unwrap(), b"precious");
        assert_eq!(bind("unix:socket,group=nobody-knows-it").err().unwrap(), "there is no group \"nobody-knows-it\"");
    }

    #[test]
    fn off_the_loopback_it_takes_a_word() {
        let refused = bind("tcp:0.0.0.0:0").err().unwrap();
        assert!(refused.starts_with("other machines can reach this address"), "{refused}");
        assert!(bind("tcp:127.0.0.1:0").is_ok());
    }
}

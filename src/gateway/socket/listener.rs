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
pub(crate) struct Listener {
    socket: OwnedFd,
    /// The socket file to remove when the listener closes.
    path: Option<PathBuf>,
    /// Set if another process has the socket too, and goes on with it.
    is_shared: bool,
}

impl Listener {
    /// Returns the sockets that this process has inherited: those of systemd (LISTEN_PID, LISTEN_FDS), and standard
    /// input (FastCGI 1.0 §2.2).
    pub(crate) fn inherited() -> Vec<Listener> {
        let listeners = passed_by_systemd().into_iter().chain(standard_input());
        listeners.map(|socket| Listener { socket, path: None, is_shared: true }).collect()
    }

    /// Listens at an address; a name may stand for several.
    ///
    /// # Errors
    /// The reason why it cannot listen, as text.
    pub(crate) fn bind(address: &Address) -> Result<Vec<Listener>, String> {
        let listeners = match address {
            Address::Unix { path, mode, group } => vec![bind_unix(path, *mode, group.as_deref())?],
            Address::Tcp { address, public } => bind_tcp(address, *public)?,
        };
        for listener in &listeners {
            net::listen(&listener.socket, BACKLOG).map_err(|error| error.to_string())?;
        }
        Ok(listeners)
    }

    /// Returns the address it listens at, as written on the command line.
    pub(crate) fn address(&self) -> String {
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

/// An address to listen at, as written on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Unix {
        path: PathBuf,
        mode: u32,
        /// A name or a number.
        group: Option<String>,
    },
    Tcp {
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
    type Err = String;

    fn from_str(text: &str) -> Result<Address, String> {
        let mut words = text.split(',');
        match words.next().and_then(|first| first.split_once(':')) {
            Some(("unix", path)) if !path.is_empty() => unix_address(path, words),
            Some(("tcp", address)) if address.contains(':') => tcp_address(address, words),
            _ => Err("expected unix:PATH[,mode=MODE][,group=GROUP] or tcp:HOST:PORT[,public]".into()),
        }
    }
}

fn unix_address<'a>(path: &str, options: impl Iterator<Item = &'a str>) -> Result<Address, String> {
    // the web server is seldom in our group, but other users are not meant to connect
    let (mut mode, mut group) = (0o660, None);
    for option in options {
        match option.split_once('=') {
            Some(("mode", digits)) => {
                let number = u32::from_str_radix(digits, 8).ok().filter(|mode| *mode <= 0o777);
                mode = number.ok_or_else(|| format!("expected an octal mode as 0660, found \"{digits}\""))?;
            }
            Some(("group", name)) if !name.is_empty() => group = Some(name.to_owned()),
            _ => return Err(format!("expected mode=MODE or group=GROUP, found \"{option}\"")),
        }
    }
    Ok(Address::Unix { path: path.into(), mode, group })
}

fn tcp_address<'a>(address: &str, options: impl Iterator<Item = &'a str>) -> Result<Address, String> {
    let mut public = false;
    for option in options {
        match option {
            "public" => public = true,
            _ => return Err(format!("expected \"public\", found \"{option}\"")),
        }
    }
    Ok(Address::Tcp { address: address.to_owned(), public })
}

fn bind_unix(path: &Path, mode: u32, group: Option<&str>) -> Result<Listener, String> {
    let group = group.map(group_id).transpose()?;
    let socket = match bind_private(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            remove_stale(path)?;
            bind_private(path)
        }
        bound => bound,
    };
    let socket = socket.map_err(|error| error.to_string())?;
    std::os::unix::fs::chown(path, None, group).map_err(|error| format!("cannot give it to the group: {error}"))?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(|error| error.to_string())?;
    Ok(Listener { socket: socket.into(), path: Some(path.to_owned()), is_shared: false })
}

/// Creates a socket that no process can connect to yet.
fn bind_private(path: &Path) -> io::Result<UnixListener> {
    let before = rustix::process::umask(Mode::from_raw_mode(0o777));
    let bound = UnixListener::bind(path);
    rustix::process::umask(before);
    bound
}

fn group_id(group: &str) -> Result<u32, String> {
    let known = || uzers::get_group_by_name(group).map(|group| group.gid());
    group.parse().ok().or_else(known).ok_or_else(|| format!("there is no group \"{group}\""))
}

/// Removes a socket that a program left behind; other files, and sockets in use, are left alone.
fn remove_stale(path: &Path) -> Result<(), String> {
    let metadata = fs::symlink_metadata(path).map_err(|error| error.to_string())?;
    if !metadata.file_type().is_socket() {
        return Err("there is a file, and it is not a socket".into());
    }
    match connect(path) {
        Err(Errno::CONNREFUSED) => {
            fs::remove_file(path).map_err(|error| format!("a stale socket is in the way: {error}"))
        }
        Ok(()) | Err(Errno::AGAIN) => Err("another program listens there".into()),
        Err(error) => Err(format!("there is a socket, and whether it is stale cannot be told: {error}")),
    }
}

/// Tries to connect, without waiting.
fn connect(path: &Path) -> Result<(), Errno> {
    let socket =
        net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC, None)?;
    net::connect(&socket, &SocketAddrUnix::new(path)?)
}

fn bind_tcp(address: &str, public: bool) -> Result<Vec<Listener>, String> {
    let addresses: Vec<SocketAddr> = address.to_socket_addrs().map_err(|error| error.to_string())?.collect();
    if !addresses.iter().all(|address| address.ip().is_loopback()) {
        if !public {
            return Err("other machines can reach this address, and FastCGI asks nobody who they are: \
                        write tcp:HOST:PORT,public if only the web server gets through to it"
                .into());
        }
        log::warn!("{address} can be reached by other machines: whoever gets through may call everything");
    }
    // a name such as localhost has several addresses, and not every machine has them all
    let (bound, failed): (Vec<_>, Vec<_>) = addresses.iter().map(TcpListener::bind).partition(Result::is_ok);
    match failed.into_iter().find_map(Result::err) {
        Some(error) if bound.is_empty() => Err(error.to_string()),
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
            assert_eq!(text.parse(), address, "{text:?}");
        }
    }

    fn bind(address: &str) -> Result<Vec<Listener>, String> {
        Listener::bind(&address.parse().unwrap())
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

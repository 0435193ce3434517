//! The command line of a service's program.

use std::io::{self, Write};
#[cfg(feature = "docs")]
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::{CommandError, USAGE, finish};
#[cfg(all(target_os = "linux", feature = "fastcgi"))]
use crate::gateway::fastcgi::{self, Address, Listener};
#[cfg(feature = "docs")]
use crate::service::PageRequest;
use crate::service::{About, Service};

/// The command line of a service's program. Its name, version and first line are the service's.
#[derive(Parser)]
#[command(version, arg_required_else_help = true, subcommand_required = true)]
struct ServiceCommandLine {
    #[command(subcommand)]
    command: ServiceCommand,
}

#[derive(Subcommand)]
enum ServiceCommand {
    /// Serves on a local port, to try it out
    #[cfg(feature = "http")]
    Serve {
        /// The address to listen at; 0 is any free port
        #[arg(long, value_name = "[ADDRESS:]PORT", default_value = "127.0.0.1:8000", value_parser = local_address)]
        listen: std::net::SocketAddr,
        /// The same for a port of this machine
        #[arg(long, conflicts_with = "listen")]
        port: Option<u16>,
    },
    /// Serves a web server by FastCGI
    #[cfg(all(target_os = "linux", feature = "fastcgi"))]
    Fcgi {
        /// An address to listen at; may be repeated
        #[arg(long, value_name = "ADDRESS", required_unless_present = "port", long_help = LISTEN_HELP)]
        listen: Vec<Address>,
        /// The same for a port of this machine
        #[arg(long, value_name = "PORT", value_parser = local_port)]
        port: Vec<Address>,
    },
    /// Writes the documentation page, or one of its twins
    #[cfg(feature = "docs")]
    Doc {
        /// The path of another server in the program
        path: Option<String>,
        #[command(flatten)]
        options: DocOptions,
    },
}

#[cfg(all(target_os = "linux", feature = "fastcgi"))]
pub(crate) const LISTEN_HELP: &str = "\
Where to listen; may be repeated

unix:PATH[,mode=MODE][,group=GROUP]
    A socket in the file system, of mode 0660 unless told otherwise. One that a
    program left behind is replaced.
tcp:HOST:PORT[,public]
    A port, on the loopback only unless marked public. FastCGI has no logins:
    set FCGI_WEB_SERVER_ADDRS=IP[,IP].. in the environment to refuse all other
    addresses.";

/// Does what the command line says.
#[cold]
#[cfg_attr(
    not(any(feature = "docs", feature = "fastcgi", feature = "http")),
    allow(unreachable_code, unused_variables, reason = "it has no commands")
)]
pub(super) fn obey(service: Arc<dyn Service>) -> ExitCode {
    let done = match parse(&*service) {
        #[cfg(feature = "docs")]
        Ok(ServiceCommandLine { command: ServiceCommand::Doc { path, options } }) => {
            options.write(&*service, path.as_deref())
        }
        #[cfg(feature = "http")]
        Ok(ServiceCommandLine { command: ServiceCommand::Serve { listen, port } }) => {
            serve(service, address(listen, port))
        }
        #[cfg(all(target_os = "linux", feature = "fastcgi"))]
        Ok(ServiceCommandLine { command: ServiceCommand::Fcgi { listen, port } }) => {
            serve_fastcgi(service, Vec::new(), &[listen, port].concat(), || ())
        }
        Err(error) => {
            // to standard output if it was asked for; nowhere to complain if even that fails
            _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE));
        }
    };
    finish(done)
}

/// Reads the command line; its help speaks of the program as the service.
fn parse(service: &dyn Service) -> Result<ServiceCommandLine, clap::Error> {
    // clap wants `'static` strings, and the process does one thing only
    let leak = |text: &str| -> &'static str { text.to_owned().leak() };
    let mut command = ServiceCommandLine::command();
    if let Some(About { name, version, protocols, .. }) = &service.about() {
        let about = format!(
            "{name}: a service of {}. A web server runs this program by CGI or FastCGI; by hand it does this:",
            protocols.join(" and ")
        );
        command = command.name(leak(name)).version(leak(version)).about(about);
    }
    ServiceCommandLine::from_arg_matches(&command.try_get_matches()?)
}

/// The format, the URL and the file of a service's description.
#[cfg(feature = "docs")]
#[derive(clap::Args)]
pub(crate) struct DocOptions {
    /// html, json, md or openrpc: what is served to `?format=...`
    #[arg(long, default_value = "html")]
    format: String,
    /// The URL of the service, as it is told to callers
    #[arg(long)]
    url: Option<String>,
    /// The file to write, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[cfg(feature = "docs")]
impl DocOptions {
    /// Writes the description of a service, or of the one at a path inside of it.
    pub(crate) fn write(&self, service: &dyn Service, path: Option<&str>) -> Result<(), CommandError> {
        let request = PageRequest { path, format: &self.format, url: self.url.as_deref() };
        let about = service.about();
        let page = about.as_ref().and_then(|about| about.page(&request));
        let page = page.ok_or_else(|| CommandError::usage("this service has no page"))?.map_err(CommandError::usage)?;
        match &self.output {
            Some(file) => std::fs::write(file, page).map_err(|error| format!("{}: {error}", file.display()).into()),
            None => match io::stdout().write_all(page.as_bytes()) {
                // the reader has seen enough
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                written => written.map_err(|error| format!("the page cannot be written: {error}").into()),
            },
        }
    }
}

/// Reads a port of this machine as an address for FastCGI.
#[cfg(all(target_os = "linux", feature = "fastcgi"))]
pub(crate) fn local_port(text: &str) -> Result<Address, String> {
    let port: u16 = text.parse().map_err(|_| "expected a port".to_owned())?;
    Ok(Address::Tcp { address: format!("127.0.0.1:{port}"), public: false })
}

/// Reads an address to serve at; a port alone is one of this machine.
#[cfg(feature = "http")]
pub(crate) fn local_address(text: &str) -> Result<std::net::SocketAddr, String> {
    use std::net::ToSocketAddrs;

    if let Ok(port) = text.parse::<u16>() {
        return Ok(([127, 0, 0, 1], port).into());
    }
    let address = text.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    address.ok_or_else(|| "expected a port, or ADDRESS:PORT".into())
}

/// Returns the address that `--listen` or `--port` names.
#[cfg(feature = "http")]
pub(crate) fn address(listen: std::net::SocketAddr, port: Option<u16>) -> std::net::SocketAddr {
    port.map_or(listen, |port| ([127, 0, 0, 1], port).into())
}

/// Serves on a local port.
#[cfg(feature = "http")]
pub(crate) fn serve(service: Arc<dyn Service>, listen: std::net::SocketAddr) -> Result<(), CommandError> {
    let ready = |url: &str| println!("Serving at {url} until Ctrl-C");
    crate::gateway::http::serve(service, listen, ready)
        .map_err(|error| format!("cannot listen at {listen}: {error}").into())
}

/// Serves FastCGI at the sockets it was given, or else at these addresses. `abandon` is called before a second signal
/// ends the process at once.
#[cfg(all(target_os = "linux", feature = "fastcgi"))]
#[cold]
pub(crate) fn serve_fastcgi(
    service: Arc<dyn Service>,
    given: Vec<Listener>,
    addresses: &[Address],
    abandon: fn(),
) -> Result<(), CommandError> {
    let respond = |listeners, ready: &dyn Fn()| {
        fastcgi::serve_until(service, listeners, ready, abandon)
            .map_err(|error| format!("cannot serve FastCGI: {error}").into())
    };
    if !given.is_empty() {
        return respond(given, &|| ());
    }
    if addresses.is_empty() {
        let message = "there is no socket to listen at: say where with --listen unix:PATH or --listen tcp:HOST:PORT";
        return Err(message.to_owned().into());
    }
    let bind = |address| Listener::bind(address).map_err(|error| format!("cannot listen at {address}: {error}"));
    let listeners = addresses.iter().map(bind).collect::<Result<Vec<_>, String>>()?;
    let listeners: Vec<Listener> = listeners.into_iter().flatten().collect();
    let names: Vec<String> = listeners.iter().map(Listener::address).collect();
    respond(listeners, &|| {
        // a closed standard output is no error
        _ = writeln!(io::stdout(), "Serving FastCGI at {} until Ctrl-C", names.join(" and "));
    })
}

//! The entry point of a service's program, [`Server::run`], and its command line.

use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::docs::Format;
#[cfg(target_os = "linux")]
use crate::gateway::fastcgi;
use crate::gateway::socket::{Address, Listener};
use crate::gateway::{Start, cgi};
use crate::logger;
use crate::server::{BuildError, Endpoint, Server};
use crate::service::Service;

/// Exit status for a usage error.
pub(crate) const USAGE: u8 = 2;

impl Server {
    /// Serves in the way the program was started: answers one request as a CGI program if a web server started it so,
    /// serves FastCGI if it was given sockets (as descriptor 0, or by systemd), else does what its command line says
    /// (`fcgi`, `serve`, `doc`, `--help`, `--version`).
    ///
    /// The environment and the sockets alone decide; under a web server the command line is ignored, because it may
    /// have words from the client.
    ///
    /// As a FastCGI responder it runs until TERM, INT or USR1: then it stops accepting, answers the requests it has
    /// been sent, and ends; see [`Limits`](crate::Limits) for its settings.
    ///
    /// Unless the program has set a logger of its own, warnings and errors go to standard error, which web servers
    /// write to their log; with [`log_calls`](Server::log_calls), so does a line for every call. By FastCGI, the
    /// warnings and errors of a call go to the web server as well (FCGI_STDERR), which logs them with the request.
    ///
    /// The result is the program's exit status: 0 whenever a response was written.
    pub fn run(self) -> ExitCode {
        logger::install(self.log_level());
        let endpoint = self.build();
        logger::set_file(endpoint.as_ref().ok().and_then(Endpoint::log_file));
        match (Start::recognise(), endpoint) {
            (Start::Cgi, endpoint) => answer_cgi(endpoint),
            (_, Err(error)) => complain(&error.to_string()),
            #[cfg(target_os = "linux")]
            (Start::FastCgi(listeners), Ok(endpoint)) => {
                finish(serve_fastcgi(Arc::new(endpoint), listeners, &[], || ()))
            }
            (Start::CommandLine, Ok(endpoint)) => obey(endpoint),
        }
    }
}

/// Answers the one request of a CGI program.
pub(crate) fn answer_cgi(endpoint: Result<Endpoint, BuildError>) -> ExitCode {
    #[cfg(feature = "async")]
    crate::method::runtime::without_threads();
    written(match endpoint {
        // the process ends after this request: dropping the endpoint would only cost time
        Ok(endpoint) => cgi::serve(&*ManuallyDrop::new(endpoint)),
        Err(error) => {
            log::error!("{error}");
            cgi::respond(cgi::out_of_order())
        }
    })
}

/// Returns the exit status of a CGI program, by whether its response was written.
pub(crate) fn written(written: io::Result<()>) -> ExitCode {
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::warn!("the response cannot be written: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a problem for the operator, and returns the exit status for a usage error.
#[cold]
fn complain(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::from(USAGE)
}

/// The command line of a service's program. Its name, version and first line are the service's.
#[derive(Parser)]
#[command(version, arg_required_else_help = true, subcommand_required = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
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
    #[cfg(target_os = "linux")]
    Fcgi {
        /// An address to listen at; may be repeated
        #[arg(long, value_name = "ADDRESS", required_unless_present = "port", long_help = LISTEN_HELP)]
        listen: Vec<Address>,
        /// The same for a port of this machine
        #[arg(long, value_name = "PORT", value_parser = local_port)]
        port: Vec<Address>,
    },
    /// Writes the documentation page, or one of its twins
    Doc {
        /// The path of another server in the program
        path: Option<String>,
        #[command(flatten)]
        options: DocOptions,
    },
}

#[cfg(target_os = "linux")]
pub(crate) const LISTEN_HELP: &str = "\
Where to listen; may be repeated

unix:PATH[,mode=MODE][,group=GROUP]
    A socket in the file system, of mode 0660 unless told otherwise. One that a
    program left behind is replaced.
tcp:HOST:PORT[,public]
    A port, of the loopback only unless it is said to be public. FastCGI asks
    nobody who they are: with FCGI_WEB_SERVER_ADDRS=IP[,IP].. in the
    environment, others than these are refused.";

#[cold]
fn obey(endpoint: Endpoint) -> ExitCode {
    let done = match parse(&endpoint) {
        Ok(CommandLine { command: Command::Doc { path, options } }) => write_page(&endpoint, path.as_deref(), &options),
        #[cfg(feature = "http")]
        Ok(CommandLine { command: Command::Serve { listen, port } }) => {
            serve(Arc::new(endpoint), address(listen, port))
        }
        #[cfg(target_os = "linux")]
        Ok(CommandLine { command: Command::Fcgi { listen, port } }) => {
            serve_fastcgi(Arc::new(endpoint), Vec::new(), &[listen, port].concat(), || ())
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
fn parse(endpoint: &Endpoint) -> Result<CommandLine, clap::Error> {
    // clap wants `'static` strings, and the process does one thing only
    let leak = |text: String| -> &'static str { text.leak() };
    let (name, version) = endpoint.name_and_version();
    let about = format!(
        "{name}: a service of XML-RPC and JSON-RPC. A web server runs this program by CGI or FastCGI; by hand it does this:"
    );
    let command = CommandLine::command().name(leak(name.to_owned())).version(leak(version.to_owned())).about(about);
    CommandLine::from_arg_matches(&command.try_get_matches()?)
}

pub(crate) fn finish(done: Result<(), String>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The format, the URL and the file of a service's description.
#[derive(clap::Args)]
pub(crate) struct DocOptions {
    /// html, json, md or openrpc: what is served to `?format=...`
    #[arg(long, default_value_t = Format::Html)]
    format: Format,
    /// The URL of the service, as it is told to callers
    #[arg(long)]
    url: Option<String>,
    /// The file to write, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl DocOptions {
    /// Writes the description of an endpoint.
    pub(crate) fn write(&self, endpoint: &Endpoint) -> Result<(), String> {
        let page = endpoint.describe(self.format, self.url.clone());
        match &self.output {
            Some(file) => std::fs::write(file, page).map_err(|error| format!("{}: {error}", file.display())),
            None => match io::stdout().write_all(page.as_bytes()) {
                // the reader has seen enough
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                written => written.map_err(|error| format!("the page cannot be written: {error}")),
            },
        }
    }
}

fn write_page(endpoint: &Endpoint, path: Option<&str>, options: &DocOptions) -> Result<(), String> {
    let endpoint = match path {
        None | Some("/") => endpoint,
        Some(path) => endpoint.place_at(path).ok_or_else(|| format!("there is no server at {path}"))?,
    };
    options.write(endpoint)
}

/// Reads a port of this machine as an address for FastCGI.
#[cfg(target_os = "linux")]
pub(crate) fn local_port(text: &str) -> Result<Address, String> {
    let port: u16 = text.parse().map_err(|_| "expected a port".to_owned())?;
    format!("tcp:127.0.0.1:{port}").parse()
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
pub(crate) fn serve(service: Arc<dyn Service>, listen: std::net::SocketAddr) -> Result<(), String> {
    let ready = |url: &str| println!("Serving at {url} until Ctrl-C");
    crate::gateway::http::serve(service, listen, ready).map_err(|error| format!("cannot listen at {listen}: {error}"))
}

/// Serves FastCGI at the sockets it was given, or else at these addresses. `abandon` is called before a second signal
/// ends the process at once.
#[cfg(target_os = "linux")]
#[cold]
pub(crate) fn serve_fastcgi(
    service: Arc<dyn Service>,
    given: Vec<Listener>,
    addresses: &[Address],
    abandon: fn(),
) -> Result<(), String> {
    let respond = |listeners, ready: &dyn Fn()| {
        fastcgi::serve(service, listeners, ready, abandon).map_err(|error| format!("cannot serve FastCGI: {error}"))
    };
    if !given.is_empty() {
        return respond(given, &|| ());
    }
    if addresses.is_empty() {
        return Err(
            "there is no socket to listen at: say where with --listen unix:PATH or --listen tcp:HOST:PORT".into()
        );
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

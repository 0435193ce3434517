//! The start of a service's program: CGI, FastCGI, or its command line.

#[cfg(feature = "cli")]
mod command_line;

use std::fmt::Display;
use std::io;
use std::mem::ManuallyDrop;
use std::process::ExitCode;
use std::sync::Arc;

#[cfg(feature = "cli")]
use self::command_line::obey;
#[cfg(feature = "program")]
pub(crate) use self::command_line::{
    DocOptions, LISTEN_HELP, address, local_address, local_port, serve, serve_fastcgi,
};
#[cfg(all(target_os = "linux", feature = "fastcgi"))]
use crate::gateway::fastcgi::{self, Listener};
use crate::gateway::{Start, cgi};
use crate::server::Server;
use crate::service::Service;
use crate::service::logger;

/// Exit status for a usage error.
pub(crate) const USAGE: u8 = 2;

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
///
/// # Example
///
/// ```no_run
/// use rpcgi::Server;
///
/// fn main() -> std::process::ExitCode {
///     match Server::new("Calculator").method("add", |a: i32, b: i32| a + b).build() {
///         // a service of your own may stand around the endpoint
///         Ok(endpoint) => rpcgi::run(endpoint),
///         Err(error) => panic!("{error}"),
///     }
/// }
/// ```
pub fn run(service: impl Service + 'static) -> ExitCode {
    service.start();
    match Start::recognise() {
        Start::Cgi => answer_cgi(service),
        #[cfg(all(target_os = "linux", feature = "fastcgi"))]
        Start::FastCgi(listeners) => finish(serve_given(Arc::new(service), listeners, || ())),
        Start::CommandLine => obey(Arc::new(service)),
    }
}

impl Server {
    /// Builds the service and [runs](crate::run) it.
    ///
    /// A service that cannot be [built](Server::build) answers a web server with 500, and the log has the mistakes; on
    /// a command line they are told, and the exit status is 2.
    pub fn run(self) -> ExitCode {
        logger::install(self.log_level());
        match self.build() {
            Ok(endpoint) => run(endpoint),
            Err(error) => refuse(&error),
        }
    }
}

/// Tells why there is no service.
#[cold]
pub(crate) fn refuse(error: &dyn Display) -> ExitCode {
    match Start::recognise() {
        Start::Cgi => {
            log::error!("{error}");
            written(cgi::respond(cgi::out_of_order()))
        }
        _ => {
            eprintln!("{error}");
            ExitCode::from(USAGE)
        }
    }
}

/// Answers the one request of a CGI program.
pub(crate) fn answer_cgi(service: impl Service) -> ExitCode {
    // the process ends after this request: dropping the service would only cost time
    written(cgi::serve(&*ManuallyDrop::new(service)))
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

/// A failure of what a command line asks for: a message, and the exit status.
#[derive(Debug)]
pub(crate) struct CommandError {
    message: String,
    status: u8,
}

impl CommandError {
    /// Creates the failure of a command line that cannot be meant.
    pub(crate) fn usage(message: impl Display) -> CommandError {
        CommandError { message: message.to_string(), status: USAGE }
    }
}

impl From<String> for CommandError {
    fn from(message: String) -> CommandError {
        CommandError { message, status: 1 }
    }
}

/// Returns the exit status of a program that has done what it was asked for, or tells what went wrong.
pub(crate) fn finish(done: Result<(), CommandError>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(CommandError { message, status }) => {
            eprintln!("{message}");
            ExitCode::from(status)
        }
    }
}

/// Tells what the program is for, which has no command line.
#[cfg(not(feature = "cli"))]
#[cold]
fn obey(_service: Arc<dyn Service>) -> ExitCode {
    eprintln!("this program is for a web server to run, by CGI or FastCGI");
    ExitCode::from(USAGE)
}

/// Serves FastCGI at the sockets that the program was given. `abandon` is called before the process ends at once, by a
/// second signal.
#[cfg(all(target_os = "linux", feature = "fastcgi"))]
fn serve_given(service: Arc<dyn Service>, given: Vec<Listener>, abandon: fn()) -> Result<(), CommandError> {
    let served = fastcgi::serve_until(service, given, || (), abandon);
    served.map_err(|error| format!("cannot serve FastCGI: {error}").into())
}

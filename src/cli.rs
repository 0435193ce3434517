//! How a program that ends in [`Server::run`] was started, and the few words its command line knows.

use std::io::Write;
use std::mem::ManuallyDrop;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use log::LevelFilter;

use crate::gateway::{Start, cgi};
use crate::server::{BuildError, Endpoint, Server};

/// Exit status of a program that was started in a way it cannot be used in.
const USAGE: u8 = 2;

impl Server {
    /// Serves in the way the program was started: answers one request as a CGI program if a web server started it so,
    /// else does what its command line says (`serve`, `doc`, `--help`, `--version`).
    ///
    /// Which of them is decided by the environment and descriptor 0 alone; under a web server the command line is not
    /// looked at, because it may have words of the client's.
    ///
    /// Unless the program has set a logger of its own, warnings and errors go to standard error, which web servers
    /// write to their log; with [`log_calls`](Server::log_calls) a line for every call too.
    ///
    /// The result is the program's exit status: 0 whenever a response was written.
    pub fn run(self) -> ExitCode {
        log_to_stderr(self.log_level());
        match Start::recognise() {
            Start::Cgi => answer_cgi(self.build()),
            Start::FastCgi => complain("descriptor 0 is a listening socket, but this version does not speak FastCGI"),
            Start::CommandLine => match self.build() {
                Ok(endpoint) => obey(endpoint),
                Err(error) => complain(&error.to_string()),
            },
        }
    }
}

/// Writes lines to standard error, which web servers write to their log with a time of their own.
struct StderrLog;

static STDERR_LOG: StderrLog = StderrLog;

impl log::Log for StderrLog {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let mut line = record.level().as_str().to_ascii_lowercase();
        line.push_str(": ");
        // a record is one line, whatever a caller has put into its text
        for character in record.args().to_string().chars() {
            match character.is_control() {
                true => line.extend(character.escape_default()),
                false => line.push(character),
            }
        }
        line.push('\n');
        // in one piece, so lines of several processes do not mix; if that fails, nobody is left to be told
        _ = std::io::stderr().write_all(line.as_bytes());
    }

    fn flush(&self) {}
}

fn log_to_stderr(level: LevelFilter) {
    // an error means that the program has a logger
    if log::set_logger(&STDERR_LOG).is_ok() {
        log::set_max_level(level);
    }
}

fn answer_cgi(endpoint: Result<Endpoint, BuildError>) -> ExitCode {
    let written = match endpoint {
        // the process ends after this request: to take everything apart would only cost time
        Ok(endpoint) => cgi::serve(&*ManuallyDrop::new(endpoint)),
        Err(error) => {
            log::error!("{error}");
            cgi::fail()
        }
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::warn!("the response cannot be written: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Says what is wrong to whoever started the program.
#[cold]
fn complain(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::from(USAGE)
}

/// A service of XML-RPC. A web server runs this program by CGI; by hand it does this:
#[derive(Parser)]
#[command(version, name = "rpcgi", arg_required_else_help = true, subcommand_required = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves on a local port, to try it out
    #[cfg(feature = "http")]
    Serve {
        /// Where to listen; 0 is any free port
        #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8000")]
        listen: std::net::SocketAddr,
    },
    /// Writes the documentation page to standard output
    Doc,
}

#[cold]
fn obey(endpoint: Endpoint) -> ExitCode {
    let done = match CommandLine::try_parse() {
        Ok(CommandLine { command: Command::Doc }) => write_page(&endpoint),
        #[cfg(feature = "http")]
        Ok(CommandLine { command: Command::Serve { listen } }) => serve(endpoint, listen),
        Err(error) => {
            // to standard output if it was asked for; nowhere to complain if even that fails
            _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE));
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn write_page(endpoint: &Endpoint) -> Result<(), String> {
    let page = endpoint.page(None);
    std::io::stdout().write_all(page.as_bytes()).map_err(|error| format!("the page cannot be written: {error}"))
}

#[cfg(feature = "http")]
fn serve(endpoint: Endpoint, listen: std::net::SocketAddr) -> Result<(), String> {
    let ready = |url: &str| println!("Serving at {url} until Ctrl-C");
    crate::gateway::http::serve(std::sync::Arc::new(endpoint), listen, ready)
        .map_err(|error| format!("cannot listen at {listen}: {error}"))
}

//! The program `rpcgi`: serves manifests, in whatever way it was started, and helps those who write and call them.
//!
//! | file | what it knows |
//! |---|---|
//! | `script` | a manifest that a web server runs by CGI, and which one that may be |
//! | `kept` | a manifest that a long-running process serves, and reads anew when it changes |
//! | `wrapper` | many of them, by the path that each request names |
//! | `check`, `report` | mistakes in a manifest, or in its place, and how they are reported |
//! | `try_examples` | calls of what methods have as examples |
//! | `doctor` | looks at a deployed service |
//! | `init` | writes manifests |
//! | `call`, `http` | a client, and what other commands need of one |

mod call;
mod cgi_manifest;
mod check;
mod doctor;
mod http;
mod init;
mod reload;
mod report;
mod try_examples;
mod wrapper;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory, Parser, Subcommand};

use self::reload::{OnMistake, ReloadingManifest};
use self::wrapper::Wrapper;
use crate::gateway::Start;
#[cfg(target_os = "linux")]
use crate::gateway::fastcgi::{Address, Listener};
use crate::manifest::{ManifestSource, ProgramCheck, ReadManifest, end_all, read, reference, schema};
use crate::run::{self, CommandError, USAGE};
use crate::service::logger;

/// Does what the program was started for, and returns its exit status.
pub fn program() -> ExitCode {
    logger::install(log::LevelFilter::Warn);
    match Start::recognise() {
        Start::Cgi => cgi_manifest::answer(),
        // the process that made the socket has written the command line too: no client has a say in it
        #[cfg(target_os = "linux")]
        Start::FastCgi(listeners) => obey(listeners),
        Start::CommandLine => obey(Vec::new()),
    }
}

/// A stand-in without values: only on Linux can the program be given FastCGI sockets.
#[cfg(not(target_os = "linux"))]
type Listener = std::convert::Infallible;

/// Makes documented web services of programs in any language: XML-RPC and JSON-RPC, over CGI and FastCGI.
///
/// A manifest is a file that begins with `#!/path/to/rpcgi`, describes methods, and says which programs do their work.
/// Put it where a web server runs programs, and it is a service; `rpcgi init` writes one to begin with.
#[derive(Parser)]
#[command(version, name = "rpcgi", arg_required_else_help = true, args_conflicts_with_subcommands = true)]
struct CommandLine {
    /// A manifest, as a web server gives it to the program that its first line names
    manifest: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

/// The suffixes of manifests that requests may name.
const SUFFIXES: [&str; 3] = [".rpc", ".cgi", ".fcgi"];

#[derive(Subcommand)]
enum Command {
    /// Serves a manifest on a local port, to try it out; reads it anew when it changes
    Serve {
        manifest: PathBuf,
        /// Where to listen; 0 is any free port
        #[arg(long, value_name = "[ADDRESS:]PORT", default_value = "127.0.0.1:8000", value_parser = run::local_address)]
        listen: std::net::SocketAddr,
        /// The same for a port of this machine
        #[arg(long, conflicts_with = "listen")]
        port: Option<u16>,
    },
    /// Serves a web server by FastCGI
    #[cfg(target_os = "linux")]
    Fcgi {
        /// The manifest; without one each request names its own (SCRIPT_FILENAME), as with mod_fcgid's FcgidWrapper
        manifest: Option<PathBuf>,
        /// Where to listen, if no socket is given; may be repeated
        #[arg(long, value_name = "ADDRESS", long_help = run::LISTEN_HELP)]
        listen: Vec<Address>,
        /// The same for a port of this machine
        #[arg(long, value_name = "PORT", value_parser = run::local_port)]
        port: Vec<Address>,
        /// Without a manifest: how the names of manifests end; may be repeated
        #[arg(long, value_name = "SUFFIX", default_values = SUFFIXES)]
        suffix: Vec<String>,
    },
    /// Tells everything that is wrong with manifests, and with the place where they are
    Check {
        #[arg(required = true)]
        manifests: Vec<PathBuf>,
        /// The format of the report
        #[arg(long, value_enum, default_value_t = report::ReportFormat::Human)]
        format: report::ReportFormat,
        /// Takes warnings for errors
        #[arg(long)]
        strict: bool,
        /// Calls each example of each method that is not unsafe: a fault or another result than the example's is an
        /// error
        #[arg(long = "try")]
        tries: bool,
    },
    /// Writes the documentation page, or one of its twins
    Doc {
        manifest: PathBuf,
        #[command(flatten)]
        options: run::DocOptions,
    },
    /// Writes a manifest: one to begin with, or of what is there already
    Init(init::InitOptions),
    /// Calls a method, and writes its result as JSON
    #[command(long_about = call::HELP)]
    Call(call::CallOptions),
    /// Asks a deployed service as a client would, and says what its host does
    #[command(long_about = doctor::HELP)]
    Doctor(doctor::DoctorOptions),
    /// Writes the JSON Schema of manifests, for editors
    Schema,
    /// Writes what completes command lines in a shell
    Completions { shell: clap_complete::Shell },
    /// Writes the manual page
    Man,
}

#[cold]
fn obey(listeners: Vec<Listener>) -> ExitCode {
    if !listeners.is_empty() && std::env::args_os().len() < 2 {
        // each request names its manifest
        return serve_alone(None, listeners);
    }
    let CommandLine { manifest, command } = match CommandLine::try_parse() {
        Ok(command_line) => command_line,
        Err(error) => {
            // to standard output if it was asked for; nowhere to complain if even that fails
            _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE));
        }
    };
    let Some(command) = command else { return serve_alone(manifest, listeners) };
    let done = match command {
        Command::Serve { manifest, listen, port } => serve(&manifest, run::address(listen, port)),
        #[cfg(target_os = "linux")]
        Command::Fcgi { manifest, listen, port, suffix } => {
            respond(manifest, suffix, listeners, &[listen, port].concat())
        }
        Command::Check { manifests, format, strict, tries } => return check::check(&manifests, format, strict, tries),
        Command::Doc { manifest, options } => doc(&manifest, &options),
        Command::Init(options) => return init::init(&options),
        Command::Call(arguments) => return call::call(arguments),
        Command::Doctor(options) => return doctor::doctor(&options),
        Command::Schema => print(format!("{:#}\n", schema()).as_bytes()),
        Command::Completions { shell } => completions(shell),
        Command::Man => man(),
    };
    run::finish(done)
}

/// Runs the program as the first line of a manifest starts it, outside of CGI.
#[cfg(target_os = "linux")]
fn serve_alone(manifest: Option<PathBuf>, listeners: Vec<Listener>) -> ExitCode {
    if !listeners.is_empty() {
        let suffixes = SUFFIXES.map(str::to_owned).to_vec();
        return run::finish(respond(manifest, suffixes, listeners, &[]));
    }
    explain(manifest)
}

#[cfg(not(target_os = "linux"))]
fn serve_alone(manifest: Option<PathBuf>, _: Vec<Listener>) -> ExitCode {
    explain(manifest)
}

/// Tells an operator who started a manifest by hand how to try it.
fn explain(manifest: Option<PathBuf>) -> ExitCode {
    let manifest = manifest.unwrap_or_default();
    let path = manifest.display();
    match manifest.exists() {
        true => eprintln!("{path} is for a web server to run. To try it: rpcgi serve {path}"),
        false => eprintln!("there is no file {path}, nor a command of that name: `rpcgi --help` lists what there is"),
    }
    ExitCode::from(USAGE)
}

fn serve(path: &Path, listen: std::net::SocketAddr) -> Result<(), CommandError> {
    let kept = Arc::new(ReloadingManifest::new(path, OnMistake::Tell)?);
    let served = run::serve(Arc::clone(&kept) as _, listen);
    kept.stop();
    end_all();
    served
}

#[cfg(target_os = "linux")]
fn respond(
    manifest: Option<PathBuf>,
    suffixes: Vec<String>,
    listeners: Vec<Listener>,
    addresses: &[Address],
) -> Result<(), CommandError> {
    let served = match manifest {
        Some(path) => {
            let kept = Arc::new(ReloadingManifest::new(&path, OnMistake::KeepOld)?);
            let served = run::serve_fastcgi(Arc::clone(&kept) as _, listeners, addresses, end_all);
            kept.stop();
            served
        }
        None => {
            let wrapper = Arc::new(Wrapper::new(suffixes));
            let served = run::serve_fastcgi(Arc::clone(&wrapper) as _, listeners, addresses, end_all);
            wrapper.stop();
            served
        }
    };
    end_all();
    served
}

fn doc(path: &Path, options: &run::DocOptions) -> Result<(), CommandError> {
    let source = ManifestSource::open(path).map_err(|problem| report::of_file(path, &problem.to_string()))?;
    let ReadManifest { manifest, mistakes, .. } = read(&source, ProgramCheck::Text);
    match manifest {
        Some(manifest) => {
            let endpoint = manifest.server.build().map_err(|error| report::of_file(path, &error.to_string()))?;
            options.write(&endpoint, None)
        }
        None => Err(report::human(path, &source.text, &mistakes, io::stderr().is_terminal()).into()),
    }
}

fn completions(shell: clap_complete::Shell) -> Result<(), CommandError> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut CommandLine::command(), "rpcgi", &mut text);
    print(&text)
}

fn man() -> Result<(), CommandError> {
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(CommandLine::command()).render(&mut page);
    rendered.map_err(|error| error.to_string())?;
    // a page of its own for each command would be more pages than text: they follow one another
    for command in CommandLine::command().get_subcommands().filter(|command| command.get_name() != "help") {
        let name = format!("rpcgi {}", command.get_name());
        let man = clap_mangen::Man::new(command.clone().display_name(name.clone()).bin_name(name));
        let parts = [clap_mangen::Man::render_description_section, clap_mangen::Man::render_options_section];
        page.extend_from_slice(format!(".SH \"{}\"\n", command.get_name().to_uppercase()).as_bytes());
        _ = man
            .render_synopsis_section(&mut page)
            .and_then(|()| parts.iter().try_for_each(|part| part(&man, &mut page)));
    }
    page.extend_from_slice(manual_of_manifests().as_bytes());
    print(&page)
}

/// Returns the keys of a manifest as a part of the manual page.
fn manual_of_manifests() -> String {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('-', "\\-");
    let mut page = String::from(".SH \"MANIFESTS\"\nA manifest is TOML, and its first line is a comment of TOML.\n");
    let mut last = "";
    for (table, key, kind, about) in reference() {
        if table != last {
            page += &format!(".SS {}\n", quoted(table));
            last = table;
        }
        page += &format!(".TP\n\\fB{}\\fR: {}\n{}\n", quoted(key), quoted(&kind), quoted(about));
    }
    page
}

fn print(text: &[u8]) -> Result<(), CommandError> {
    match io::stdout().write_all(text) {
        // the reader has seen enough
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| format!("standard output cannot be written: {error}").into()),
    }
}

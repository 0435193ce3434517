//! A program that is started for each call.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::time::Instant;

use rustix::io::Errno;

use super::call::{ManifestCall, failed, known_fault, log_lines, not_started, read_json, refuse, write_json};
use super::command_line::{MAX_WORD, Word, fill};
use super::data_type::DataType;
use super::encoding::ProgramEncoding;
use super::launch::{Context, Launch};
use super::pool::Pool;
use super::process::{Process, Turn, in_words};
use crate::method::{CallError, Refusal};
use crate::wire::Type;
use crate::wire::fault::Fault;
use crate::wire::value::{Base64, Value, excerpt, text_of};

/// The most octets of an argument that are put into the environment: what fits there with room to spare.
const MAX_VARIABLE: usize = MAX_WORD / 2;

/// The byte order mark that some programs of Windows put before a text; it is no part of it.
pub(super) const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();

/// A program, and the form of its input and output.
pub(super) struct Program {
    pub(super) launch: Launch,
    /// The words of its command line after the first.
    pub(super) words: Vec<Word>,
    pub(super) stdin: Input,
    pub(super) output: Output,
    /// The exit statuses with which it gives a result.
    pub(super) success: Vec<i32>,
    /// The places for programs.
    pub(super) places: Arc<Pool<()>>,
}

/// The input of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    Nothing,
    /// The octets of one param, by its index.
    Param(usize),
    /// All params, as a JSON object.
    Json,
}

/// The form of a program's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    Text,
    Lines,
    Json,
    Base64,
}

/// A program that has ended.
struct Ended {
    status: ExitStatus,
    output: Vec<u8>,
    complaints: String,
}

impl Program {
    pub(super) fn run(&self, call: &ManifestCall<'_>) -> Result<Value, CallError> {
        let words = fill(&self.words, &call.contract.params, &call.arguments, self.launch.encoding)
            .map_err(CallError::Params)?;
        let input = self.input(call)?;
        let _place = self.places.take().map_err(|busy| failed(call.about, &busy.to_string()))?;
        let mut command = self.launch.command().map_err(|missing| not_started(call.about, &missing.to_string()))?;
        command.args(words);
        Context::of(call.request).tell(&mut command, &call.about.name);
        self.tell_arguments(call, &mut command);
        let process =
            Process::start(&mut command, call.contract.max_output).map_err(|error| self.refused(error, call))?;
        let ended = self.pump(process, &input, call)?;
        log_lines(&format!("method \"{}\"", call.about.name), &ended.complaints);
        match ended.status.code().is_some_and(|status| self.success.contains(&status)) {
            true => self.output.read(ended.output, self.launch.encoding, call),
            false => Err(CallError::Fault(fault(&ended, call))),
        }
    }

    /// Returns the octets that the program reads.
    fn input<'v>(&self, call: &'v ManifestCall<'_>) -> Result<Cow<'v, [u8]>, CallError> {
        let encoding = self.launch.encoding;
        Ok(match self.stdin {
            Input::Nothing => Cow::Borrowed(&[]),
            Input::Param(index) => match &call.arguments[index] {
                Some(Value::String(text)) => {
                    let refused = |problem: String| refuse(index, &call.contract.params[index], &problem);
                    encoding.encode(text).map_err(|problem| CallError::Params(refused(problem)))?
                }
                Some(Value::Base64(Base64(octets))) => octets.into(),
                argument => argument.as_ref().and_then(text_of).unwrap_or_default().into(),
            },
            Input::Json => {
                let pairs = call.contract.params.iter().zip(&call.arguments);
                let given = pairs.filter_map(|(param, argument)| Some((param.name.clone(), argument.clone()?)));
                encoding.json(write_json(&Value::Struct(given.collect()), call.contract.limits)?).into()
            }
        })
    }

    /// Takes what a program has said on standard error.
    fn complaints(&self, process: &mut Process) -> String {
        self.launch.encoding.decode_lossy(&process.complaints()).into_owned()
    }

    /// Sets scalar arguments as environment variables, except those that no environment takes.
    fn tell_arguments(&self, call: &ManifestCall<'_>, command: &mut Command) {
        for (param, argument) in call.contract.params.iter().zip(&call.arguments) {
            let text = match argument {
                Some(Value::Base64(_)) | None => None,
                Some(argument) => self.launch.encoding.text_of(argument).ok().flatten(),
            };
            if let Some(text) = text.filter(|text| text.len() <= MAX_VARIABLE && !text.contains(&0)) {
                command.env(format!("RPCGI_PARAM_{}", param.name), OsStr::from_bytes(&text));
            }
        }
    }

    #[cold]
    fn refused(&self, error: io::Error, call: &ManifestCall<'_>) -> CallError {
        match Errno::from_io_error(&error) {
            Some(Errno::TOOBIG) => {
                let message = "takes params that fit on a command line together, found more than that";
                CallError::Params(Refusal::new(message))
            }
            _ => not_started(call.about, &format!("{} cannot be started: {error}", self.launch.name)).into(),
        }
    }

    /// Moves octets both ways until the program has ended, or exceeds a limit.
    fn pump(&self, mut process: Process, input: &[u8], call: &ManifestCall<'_>) -> Result<Ended, Fault> {
        let deadline = Instant::now() + call.contract.timeout;
        let mut input = input;
        let give_up = |mut process: Process, message: String| {
            let complaints = self.complaints(&mut process);
            process.end();
            log_lines(&format!("method \"{}\"", call.about.name), &complaints);
            failed(call.about, &message)
        };
        let broken = |error: io::Error| {
            log::error!("method \"{}\": the program's pipes fail: {error}", call.about.name);
            Fault::new(Fault::SYSTEM, "what the program writes cannot be read")
        };
        while !process.is_over().map_err(broken)? {
            if input.is_empty() {
                process.close_input();
            }
            let until = process.until(deadline);
            let turn = process.turn(&mut input, until).map_err(broken)?;
            if process.writes_too_much() {
                let message = format!("the program wrote more than {} octets", call.contract.max_output);
                return Err(give_up(process, message));
            }
            if turn == Turn::Late && Instant::now() >= deadline && !process.is_over().map_err(broken)? {
                let seconds = call.contract.timeout.as_secs_f64();
                return Err(give_up(process, format!("the program took longer than {seconds} seconds")));
            }
        }
        let (output, complaints) = (std::mem::take(process.output()), self.complaints(&mut process));
        let status = process.finish().map_err(broken)?;
        Ok(Ended { status, output, complaints })
    }
}

/// Returns the fault of a program that has failed: the manifest's text for its status; else only that it failed, or
/// with `tell_errors` the last line that it has said.
fn fault(ended: &Ended, call: &ManifestCall<'_>) -> Fault {
    let Some(status) = ended.status.code() else {
        return failed(call.about, &format!("the program {}", in_words(ended.status)));
    };
    if let Some(known) = known_fault(call, status) {
        return Fault::new(status, known);
    }
    if !call.contract.tell_errors {
        log::warn!("method \"{}\": the program {}", call.about.name, in_words(ended.status));
        return call.failed_inside();
    }
    let last_line = ended.complaints.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(one_line);
    Fault::new(status, last_line.unwrap_or_else(|| format!("the program {}", in_words(ended.status))))
}

/// Returns a program's line as the text of a fault: cut, and without control characters.
fn one_line(line: &str) -> String {
    const MAX_LINE: usize = 500;

    line.chars().take(MAX_LINE).map(|character| if character.is_control() { ' ' } else { character }).collect()
}

impl Output {
    /// Reads a result of the method's type.
    fn read(self, output: Vec<u8>, encoding: ProgramEncoding, call: &ManifestCall<'_>) -> Result<Value, CallError> {
        let returns = &call.contract.returns;
        let start = excerpt(&encoding.decode_lossy(&output[..output.len().min(500)]));
        let text = |output: Vec<u8>| encoding.decode(output.into()).map(Cow::into_owned).and_then(text);
        let value = match self {
            Output::Text => text(output).and_then(|text| returns.read_text(without_line_end(&text))),
            Output::Lines => text(output).and_then(|text| lines(&text, returns, call.contract.limits.members)),
            Output::Json => {
                encoding.decode(output.into()).and_then(|output| read_json(&output, returns, call.contract.limits))
            }
            Output::Base64 => Ok(Value::Base64(Base64(output))),
        };
        value.map_err(|message| {
            log::warn!("method \"{}\": the program wrote \"{start}\"", call.about.name);
            let what = if self == Output::Json { "JSON of its type" } else { "a value of its type" };
            failed(call.about, &format!("the program did not write {what}: {message}")).into()
        })
    }
}

fn text(mut output: Vec<u8>) -> Result<String, String> {
    if output.starts_with(BYTE_ORDER_MARK) {
        output.drain(..BYTE_ORDER_MARK.len());
    }
    String::from_utf8(output).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("expected UTF-8, found octet {:02X} after {at} octets", error.as_bytes()[at])
    })
}

/// Removes the line end after a program's output, which is no part of the value.
fn without_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

fn lines(text: &str, returns: &DataType, most: usize) -> Result<Value, String> {
    if text.lines().nth(most).is_some() {
        return Err(format!("more than {most} lines"));
    }
    let any = DataType::of(Type::String);
    let of = returns.items.as_deref().unwrap_or(&any);
    let item =
        |(index, line): (usize, &str)| of.read_text(line).map_err(|message| format!("{message} in line {}", index + 1));
    text.lines().enumerate().map(item).collect::<Result<Vec<_>, _>>().map(Value::Array)
}

//! Workers that speak JSON-RPC 2.0.

use serde_json::Value as Json;

use super::call::{ManifestCall, failed, known_fault, log_lines, read_json, write_json};
use super::launch::{Context, Launch};
use super::process::Process;
use super::program::BYTE_ORDER_MARK;
use super::worker::{Answer, Dialect, Start, Worker, WorkerError};
use crate::method::CallError;
use crate::protocol::jsonrpc::{self, RawError, RawResponse};
use crate::service::Limits;
use crate::wire::fault::Fault;
use crate::wire::json;
use crate::wire::value::{Value, excerpt};

/// A worker's command line.
pub(super) struct CommandLine {
    /// The worker's name.
    pub(super) name: String,
    /// The words after the first.
    pub(super) words: Vec<String>,
}

impl Start for CommandLine {
    fn start(&self, launch: &Launch) -> Result<(Process, Vec<u8>), String> {
        let mut command = launch.command().map_err(|missing| missing.to_string())?;
        command.args(&self.words).env("RPCGI_WORKER", &self.name);
        let process = Process::start(&mut command, usize::MAX).map_err(|error| error.to_string())?;
        Ok((process, Vec::new()))
    }

    fn hint(&self) -> Option<String> {
        Some(format!("does worker \"{}\" write a line for each call, and flush it?", self.name))
    }

    fn is_late(&self, line: &[u8], last: u64) -> bool {
        let options = json::JsonOptions { limits: Limits::default(), large_integers_as_text: false };
        let id = RawResponse::read(line, &options).ok().and_then(|response| response.id?.parse::<u64>().ok());
        id.is_some_and(|id| id <= last)
    }
}

/// JSON-RPC 2.0, one document a line.
pub(super) struct JsonRpcLines;

impl Dialect for JsonRpcLines {
    fn content(&self, worker: &Worker, call: &ManifestCall<'_>) -> Result<Vec<u8>, CallError> {
        let mut params: Vec<Value> =
            call.arguments.iter().map(|argument| argument.clone().unwrap_or(Value::Nil)).collect();
        let given = call.arguments.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        params.truncate(given);
        params.extend(call.rest.iter().cloned());
        // only methods of any name have these, and then these alone
        let params = match call.options.is_empty() {
            true => Value::Array(params),
            false => Value::Struct(call.options.iter().cloned().collect()),
        };
        Ok(worker.launch.encoding.json(write_json(&params, call.contract.limits)?))
    }

    fn document(&self, id: u64, content: &[u8], call: &ManifestCall<'_>) -> Vec<u8> {
        document(id, content, call)
    }

    fn read(&self, worker: &Worker, line: &[u8], id: u64, call: &ManifestCall<'_>) -> Answer {
        let who = &worker.who;
        let garbage = |what: &str| {
            let line = excerpt(&worker.launch.encoding.decode_lossy(line));
            log::error!("{who} answered {what}, and is started anew: {line}");
            log::error!(
                "on its standard output is one line for each call and nothing else; what is for the log goes to standard error"
            );
            WorkerError::Lost(format!("the {who} answered {what}"))
        };
        let line = match worker.launch.encoding.decode(line.into()) {
            Ok(line) => line,
            Err(_) => return Err(garbage("in another encoding")),
        };
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&line);
        if line.trim_ascii().is_empty() {
            return Ok(None);
        }
        let options = json::JsonOptions { limits: call.contract.limits, large_integers_as_text: false };
        let Ok(response) = RawResponse::read(line, &options) else {
            return Err(garbage("something that is no JSON-RPC response"));
        };
        let answered = match response.id.map(str::parse::<u64>) {
            Some(Ok(answered)) => Some(answered),
            Some(Err(_)) => return Err(garbage("a call that it was not sent")),
            None => None,
        };
        let outcome = match (answered, response) {
            (Some(other), _) if other < id => {
                log::warn!("{who} answered a call again");
                return Ok(None);
            }
            (Some(other), _) if other != id => return Err(garbage("a call that it was not sent")),
            (_, RawResponse { error: Some(error), result, .. })
                if result.as_ref().is_none_or(|result| result.text == "null") =>
            {
                let Ok(code) = i32::try_from(error.code) else {
                    return Err(garbage("something that is no JSON-RPC response"));
                };
                Err(fault_of(code, error, who, call))
            }
            (Some(_), RawResponse { error: None, result: Some(result), .. }) => {
                let value = read_json(result.text.as_bytes(), &call.contract.returns, call.contract.limits);
                value
                    .map_err(|message| failed(call.about, &format!("the {who} answered what it should not: {message}")))
            }
            _ => return Err(garbage("something that is no JSON-RPC response")),
        };
        Ok(Some(outcome))
    }
}

/// Makes the caller's fault of an error: in the worker's own words, unless they are about the worker and not about the
/// call.
fn fault_of(code: i32, error: RawError<'_>, who: &str, call: &ManifestCall<'_>) -> Fault {
    // JSON-RPC 2.0 §5.1 keeps these codes for servers: the text may then tell internals
    let is_of_the_machine = matches!(code, Fault::INTERNAL | Fault::NOT_WELL_FORMED | -32099..=-32000);
    if is_of_the_machine && !call.contract.tell_errors {
        log_lines(who, &error.message);
        return call.failed_inside();
    }
    let data = match error.data.map(read_data).transpose() {
        Ok(data) => data,
        Err(message) => {
            return failed(call.about, &format!("the {who} answered what it should not: {message}"));
        }
    };
    let message = match error.message.is_empty() {
        true => known_fault(call, code).unwrap_or_else(|| "the worker says no more".into()),
        false => error.message,
    };
    let fault = Fault::new(code, message);
    match data {
        Some(data) => fault.with_data(data),
        None => fault,
    }
}

/// Reads the `data` of an error, unless a number in it would lose digits.
fn read_data(data: &str) -> Result<Json, String> {
    json::check_numbers(data)?;
    serde_json::from_str(data).map_err(|error| error.to_string())
}

/// Writes the line that a worker reads: a call, and its caller.
fn document(id: u64, params: &[u8], call: &ManifestCall<'_>) -> Vec<u8> {
    let Context { remote_addr, remote_user, request_id } = Context::of(call.request);
    let context =
        serde_json::json!({ "remote_addr": remote_addr, "remote_user": remote_user, "request_id": request_id });
    let mut document = Vec::with_capacity(params.len() + 256);
    let members = [("rpcgi", context.to_string().into_bytes())];
    let members = members.each_ref().map(|(name, value)| (*name, &value[..]));
    jsonrpc::write_request(&call.about.name, params, Some(&id.into()), &members, &mut document);
    document.push(b'\n');
    document
}

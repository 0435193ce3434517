//! The conversation with a harness: how it is started, and how calls and answers are written. `harness/README.md` has
//! the documents.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;
use serde_json::json;
use serde_json::value::RawValue;

use super::cache;
use super::description::{ContextParam, ModuleDescription, ParamKind};
use super::language::{Gaps, Language};
use super::tagged::{self, TaggedWriter};
use crate::manifest::call::{ManifestCall, failed, log_lines};
use crate::manifest::launch::{Context, Launch};
use crate::manifest::process::Process;
use crate::manifest::worker::{Answer, Dialect, Start, Worker, WorkerError};
use crate::method::{CallError, Refusal};
use crate::wire::fault::Fault;
use crate::wire::json::write_string;
use crate::wire::value::{Value, excerpt};

/// A harness that runs a module.
pub(super) struct Harness {
    pub(super) language: Language,
    pub(super) file: PathBuf,
    pub(super) object: Option<String>,
    pub(super) context: Option<String>,
    /// Set if the file is a program that serves XML-RPC by itself.
    pub(super) is_script: bool,
    /// PHP: the memory that a process may take.
    pub(super) memory: String,
    /// How many calls a process may have in flight.
    pub(super) concurrent: usize,
    /// Python: the file that has, or is to have, the compiled harness.
    pub(super) code: Option<PathBuf>,
    /// Python: where the module is kept compiled, if its own folder cannot have it.
    pub(super) pycache: Option<PathBuf>,
    /// Set if the next that is started has to describe the module.
    pub(super) describes: AtomicBool,
}

/// What starts the harness of Python: its compiled code if this Python has compiled it, else the text of its core.
const START_OF_PYTHON: &str = "\
import marshal, sys, _frozen_importlib_external as external
kept, core = sys.argv[1:]
kept = open(kept, 'rb').read() if kept else b''
code, parts = marshal.loads(kept[4:]) if kept[:4] == external.MAGIC_NUMBER else (core, None)
exec(code)
main(parts)";

/// The setting that takes away the functions of PHP's extension which scripts get from what stands in for it.
const EXTENSION_OF_PHP: &str = "disable_functions=xmlrpc_server_create,xmlrpc_server_register_method,\
    xmlrpc_server_register_introspection_callback,xmlrpc_server_add_introspection_data,xmlrpc_server_call_method,\
    xmlrpc_server_destroy,xmlrpc_set_type,xmlrpc_get_type,xmlrpc_is_fault";

impl Harness {
    /// Returns the words of the interpreter's command line.
    fn words(&self, code: Option<&str>) -> Vec<String> {
        let (text, _) = self.language.harness();
        let stand_in = if self.is_script { self.language.stand_in() } else { "" };
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match self.language {
            Language::Python => words(&["-c", START_OF_PYTHON, code.unwrap_or_default(), text]),
            Language::Php => {
                let memory = format!("memory_limit={}", self.memory);
                let text = text.trim_start().trim_start_matches("<?php");
                let mut settings =
                    words(&["-d", "display_errors=stderr", "-d", "html_errors=0", "-d", "log_errors=0", "-d", &memory]);
                match self.is_script {
                    // where the extension is there, its functions can be defined anew once they are disabled
                    true => settings.extend(words(&["-d", EXTENSION_OF_PHP, "-r", text, "--", stand_in])),
                    false => settings.extend(words(&["-r", text])),
                }
                settings
            }
            Language::JavaScript => words(&["-e", text]),
            Language::Ruby | Language::Perl if self.is_script => words(&["-e", &format!("{stand_in}\n{text}")]),
            Language::Ruby | Language::Perl => words(&["-e", text]),
            // it takes a text that begins with a dash for an option
            Language::Lua => words(&["-e", &format!("\n{text}")]),
        }
    }

    /// Returns the line that tells a harness what to load, and the parts of it that are not on its command line.
    fn greeting(&self, code: Option<&Path>) -> Vec<u8> {
        let describe = self.describes.swap(false, Ordering::Relaxed);
        let Harness { file, object, context, concurrent, pycache, .. } = self;
        let (_, parts) = self.language.harness();
        let mut line = json!({
            "file": file, "object": object, "context": context, "describe": describe, "concurrent": concurrent,
            "as": self.is_script.then_some("script"), "pycache": pycache, "compile": code, "parts": Some(parts.len()).filter(|length| *length > 0),
        });
        if let Some(members) = line.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        let mut line = line.to_string().into_bytes();
        line.push(b'\n');
        line.extend_from_slice(parts.as_bytes());
        line
    }
}

impl Start for Arc<Harness> {
    fn start(&self, launch: &Launch) -> Result<(Process, Vec<u8>), String> {
        let compiled = self.code.as_deref().filter(|code| cache::is_whole(code));
        let words = self.words(compiled.and_then(Path::to_str));
        let process = match self.language.is_on_pipes() {
            true => {
                let mut command = launch.command_with_answers_at_3().map_err(|missing| missing.to_string())?;
                Process::start(command.args(words), usize::MAX)
            }
            false => {
                let mut command = launch.command().map_err(|missing| missing.to_string())?;
                command.args(words);
                Process::start_on_socket(command, usize::MAX)
            }
        };
        let process = process.map_err(|error| error.to_string())?;
        Ok((process, self.greeting(self.code.as_deref().filter(|_| compiled.is_none()))))
    }

    /// A harness answers what it is asked: anything else is written by what it runs.
    fn is_late(&self, _line: &[u8], _last: u64) -> bool {
        false
    }
}

/// A line that a harness has written.
#[derive(Deserialize)]
struct Line<'a> {
    id: Option<u64>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    fault: Option<(i64, String)>,
    error: Option<String>,
    raised: Option<(String, String)>,
    broken: Option<String>,
    unknown: Option<bool>,
    described: Option<Json>,
}

/// Reads a member that is there, be it null.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Reads what a harness tells of its module, or why it cannot be loaded.
pub(super) fn read_description(line: &[u8]) -> Result<Result<ModuleDescription, String>, String> {
    let Line { broken, described, .. } = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    match (described, broken) {
        (Some(described), _) => serde_json::from_value(described).map(Ok).map_err(|error| error.to_string()),
        (None, Some(broken)) => Ok(Err(broken)),
        (None, None) => Err("expected a description".into()),
    }
}

/// The calls of one function.
pub(super) struct FunctionCalls {
    pub(super) language: Language,
    pub(super) name: String,
    /// How each param is passed, and whether it cannot go by name.
    pub(super) params: Vec<(ParamKind, bool)>,
    pub(super) context: Option<ContextParam>,
    /// The headers that the context has.
    pub(super) headers: Vec<String>,
}

impl FunctionCalls {
    /// Creates the calls of a function of which nothing but its name is known.
    pub(super) fn of_anything(language: Language, name: &str) -> FunctionCalls {
        FunctionCalls { language, name: name.to_owned(), params: Vec::new(), context: None, headers: Vec::new() }
    }
}

impl Dialect for FunctionCalls {
    fn content(&self, _worker: &Worker, call: &ManifestCall<'_>) -> Result<Vec<u8>, CallError> {
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(b"\"call\":");
        write_string(&self.name, &mut out);
        let mut named = Named(Vec::new());
        out.extend_from_slice(b",\"args\":[");
        self.write_arguments(call, &mut out, &mut named)?;
        out.push(b']');
        for (name, value) in &call.options {
            named.add(name, |out| self.writer().write(value, call.contract.more.options.as_ref(), out));
        }
        if !named.0.is_empty() {
            out.extend_from_slice(b",\"named\":{");
            out.append(&mut named.0);
            out.push(b'}');
        }
        if let Some(param) = &self.context {
            out.extend_from_slice(b",\"context\":");
            out.extend_from_slice(self.context(param, call).as_bytes());
        }
        out.extend_from_slice(b"}\n");
        Ok(out)
    }

    fn document(&self, id: u64, content: &[u8], _call: &ManifestCall<'_>) -> Vec<u8> {
        let mut document = format!("{{\"id\":{id},").into_bytes();
        document.extend_from_slice(content);
        document
    }

    fn read(&self, worker: &Worker, line: &[u8], id: u64, call: &ManifestCall<'_>) -> Answer {
        let who = &worker.who;
        let garbage = || {
            log::error!("{who}: something else than its harness wrote to its socket");
            WorkerError::Lost(format!("the {who} gave no answer"))
        };
        let line: Line<'_> = serde_json::from_slice(line).map_err(|_| garbage())?;
        if let Some(broken) = line.broken {
            log_lines(who, &broken);
            return Err(WorkerError::Lost(format!("the {who} cannot be loaded")));
        }
        if line.id != Some(id) {
            return Err(garbage());
        }
        if line.unknown.is_some() {
            let message = format!("there is no method \"{}\"", excerpt(&call.about.name));
            return Ok(Some(Err(Fault::new(Fault::METHOD_NOT_FOUND, message))));
        }
        let outcome = match (line.result, line.fault, line.error) {
            (Some(result), None, None) => self.result(result.get().as_bytes(), worker, call),
            (None, Some((code, text)), None) => Err(Fault::new(i32::try_from(code).map_err(|_| garbage())?, text)),
            (None, None, Some(error)) => Err(self.told(&error, line.raised, who, call)),
            _ => return Err(garbage()),
        };
        Ok(Some(outcome))
    }
}

/// Calls of any name, which a function gets as its first param, and what they take as its second: an array, or a struct
/// if they go by name.
pub(super) struct DispatchCalls(pub(super) FunctionCalls);

impl Dialect for DispatchCalls {
    fn content(&self, _worker: &Worker, call: &ManifestCall<'_>) -> Result<Vec<u8>, CallError> {
        let mut out = b"\"call\":".to_vec();
        write_string(&self.0.name, &mut out);
        out.extend_from_slice(b",\"args\":[");
        write_string(&call.about.name, &mut out);
        out.push(b',');
        let params = match call.options.is_empty() {
            true => Value::Array(call.rest.clone()),
            false => Value::Struct(call.options.iter().cloned().collect()),
        };
        self.0.writer().write(&params, None, &mut out);
        out.extend_from_slice(b"]}\n");
        Ok(out)
    }

    fn document(&self, id: u64, content: &[u8], call: &ManifestCall<'_>) -> Vec<u8> {
        self.0.document(id, content, call)
    }

    fn read(&self, worker: &Worker, line: &[u8], id: u64, call: &ManifestCall<'_>) -> Answer {
        self.0.read(worker, line, id, call)
    }
}

/// Arguments by name, as they are written.
struct Named(Vec<u8>);

impl Named {
    fn add(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        if !self.0.is_empty() {
            self.0.push(b',');
        }
        write_string(name, &mut self.0);
        self.0.push(b':');
        write(&mut self.0);
    }
}

impl FunctionCalls {
    fn writer(&self) -> TaggedWriter {
        TaggedWriter { has_doubles_alone: self.language == Language::JavaScript }
    }

    /// Writes the arguments that have positions, and adds those that go by name.
    fn write_arguments(&self, call: &ManifestCall<'_>, out: &mut Vec<u8>, named: &mut Named) -> Result<(), CallError> {
        let params = call.contract.params.iter().zip(&call.arguments).zip(&self.params);
        let mut items = 0;
        let mut begin_item = |out: &mut Vec<u8>| {
            if items > 0 {
                out.push(b',');
            }
            items += 1;
        };
        // those that are left out and may yet be followed by one that is not
        let mut left_out = 0;
        for ((param, argument), (kind, is_positional)) in params {
            let Some(argument) = argument else {
                left_out += usize::from(*kind == ParamKind::Position);
                continue;
            };
            let write = |out: &mut Vec<u8>| self.writer().write(argument, Some(&param.of), out);
            if *kind != ParamKind::Position {
                named.add(&param.name, write);
                continue;
            }
            match self.language.gaps() {
                _ if left_out == 0 => {}
                Gaps::Named if !is_positional => {
                    named.add(&param.name, write);
                    continue;
                }
                Gaps::Absent | Gaps::Nil => {
                    let gap: &[u8] = if self.language.gaps() == Gaps::Nil { b"null" } else { b"{\"$absent\":true}" };
                    for _ in 0..std::mem::take(&mut left_out) {
                        begin_item(out);
                        out.extend_from_slice(gap);
                    }
                }
                Gaps::Named | Gaps::Refused => {
                    let message = format!("takes param \"{}\" only with those before it", param.name);
                    return Err(CallError::Params(Refusal::new(message)));
                }
            }
            begin_item(out);
            write(out);
        }
        for value in &call.rest {
            begin_item(out);
            self.writer().write(value, call.contract.more.rest.as_ref(), out);
        }
        Ok(())
    }

    fn context(&self, param: &ContextParam, call: &ManifestCall<'_>) -> String {
        let Context { remote_addr, remote_user, request_id } = Context::of(call.request);
        let header = |name: &String| Some((name.clone(), call.request.header(name)?.into_owned().into()));
        let headers: serde_json::Map<String, serde_json::Value> = self.headers.iter().filter_map(header).collect();
        let value = json!({
            "user": remote_user, "groups": [], "remote_addr": remote_addr, "request_id": request_id, "headers": headers,
        });
        let mut context = json!({ "name": param.name, "value": value });
        if let Some(index) = param.index {
            context["index"] = index.into();
        }
        context.to_string()
    }

    /// Logs what a function has raised, and returns what its caller gets to know of it.
    fn told(&self, error: &str, raised: Option<(String, String)>, who: &str, call: &ManifestCall<'_>) -> Fault {
        log_lines(who, error);
        let fault = match call.contract.tell_errors {
            true => Fault::new(Fault::SYSTEM, self.language.cause(error)),
            false => call.failed_inside(),
        };
        let split = || self.language.cause(error).split_once(": ").map(|(class, text)| (class.into(), text.into()));
        match raised.or_else(split) {
            Some((class, text)) => fault.with_exception(class, text),
            None => fault,
        }
    }

    /// Reads a result. One that is not what the function says of it is what it is: the log tells.
    fn result(&self, text: &[u8], worker: &Worker, call: &ManifestCall<'_>) -> Result<Value, Fault> {
        let value = tagged::read(text, call.contract.limits).map_err(|message| {
            log::warn!("{}: {message}", worker.who);
            failed(call.about, "the result cannot be read")
        })?;
        call.contract.returns.settle(value).or_else(|(value, message)| {
            log::warn!("method \"{}\" is not as it is described: {message}", call.about.name);
            Ok(value)
        })
    }
}

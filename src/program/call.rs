//! `rpcgi call`: a client, built on the server's own XML-RPC and JSON code.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;
use ureq::Agent;

use super::http::NO_TLS;
use super::report;
use crate::manifest::{Manifest, ManifestSource, ProgramCheck, ReadManifest, read};
use crate::protocol::jsonrpc::{self, RawError, RawResponse};
use crate::protocol::xmlrpc;
use crate::service::Limits;
use crate::wire::Type;
use crate::wire::fault::Fault;
use crate::wire::json;
use crate::wire::value::{Base64, Value, excerpt};

/// Exit statuses beside 0, and 2 for a usage error.
const FAULT: u8 = 3;
const NETWORK: u8 = 4;
const NOT_UNDERSTOOD: u8 = 5;

pub(super) const HELP: &str = "\
Calls a method, and writes its result as JSON

An argument is JSON (5, 2.5, true, [1, 2], {\"a\": 1}), or a type and a value
(int:5, i8:5, boolean:1, double:5, string:5, base64:aGVsbG8=,
dateTime.iso8601:20261124T12:00:00, nil:), or the octets of a file (base64:@FILE).
What is none of these is a string.

Exit status: 0 for a result, 2 for a command line that cannot be meant, 3 for a
fault, which standard error tells, 4 if there is no answer, 5 if it is none of
XML-RPC's or JSON-RPC's.";

#[derive(clap::Args)]
pub(super) struct CallOptions {
    /// The URL of the service, or the path of a manifest
    url: String,
    /// The method's name
    method: String,
    /// The arguments: JSON, or TYPE:VALUE
    #[arg(allow_negative_numbers = true)]
    arguments: Vec<String>,
    /// Speaks JSON-RPC 2.0 instead of XML-RPC
    #[arg(long)]
    json_rpc: bool,
    /// Logs in (Basic)
    #[arg(long, value_name = "NAME:PASSWORD")]
    user: Option<String>,
    /// Sends a header, as "Authorization: Bearer TOKEN"; may stand several times
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// The time to wait, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
}

/// Reads a header that is given on the command line.
fn header(text: &str) -> Result<(String, String), String> {
    let expected = || format!("expected a header as \"Name: value\", found \"{}\"", excerpt(text));
    let (name, value) = text.split_once(':').ok_or_else(expected)?;
    let (name, value) = (name.trim(), value.trim());
    let is_header = name.parse::<http::HeaderName>().is_ok() && value.parse::<http::HeaderValue>().is_ok();
    is_header.then(|| (name.to_owned(), value.to_owned())).ok_or_else(expected)
}

/// The reason why a call has no result.
enum ClientError {
    Usage(String),
    Fault(Fault),
    Network(String),
    NotUnderstood(String),
}

/// Calls a method, and returns the exit status.
pub(super) fn call(arguments: CallOptions) -> ExitCode {
    let (status, message) = match result(&arguments) {
        Ok(text) => match io::stdout().write_all(&text) {
            Ok(()) => return ExitCode::SUCCESS,
            Err(error) => (1, format!("standard output cannot be written: {error}")),
        },
        Err(ClientError::Usage(message)) => (crate::run::USAGE, message),
        Err(ClientError::Fault(fault)) => (FAULT, format!("fault {fault}")),
        Err(ClientError::Network(message)) => (NETWORK, message),
        Err(ClientError::NotUnderstood(message)) => (NOT_UNDERSTOOD, message),
    };
    eprintln!("{message}");
    ExitCode::from(status)
}

/// Returns the result as a line of JSON.
fn result(arguments: &CallOptions) -> Result<Vec<u8>, ClientError> {
    let numbered = |(index, text): (usize, &String)| {
        argument(text).map_err(|problem| ClientError::Usage(format!("argument {}: {problem}", index + 1)))
    };
    let params = arguments.arguments.iter().enumerate().map(numbered).collect::<Result<Vec<_>, _>>()?;
    let options = json::JsonOptions { limits: Limits::default(), large_integers_as_text: false };
    let mut text = match arguments.json_rpc {
        true => by_json_rpc(arguments, &params, &options)?,
        false => by_xml_rpc(arguments, &params, &options)?,
    };
    text.push(b'\n');
    Ok(text)
}

fn by_xml_rpc(arguments: &CallOptions, params: &[Value], options: &json::JsonOptions) -> Result<Vec<u8>, ClientError> {
    let call = xmlrpc::call_to_vec(&arguments.method, params).map_err(|error| ClientError::Usage(error.to_string()))?;
    let answer = send(arguments, "text/xml", &call)?;
    let outcome = xmlrpc::response_from_slice::<Value>(&answer);
    let value = outcome.map_err(|error| not_understood(&error, &answer))?.map_err(ClientError::Fault)?;
    write(&value, options)
}

fn by_json_rpc(arguments: &CallOptions, params: &[Value], options: &json::JsonOptions) -> Result<Vec<u8>, ClientError> {
    let call =
        jsonrpc::request_to_vec(&arguments.method, params, 1).map_err(|error| ClientError::Usage(error.to_string()))?;
    let answer = send(arguments, "application/json", &call)?;
    let response = RawResponse::read(&answer, options).map_err(|error| not_understood(&error, &answer))?;
    match (response.error, response.result) {
        (Some(RawError { code, message, .. }), _) => {
            let code = i32::try_from(code).map_err(|error| not_understood(&error, &answer))?;
            Err(ClientError::Fault(Fault::new(code, message)))
        }
        (None, Some(result)) => Ok(on_one_line(result.text).into_bytes()),
        (None, None) => Err(not_understood(&"expected `result` or `error`, found neither", &answer)),
    }
}

fn write(value: &(impl serde::Serialize + ?Sized), options: &json::JsonOptions) -> Result<Vec<u8>, ClientError> {
    let mut text = Vec::new();
    json::write(value, options, &mut text).map_err(|error| ClientError::NotUnderstood(error.to_string()))?;
    Ok(text)
}

#[cold]
fn not_understood(error: &dyn std::fmt::Display, answer: &[u8]) -> ClientError {
    let start = excerpt(&String::from_utf8_lossy(answer));
    ClientError::NotUnderstood(format!("the answer is not understood: {error}; it begins with \"{start}\""))
}

/// Posts a document, and returns the body of the response.
fn send(arguments: &CallOptions, content_type: &str, document: &[u8]) -> Result<Vec<u8>, ClientError> {
    if !arguments.url.contains("://") {
        return answer_of_manifest(arguments, document);
    }
    if cfg!(target_env = "musl") && arguments.url.starts_with("https:") {
        return Err(ClientError::Network(format!("{}: {NO_TLS}", arguments.url)));
    }
    let network = |error: ureq::Error| ClientError::Network(format!("{}: {error}", arguments.url));
    let configuration = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(arguments.timeout)))
        .user_agent(concat!("rpcgi/", env!("CARGO_PKG_VERSION")))
        .build();
    let mut post = Agent::new_with_config(configuration).post(&arguments.url).header("Content-Type", content_type);
    if let Some(user) = &arguments.user {
        post = post.header("Authorization", format!("Basic {}", STANDARD.encode(user)));
    }
    for (name, value) in &arguments.headers {
        post = post.header(name, value);
    }
    let mut response = post.send(document).map_err(network)?;
    let body =
        response.body_mut().with_config().limit(Limits::default().response as u64).read_to_vec().map_err(network)?;
    match response.status().is_success() {
        true => Ok(body),
        false => {
            let text = String::from_utf8_lossy(&body);
            let first = text.lines().next().map(|line| format!(": {}", excerpt(line))).unwrap_or_default();
            Err(ClientError::Network(format!("{} answers {}{first}", arguments.url, response.status())))
        }
    }
}

/// Has a manifest answer a document, without any server.
fn answer_of_manifest(arguments: &CallOptions, document: &[u8]) -> Result<Vec<u8>, ClientError> {
    let path = Path::new(&arguments.url);
    if !path.exists() {
        let shown = excerpt(&arguments.url);
        let message = format!("expected a URL as http://HOST/PATH, or the path of a manifest, found \"{shown}\"");
        return Err(ClientError::Usage(message));
    }
    if arguments.user.is_some() || !arguments.headers.is_empty() {
        let message = "--user and --header are for a URL: no web server lets anybody in here";
        return Err(ClientError::Usage(message.into()));
    }
    let broken = |problem: String| ClientError::Usage(report::of_file(path, &problem));
    let source = ManifestSource::open(path).map_err(|problem| broken(problem.to_string()))?;
    let ReadManifest { manifest, mistakes, .. } = read(&source, ProgramCheck::Text);
    let told = || report::human(path, &source.text, &mistakes, io::stderr().is_terminal());
    let Manifest { server, workers, .. } = manifest.ok_or_else(|| ClientError::Usage(told()))?;
    let endpoint = server.build().map_err(|error| broken(error.to_string()))?;
    let answer = endpoint.handle_document(document);
    workers.stop();
    Ok(answer)
}

/// Reads an argument as it is written on the command line.
fn argument(text: &str) -> Result<Value, String> {
    if let Some((name, value)) = text.split_once(':')
        && let Some(wire) = Type::of_name(name).filter(|wire| is_scalar(*wire))
    {
        return scalar(wire, value).ok_or_else(|| format!("expected {name}, found \"{}\"", excerpt(value)));
    }
    if serde_json::from_str::<IgnoredAny>(text).is_err() && !text.starts_with(['{', '[', '"']) {
        return Ok(text.into());
    }
    // text that is JSON, or begins like it, is meant as JSON
    let options = json::JsonOptions { limits: Limits::default(), large_integers_as_text: false };
    let mut json = json::JsonText::new(text.as_bytes(), &options).map_err(|error| error.to_string())?;
    let value = json.value().and_then(|value| match json.peek() {
        None => Ok(value),
        Some(_) => Err(json.unexpected("the end")),
    });
    value.map_err(|error| format!("expected JSON, found {}: {error}", excerpt(text)))
}

/// Removes the white space between the values of a JSON text.
fn on_one_line(text: &str) -> String {
    let (mut is_inside, mut is_escaped) = (false, false);
    let is_kept = |character: &char| {
        let is_kept = is_inside || !character.is_ascii_whitespace();
        is_inside ^= *character == '"' && !is_escaped;
        is_escaped = *character == '\\' && !is_escaped;
        is_kept
    };
    text.chars().filter(is_kept).collect()
}

/// Tests if values of a type are written as words, and not as JSON.
fn is_scalar(wire: Type) -> bool {
    !matches!(wire, Type::Struct | Type::Array | Type::Undefined)
}

/// Reads a word as a scalar of a type.
fn scalar(wire: Type, word: &str) -> Option<Value> {
    match wire {
        Type::Int => word.parse::<i32>().ok().map(Value::from),
        Type::I8 => word.parse::<i64>().ok().map(Value::from),
        Type::Boolean => match word {
            "1" | "true" => Some(true.into()),
            "0" | "false" => Some(false.into()),
            _ => None,
        },
        Type::Double => word.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::from),
        Type::String => Some(word.into()),
        Type::Base64 if word.starts_with('@') => std::fs::read(&word[1..]).ok().map(|octets| Base64(octets).into()),
        Type::Base64 => Base64::decode(word).ok().map(|octets| Base64(octets).into()),
        Type::DateTime => word.parse().ok().map(Value::DateTime),
        Type::Nil => word.is_empty().then_some(Value::Nil),
        Type::Struct | Type::Array | Type::Undefined => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments() {
        for (text, value) in [
            ("5", Ok(Value::Int(5))),
            ("-5", Ok(Value::Int(-5))),
            ("5.0", Ok(Value::Double(5.0))),
            ("null", Ok(Value::Nil)),
            ("[1, \"a\"]", Ok(Value::Array(vec![1.into(), "a".into()]))),
            (
                "18446744073709551616",
                Err("expected JSON, found 18446744073709551616: expected an integer of at most 64 bits, \
                found 18446744073709551616: a string can have it at line 1 column 1"
                    .into()),
            ),
            ("{\"a\": true}", Ok(Value::Struct([("a", true)].into()))),
            ("hello", Ok("hello".into())),
            ("http://host/", Ok("http://host/".into())),
            ("string:5", Ok("5".into())),
            ("string:", Ok("".into())),
            ("double:5", Ok(Value::Double(5.0))),
            ("base64:aGVsbG8=", Ok(Base64(b"hello".to_vec()).into())),
            ("nil:", Ok(Value::Nil)),
            ("int:x", Err("expected int, found \"x\"".into())),
            ("boolean:2", Err("expected boolean, found \"2\"".into())),
            ("double:nan", Err("expected double, found \"nan\"".into())),
        ] {
            assert_eq!(argument(text), value, "{text}");
        }
        let date = argument("dateTime.iso8601:20261124T12:00:00").unwrap();
        assert_eq!(date.type_name(), "dateTime.iso8601");
        assert!(argument("[1").unwrap_err().starts_with("expected JSON, found [1: "));
    }
}

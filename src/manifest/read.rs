//! Builds a `Server` from a parsed manifest, collecting every mistake on the way.
//!
//! Reading goes on after a mistake, so that the author sees all of them at once.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use regex_lite::Regex;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::call::{Param, Terms};
use super::data_type::{DataType, Member};
use super::encoding::Encoding;
use super::htaccess::Htaccess;
use super::keys::{MANIFEST, MOST_PROGRAMS, MOST_WORKERS, check_table, integer, number, seconds};
use super::launch::Launch;
use super::method::{ManifestMethod, Runner};
use super::mistake::{Mistake, Mistakes, Severity, Text, did_you_mean};
use super::pitfalls;
use super::pool::Pool;
use super::program::{Input, Output, Program};
use super::words::{Word, find};
use super::worker::{Job, Worker};
use super::{Manifest, Source, Workers};
use crate::description::bounds::{Bound, Number};
use crate::docs::{Access, Assets, Docs, TryIt};
use crate::method::{About, Method};
use crate::server::Server;
use crate::service::Limits;
use crate::service::logger::LogFormat;
use crate::service::{BaseUrl, Forwarded, network, path};
use crate::wire::Type;
use crate::wire::value::Value;

/// The depth of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// The text alone.
    Text,
    /// The same, and the files that its command lines name, to notice when they change.
    Watching,
    /// The same, and the programs; a missing one is only a warning, because it may come later.
    Programs,
    /// The same, and a missing file or program is an error.
    Strictly,
}

/// The most threads that a manifest gets without asking for more.
const MOST_THREADS: usize = 512;

/// The limits of a call, beside those of a request.
struct Budget {
    programs: usize,
    queue: usize,
    wait: Duration,
    timeout: Duration,
    output: usize,
}

/// Reads a manifest; `None` if there are errors among the mistakes.
pub(crate) fn read(source: &Source, look: Look) -> (Option<Manifest>, Vec<Mistake>) {
    let mut mistakes = Mistakes::default();
    let (document, errors) = DeTable::parse_recoverable(&source.text);
    for error in &errors {
        mistakes.add(&error.span().unwrap_or_default(), error.message());
    }
    let table = document.get_ref();
    check_table(table, MANIFEST, &mut mistakes);
    let folder = source.folder();
    let htaccess = if look == Look::Strictly { Htaccess::of(folder) } else { Htaccess::default() };
    let mut reader = Reader { folder, look, mistakes, files: Vec::new(), htaccess };
    let manifest = reader.manifest(table);
    let mut mistakes = reader.mistakes;
    let is_meant = !mistakes.are_fatal();
    if !errors.is_empty() {
        // what seems to be missing may be behind a mistake in the text
        mistakes.0.retain(|mistake| mistake.span.is_some());
    }
    // mistakes of a place stand together; those of the whole file come first
    mistakes.0.sort_by_key(|mistake| mistake.span.as_ref().map(|span| span.start));
    (Some(manifest).filter(|_| is_meant), mistakes.0)
}

struct Reader<'s> {
    folder: &'s Path,
    look: Look,
    mistakes: Mistakes,
    /// Files that command lines name, if they are looked for.
    files: Vec<PathBuf>,
    /// The rules of the web server for files, if these are looked at.
    htaccess: Htaccess,
}

impl Look {
    /// Tests if programs are looked for, to report a missing one.
    fn is_at_programs(self) -> bool {
        matches!(self, Look::Programs | Look::Strictly)
    }
}

impl Reader<'_> {
    fn manifest(&mut self, table: &DeTable<'_>) -> Manifest {
        let (title, name) = (text(table, "title"), text(table, "name"));
        if title.is_none() && name.is_none() {
            let help = "give it one: title = \"Calculator\"";
            self.mistakes.0.push(Mistake::of_file(Severity::Error, "the service has neither `title` nor `name`", help));
        }
        let named = name.clone().or(title.clone()).map_or("", |(name, _)| name);
        let mut server = Server::new(named);
        if let Some((title, _)) = title {
            server = server.title(title);
        }
        if let Some((documentation, _)) = text(table, "documentation") {
            server = server.documentation(documentation);
        }
        if let Some((version, _)) = text(table, "version") {
            server = server.version(version);
        }
        server = self.log(table, server);
        server = self.surroundings(table, server);
        let (limits, budget) = limits(inner(table, "limits"));
        let workers = self.workers(table, &budget);
        let methods = self.methods(table, &workers, limits, &budget);
        self.check_workers(table, &methods);
        let seats: usize = workers.values().map(|(_, count)| count).sum();
        let threads =
            budget.programs.saturating_add(seats).saturating_add(budget.queue).saturating_add(2).min(MOST_THREADS);
        let limits = Limits { threads: limits.threads.or(NonZeroUsize::new(threads)), ..limits };
        let methods: Vec<Method> = methods.into_iter().map(|(method, _)| method).collect();
        server = server.limits(limits).log_calls(flag(table, "log_calls")).methods(methods);
        server = server.paths(self.paths(table)).cors(self.origins(table)).docs(self.docs(table));
        let workers = Workers(workers.into_values().map(|(worker, _)| worker).collect());
        Manifest { server, workers, files: std::mem::take(&mut self.files) }
    }

    /// Reads the place and the format of the log.
    fn log(&mut self, table: &DeTable<'_>, server: Server) -> Server {
        let format = match inner(table, "log").and_then(|log| text(log, "format")) {
            Some(("json", _)) => LogFormat::Json,
            _ => LogFormat::Text,
        };
        let Some((file, span)) = text(table, "log").or_else(|| text(inner(table, "log")?, "file")) else {
            if let Some(log) = table.get("log").filter(|log| log.get_ref().is_table()) {
                self.mistakes.add_with_help(
                    &log.span(),
                    "the log has no `file`",
                    "file = \"/home/ann/log/service.log\"",
                );
            }
            return server;
        };
        let path = self.folder.join(file);
        self.check_nul(file, &span);
        if self.look.is_at_programs() {
            let before = self.mistakes.0.len();
            pitfalls::check_log_file(&path, &span, self.folder, &mut self.mistakes);
            self.soften(before);
        }
        server.log_file(path).log_format(format)
    }

    /// Reads the URL of the service and its trusted proxies.
    fn surroundings(&mut self, table: &DeTable<'_>, mut server: Server) -> Server {
        if self.parsed::<BaseUrl>(table, "url").is_some()
            && let Some((url, _)) = text(table, "url")
        {
            server = server.url(url);
        }
        let mut proxies = texts(table, "trusted_proxies");
        proxies.retain(|(proxy, span)| network(proxy).map_err(|message| self.mistakes.add(span, message)).is_ok());
        if let Some((key, value)) = table.get_key_value("forwarded").filter(|_| proxies.is_empty()) {
            let message = format!("`{}` has no effect without `trusted_proxies`", key.get_ref());
            self.mistakes.warn(&value.span(), message);
        }
        let forwarded = match text(table, "forwarded") {
            Some(("rfc7239", _)) => Forwarded::Rfc7239,
            _ => Forwarded::XForwarded,
        };
        server.trusted_proxies(proxies.into_iter().map(|(proxy, _)| proxy)).forwarded(forwarded)
    }

    fn paths<'t>(&mut self, table: &'t DeTable<'_>) -> Vec<&'t str> {
        let paths = texts(table, "paths");
        for (path, span) in &paths {
            let shown = path.escape_debug();
            if !path.starts_with('/') {
                self.mistakes.add(span, format!("expected a path that begins with \"/\", found \"{shown}\""));
            } else if let Some(odd) = path.chars().find(|character| matches!(character, '?' | '#' | '*')) {
                let message = match odd {
                    '*' => format!("`*` is not a wildcard: \"{shown}\" matches only itself"),
                    _ => format!("no path of a URL has `{odd}` in it, found \"{shown}\""),
                };
                self.mistakes.add(span, message);
            } else if path::normal(path).is_none() {
                let message = format!("no request is answered at \"{shown}\": dots behind a double slash");
                self.mistakes.add(span, message);
            }
        }
        paths.into_iter().map(|(path, _)| path).collect()
    }

    fn docs(&mut self, table: &DeTable<'_>) -> Docs {
        let word = |table: &DeTable<'_>, key: &str| text(table, key).map(|(word, _)| word.to_owned());
        let access = |word: Option<String>| match word.as_deref() {
            Some("off") => Access::Off,
            _ => Access::Public,
        };
        let Some(table) = inner(table, "docs") else {
            return Docs::new().access(access(word(table, "docs")));
        };
        let mut docs = Docs::new().access(access(word(table, "access")));
        docs = match word(table, "try").as_deref() {
            Some("off") => docs.try_it(TryIt::Off),
            Some("same-origin") => docs.try_it(TryIt::SameOrigin),
            Some("on") => docs.try_it(TryIt::On),
            _ => docs,
        };
        if word(table, "assets").as_deref() == Some("linked") {
            docs = docs.assets(Assets::Linked);
        }
        if let Some(logo) = self.parsed(table, "logo") {
            docs = docs.logo(logo);
        }
        if let Some(accent) = self.parsed(table, "accent") {
            docs = docs.accent(accent);
        }
        let markdown = |key| word(table, key).unwrap_or_default();
        let is_on = |key| table.get(key).and_then(|value| value.get_ref().as_bool()).unwrap_or(true);
        docs.noindex(flag(table, "noindex"))
            .contact(markdown("contact"))
            .authentication(markdown("authentication"))
            .footer(is_on("footer"))
    }

    /// Parses a text that has a form of its own.
    fn parsed<T: FromStr<Err: fmt::Display>>(&mut self, table: &DeTable<'_>, key: &str) -> Option<T> {
        let (text, span) = text(table, key)?;
        text.parse().map_err(|error: T::Err| self.mistakes.add(&span, error.to_string())).ok()
    }

    fn origins<'t>(&mut self, table: &'t DeTable<'_>) -> Vec<&'t str> {
        let origins = inner(table, "cors").map(|cors| texts(cors, "origins")).unwrap_or_default();
        for (origin, span) in &origins {
            if origin.contains('*') && *origin != "*" {
                let message = format!("no browser sends the origin \"{origin}\": a `*` inside of one matches nothing");
                let help = "name each origin, as \"https://app.example\"; \"*\" alone lets all pages make calls";
                self.mistakes.add_with_help(span, message, help);
            } else if let Some(help) = pitfalls::origin(origin).filter(|_| *origin != "*") {
                let shown = origin.escape_debug();
                let message = format!("expected an origin as \"https://app.example\", or \"*\", found \"{shown}\"");
                self.mistakes.add_with_help(span, message, help);
            }
        }
        origins.into_iter().map(|(origin, _)| origin).collect()
    }

    /// Reads the workers by their names, with the number of each.
    fn workers(&mut self, table: &DeTable<'_>, budget: &Budget) -> BTreeMap<String, (Arc<Worker>, usize)> {
        let mut workers = BTreeMap::new();
        for (name, span, table) in tables(table, "worker") {
            let words = texts(table, "run");
            let Some((program, program_span)) = words.first().cloned() else {
                self.mistakes.add(&span, format!("the worker `{name}` has no `run`"));
                continue;
            };
            words.iter().for_each(|(word, span)| self.check_nul(word, span));
            let launch = self.launch(program, &program_span, table);
            self.check_files(&launch, &words);
            let count = count(table, "count").unwrap_or(1).min(MOST_WORKERS as usize);
            let words = words.into_iter().skip(1).map(|(word, _)| word.to_owned()).collect();
            let worker = Worker {
                name: name.to_owned(),
                launch,
                words,
                wait: budget.wait,
                seats: Pool::new((0..count).map(|_| Default::default()), budget.queue, budget.wait),
            };
            workers.insert(name.to_owned(), (Arc::new(worker), count));
        }
        workers
    }

    /// Reads the methods, with the names of their workers.
    fn methods(
        &mut self,
        table: &DeTable<'_>,
        workers: &BTreeMap<String, (Arc<Worker>, usize)>,
        limits: Limits,
        budget: &Budget,
    ) -> Vec<(Method, Option<String>)> {
        let places = Arc::new(Pool::new(std::iter::repeat_n((), budget.programs), budget.queue, budget.wait));
        let tells_errors = flag(table, "tell_errors");
        let mut methods = Vec::new();
        for (name, span, table) in tables(table, "method") {
            self.check_name(name, &span);
            let params = self.params(table);
            let returns = self.returns(table);
            let runner = match (table.get("run"), text(table, "worker")) {
                (Some(run), None) => self.program(table, run, &params, &returns, &places).map(Runner::Program),
                (None, Some((worker, span))) => self.job(table, worker, &span, workers),
                (Some(_), Some((_, span))) => {
                    self.mistakes.add(&span, "a method has either `run` or `worker`, and this one has both");
                    None
                }
                (None, None) => {
                    let help = "run = [\"program\", \"{param}\"], or worker = \"name\"";
                    self.mistakes.add_with_help(
                        &span,
                        format!("the method `{name}` has neither `run` nor `worker`"),
                        help,
                    );
                    None
                }
            };
            let about = self.about(name, table, &params, matches!(runner, Some(Runner::Program(_))));
            let timeout = table.get("timeout").and_then(seconds).unwrap_or(budget.timeout);
            if let Some(runner) = runner {
                let tell_errors = table.get("tell_errors").map_or(tells_errors, |_| flag(table, "tell_errors"));
                let terms = Terms { params, returns, timeout, most: budget.output, limits, tell_errors };
                let method = ManifestMethod { terms, runner };
                let worker = text(table, "worker").map(|(worker, _)| worker.to_owned());
                methods.push((Method::of(about, method), worker));
            }
        }
        if tables(table, "method").next().is_none() {
            let help = "a method: [method.\"hello\"] with run = [\"echo\", \"Hello!\"] and returns = \"string\"";
            self.mistakes.0.push(Mistake::of_file(Severity::Error, "there is no method", help));
        }
        methods
    }

    fn check_name(&mut self, name: &str, span: &Range<usize>) {
        let is_known = |character: char| character.is_ascii_alphanumeric() || "_.:/-".contains(character);
        if name.is_empty() || !name.chars().all(is_known) {
            let message = "expected a name of letters, digits and any of _ . : / -";
            self.mistakes.add(span, format!("{message}, found \"{}\"", name.escape_debug()));
        }
        if name.starts_with("system.") || name.starts_with("rpc.") {
            self.mistakes.add(span, "names that begin with `system.` or `rpc.` are taken");
        }
    }

    /// Warns of workers that no method uses.
    fn check_workers(&mut self, table: &DeTable<'_>, methods: &[(Method, Option<String>)]) {
        for (name, span, _) in tables(table, "worker") {
            if !methods.iter().any(|(_, worker)| worker.as_deref() == Some(name)) {
                self.mistakes.warn(&span, format!("no method has the worker `{name}`"));
            }
        }
    }

    fn about(&mut self, name: &str, table: &DeTable<'_>, params: &[Param], is_program: bool) -> About {
        let part = |key| text(table, key).map(|(text, _)| text.trim()).filter(|text| !text.is_empty());
        let help: Vec<&str> = [part("title"), part("help")].into_iter().flatten().collect();
        let deprecated = match table.get("deprecated").map(Spanned::get_ref) {
            Some(DeValue::String(text)) => Some(text.to_string()),
            Some(DeValue::Boolean(true)) => Some(String::new()),
            _ => None,
        };
        About {
            name: name.to_owned().into(),
            help: help.join("\n\n").into(),
            params: params.iter().map(|param| (param.name.clone().into(), param.of.help.clone().into())).collect(),
            aliases: Vec::new().into(),
            faults: self.faults(table, is_program).into_iter().map(|(code, text)| (code, text.into())).collect(),
            hidden: flag(table, "hidden"),
            deprecated: deprecated.map(Into::into),
            since: text(table, "since").map(|(version, _)| version.to_owned().into()),
            is_unsafe: flag(table, "unsafe"),
            example: None,
            location: Location::caller(),
        }
    }

    fn faults(&mut self, table: &DeTable<'_>, is_program: bool) -> Vec<(i32, String)> {
        let mut faults = Vec::new();
        for (key, value) in inner(table, "faults").into_iter().flatten() {
            let code = key.get_ref().parse().ok().filter(|code| !is_program || (1..=255).contains(code));
            match (code, value.get_ref().as_str()) {
                (Some(code), Some(text)) => faults.push((code, text.to_owned())),
                (None, _) => {
                    let expected = if is_program { "an exit status from 1 to 255" } else { "the code of an error" };
                    self.mistakes.add(&key.span(), format!("expected {expected}, found `{}`", key.get_ref()));
                }
                (Some(_), None) => {}
            }
        }
        faults.sort_unstable();
        faults
    }

    fn params(&mut self, table: &DeTable<'_>) -> Vec<Param> {
        let mut params: Vec<Param> = Vec::new();
        for value in array(table, "params") {
            let Some(table) = value.get_ref().as_table() else { continue };
            let Some((name, span)) = text(table, "name") else {
                self.mistakes.add(&value.span(), "the param has no `name`");
                continue;
            };
            if !is_identifier(name) {
                let message = "expected a name of letters, digits and underscores";
                self.mistakes.add(&span, format!("{message}, found \"{}\"", name.escape_debug()));
            }
            if params.iter().any(|param| param.name == name) {
                self.mistakes.add(&span, format!("there is a param `{name}` already"));
            }
            let of = self.described(table, &value.span());
            let default = table.get("default").and_then(|default| self.value(default, &of));
            if let Some(value) = table.get("leading_dash").filter(|_| of.wire != Type::String) {
                self.mistakes.add(&value.span(), format!("`leading_dash` is for a string, and this is {}", of.wire));
            }
            let optional = flag(table, "optional") || table.contains_key("default");
            if let Some(before) = params.last().filter(|before| before.optional && !optional) {
                let message =
                    format!("`{}` before it is optional, but not when `{name}` is passed by position", before.name);
                self.mistakes.warn(&span, message);
            }
            params.push(Param {
                // an author who lists the values knows them
                leading_dash: flag(table, "leading_dash") || !of.bounds.choices.is_empty(),
                name: name.to_owned(),
                of,
                optional,
                default,
            });
        }
        params
    }

    fn returns(&mut self, table: &DeTable<'_>) -> DataType {
        match table.get("returns") {
            Some(value) => self.data_type(value),
            None => DataType::of(Type::Nil),
        }
    }

    /// Reads a type by its name, or described.
    fn data_type(&mut self, value: &Spanned<DeValue<'_>>) -> DataType {
        match value.get_ref() {
            DeValue::String(name) => DataType::of(wire_type(name)),
            DeValue::Table(table) => self.described(table, &value.span()),
            _ => DataType::of(Type::Undefined),
        }
    }

    /// Reads a type that a table describes.
    fn described(&mut self, table: &DeTable<'_>, span: &Range<usize>) -> DataType {
        let Some((name, _)) = text(table, "type") else {
            let help = "type = \"string\", or another of XML-RPC's types";
            self.mistakes.add_with_help(span, "there is no `type`", help);
            return DataType::of(Type::Undefined);
        };
        let mut of = DataType::of(wire_type(name));
        self.check_fits(table, of.wire);
        of.help = text(table, "help").map(|(help, _)| help.trim().to_owned()).unwrap_or_default();
        of.bounds.minimum = table.get("minimum").and_then(bound).map(Bound::from);
        of.bounds.maximum = table.get("maximum").and_then(bound).map(Bound::from);
        if let (Some(Bound { number: least, .. }), Some(Bound { number: most, .. })) =
            (of.bounds.minimum, of.bounds.maximum)
            && least.as_double() > most.as_double()
        {
            self.mistakes.add(span, format!("no number is at least {least} and at most {most}"));
        }
        of.bounds.max_length = count(table, "max_length");
        of.bounds.pattern = text(table, "pattern").and_then(|(pattern, span)| match Regex::new(pattern) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                self.mistakes.add(&span, format!("expected a regular expression: {error}"));
                None
            }
        });
        of.items = table.get("items").map(|items| Box::new(self.data_type(items)));
        of.members = self.members(table);
        let choices: Vec<Value> = array(table, "choices").filter_map(|choice| self.value(choice, &of)).collect();
        of.bounds.choices = choices;
        of.example = table.get("example").and_then(|example| self.value(example, &of));
        of
    }

    /// Checks that the keys of a described type fit it.
    fn check_fits(&mut self, table: &DeTable<'_>, wire: Type) {
        const STRING: &[Type] = &[Type::String];
        const SCALAR: &[Type] = &[Type::Int, Type::I8, Type::Boolean, Type::String, Type::Double, Type::DateTime];
        const NUMBER: &[Type] = &[Type::Int, Type::I8, Type::Double];
        for (key, types) in [
            ("choices", &[Type::String, Type::Int, Type::I8, Type::Double][..]),
            ("pattern", STRING),
            ("max_length", STRING),
            ("minimum", NUMBER),
            ("maximum", NUMBER),
            ("members", &[Type::Struct]),
            ("items", &[Type::Array]),
            ("default", SCALAR),
            ("example", SCALAR),
        ] {
            if let Some(value) = table.get(key).filter(|_| !types.contains(&wire)) {
                let types: Vec<&str> = types.iter().map(|wire| wire.name()).collect();
                self.mistakes.add(&value.span(), format!("`{key}` is for {}, and this is {wire}", types.join(", ")));
            }
        }
    }

    fn members(&mut self, table: &DeTable<'_>) -> Vec<Member> {
        let mut written: Vec<_> = inner(table, "members").into_iter().flatten().collect();
        // as they stand in the text
        written.sort_by_key(|(name, _)| name.span().start);
        let member = |(name, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| Member {
            name: AsRef::<str>::as_ref(name.get_ref()).to_owned(),
            optional: value.get_ref().as_table().is_some_and(|table| flag(table, "optional")),
            of: self.data_type(value),
        };
        written.into_iter().map(member).collect()
    }

    /// Reads a value of a type, as it is written in the manifest.
    fn value(&mut self, value: &Spanned<DeValue<'_>>, of: &DataType) -> Option<Value> {
        if !of.is_scalar() {
            // a mistake was noted already
            return None;
        }
        let read = match (of.wire, value.get_ref()) {
            (Type::String, DeValue::String(text)) => Some(Value::from(&**text)),
            (Type::Int, DeValue::Integer(_)) => {
                integer(value).filter(|number| i32::try_from(*number).is_ok()).map(Value::Int)
            }
            (Type::I8, DeValue::Integer(_)) => integer(value).map(Value::Int),
            (Type::Double, DeValue::Integer(_) | DeValue::Float(_)) => {
                number(value).filter(|number| number.is_finite()).map(Value::Double)
            }
            (Type::Boolean, DeValue::Boolean(flag)) => Some(Value::Boolean(*flag)),
            (Type::DateTime, DeValue::String(text)) => text.parse().ok().map(Value::DateTime),
            (Type::DateTime, DeValue::Datetime(date)) => date.to_string().parse().ok().map(Value::DateTime),
            _ => None,
        };
        match read.as_ref().map(|read| of.bounds.refusal(read)) {
            Some(None) => return read,
            Some(Some(refusal)) => self.mistakes.add(&value.span(), refusal),
            None => self.mistakes.add(&value.span(), format!("expected a value of the type {}", of.wire)),
        }
        None
    }

    /// Reads the program of a method.
    fn program(
        &mut self,
        table: &DeTable<'_>,
        run: &Spanned<DeValue<'_>>,
        params: &[Param],
        returns: &DataType,
        places: &Arc<Pool<()>>,
    ) -> Option<Program> {
        let written = texts(table, "run");
        let Some((program, span)) = written.first().cloned() else {
            if run.get_ref().as_array().is_some_and(|words| words.is_empty()) {
                self.mistakes.add(&run.span(), "expected a program and its words, found none");
            }
            return None;
        };
        if program.is_empty() || program.contains(['{', '}']) {
            self.mistakes.add(&span, "callers may not choose the program: expected its name");
            return None;
        }
        let launch = self.launch(program, &span, table);
        let words: Vec<Word> = written.iter().skip(1).filter_map(|word| self.word(word, params)).collect();
        for (word, span) in &written[1..] {
            if let Err(message) = launch.encoding.encode(word) {
                self.mistakes.add(span, message);
            }
        }
        // only if all were understood
        if words.len() == written.len() - 1 {
            pitfalls::check_words(program, &written[1..], &words, params, &mut self.mistakes);
        }
        self.check_files(&launch, &written);
        let stdin = self.stdin(table, params);
        let output = self.output(table, returns);
        let success = self.success(table);
        Some(Program { launch, words, stdin, output, success, places: Arc::clone(places) })
    }

    fn success(&mut self, table: &DeTable<'_>) -> Vec<i32> {
        if !table.contains_key("success") {
            return vec![0];
        }
        let mut statuses = Vec::new();
        for value in array(table, "success") {
            match integer(value).and_then(|status| u8::try_from(status).ok()) {
                Some(status) => statuses.push(status.into()),
                None => self.mistakes.add(&value.span(), "expected an exit status from 0 to 255"),
            }
        }
        statuses
    }

    fn word(&mut self, (text, span): &Text<'_>, params: &[Param]) -> Option<Word> {
        self.check_nul(text, span);
        let word = match Word::parse(text, params) {
            Ok(word) => word,
            Err(problem) => {
                self.problem(span, problem);
                return None;
            }
        };
        for param in word.params().map(|index| &params[index]) {
            if !param.of.is_scalar() || param.of.wire == Type::Base64 {
                let message = format!("`{}` is {}, which cannot be a word", param.name, param.of.wire);
                let stdin = if param.of.wire == Type::Base64 { format!("{{{}}}", param.name) } else { "json".into() };
                self.mistakes.add_with_help(span, message, format!("the program can read it: stdin = \"{stdin}\""));
            }
        }
        Some(word)
    }

    fn check_nul(&mut self, text: &str, span: &Range<usize>) {
        if text.contains('\0') {
            self.mistakes.add(span, "expected a string without NUL");
        }
    }

    fn problem(&mut self, span: &Range<usize>, (message, help): (String, Option<String>)) {
        match help {
            Some(help) => self.mistakes.add_with_help(span, message, help),
            None => self.mistakes.add(span, message),
        }
    }

    fn stdin(&mut self, table: &DeTable<'_>, params: &[Param]) -> Input {
        let Some((stdin, span)) = text(table, "stdin") else { return Input::Nothing };
        if stdin == "json" {
            return Input::Json;
        }
        let Some(name) = stdin.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
            let message = format!("expected \"json\" or \"{{param}}\", found \"{}\"", stdin.escape_debug());
            match params.iter().any(|param| param.name == stdin) {
                true => self.mistakes.add_with_help(&span, message, format!("did you mean `{{{stdin}}}`?")),
                false => self.mistakes.add(&span, message),
            }
            return Input::Nothing;
        };
        match find(name, params) {
            Ok(index) if params[index].of.is_scalar() => Input::Param(index),
            Ok(index) => {
                let message = format!("`{name}` is {}, which is not text", params[index].of.wire);
                self.mistakes.add_with_help(&span, message, "the program can read it: stdin = \"json\"");
                Input::Nothing
            }
            Err(problem) => {
                self.problem(&span, problem);
                Input::Nothing
            }
        }
    }

    fn output(&mut self, table: &DeTable<'_>, returns: &DataType) -> Output {
        let natural = match returns.wire {
            Type::Struct | Type::Array | Type::Undefined => Output::Json,
            Type::Base64 => Output::Base64,
            _ => Output::Text,
        };
        let Some((word, span)) = text(table, "output") else { return natural };
        if !table.contains_key("returns") {
            self.mistakes.add_with_help(&span, "`output` has no effect without `returns`", "returns = \"string\", say");
        }
        let item_is_text = returns.items.as_deref().is_none_or(|items| items.is_scalar() && items.wire != Type::Base64);
        let (output, fits, what) = match word {
            "text" => (Output::Text, natural == Output::Text, "one scalar"),
            "lines" => (Output::Lines, returns.wire == Type::Array && item_is_text, "an array of scalars"),
            "base64" => (Output::Base64, natural == Output::Base64, "base64"),
            "json" => (Output::Json, true, ""),
            // the unknown word was noted already
            _ => return natural,
        };
        if !fits {
            let message = format!("`{word}` gives {what}, and the method returns {}", returns.wire);
            self.mistakes.add(&span, message);
        }
        output
    }

    fn job(
        &mut self,
        table: &DeTable<'_>,
        name: &str,
        span: &Range<usize>,
        workers: &BTreeMap<String, (Arc<Worker>, usize)>,
    ) -> Option<Runner> {
        for key in ["stdin", "output", "env", "encoding", "success"] {
            if let Some((key, value)) = table.get_key_value(key) {
                let (key, span) = (AsRef::<str>::as_ref(key.get_ref()), value.span());
                self.mistakes.add(&span, format!("`{key}` is for `run`: workers read and write JSON-RPC"));
            }
        }
        match workers.get(name) {
            Some((worker, _)) => Some(Runner::Worker(Job(Arc::clone(worker)))),
            None => {
                let near = did_you_mean(name, workers.keys().map(String::as_str));
                let help = near.unwrap_or_else(|| format!("describe it: [worker.{name}] with run = [\"program\"]"));
                self.mistakes.add_with_help(span, format!("there is no worker `{name}`"), help);
                None
            }
        }
    }

    fn launch(&mut self, program: &str, span: &Range<usize>, table: &DeTable<'_>) -> Launch {
        let mut environment = Vec::new();
        for (name, value) in inner(table, "env").into_iter().flatten() {
            let variable: &str = name.get_ref().as_ref();
            if !is_identifier(variable) || variable.starts_with("RPCGI_") {
                let message = "expected a name of letters, digits and underscores that does not begin with RPCGI_";
                self.mistakes.add(&name.span(), format!("{message}, found \"{}\"", variable.escape_debug()));
            }
            match value.get_ref().as_str() {
                Some(text) if text.contains('\0') => self.mistakes.add(&value.span(), "expected a string without NUL"),
                Some(text) => environment.push((variable.to_owned(), text.to_owned())),
                None => {}
            }
        }
        let encoding = self.parsed(table, "encoding").unwrap_or(Encoding::UTF_8);
        let launch = Launch { name: program.to_owned(), folder: self.folder.to_owned(), environment, encoding };
        if self.look.is_at_programs()
            && let Err(missing) = launch.find()
        {
            let help = pitfalls::help_to_find(program, self.folder);
            self.mistakes.add_with_help(span, missing.to_string(), help);
            self.soften(self.mistakes.0.len() - 1);
        }
        launch
    }

    /// Checks the files that a command line names, and keeps the one with the code.
    fn check_files(&mut self, launch: &Launch, written: &[Text<'_>]) {
        if self.look != Look::Text {
            self.files.extend(pitfalls::code(written).map(|word| self.folder.join(word)).find(|file| file.is_file()));
        }
        if self.look.is_at_programs()
            && let (Ok(found), [program, words @ ..]) = (launch.find(), written)
        {
            let before = self.mistakes.0.len();
            pitfalls::check_files(launch, program, &found, words, &mut self.mistakes);
            self.check_secrets(written);
            self.soften(before);
        }
    }

    /// Warns of files on a command line that the web server would hand out.
    fn check_secrets(&mut self, written: &[Text<'_>]) {
        let htaccess = &self.htaccess;
        for (word, span) in written {
            let Ok(file) = fs::canonicalize(self.folder.join(word)) else { continue };
            if file.starts_with(self.folder) && file.is_file() && htaccess.hands_out(&file) {
                let message = format!("the web server would hand out `{word}` to any visitor");
                let help = format!(
                    "a folder of its own outside of this one; or in .htaccess: <Files \"{}\"> Require all denied </Files>, \
                     in three lines",
                    file.file_name().unwrap_or_default().to_string_lossy()
                );
                self.mistakes.add_with_help(span, message, help);
            }
        }
    }

    /// Turns the mistakes from this one on into warnings, where a missing file does not prevent serving.
    fn soften(&mut self, from: usize) {
        if self.look == Look::Programs {
            self.mistakes.0[from..].iter_mut().for_each(|mistake| mistake.severity = Severity::Warning);
        }
    }
}

fn limits(table: Option<&DeTable<'_>>) -> (Limits, Budget) {
    let mut limits = Limits::default();
    let count = |key| table.and_then(|table| count(table, key));
    let duration = |key| table.and_then(|table| table.get(key)).and_then(seconds);
    for (key, limit) in [
        ("body", &mut limits.body),
        ("members", &mut limits.members),
        ("calls", &mut limits.calls),
        ("response", &mut limits.response),
        ("params", &mut limits.params),
        ("memory", &mut limits.memory),
        ("connections", &mut limits.connections),
    ] {
        *limit = count(key).unwrap_or(*limit);
    }
    limits.depth = count("depth").and_then(|depth| u32::try_from(depth).ok()).unwrap_or(limits.depth);
    limits.threads = count("threads").and_then(NonZeroUsize::new);
    limits.stall = duration("stall").unwrap_or(limits.stall);
    limits.stop = duration("stop").unwrap_or(limits.stop);
    // wait, timeout and an end by force together take less than the minute that web servers wait
    limits.wait = duration("wait").unwrap_or(limits.wait);
    let budget = Budget {
        programs: count("programs").unwrap_or(8).min(MOST_PROGRAMS as usize),
        queue: count("queue").unwrap_or(100),
        wait: limits.wait,
        timeout: duration("timeout").unwrap_or(Duration::from_secs(30)),
        output: count("output").unwrap_or(16 << 20),
    };
    (limits, budget)
}

/// Returns the type of a name; an unknown one was noted already.
fn wire_type(name: &str) -> Type {
    match name {
        "int" | "i4" => Type::Int,
        "i8" => Type::I8,
        "boolean" => Type::Boolean,
        "string" => Type::String,
        "double" => Type::Double,
        "dateTime.iso8601" => Type::DateTime,
        "base64" => Type::Base64,
        "struct" => Type::Struct,
        "array" => Type::Array,
        "nil" => Type::Nil,
        _ => Type::Undefined,
    }
}

fn is_identifier(name: &str) -> bool {
    let is_known = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_';
    name.bytes().all(is_known) && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

fn bound(value: &Spanned<DeValue<'_>>) -> Option<Number> {
    integer(value).map(Number::Int).or_else(|| number(value).map(Number::Double))
}

fn text<'t>(table: &'t DeTable<'_>, key: &str) -> Option<Text<'t>> {
    let value = table.get(key)?;
    Some((value.get_ref().as_str()?, value.span()))
}

fn array<'t, 'i>(table: &'t DeTable<'i>, key: &str) -> impl Iterator<Item = &'t Spanned<DeValue<'i>>> {
    table.get(key).and_then(|value| value.get_ref().as_array()).into_iter().flatten()
}

fn texts<'t>(table: &'t DeTable<'_>, key: &str) -> Vec<Text<'t>> {
    array(table, key).filter_map(|value| Some((value.get_ref().as_str()?, value.span()))).collect()
}

fn flag(table: &DeTable<'_>, key: &str) -> bool {
    table.get(key).and_then(|value| value.get_ref().as_bool()).unwrap_or_default()
}

fn count(table: &DeTable<'_>, key: &str) -> Option<usize> {
    table.get(key).and_then(integer).and_then(|number| usize::try_from(number).ok())
}

fn inner<'t, 'i>(table: &'t DeTable<'i>, key: &str) -> Option<&'t DeTable<'i>> {
    table.get(key).and_then(|value| value.get_ref().as_table())
}

/// Returns the tables that a table has under names of the author's choice, with the places of these.
fn tables<'t, 'i>(table: &'t DeTable<'i>, key: &str) -> impl Iterator<Item = (&'t str, Range<usize>, &'t DeTable<'i>)> {
    let named = inner(table, key).into_iter().flatten();
    named.filter_map(|(name, value)| Some((name.get_ref().as_ref(), name.span(), value.get_ref().as_table()?)))
}

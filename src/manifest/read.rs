//! Builds a `Server` from a parsed manifest, collecting every mistake on the way.
//!
//! Reading goes on after a mistake, so that the author sees all of them at once.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::Read;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::Location;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use regex_lite::Regex;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::call::{Contract, MoreParams, Param};
use super::command_line::{Word, find};
use super::data_type::{DataType, Member};
use super::doctor::{DoctorKey, Surroundings, now};
use super::encoding::ProgramEncoding;
use super::fallback::{AnyName, CallTerms};
use super::form::{AsTexts, Form, Written, integer, near_type, number};
use super::htaccess::Htaccess;
use super::json_rpc_worker::{CommandLine, JsonRpcLines};
use super::keys::{
    self, CorsTable, DescribedTable, FallbackTable, FunctionsTable, LimitsTable, LogTable, MAX_PROGRAMS, MAX_WORKERS,
    ManifestTable, MemberTable, MethodTable, PageTable, ParamTable, Table, WorkerTable, inner, named,
};
use super::launch::Launch;
use super::lints;
use super::method::{ManifestMethod, Runner, Signature};
use super::mistake::{Mistake, Mistakes, Severity, SpannedText, did_you_mean};
use super::module::{LoadedModule, matches};
use super::pool::Pool;
use super::program::{Input, Output, Program};
use super::source::WatchedFiles;
use super::worker::{Job, Worker};
use super::{Manifest, ManifestSource, Workers};
use crate::description::bounds::{Bound, Number};
use crate::docs::{Access, Assets, Docs, Footer, Logo, ParseStyleError, Style, TryIt};
use crate::method::{Examples, Metadata, Method, system};
use crate::server::Server;
use crate::service::Limits;
use crate::service::logger::LogFormat;
use crate::service::{BaseUrl, Forwarded, network, path};
use crate::wire::Type;
use crate::wire::value::Value;

/// The depth of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProgramCheck {
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
const MAX_THREADS: usize = 512;

/// The limits of a call, beside those of a request.
pub(super) struct Budget {
    programs: usize,
    pub(super) queue: usize,
    pub(super) wait: Duration,
    pub(super) timeout: Duration,
    pub(super) output: usize,
}

impl Budget {
    /// Creates the limits that hold unless set. Waiting, timeout and an end by force together take less than the minute
    /// that web servers wait.
    fn new(wait: Duration) -> Budget {
        Budget { programs: 8, queue: 100, wait, timeout: Duration::from_secs(30), output: 16 << 20 }
    }
}

/// The types whose values are written as one word.
const SCALAR: &[Type] = &[Type::Int, Type::I8, Type::Boolean, Type::String, Type::Double, Type::DateTime];

/// A manifest that was read.
pub(crate) struct ReadManifest {
    /// `None` if there are errors among the mistakes.
    pub(crate) manifest: Option<Manifest>,
    pub(crate) mistakes: Vec<Mistake>,
    /// The URL of the service, if the manifest tells it.
    pub(crate) url: Option<String>,
    /// The files that command lines name, and modules, if they were looked for.
    pub(crate) files: WatchedFiles,
}

/// Reads a manifest.
pub(crate) fn read(source: &ManifestSource, look: ProgramCheck) -> ReadManifest {
    let mut mistakes = Mistakes::default();
    let (document, errors) = DeTable::parse_recoverable(&source.text);
    for error in &errors {
        mistakes.add(&error.span().unwrap_or_default(), error.message());
    }
    let table = document.get_ref();
    let written = keys::read(table, &mut mistakes);
    let folder = source.folder();
    let htaccess = if look == ProgramCheck::Strictly { Htaccess::of(folder) } else { Htaccess::default() };
    let stem = source.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("service");
    let mut reader = ManifestReader { folder, stem, look, mistakes, files: WatchedFiles::default(), htaccess };
    let manifest = reader.manifest(&written);
    let ManifestReader { mut mistakes, files, .. } = reader;
    let is_meant = !mistakes.are_fatal();
    if !errors.is_empty() {
        // what seems to be missing may be behind a mistake in the text
        mistakes.0.retain(|mistake| mistake.span.is_some());
    }
    // mistakes of a place stand together; those of the whole file come first
    mistakes.0.sort_by_key(|mistake| mistake.span.as_ref().map(|span| span.start));
    // several endpoints have what stands at the top
    mistakes.0.dedup();
    let url = value(&written.url).map(str::to_owned);
    ReadManifest { manifest: Some(manifest).filter(|_| is_meant), mistakes: mistakes.0, url, files }
}

/// A worker, and the most calls that run in all of its processes at once.
type Seated = (Arc<Worker>, usize);

/// What is served at one path.
struct Endpoint {
    server: Server,
    workers: Arc<BTreeMap<String, Seated>>,
    modules: Arc<Vec<Arc<LoadedModule>>>,
    /// Those of both that are its own.
    own: Vec<Seated>,
    /// The names of the methods that come from modules, in the order of their sources.
    functions: Vec<String>,
}

impl Endpoint {
    /// Returns how many calls run in its workers and modules at once.
    fn seats(&self) -> usize {
        self.own.iter().map(|(_, seats)| seats).sum()
    }

    /// Returns the names of its modules that are scripts.
    fn scripts(&self) -> Vec<String> {
        self.modules.iter().filter(|module| module.script.is_some()).map(|module| module.file_name()).collect()
    }

    fn take_workers(&mut self) -> Vec<Arc<Worker>> {
        std::mem::take(&mut self.own).into_iter().map(|(worker, _)| worker).collect()
    }
}

/// What an endpoint has of that at the top, where it has none of its own.
struct Inherited<'a> {
    has_workers: bool,
    has_modules: bool,
    of: &'a Endpoint,
}

impl<'t> ManifestTable<'t> {
    /// Tests whether an endpoint has the modules of the top, as they are there.
    fn has_modules_of_top(&self) -> bool {
        // `without` takes methods away, of whatever kind
        self.module.is_none() && FunctionsTable { without: None, ..self.functions.clone() }.is_empty()
    }

    /// Completes the table of an endpoint by the keys of the top.
    fn over_top(self, top: &ManifestTable<'t>) -> ManifestTable<'t> {
        let has_module = self.module.is_some();
        let functions = self.functions.clone();
        let mut whole = self.over(top);
        if has_module {
            whole.functions = functions;
        }
        ManifestTable { at: None, paths: None, ..whole }
    }
}

pub(super) struct ManifestReader<'s> {
    pub(super) folder: &'s Path,
    /// The name of the file, without its extension.
    stem: &'s str,
    pub(super) look: ProgramCheck,
    pub(super) mistakes: Mistakes,
    /// Files that command lines name, if they are looked for, and modules.
    pub(super) files: WatchedFiles,
    /// The rules of the web server for files, if these are looked at.
    pub(super) htaccess: Htaccess,
}

impl ProgramCheck {
    /// Tests if programs are looked for, to report a missing one.
    pub(super) fn is_at_programs(self) -> bool {
        matches!(self, ProgramCheck::Programs | ProgramCheck::Strictly)
    }
}

impl ManifestReader<'_> {
    /// Reads the whole: the endpoint of the top, and those at other paths.
    fn manifest(&mut self, table: &ManifestTable<'_>) -> Manifest {
        let (limits, budget) = limits(inner(&table.limits));
        let places = Arc::new(Pool::new(std::iter::repeat_n((), budget.programs), budget.queue, budget.wait));
        let mut top = self.endpoint(table, None, &places);
        let mut seats = top.seats();
        let mut workers = top.take_workers();
        let mut scripts = top.scripts();
        for (path, span, own) in named::<ManifestTable<'_>>(&table.at) {
            self.check_path(path, &span);
            self.check_below(path, &own);
            let inherited =
                Inherited { has_workers: own.worker.is_none(), has_modules: own.has_modules_of_top(), of: &top };
            let written = own.over_top(table);
            let mut endpoint = self.endpoint(&written, Some(inherited), &places);
            seats += endpoint.seats();
            workers.extend(endpoint.take_workers());
            scripts.extend(endpoint.scripts());
            top.server = top.server.at(path, endpoint.server);
        }
        let threads =
            budget.programs.saturating_add(seats).saturating_add(budget.queue).saturating_add(2).min(MAX_THREADS);
        let limits = Limits { threads: limits.threads.or(NonZeroUsize::new(threads)), ..limits };
        let modules = Arc::clone(&top.modules);
        let Endpoint { server, functions, .. } = top;
        let server = self.doctor(table, &modules).into_iter().fold(server, Server::methods);
        Manifest { server: self.log(table, server).limits(limits), workers: Workers(workers), functions, scripts }
    }

    /// Reads what is served at one path. `inherited` is what the manifest's top has for it.
    fn endpoint(
        &mut self,
        table: &ManifestTable<'_>,
        inherited: Option<Inherited<'_>>,
        places: &Arc<Pool<()>>,
    ) -> Endpoint {
        let (limits, budget) = limits(inner(&table.limits));
        let (own_workers, workers) = match inherited.as_ref().filter(|inherited| inherited.has_workers) {
            Some(inherited) => (BTreeMap::new(), Arc::clone(&inherited.of.workers)),
            None => {
                let workers = self.workers(table, &budget);
                (workers.clone(), Arc::new(workers))
            }
        };
        let (own_modules, modules) = match inherited.as_ref().filter(|inherited| inherited.has_modules) {
            Some(inherited) => (Vec::new(), Arc::clone(&inherited.of.modules)),
            None => {
                let modules: Vec<Arc<LoadedModule>> = self.modules(table, &budget).into_iter().map(Arc::new).collect();
                (modules.clone(), Arc::new(modules))
            }
        };
        let mut server = self.surroundings(table, self.identity(table, &modules));
        let are_loaded = !self.mistakes.are_fatal();
        let mut tables = named(&table.method).map(|(name, span, table)| (name, (span, table))).collect();
        let functions = self.functions(&modules, &mut tables, is_set(&table.tell_errors), limits, &budget);
        if !are_loaded {
            // a function that was not found is one of a module that is broken
            tables.retain(|_, (_, table)| {
                table.run.is_some() || table.worker.is_some() || value(&table.function).is_none()
            });
        }
        let methods = self.methods(table, tables, &workers, limits, &budget, places);
        self.check_workers(table, &methods);
        let names = functions.iter().map(|method| method.name().to_owned()).collect();
        let mut methods: Vec<Method> =
            functions.into_iter().chain(methods.into_iter().map(|(method, _)| method)).collect();
        self.check_aliases(&methods, table);
        server = self.without(table, &modules, &mut methods, server);
        let terms = CallTerms {
            timeout: budget.timeout,
            max_output: budget.output,
            limits,
            tell_errors: is_set(&table.tell_errors),
        };
        let taken_away: Vec<String> =
            texts(&table.functions.without).into_iter().map(|(pattern, _)| pattern.to_owned()).collect();
        for other in modules.iter().filter_map(|module| module.other_names(terms, &taken_away)) {
            server = server.fallback(other);
        }
        let mut fallback_worker = None;
        if let Some((any_name, loaded)) = self.fallback(table, &workers, terms, &taken_away, &budget) {
            fallback_worker = loaded;
            server = server.fallback(any_name);
        }
        self.check_not_empty(table);
        server = server.limits(limits).log_calls(is_set(&table.log_calls)).methods(methods);
        server = server.paths(self.paths(table)).cors(self.origins(table)).docs(self.docs(table));
        server = self.wire(table, server);
        let own = own_workers.into_values().collect::<Vec<_>>().into_iter();
        let own = own.chain(own_modules.iter().map(|module| (module.worker(), module.seats)));
        Endpoint { server, workers, modules, own: own.chain(fallback_worker).collect(), functions: names }
    }

    /// Makes the method that says what the service sees, if there is a key for it.
    fn doctor(&mut self, table: &ManifestTable<'_>, modules: &[Arc<LoadedModule>]) -> Option<Method> {
        let written = table.doctor.as_ref()?;
        let now = now();
        let key =
            DoctorKey::read(written.value, now).map_err(|message| self.mistakes.add(&written.span, message)).ok()?;
        if key.is_over(now) {
            if self.look.is_at_programs() {
                self.mistakes.warn(&written.span, "this key is over: nobody can use it, and the line can go");
            }
            return None;
        }
        let log = match inner::<LogTable<'_>>(&table.log) {
            Some(log) => value(&log.file),
            None => table.log.as_ref().and_then(|log| log.value.get_ref().as_str()),
        };
        let log = log.map(|file| self.folder.join(file));
        let modules = modules.iter().map(|module| module.state(self.folder)).collect();
        Some(Surroundings { key, folder: self.folder.to_owned(), log, modules }.method())
    }

    /// Begins a server with what it says of itself: by its keys, or else by what a script says.
    fn identity(&self, table: &ManifestTable<'_>, modules: &[Arc<LoadedModule>]) -> Server {
        let script = modules.iter().find_map(|module| module.script.as_ref());
        let (title, name) = (value(&table.title), value(&table.name));
        let of_script = script.and_then(|script| script.name.as_deref().or(script.title.as_deref()));
        let mut server = Server::new(name.or(title).or(of_script).unwrap_or(self.stem));
        let title = title.or_else(|| script?.title.as_deref().filter(|_| name.is_none()));
        if let Some(title) = title {
            server = server.title(title);
        }
        if let Some(documentation) = value(&table.documentation).or_else(|| script?.documentation.as_deref()) {
            server = server.documentation(documentation);
        }
        if let Some(version) = value(&table.version) {
            server = server.version(version);
        }
        server
    }

    /// Reads what is special in the documents that are written, and which methods tell of the others.
    fn wire(&mut self, table: &ManifestTable<'_>, mut server: Server) -> Server {
        if let Some(written) = &table.compat
            && let Some(compat) = keys::compat(written.value)
        {
            server = server.compat(compat);
            if self.look == ProgramCheck::Strictly && compat.tells_exceptions() {
                let message = "callers get the class and the text of each exception: nothing private may stand in one";
                self.mistakes.warn(&written.span, message);
            }
        }
        if let Some(nil) = value(&table.nil) {
            server = server.nil(nil);
        }
        if let Some(encoding) = self.parsed(&table.encoding) {
            server = server.encoding(encoding);
        }
        server = server.large_integers_as_text(is_set(&table.large_integers_as_text));
        let is_page_off = match inner::<PageTable<'_>>(&table.docs) {
            Some(page) => value(&page.access) == Some("off"),
            None => table.docs.as_ref().and_then(|docs| docs.value.get_ref().as_str()) == Some("off"),
        };
        match value(&table.introspection) {
            Some(true) => server,
            Some(false) => system::introspection().fold(server, Server::without),
            None if is_page_off => server.without(system::DISCOVER),
            None => server,
        }
    }

    /// Refuses keys at another path that are for the whole.
    fn check_below(&mut self, path: &str, own: &ManifestTable<'_>) {
        let spans = [
            ("at", own.at.as_ref().map(|written| &written.span)),
            ("paths", own.paths.as_ref().map(|written| &written.span)),
            ("url", span(&own.url)),
            ("trusted_proxies", own.trusted_proxies.as_ref().map(|written| &written.span)),
            ("forwarded", span(&own.forwarded)),
            ("log", span(&own.log)),
            ("doctor", span(&own.doctor)),
        ];
        for (key, span) in spans.into_iter().filter_map(|(key, span)| Some((key, span?))) {
            self.mistakes.add(span, format!("`{key}` is for the whole service, not for {path} alone"));
        }
    }

    /// Notes a service that answers nothing.
    fn check_not_empty(&mut self, table: &ManifestTable<'_>) {
        let is_empty = |tables: &Option<Written<&DeTable<'_>>>| value(tables).is_none_or(|tables| tables.is_empty());
        if table.module.is_none() && table.fallback.is_none() && is_empty(&table.method) && is_empty(&table.at) {
            let help = "a method: [method.\"hello\"] with run = [\"echo\", \"Hello!\"] and returns = \"string\"";
            self.mistakes.0.push(Mistake::of_file(Severity::Error, "there is no method", help));
        }
    }

    /// Notes aliases that are the names of other methods.
    fn check_aliases(&mut self, methods: &[Method], table: &ManifestTable<'_>) {
        for (name, _, method) in named::<MethodTable<'_>>(&table.method) {
            for (alias, span) in texts(&method.aliases) {
                self.check_name(alias, &span);
                let has =
                    |method: &Method| method.name() == alias || method.aliases().iter().any(|other| other == alias);
                if methods.iter().filter(|method| has(method)).count() > 1 || alias == name {
                    self.mistakes.add(&span, format!("there is a method `{alias}` already"));
                }
            }
        }
    }

    /// Reads what answers names that no method has, with a process that runs for it alone.
    fn fallback(
        &mut self,
        table: &ManifestTable<'_>,
        workers: &BTreeMap<String, Seated>,
        terms: CallTerms,
        taken_away: &[String],
        budget: &Budget,
    ) -> Option<(AnyName, Option<Seated>)> {
        let span = &table.fallback.as_ref()?.span;
        let FallbackTable { worker, module, list, functions } = inner(&table.fallback)?;
        let list: Option<Vec<String>> =
            value(&list).map(|names| names.into_iter().map(|(name, _)| name.to_owned()).collect());
        let (answers, loaded) = match (worker, module) {
            (Some(worker), None) => {
                self.check_no_functions(&functions);
                (AnyName::of_worker(self.find_worker(&worker, workers)?, list, terms), None)
            }
            (None, Some(module)) => {
                let loaded = self.module(None, module.value, &module.span, &functions, budget)?;
                let seats = (loaded.worker(), loaded.seats);
                (self.any_name_of_module(&loaded, &module.span, list, terms)?, Some(seats))
            }
            _ => {
                let help = "worker = \"name\", or module = \"bikes.py\"";
                self.mistakes.add_with_help(span, "the fallback is either a `worker` or a `module`", help);
                return None;
            }
        };
        Some((AnyName { without: taken_away.to_vec(), ..answers }, loaded))
    }

    /// Takes methods away, those that every server has too.
    fn without(
        &mut self,
        table: &ManifestTable<'_>,
        modules: &[Arc<LoadedModule>],
        methods: &mut Vec<Method>,
        mut server: Server,
    ) -> Server {
        for (pattern, span) in texts(&table.functions.without) {
            let of_server: Vec<&str> = system::names().filter(|name| matches(pattern, name)).collect();
            let before = methods.len();
            methods.retain(|method| !matches(pattern, method.name()));
            // what serves any name may have it
            let has_function =
                table.fallback.is_some() || modules.iter().any(|module| module.has(pattern) || module.script.is_some());
            if of_server.is_empty() && methods.len() == before && !has_function && !self.mistakes.are_fatal() {
                let mut known: Vec<&str> = methods.iter().map(|method| method.name()).collect();
                system::names().for_each(|name| known.push(name));
                let near = did_you_mean(pattern, known.into_iter());
                self.problem(&span, (format!("there is no method `{pattern}` to take away"), near));
            }
            server = of_server.into_iter().fold(server, Server::without);
        }
        server
    }

    /// Reads the place and the format of the log.
    fn log(&mut self, table: &ManifestTable<'_>, server: Server) -> Server {
        let Some(written) = &table.log else { return server };
        let (file, format) = match inner::<LogTable<'_>>(&table.log) {
            Some(LogTable { file, format }) => (text(&file), value(&format)),
            None => (written.value.get_ref().as_str().map(|file| (file, written.span.clone())), None),
        };
        let format = if format == Some("json") { LogFormat::Json } else { LogFormat::Text };
        let Some((file, span)) = file else {
            if written.value.get_ref().is_table() {
                self.mistakes.add_with_help(
                    &written.span,
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
            lints::check_log_file(&path, &span, self.folder, &mut self.mistakes);
            self.downgrade_from(before);
        }
        server.log_file(path).log_format(format)
    }

    /// Reads the URL of the service and its trusted proxies.
    fn surroundings(&mut self, table: &ManifestTable<'_>, mut server: Server) -> Server {
        if self.parsed::<BaseUrl>(&table.url).is_some()
            && let Some(url) = value(&table.url)
        {
            server = server.url(url);
        }
        let mut proxies = texts(&table.trusted_proxies);
        proxies.retain(|(proxy, span)| network(proxy).map_err(|message| self.mistakes.add(span, message)).is_ok());
        if let Some(forwarded) = table.forwarded.as_ref().filter(|_| proxies.is_empty()) {
            self.mistakes.warn(&forwarded.span, "`forwarded` has no effect without `trusted_proxies`");
        }
        let forwarded = match value(&table.forwarded) {
            Some("rfc7239") => Forwarded::Rfc7239,
            _ => Forwarded::XForwarded,
        };
        server.trusted_proxies(proxies.into_iter().map(|(proxy, _)| proxy)).forwarded(forwarded)
    }

    fn paths<'t>(&mut self, table: &ManifestTable<'t>) -> Vec<&'t str> {
        let paths = texts(&table.paths);
        paths.iter().for_each(|(path, span)| self.check_path(path, span));
        paths.into_iter().map(|(path, _)| path).collect()
    }

    /// Notes what is wrong with a path of the URL.
    fn check_path(&mut self, path: &str, span: &Range<usize>) {
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

    fn docs(&mut self, table: &ManifestTable<'_>) -> Docs {
        let access = |word: Option<&str>| if word == Some("off") { Access::Off } else { Access::Public };
        let Some(page) = inner::<PageTable<'_>>(&table.docs) else {
            let word = table.docs.as_ref().and_then(|docs| docs.value.get_ref().as_str());
            return Docs::new().access(access(word));
        };
        let mut docs = Docs::new().access(access(value(&page.access)));
        docs = match value(&page.try_it) {
            Some("off") => docs.try_it(TryIt::Off),
            Some("same-origin") => docs.try_it(TryIt::SameOrigin),
            Some("on") => docs.try_it(TryIt::On),
            _ => docs,
        };
        if value(&page.assets) == Some("linked") {
            docs = docs.assets(Assets::Linked);
        }
        if let Some(logo) = self.logo(&page.logo) {
            docs = docs.logo(logo);
        }
        if let Some(style) = self.style(&page.style) {
            docs = docs.style(style);
        }
        if let Some(accent) = self.parsed(&page.accent) {
            docs = docs.accent(accent);
        }
        docs.noindex(is_set(&page.noindex))
            .contact(value(&page.contact).unwrap_or_default())
            .authentication(value(&page.authentication).unwrap_or_default())
            .footer(footer(&page.footer))
    }

    /// Reads the picture of the page: a word, a data URI, or a file.
    fn logo(&mut self, written: &Option<Written<&str>>) -> Option<Logo> {
        let Written { value, span } = written.as_ref()?;
        let logo = match *value {
            "letter" => Ok(Logo::letter()),
            uri if uri.starts_with("data:") || uri.contains("://") => uri.parse(),
            file => Logo::of_octets(&self.page_file(file, span)?),
        };
        logo.map_err(|error| self.mistakes.add(span, error.to_string())).ok()
    }

    /// Reads the style sheet that follows the page's own.
    fn style(&mut self, written: &Option<Written<&str>>) -> Option<Style> {
        let Written { value, span } = written.as_ref()?;
        let text = String::from_utf8(self.page_file(value, span)?).map_err(|_| {
            self.mistakes
                .add(span, format!("expected a style sheet in UTF-8, found octets that are not in \"{value}\""))
        });
        text.ok()?.parse().map_err(|error: ParseStyleError| self.mistakes.add(span, error.to_string())).ok()
    }

    /// Reads a file that becomes a part of the page; a change of it is noticed.
    fn page_file(&mut self, name: &str, span: &Range<usize>) -> Option<Vec<u8>> {
        const MOST: u64 = 1 << 20;
        let path = self.folder.join(name);
        self.files.watch(path.clone());
        let mut octets = Vec::new();
        let read = fs::File::open(&path).and_then(|file| file.take(MOST).read_to_end(&mut octets));
        read.map_err(|error| self.mistakes.add(span, format!("{} cannot be read: {error}", path.display()))).ok()?;
        Some(octets)
    }

    /// Parses a text that has a form of its own.
    fn parsed<T: FromStr<Err: fmt::Display>>(&mut self, written: &Option<Written<&str>>) -> Option<T> {
        let Written { value, span } = written.as_ref()?;
        value.parse().map_err(|error: T::Err| self.mistakes.add(span, error.to_string())).ok()
    }

    fn origins<'t>(&mut self, table: &ManifestTable<'t>) -> Vec<&'t str> {
        let origins = inner::<CorsTable<'_>>(&table.cors).map(|cors| texts(&cors.origins)).unwrap_or_default();
        for (origin, span) in &origins {
            if origin.contains('*') && *origin != "*" {
                let message = format!("no browser sends the origin \"{origin}\": a `*` inside of one matches nothing");
                let help = "name each origin, as \"https://app.example\"; \"*\" alone lets all pages make calls";
                self.mistakes.add_with_help(span, message, help);
            } else if let Some(help) = lints::origin(origin).filter(|_| *origin != "*") {
                let shown = origin.escape_debug();
                let message = format!("expected an origin as \"https://app.example\", or \"*\", found \"{shown}\"");
                self.mistakes.add_with_help(span, message, help);
            }
        }
        origins.into_iter().map(|(origin, _)| origin).collect()
    }

    /// Reads the workers by their names, with the number of each.
    fn workers(&mut self, table: &ManifestTable<'_>, budget: &Budget) -> BTreeMap<String, Seated> {
        let mut workers = BTreeMap::new();
        for (name, span, WorkerTable { run, count, env, encoding }) in named(&table.worker) {
            let words = texts(&run);
            let Some((program, program_span)) = words.first().cloned() else {
                self.mistakes.add(&span, format!("the worker `{name}` has no `run`"));
                continue;
            };
            words.iter().for_each(|(word, span)| self.check_nul(word, span));
            let launch = self.launch(program, &program_span, &env, &encoding);
            self.check_files(&launch, &words);
            let count = value(&count).unwrap_or(1).min(MAX_WORKERS as usize);
            let words = words.into_iter().skip(1).map(|(word, _)| word.to_owned()).collect();
            let worker = Worker {
                who: format!("worker \"{name}\""),
                launch,
                start: Box::new(CommandLine { name: name.to_owned(), words }),
                wait: budget.wait,
                slots: Pool::new((0..count).map(|_| Default::default()), budget.queue, budget.wait),
                shared: Vec::new(),
            };
            workers.insert(name.to_owned(), (Arc::new(worker), count));
        }
        workers
    }

    /// Reads the methods, with the names of their workers.
    fn methods(
        &mut self,
        table: &ManifestTable<'_>,
        tables: BTreeMap<&str, (Range<usize>, MethodTable<'_>)>,
        workers: &BTreeMap<String, Seated>,
        limits: Limits,
        budget: &Budget,
        places: &Arc<Pool<()>>,
    ) -> Vec<(Method, Option<String>)> {
        let tells_errors = is_set(&table.tell_errors);
        let mut methods = Vec::new();
        for (name, (span, method)) in tables {
            self.check_name(name, &span);
            let mut params = self.params(&method);
            let returns = self.returns(&method);
            let signatures = self.signatures(&method, &mut params);
            let runner = match (&method.run, &method.worker) {
                (Some(run), None) => self.program(&method, run, &params, &returns, places).map(Runner::Program),
                (None, Some(worker)) => self.job(&method, worker, workers),
                (Some(_), Some(worker)) => {
                    self.mistakes.add(&worker.span, "a method has either `run` or `worker`, and this one has both");
                    None
                }
                (None, None) if table.module.is_some() => {
                    let function = value(&method.function).unwrap_or(name);
                    self.mistakes.add(&span, format!("the module has no function `{function}` for `{name}`"));
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
            let mut about = self.about(name, &method, &params, matches!(runner, Some(Runner::Program(_))));
            let timeout = value(&method.timeout).unwrap_or(budget.timeout);
            if let Some(runner) = runner {
                let tell_errors = value(&method.tell_errors).unwrap_or(tells_errors);
                let more = MoreParams::default();
                let contract = Contract {
                    params,
                    more,
                    is_unchecked: false,
                    returns,
                    timeout,
                    max_output: budget.output,
                    limits,
                    tell_errors,
                };
                about.examples = self.examples(&method, &about, &contract, &signatures);
                let worker = value(&method.worker).map(str::to_owned);
                methods.push((ManifestMethod::with_signatures(about, contract, signatures, runner), worker));
            }
        }
        methods
    }

    /// Reads the ways to call a method, and adds the params that they have beside those that are described.
    pub(super) fn signatures(&mut self, table: &MethodTable<'_>, params: &mut Vec<Param>) -> Vec<Signature> {
        let mut signatures = Vec::new();
        for written in items(&table.signatures) {
            let names: Vec<DataType> = written
                .get_ref()
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|name| name.get_ref().as_str().map(named_type))
                .collect();
            match names.split_first() {
                Some((returns, params)) => {
                    signatures.push(Signature { returns: returns.clone(), params: params.to_vec() });
                }
                None => self.mistakes.add_with_help(
                    &written.span(),
                    "a signature begins with the type of the result",
                    "[\"string\"] takes nothing and returns a string",
                ),
            }
        }
        if let (Some(returns), Some(signatures)) = (&table.returns, &table.signatures) {
            let message = "a method has either `returns` or `signatures`, which tell the types of results";
            self.mistakes.add(
                if signatures.span.start > returns.span.start { &signatures.span } else { &returns.span },
                message,
            );
        }
        let longest = signatures.iter().map(|signature| signature.params.len()).max().unwrap_or_default();
        for index in params.len()..longest {
            params.push(Param {
                name: format!("p{}", index + 1),
                of: DataType::any(),
                optional: true,
                default: None,
                own_default: None,
                leading_dash: false,
            });
        }
        signatures
    }

    pub(super) fn check_name(&mut self, name: &str, span: &Range<usize>) {
        let is_known = |character: char| character.is_ascii_alphanumeric() || "_.:/-".contains(character);
        if name.is_empty() || !name.chars().all(is_known) {
            let message = "expected a name of letters, digits and any of _ . : / -";
            self.mistakes.add(span, format!("{message}, found \"{}\"", name.escape_debug()));
        }
        if name.starts_with("rpc.") {
            self.mistakes.add(span, "names that begin with `rpc.` are taken");
        } else if system::names().any(|taken| taken == name) {
            self.mistakes.add(span, format!("every service has a method `{name}` of its own"));
        }
    }

    /// Warns of workers that no method uses.
    fn check_workers(&mut self, table: &ManifestTable<'_>, methods: &[(Method, Option<String>)]) {
        let fallback = inner::<FallbackTable<'_>>(&table.fallback).and_then(|fallback| value(&fallback.worker));
        for (name, span, _) in named::<WorkerTable<'_>>(&table.worker).filter(|(name, ..)| Some(*name) != fallback) {
            if !methods.iter().any(|(_, worker)| worker.as_deref() == Some(name)) {
                self.mistakes.warn(&span, format!("no method has the worker `{name}`"));
            }
        }
    }

    fn about(&mut self, name: &str, table: &MethodTable<'_>, params: &[Param], is_program: bool) -> Metadata {
        let parts = [value(&table.title), value(&table.help)].into_iter().flatten();
        let help: Vec<&str> = parts.map(str::trim).filter(|text| !text.is_empty()).collect();
        let deprecated = match value(&table.deprecated).map(Spanned::get_ref) {
            Some(DeValue::String(text)) => Some(text.to_string()),
            Some(DeValue::Boolean(true)) => Some(String::new()),
            _ => None,
        };
        Metadata {
            name: name.to_owned().into(),
            help: help.join("\n\n").into(),
            params: params.iter().map(|param| (param.name.clone().into(), param.of.help.clone().into())).collect(),
            aliases: texts(&table.aliases).into_iter().map(|(alias, _)| alias.to_owned().into()).collect(),
            faults: self.faults(table, is_program).into_iter().map(|(code, text)| (code, text.into())).collect(),
            hidden: is_set(&table.hidden),
            deprecated: deprecated.map(Into::into),
            since: value(&table.since).map(|version| version.to_owned().into()),
            is_unsafe: is_set(&table.is_unsafe),
            examples: Examples::NONE,
            location: Location::caller(),
        }
    }

    pub(super) fn faults(&mut self, table: &MethodTable<'_>, is_program: bool) -> Vec<(i32, String)> {
        let mut faults = Vec::new();
        for (key, value) in value(&table.faults).into_iter().flatten() {
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

    fn params(&mut self, table: &MethodTable<'_>) -> Vec<Param> {
        let mut params: Vec<Param> = Vec::new();
        for written in items(&table.params) {
            if let Some(short) = written.get_ref().as_str() {
                if let Some(param) = self.short_param(short, &written.span()) {
                    self.add_param(&mut params, param, &written.span());
                }
                continue;
            }
            let Some(table) = written.get_ref().as_table() else { continue };
            let param = ParamTable::read(table);
            let Some((name, span)) = text(&param.name) else {
                self.mistakes.add(&written.span(), "the param has no `name`");
                continue;
            };
            self.check_param_name(name, &span);
            let of = self.described(&param.of, &written.span());
            self.check_fits("default", param.default.as_ref().map(|default| &default.span), SCALAR, of.wire);
            let default = value(&param.default).and_then(|default| self.value(default, &of));
            if let Some(dash) = param.leading_dash.as_ref().filter(|_| of.wire != Type::String) {
                self.mistakes.add(&dash.span, format!("`leading_dash` is for a string, and this is {}", of.wire));
            }
            let optional = is_set(&param.optional) || param.default.is_some();
            let param = Param {
                // an author who lists the values knows them
                leading_dash: is_set(&param.leading_dash) || !of.bounds.choices.is_empty(),
                name: name.to_owned(),
                of,
                optional,
                default,
                own_default: None,
            };
            self.add_param(&mut params, param, &span);
        }
        params
    }

    fn check_param_name(&mut self, name: &str, span: &Range<usize>) {
        if !is_identifier(name) {
            let message = "expected a name of letters, digits and underscores";
            self.mistakes.add(span, format!("{message}, found \"{}\"", name.escape_debug()));
        }
    }

    /// Adds a param, and notes if there is one of its name, or one before it that can be left out only by name.
    fn add_param(&mut self, params: &mut Vec<Param>, param: Param, span: &Range<usize>) {
        let name = &param.name;
        if params.iter().any(|before| before.name == *name) {
            self.mistakes.add(span, format!("there is a param `{name}` already"));
        }
        if let Some(before) = params.last().filter(|before| before.optional && !param.optional) {
            let message =
                format!("`{}` before it is optional, but not when `{name}` is passed by position", before.name);
            self.mistakes.warn(span, message);
        }
        params.push(param);
    }

    /// Reads a param in its short form: `NAME: TYPE`, with a `?` behind if it may be left out.
    fn short_param(&mut self, short: &str, span: &Range<usize>) -> Option<Param> {
        let (name, type_name) = short.split_once(':').map_or((short, None), |(name, of)| (name, Some(of.trim())));
        let name = name.trim();
        self.check_param_name(name, span);
        let (type_name, optional) = match type_name {
            Some(type_name) => {
                type_name.strip_suffix('?').map_or((type_name, false), |type_name| (type_name.trim_end(), true))
            }
            None => ("", false),
        };
        let Some(of) = DataType::of_name(type_name) else {
            let shown = short.escape_debug();
            let near = near_type(type_name).unwrap_or_else(|| format!("\"{name}: int\", \"{name}: string?\""));
            self.mistakes.add_with_help(span, format!("expected `NAME: TYPE`, found \"{shown}\""), near);
            return None;
        };
        Some(Param { name: name.to_owned(), of, optional, default: None, own_default: None, leading_dash: false })
    }

    pub(super) fn returns(&mut self, table: &MethodTable<'_>) -> DataType {
        match value(&table.returns) {
            Some(value) => self.data_type(value),
            None => DataType::of(Type::Nil),
        }
    }

    /// Reads a type by its name, or described.
    fn data_type<'t>(&mut self, value: &'t Spanned<DeValue<'t>>) -> DataType {
        match value.get_ref() {
            DeValue::String(name) => named_type(name),
            DeValue::Table(table) => self.described(&DescribedTable::read(table), &value.span()),
            _ => DataType::of(Type::Undefined),
        }
    }

    /// Reads a type that a table describes.
    pub(super) fn described(&mut self, table: &DescribedTable<'_>, span: &Range<usize>) -> DataType {
        let Some(name) = value(&table.wire) else {
            let help = "type = \"string\", or another of XML-RPC's types";
            self.mistakes.add_with_help(span, "there is no `type`", help);
            return DataType::of(Type::Undefined);
        };
        let mut of = named_type(name);
        self.check_all_fit(table, of.wire);
        of.help = value(&table.help).map(|help| help.trim().to_owned()).unwrap_or_default();
        of.bounds.minimum = value(&table.minimum).and_then(bound).map(Bound::from);
        of.bounds.maximum = value(&table.maximum).and_then(bound).map(Bound::from);
        if let (Some(Bound { number: least, .. }), Some(Bound { number: most, .. })) =
            (of.bounds.minimum, of.bounds.maximum)
            && least.as_double() > most.as_double()
        {
            self.mistakes.add(span, format!("no number is at least {least} and at most {most}"));
        }
        of.or_nil |= is_set(&table.nil);
        of.bounds.max_length = value(&table.max_length);
        of.bounds.pattern = table.pattern.as_ref().and_then(|pattern| match Regex::new(pattern.value) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                self.mistakes.add(&pattern.span, format!("expected a regular expression: {error}"));
                None
            }
        });
        of.items = value(&table.items).map(|items| Box::new(self.data_type(items)));
        of.values = value(&table.values).map(|values| Box::new(self.data_type(values)));
        of.members = self.members(table);
        if let Some(values) = table.values.as_ref().filter(|_| !of.members.is_empty()) {
            self.mistakes.add(&values.span, "a struct has either `members` or `values`, and this one has both");
        }
        let choices: Vec<Value> = items(&table.choices).filter_map(|choice| self.value(choice, &of)).collect();
        of.bounds.choices = choices;
        of.example = value(&table.example).and_then(|example| self.value(example, &of));
        of
    }

    /// Checks that the keys of a described type fit it.
    fn check_all_fit(&mut self, table: &DescribedTable<'_>, wire: Type) {
        const STRING: &[Type] = &[Type::String];
        const NUMBER: &[Type] = &[Type::Int, Type::I8, Type::Double];
        const CHOSEN: &[Type] = &[Type::String, Type::Int, Type::I8, Type::Double];
        let DescribedTable { example, choices, pattern, minimum, maximum, max_length, members, values, items, .. } =
            table;
        self.check_fits("choices", span(choices), CHOSEN, wire);
        self.check_fits("pattern", span(pattern), STRING, wire);
        self.check_fits("max_length", span(max_length), STRING, wire);
        self.check_fits("minimum", span(minimum), NUMBER, wire);
        self.check_fits("maximum", span(maximum), NUMBER, wire);
        self.check_fits("members", span(members), &[Type::Struct], wire);
        self.check_fits("values", span(values), &[Type::Struct], wire);
        self.check_fits("items", span(items), &[Type::Array], wire);
        self.check_fits("example", span(example), SCALAR, wire);
    }

    /// Checks that a key is written only where the type is one of these.
    fn check_fits(&mut self, key: &str, span: Option<&Range<usize>>, types: &[Type], wire: Type) {
        if let Some(span) = span.filter(|_| !types.contains(&wire)) {
            let types: Vec<&str> = types.iter().map(|wire| wire.name()).collect();
            self.mistakes.add(span, format!("`{key}` is for {}, and this is {wire}", types.join(", ")));
        }
    }

    fn members(&mut self, table: &DescribedTable<'_>) -> Vec<Member> {
        let mut written: Vec<_> = value(&table.members).into_iter().flatten().collect();
        // as they stand in the text
        written.sort_by_key(|(name, _)| name.span().start);
        let member = |(name, written): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
            let table = written.get_ref().as_table().map(MemberTable::read);
            Member {
                name: AsRef::<str>::as_ref(name.get_ref()).to_owned(),
                optional: table.as_ref().is_some_and(|table| is_set(&table.optional)),
                of: match &table {
                    Some(table) => self.described(&table.of, &written.span()),
                    None => self.data_type(written),
                },
            }
        };
        written.into_iter().map(member).collect()
    }

    /// Reads a value of a type, as it is written in the manifest.
    pub(super) fn value(&mut self, value: &Spanned<DeValue<'_>>, of: &DataType) -> Option<Value> {
        if !of.is_scalar() {
            // a mistake was noted already
            return None;
        }
        let read = match (of.wire, value.get_ref()) {
            (Type::String, DeValue::String(text)) => Some(Value::from(&**text)),
            (Type::Int, DeValue::Integer(_)) if of.is_wide => integer(value).map(Value::Int),
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
        table: &MethodTable<'_>,
        run: &Written<&Spanned<DeValue<'_>>>,
        params: &[Param],
        returns: &DataType,
        places: &Arc<Pool<()>>,
    ) -> Option<Program> {
        // a mistake in its form was noted already
        let written = &AsTexts::read(run.value)?;
        let Some((program, span)) = written.first().cloned() else {
            self.mistakes.add(&run.span, "expected a program and its words, found none");
            return None;
        };
        if program.is_empty() || program.contains(['{', '}']) {
            self.mistakes.add(&span, "callers may not choose the program: expected its name");
            return None;
        }
        let launch = self.launch(program, &span, &table.env, &table.encoding);
        let words: Vec<Word> = written.iter().skip(1).filter_map(|word| self.word(word, params)).collect();
        for (word, span) in &written[1..] {
            if let Err(message) = launch.encoding.encode(word) {
                self.mistakes.add(span, message);
            }
        }
        // only if all were understood
        if words.len() == written.len() - 1 {
            lints::check_words(program, &written[1..], &words, params, &mut self.mistakes);
        }
        self.check_files(&launch, written);
        let stdin = self.stdin(table, params);
        let output = self.output(table, returns);
        let success = self.success(table);
        Some(Program { launch, words, stdin, output, success, places: Arc::clone(places) })
    }

    fn success(&mut self, table: &MethodTable<'_>) -> Vec<i32> {
        let Some(written) = value(&table.success) else { return vec![0] };
        let mut statuses = Vec::new();
        for value in written {
            match integer(value).and_then(|status| u8::try_from(status).ok()) {
                Some(status) => statuses.push(status.into()),
                None => self.mistakes.add(&value.span(), "expected an exit status from 0 to 255"),
            }
        }
        statuses
    }

    fn word(&mut self, (text, span): &SpannedText<'_>, params: &[Param]) -> Option<Word> {
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

    pub(super) fn problem(&mut self, span: &Range<usize>, (message, help): (String, Option<String>)) {
        match help {
            Some(help) => self.mistakes.add_with_help(span, message, help),
            None => self.mistakes.add(span, message),
        }
    }

    fn stdin(&mut self, table: &MethodTable<'_>, params: &[Param]) -> Input {
        let Some((stdin, span)) = text(&table.stdin) else { return Input::Nothing };
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

    fn output(&mut self, table: &MethodTable<'_>, returns: &DataType) -> Output {
        let natural = match returns.wire {
            Type::Struct | Type::Array | Type::Undefined => Output::Json,
            Type::Base64 => Output::Base64,
            _ => Output::Text,
        };
        let Some((word, span)) = text(&table.output) else { return natural };
        if table.returns.is_none() {
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
        table: &MethodTable<'_>,
        worker: &Written<&str>,
        workers: &BTreeMap<String, Seated>,
    ) -> Option<Runner> {
        let MethodTable { stdin, output, env, encoding, success, .. } = table;
        for (key, span) in [
            ("stdin", span(stdin)),
            ("output", span(output)),
            ("env", span(env)),
            ("encoding", span(encoding)),
            ("success", span(success)),
        ] {
            if let Some(span) = span {
                self.mistakes.add(span, format!("`{key}` is for `run`: workers read and write JSON-RPC"));
            }
        }
        let worker = self.find_worker(worker, workers)?;
        Some(Runner::Worker(Job { worker, dialect: Arc::new(JsonRpcLines) }))
    }

    /// Finds the worker of a name.
    fn find_worker(&mut self, written: &Written<&str>, workers: &BTreeMap<String, Seated>) -> Option<Arc<Worker>> {
        let Written { value: name, span } = written;
        match workers.get(*name) {
            Some((worker, _)) => Some(Arc::clone(worker)),
            None => {
                let near = did_you_mean(name, workers.keys().map(String::as_str));
                let help = near.unwrap_or_else(|| format!("describe it: [worker.{name}] with run = [\"program\"]"));
                self.mistakes.add_with_help(span, format!("there is no worker `{name}`"), help);
                None
            }
        }
    }

    /// Reads the variables of a program's environment.
    pub(super) fn environment(&mut self, env: &Option<Written<&DeTable<'_>>>) -> Vec<(String, String)> {
        let mut environment = Vec::new();
        for (name, value) in value(env).into_iter().flatten() {
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
        environment
    }

    fn launch(
        &mut self,
        program: &str,
        span: &Range<usize>,
        env: &Option<Written<&DeTable<'_>>>,
        encoding: &Option<Written<&str>>,
    ) -> Launch {
        let environment = self.environment(env);
        let encoding = self.parsed(encoding).unwrap_or(ProgramEncoding::UTF_8);
        let launch = Launch { name: program.to_owned(), folder: self.folder.to_owned(), environment, encoding };
        if self.look.is_at_programs()
            && let Err(missing) = launch.find()
        {
            let help = lints::help_to_find(program, self.folder);
            self.mistakes.add_with_help(span, missing.to_string(), help);
            self.downgrade_from(self.mistakes.0.len() - 1);
        }
        launch
    }

    /// Checks the files that a command line names, and keeps the one with the code.
    fn check_files(&mut self, launch: &Launch, written: &[SpannedText<'_>]) {
        if self.look != ProgramCheck::Text {
            let code = lints::code(written).map(|word| self.folder.join(word)).find(|file| file.is_file());
            code.into_iter().for_each(|file| self.files.watch(file));
        }
        if self.look.is_at_programs()
            && let (Ok(found), [program, words @ ..]) = (launch.find(), written)
        {
            let before = self.mistakes.0.len();
            lints::check_files(launch, program, &found, words, &mut self.mistakes);
            self.check_secrets(written);
            self.downgrade_from(before);
        }
    }

    /// Warns of files on a command line that the web server would hand out.
    fn check_secrets(&mut self, written: &[SpannedText<'_>]) {
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
    fn downgrade_from(&mut self, from: usize) {
        if self.look == ProgramCheck::Programs {
            self.mistakes.0[from..].iter_mut().for_each(|mistake| mistake.severity = Severity::Warning);
        }
    }
}

/// Reads the end of the page: whether it has one, or the text of it.
fn footer(written: &Option<Written<&Spanned<DeValue<'_>>>>) -> Footer {
    match value(written).map(|value| value.get_ref()) {
        Some(DeValue::Boolean(is_there)) => (*is_there).into(),
        Some(DeValue::String(text)) => text.to_string().into(),
        _ => Footer::Program,
    }
}

fn limits(table: Option<LimitsTable<'_>>) -> (Limits, Budget) {
    let mut limits = Limits::default();
    let Some(table) = table else { return (limits, Budget::new(limits.wait)) };
    for (written, limit) in [
        (&table.body, &mut limits.body),
        (&table.members, &mut limits.members),
        (&table.calls, &mut limits.calls),
        (&table.response, &mut limits.response),
        (&table.params, &mut limits.params),
        (&table.memory, &mut limits.memory),
        (&table.connections, &mut limits.connections),
    ] {
        *limit = value(written).unwrap_or(*limit);
    }
    limits.depth = value(&table.depth).and_then(|depth| u32::try_from(depth).ok()).unwrap_or(limits.depth);
    limits.threads = value(&table.threads).and_then(NonZeroUsize::new);
    limits.stall = value(&table.stall).unwrap_or(limits.stall);
    limits.stop = value(&table.stop).unwrap_or(limits.stop);
    limits.wait = value(&table.wait).unwrap_or(limits.wait);
    let budget = Budget::new(limits.wait);
    let budget = Budget {
        programs: value(&table.programs).unwrap_or(budget.programs).min(MAX_PROGRAMS as usize),
        queue: value(&table.queue).unwrap_or(budget.queue),
        timeout: value(&table.timeout).unwrap_or(budget.timeout),
        output: value(&table.output).unwrap_or(budget.output),
        ..budget
    };
    (limits, budget)
}

/// Returns the type of a name; an unknown one was noted already.
fn named_type(name: &str) -> DataType {
    DataType::of_name(name).unwrap_or_else(|| DataType::of(Type::Undefined))
}

pub(super) fn is_identifier(name: &str) -> bool {
    let is_known = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_';
    name.bytes().all(is_known) && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

fn bound(value: &Spanned<DeValue<'_>>) -> Option<Number> {
    integer(value).map(Number::Int).or_else(|| number(value).map(Number::Double))
}

/// Returns the value that is written, if there is one.
pub(super) fn value<T: Clone>(written: &Option<Written<T>>) -> Option<T> {
    written.as_ref().map(|written| written.value.clone())
}

/// Returns the place of a value, if there is one.
fn span<T>(written: &Option<Written<T>>) -> Option<&Range<usize>> {
    written.as_ref().map(|written| &written.span)
}

pub(super) fn text<'t>(written: &Option<Written<&'t str>>) -> Option<SpannedText<'t>> {
    written.as_ref().map(|written| (written.value, written.span.clone()))
}

pub(super) fn texts<'t>(written: &Option<Written<Vec<SpannedText<'t>>>>) -> Vec<SpannedText<'t>> {
    value(written).unwrap_or_default()
}

pub(super) fn items<'t>(
    written: &Option<Written<&'t DeArray<'t>>>,
) -> impl Iterator<Item = &'t Spanned<DeValue<'t>>> + use<'t> {
    value(written).into_iter().flatten()
}

pub(super) fn is_set(written: &Option<Written<bool>>) -> bool {
    written.as_ref().is_some_and(|written| written.value)
}

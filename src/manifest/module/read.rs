//! Makes methods of a module's functions, with what the manifest lays over them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::panic::Location;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use toml::Spanned;
use toml::de::DeValue;

use super::cache::Cache;
use super::comment::add_code;
use super::description::{
    ExampleDescription, FunctionDescription, MemberDescription, ParamDescription, ParamKind, ScriptDescription,
    TypeDescription,
};
use super::harness::{DispatchCalls, FunctionCalls, Harness};
use super::language::Language;
use super::{Module, Places, Undescribed};
use crate::call::Values;
use crate::description::Example;
use crate::description::bounds::{Bound, Number};
use crate::manifest::call::{Contract, MoreParams, Param};
use crate::manifest::data_type::{DataType, Member};
use crate::manifest::doctor::ModuleState;
use crate::manifest::encoding::ProgramEncoding;
use crate::manifest::example::{fit, fit_result};
use crate::manifest::fallback::{AnyName, CallTerms, Names};
use crate::manifest::form::Written;
use crate::manifest::keys::{FunctionsTable, ManifestTable, MethodTable, ModuleTable, ParamTable, Table, named};
use crate::manifest::launch::Launch;
use crate::manifest::method::{ManifestMethod, Runner};
use crate::manifest::mistake::{SpannedText, did_you_mean};
use crate::manifest::read::{Budget, ManifestReader, ProgramCheck, is_set, items, text, texts, value};
use crate::manifest::worker::{Job, Worker};
use crate::method::{Examples, Metadata, Method, system};
use crate::service::Limits;
use crate::wire::value::Value;

/// The memory that a process of PHP gets unless set: its command line sets no limit.
const PHP_MEMORY: &str = "128M";

/// A module of a manifest, with its functions.
pub(in crate::manifest) struct LoadedModule {
    /// What stands before the names of its functions, without the dot.
    prefix: Option<String>,
    module: Module,
    functions: Vec<PublishedFunction>,
    /// What it says of its service, if it is a script.
    pub(in crate::manifest) script: Option<ScriptDescription>,
    /// The patterns of functions that are published, and of those that are not, as the manifest has them.
    only: Vec<String>,
    without: Vec<String>,
    headers: Vec<String>,
    /// The most calls that run at once.
    pub(in crate::manifest) seats: usize,
}

/// A function, and the name of its method.
struct PublishedFunction {
    name: String,
    function: FunctionDescription,
    /// Set if it is a method unless a `[method]` says more.
    is_public: bool,
}

impl LoadedModule {
    /// Tests whether the module has functions whose names are as a pattern.
    pub(in crate::manifest) fn has(&self, pattern: &str) -> bool {
        self.functions.iter().any(|published| matches(pattern, &published.name))
    }

    pub(in crate::manifest) fn worker(&self) -> Arc<Worker> {
        Arc::clone(&self.module.worker)
    }

    /// Returns what the doctor tells of it.
    pub(in crate::manifest) fn state(&self, folder: &Path) -> ModuleState {
        let harness = &self.module.harness;
        let kept = Cache::find(folder).map(|cache| cache.folder().to_owned());
        ModuleState {
            file: self.file_name(),
            language: harness.language.name(),
            interpreter: self.module.worker.launch.find().ok(),
            cache: match &self.module.cache {
                Some(cache) => Ok(cache.folder().to_owned()),
                // `serve` and `check` keep nothing, where a web server would
                None => kept.ok_or_else(|| "there is no folder to keep descriptions in".to_owned()),
            },
        }
    }

    /// Returns the name of its file.
    pub(in crate::manifest) fn file_name(&self) -> String {
        self.module.harness.file.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Returns what answers the names that a script did not have when it was described.
    pub(in crate::manifest) fn other_names(&self, terms: CallTerms, taken_away: &[String]) -> Option<AnyName> {
        self.script.as_ref()?;
        let prefix = self.prefix.as_ref().map(|prefix| format!("{prefix}.")).unwrap_or_default();
        // those that are known are methods, or have been taken away
        let known = self.functions.iter().map(|published| &published.name);
        let own = self.without.iter().map(|pattern| format!("{prefix}{pattern}"));
        let without = known.chain(taken_away).cloned().chain(own).collect();
        let language = self.module.harness.language;
        Some(AnyName {
            worker: self.worker(),
            dialect: Box::new(move |name| Arc::new(FunctionCalls::of_anything(language, name))),
            prefix,
            only: self.only.clone(),
            without,
            names: Names::Fixed(Vec::new()),
            terms,
        })
    }
}

impl ManifestReader<'_> {
    /// Reads the modules of a manifest, and asks each for its functions.
    pub(in crate::manifest) fn modules(&mut self, table: &ManifestTable<'_>, budget: &Budget) -> Vec<LoadedModule> {
        let Some(written) = &table.module else {
            self.check_no_functions(&table.functions);
            return Vec::new();
        };
        let Some(modules) = written.value.get_ref().as_table() else {
            let file = written.value.get_ref().as_str().unwrap_or_default();
            return self.module(None, file, &written.span, &table.functions, budget).into_iter().collect();
        };
        self.check_no_functions(&table.functions);
        let modules = Some(Written { value: modules, span: written.span.clone() });
        let mut loaded = Vec::new();
        for (prefix, span, ModuleTable { file, functions }) in named::<ModuleTable<'_>>(&modules) {
            match text(&file) {
                Some((file, span)) => loaded.extend(self.module(Some(prefix), file, &span, &functions, budget)),
                None => {
                    let message = format!("the module `{prefix}` has no `file`");
                    self.mistakes.add_with_help(&span, message, "file = \"bikes.py\"");
                }
            }
        }
        loaded
    }

    /// Refuses keys of a module where none is named.
    pub(in crate::manifest) fn check_no_functions(&mut self, table: &FunctionsTable<'_>) {
        // `without` takes away methods of all kinds
        let FunctionsTable {
            object,
            only,
            without: _,
            count,
            interpreter,
            context,
            headers,
            env,
            concurrent,
            cache,
            memory,
            run_as,
        } = table;
        let texts = [
            ("object", object),
            ("interpreter", interpreter),
            ("context", context),
            ("cache", cache),
            ("memory", memory),
            ("as", run_as),
        ];
        let mut misplaced: Vec<(&str, Range<usize>)> =
            texts.iter().filter_map(|(key, written)| Some((*key, written.as_ref()?.span.clone()))).collect();
        misplaced.extend(only.as_ref().map(|written| ("only", written.span.clone())));
        misplaced.extend(headers.as_ref().map(|written| ("headers", written.span.clone())));
        misplaced.extend(env.as_ref().map(|written| ("env", written.span.clone())));
        misplaced.extend(concurrent.as_ref().map(|written| ("concurrent", written.span.clone())));
        misplaced.extend(count.as_ref().map(|written| ("count", written.span.clone())));
        for (key, span) in misplaced {
            self.mistakes.add(&span, format!("`{key}` stands beside `module`, or in [module.PREFIX]"));
        }
    }

    pub(in crate::manifest) fn module(
        &mut self,
        prefix: Option<&str>,
        file: &str,
        span: &Range<usize>,
        table: &FunctionsTable<'_>,
        budget: &Budget,
    ) -> Option<LoadedModule> {
        let path = self.folder.join(file);
        let source = match fs::read(&path) {
            Ok(source) => source,
            Err(error) => {
                self.mistakes.add(span, format!("the module cannot be read: {error}"));
                return None;
            }
        };
        let source = String::from_utf8_lossy(&source);
        let Some((language, interpreter)) = Language::of(&path, &source) else {
            let message = format!("expected a module that ends in one of {}", Language::extensions());
            self.mistakes.add_with_help(
                span,
                message,
                "or a first line that names its interpreter: #!/usr/bin/python3",
            );
            return None;
        };
        self.check_access(&path, span);
        let is_script = self.is_script(language, &source, table);
        let launch = self.interpreter(language, interpreter, span, table)?;
        let harness = Harness {
            language,
            file: path.clone(),
            object: value(&table.object).map(str::to_owned),
            context: value(&table.context).map(str::to_owned),
            is_script,
            memory: value(&table.memory).unwrap_or(PHP_MEMORY).to_owned(),
            concurrent: value(&table.concurrent).unwrap_or(1),
            code: None,
            pycache: None,
            describes: AtomicBool::new(false),
        };
        if let Some(memory) = table.memory.as_ref().filter(|_| language != Language::Php) {
            let message = format!("`memory` is for modules of PHP, and this one is {}", language.name());
            self.mistakes.add(&memory.span, message);
        }
        let count = value(&table.count).unwrap_or(1);
        let concurrent = self.concurrent(language, table);
        let places = Places { count, concurrent, queue: budget.queue, wait: budget.wait };
        let cache = self.cache(table);
        let problem = cache.as_ref().err().cloned();
        // `check` and `serve` are for authors, who change what they have written
        let cache = cache.ok().filter(|_| !self.look.is_at_programs());
        let module = Module::new(harness, launch, places, cache);
        let started = Instant::now();
        // what fails to load is looked at again when it changes
        if self.look != ProgramCheck::Text {
            self.files.watch(path.clone());
        }
        let description = match module.description(budget.timeout) {
            Ok(description) => description,
            Err(reason) => {
                self.undescribed(language, reason, span);
                return None;
            }
        };
        let cache_span = table.cache.as_ref().map_or(span, |written| &written.span);
        self.tell_cost(problem.as_deref(), started.elapsed(), cache_span);
        if self.look != ProgramCheck::Text {
            let others = description.files.iter().map(|file| self.folder.join(file)).filter(|file| *file != path);
            others.for_each(|file| self.files.watch(file));
        }
        self.tell_notes(&description.notes, span);
        let functions = self.published(prefix, description.functions, table, span);
        let headers = texts(&table.headers).into_iter().map(|(name, _)| name.to_owned()).collect();
        Some(LoadedModule {
            prefix: prefix.map(str::to_owned),
            module,
            functions,
            script: description.script,
            only: owned(&table.only),
            without: owned(&table.without),
            headers,
            seats: count.saturating_mul(concurrent),
        })
    }

    /// Tests whether a module is a script, a program that serves XML-RPC by itself: the manifest says so, or else its
    /// code.
    fn is_script(&mut self, language: Language, source: &str, table: &FunctionsTable<'_>) -> bool {
        let is_script = match &table.run_as {
            Some(Written { value: "script", span }) if !language.has_scripts() => {
                let message = format!("no scripts of {} are known: as = \"module\"", language.name());
                self.mistakes.add(span, message);
                false
            }
            Some(written) => written.value == "script",
            None => language.is_script(source),
        };
        let of_modules = [("object", &table.object), ("context", &table.context)];
        let of_modules = of_modules.iter().filter_map(|(key, written)| Some((*key, &written.as_ref()?.span)));
        let concurrent = table.concurrent.as_ref().map(|written| ("concurrent", &written.span));
        let headers = table.headers.as_ref().map(|written| ("headers", &written.span));
        for (key, span) in of_modules.chain(concurrent).chain(headers).filter(|_| is_script) {
            let help = "as = \"module\" takes its functions, and leaves out what it does with them";
            self.mistakes.add_with_help(span, format!("`{key}` is for modules, and this is a script"), help);
        }
        is_script
    }

    /// Returns how many calls each process may have in flight.
    fn concurrent(&mut self, language: Language, table: &FunctionsTable<'_>) -> usize {
        let Some(written) = &table.concurrent else { return 1 };
        if !language.has_promises() {
            let message =
                format!("`concurrent` is for modules of Python and JavaScript, and this one is {}", language.name());
            self.mistakes.add(&written.span, message);
        }
        written.value
    }

    /// Notes a module without a description: it is as broken as a manifest.
    fn undescribed(&mut self, language: Language, reason: Undescribed, span: &Range<usize>) {
        match reason {
            Undescribed::Broken(account) => {
                let message = format!("the module cannot be loaded: {}", language.cause(&account));
                match account.trim() {
                    cause if message.ends_with(cause) => self.mistakes.add(span, message),
                    account => self.mistakes.add_with_help(span, message, account),
                }
            }
            Undescribed::NotRun(cause) => self.mistakes.add(span, format!("the module cannot be loaded: {cause}")),
        }
    }

    fn tell_notes(&mut self, notes: &[String], span: &Range<usize>) {
        if self.look.is_at_programs() {
            notes.iter().for_each(|note| self.mistakes.warn(span, note));
        }
    }

    /// Finds what runs a module.
    fn interpreter(
        &mut self,
        language: Language,
        named: Option<String>,
        span: &Range<usize>,
        table: &FunctionsTable<'_>,
    ) -> Option<Launch> {
        let environment = self.environment(&table.env);
        let folder = self.folder.to_owned();
        let launch = |name: &str| Launch {
            name: name.to_owned(),
            folder: folder.clone(),
            environment: environment.clone(),
            encoding: ProgramEncoding::UTF_8,
        };
        let own = value(&table.interpreter).map(str::to_owned).or(named);
        let found = match &own {
            Some(name) => Some(launch(name)).filter(|launch| launch.find().is_ok()),
            None => language.interpreters().iter().map(|name| launch(name)).find(|launch| launch.find().is_ok()),
        };
        if found.is_none() {
            let span = table.interpreter.as_ref().map_or(span, |written| &written.span);
            let names = own.unwrap_or_else(|| language.interpreters().join(" or "));
            let message = format!("there is no `{names}` to run {}", language.name());
            self.mistakes.add_with_help(span, message, "interpreter = \"/path/to/it\"");
        }
        found
    }

    /// Finds where descriptions are kept; the reason if nowhere.
    fn cache(&mut self, table: &FunctionsTable<'_>) -> Result<Cache, String> {
        match value(&table.cache) {
            Some("off") => Err("nothing is kept".into()),
            Some(folder) => Cache::at(&self.folder.join(folder), self.folder),
            None => Cache::find(self.folder).ok_or_else(|| "there is no folder to keep descriptions in".into()),
        }
    }

    /// Warns of what each call by CGI costs where no description is kept.
    fn tell_cost(&mut self, problem: Option<&str>, took: Duration, span: &Range<usize>) {
        if let Some(problem) = problem.filter(|_| self.look == ProgramCheck::Strictly) {
            let took = took.as_millis();
            self.mistakes
                .warn(span, format!("{problem}: each call by CGI describes the module anew, here in {took} ms"));
        }
    }

    /// Warns of a module that others may write to, or that the web server would hand out.
    fn check_access(&mut self, path: &Path, span: &Range<usize>) {
        if !self.look.is_at_programs() {
            return;
        }
        if self.htaccess.hands_out(path) && path.starts_with(self.folder) {
            let message = "the web server would hand out the module to any visitor";
            self.mistakes.warn_with_help(span, message, "a folder of its own outside of this one");
        }
    }

    /// Returns the functions of a module with the names of their methods, and which of them are public.
    fn published(
        &mut self,
        prefix: Option<&str>,
        functions: Vec<FunctionDescription>,
        table: &FunctionsTable<'_>,
        span: &Range<usize>,
    ) -> Vec<PublishedFunction> {
        let only = texts(&table.only);
        // without a prefix these are names of methods
        let without = if prefix.is_some() { texts(&table.without) } else { Vec::new() };
        for (pattern, span) in only.iter().chain(&without) {
            if !functions.iter().any(|function| matches(pattern, &function.name)) {
                let near = did_you_mean(pattern, functions.iter().map(|function| &function.name[..]));
                self.problem(span, (format!("the module has no function `{pattern}`"), near));
            }
        }
        let is_listed =
            |patterns: &[(&str, Range<usize>)], name: &str| patterns.iter().any(|(pattern, _)| matches(pattern, name));
        let mut published = Vec::new();
        for function in functions {
            if !is_method_name(&function.name) {
                let message = format!("`{}` is no name of a method, so the function is left out", function.name);
                self.tell_notes(&[message], span);
                continue;
            }
            let notes: Vec<String> = function.notes.iter().map(|note| format!("`{}`: {note}", function.name)).collect();
            self.tell_notes(&notes, span);
            let name = &function.name;
            let is_chosen = match only.is_empty() {
                true => name != "main" || function.listed,
                false => is_listed(&only, name),
            };
            let is_public = is_chosen && !is_listed(&without, name);
            let name = prefix.map_or_else(|| name.clone(), |prefix| format!("{prefix}.{name}"));
            published.push(PublishedFunction { name, function, is_public });
        }
        if !published.iter().any(|published| published.is_public) && table.only.is_none() {
            self.tell_notes(&["the module has no public function".to_owned()], span);
        }
        published
    }

    /// Makes methods of any name of a module: its function `dispatch` gets them.
    pub(in crate::manifest) fn any_name_of_module(
        &mut self,
        loaded: &LoadedModule,
        span: &Range<usize>,
        list: Option<Vec<String>>,
        terms: CallTerms,
    ) -> Option<AnyName> {
        let language = loaded.module.harness.language;
        let has = |name: &str| loaded.functions.iter().any(|published| published.function.name == name);
        if !has(DISPATCH) {
            let help = format!("a function `{DISPATCH}(name, params)`, and `{LIST_METHODS}()` for the names to list");
            self.mistakes.add_with_help(span, format!("the module has no function `{DISPATCH}`"), help);
            return None;
        }
        let listing = || match has(LIST_METHODS) {
            true => Names::Asked(LIST_METHODS, Arc::new(FunctionCalls::of_anything(language, LIST_METHODS))),
            false => Names::Fixed(Vec::new()),
        };
        Some(AnyName {
            worker: loaded.worker(),
            dialect: Box::new(move |_| Arc::new(DispatchCalls(FunctionCalls::of_anything(language, DISPATCH)))),
            prefix: String::new(),
            only: Vec::new(),
            without: Vec::new(),
            names: list.map_or_else(listing, Names::Fixed),
            terms,
        })
    }

    /// Makes methods of the functions of all modules. Takes those `[method]` tables that speak of one out of `tables`.
    pub(in crate::manifest) fn functions<'t>(
        &mut self,
        modules: &[Arc<LoadedModule>],
        tables: &mut BTreeMap<&'t str, (Range<usize>, MethodTable<'t>)>,
        tells_errors: bool,
        limits: Limits,
        budget: &Budget,
    ) -> Vec<Method> {
        let mut methods = Vec::new();
        for loaded in modules {
            for published in &loaded.functions {
                let laid_over = take_table(loaded, published, modules.len(), tables);
                // a program or worker takes its place
                if tables.contains_key(&published.name[..]) || (laid_over.is_none() && !published.is_public) {
                    continue;
                }
                let (name, table) = match &laid_over {
                    Some((name, span, table)) => {
                        self.check_laid_over(name, span, table);
                        (*name, Some(table))
                    }
                    None => (&published.name[..], None),
                };
                let tell_errors = table.and_then(|table| value(&table.tell_errors)).unwrap_or(tells_errors);
                let timeout = table.and_then(|table| value(&table.timeout)).unwrap_or(budget.timeout);
                let mut described = self.described_function(&published.function, table);
                let signatures = table.map(|table| self.signatures(table, &mut described.params)).unwrap_or_default();
                described.kinds.resize(described.params.len(), (ParamKind::Position, false));
                let mut about = self.function_about(name, &published.function, &described, table);
                let contract = Contract {
                    params: described.params,
                    more: described.more,
                    // what a table says of a function holds
                    is_unchecked: loaded.script.is_some() && table.is_none(),
                    returns: described.returns,
                    timeout,
                    max_output: budget.output,
                    limits,
                    tell_errors,
                };
                about.examples = match table.filter(|table| table.examples.is_some()) {
                    Some(table) => self.examples(table, &about, &contract, &signatures),
                    None => own_examples(&published.function.examples, &mut about, &contract),
                };
                let calls = FunctionCalls {
                    language: loaded.module.harness.language,
                    name: published.function.name.clone(),
                    params: described.kinds,
                    context: published.function.context.clone(),
                    headers: loaded.headers.clone(),
                };
                let job = Job { worker: loaded.worker(), dialect: Arc::new(calls) };
                methods.push(ManifestMethod::with_signatures(about, contract, signatures, Runner::Worker(job)));
            }
        }
        methods
    }

    /// Makes types of what a function tells, with those that a table lays over them.
    fn described_function(
        &mut self,
        function: &FunctionDescription,
        table: Option<&MethodTable<'_>>,
    ) -> DescribedFunction {
        let mut described = DescribedFunction {
            params: Vec::new(),
            kinds: Vec::new(),
            more_in_words: Vec::new(),
            more: function.params.as_ref().map_or_else(MoreParams::anything, |_| MoreParams::default()),
            returns: function.returns.as_ref().map_or_else(DataType::any, data_type),
        };
        for param in function.params.iter().flatten() {
            let of = param.of.as_ref().map_or_else(DataType::any, data_type);
            match param.kind {
                ParamKind::Rest => {
                    described.more_in_words.push(in_words("Any number of further params may follow", &param.help));
                    described.more.rest = Some(of);
                }
                ParamKind::Options => {
                    described.more_in_words.push(in_words("Params of any further names may be given", &param.help));
                    described.more.options = Some(of);
                }
                kind => {
                    described.kinds.push((kind, param.positional));
                    described.params.push(param_of(param, of));
                }
            }
        }
        if let Some(table) = table {
            self.lay_over(&mut described, table);
        }
        described
    }

    /// Notes what is wrong with a table that is laid over a function.
    fn check_laid_over(&mut self, name: &str, span: &Range<usize>, table: &MethodTable<'_>) {
        self.check_name(name, span);
        let MethodTable { success, stdin, output, env, encoding, .. } = table;
        let spans = [
            ("success", success.as_ref().map(|written| &written.span)),
            ("stdin", stdin.as_ref().map(|written| &written.span)),
            ("output", output.as_ref().map(|written| &written.span)),
            ("env", env.as_ref().map(|written| &written.span)),
            ("encoding", encoding.as_ref().map(|written| &written.span)),
        ];
        for (key, span) in spans.into_iter().filter_map(|(key, span)| Some((key, span?))) {
            self.mistakes.add(span, format!("`{key}` is for a program, and `{name}` is a function of the module"));
        }
    }

    /// Lays the types of a table over those of a function: params by their names.
    fn lay_over(&mut self, described: &mut DescribedFunction, table: &MethodTable<'_>) {
        for written in items(&table.params) {
            let Some(param_table) = written.get_ref().as_table().map(ParamTable::read) else { continue };
            let Some((name, name_span)) = text(&param_table.name) else {
                self.mistakes.add(&written.span(), "the param has no `name`");
                continue;
            };
            let Some(at) = described.params.iter().position(|param| param.name == name) else {
                let near = did_you_mean(name, described.params.iter().map(|param| &param.name[..]));
                self.problem(&name_span, (format!("the function has no param `{name}`"), near));
                continue;
            };
            if param_table.of.wire.is_some() {
                let of = self.described(&param_table.of, &written.span());
                let own = std::mem::replace(&mut described.params[at].of, of);
                described.params[at].of.keep_form(&own);
                if described.params[at].of.help.is_empty() {
                    described.params[at].of.help = own.help;
                }
            } else if let Some(help) = value(&param_table.of.help) {
                described.params[at].of.help = help.trim().to_owned();
            }
            let of = &described.params[at].of;
            if let Some(default) = value(&param_table.default).and_then(|default| self.value(default, of)) {
                described.params[at].default = Some(default);
                described.params[at].optional = true;
            }
            if let Some(optional) = value(&param_table.optional) {
                described.params[at].optional = optional;
            }
        }
        if table.returns.is_some() {
            described.returns = self.returns(table);
        }
    }

    fn function_about(
        &mut self,
        name: &str,
        function: &FunctionDescription,
        described: &DescribedFunction,
        table: Option<&MethodTable<'_>>,
    ) -> Metadata {
        let (own_title, own_rest) = match function.help.split_once("\n\n") {
            Some((title, rest)) => (title, rest),
            None => (&function.help[..], ""),
        };
        let title = table.and_then(|table| value(&table.title)).unwrap_or(own_title);
        let rest = table.and_then(|table| value(&table.help)).unwrap_or(own_rest);
        let mut help: Vec<&str> = [title, rest].into_iter().map(str::trim).filter(|text| !text.is_empty()).collect();
        help.extend(described.more_in_words.iter().map(String::as_str));
        let deprecated = match table.and_then(|table| value(&table.deprecated)).map(Spanned::get_ref) {
            Some(DeValue::String(text)) => Some(text.to_string()),
            Some(DeValue::Boolean(true)) => Some(String::new()),
            Some(DeValue::Boolean(false)) => None,
            _ => function.deprecated.clone(),
        };
        let own_faults = table.map(|table| self.faults(table, false)).filter(|faults| !faults.is_empty());
        let faults = own_faults.unwrap_or_else(|| function.faults.clone());
        let since = table.and_then(|table| value(&table.since)).map(str::to_owned).or_else(|| function.since.clone());
        let params = described.params.iter();
        let aliases = table.map(|table| texts(&table.aliases)).unwrap_or_default();
        Metadata {
            name: Cow::from(name.to_owned()),
            help: help.join("\n\n").into(),
            params: params.map(|param| (param.name.clone().into(), param.of.help.clone().into())).collect(),
            aliases: aliases.into_iter().map(|(alias, _)| alias.to_owned().into()).collect(),
            faults: faults.into_iter().map(|(code, text)| (code, text.into())).collect(),
            hidden: table.is_some_and(|table| is_set(&table.hidden)),
            deprecated: deprecated.map(Into::into),
            since: since.map(Into::into),
            is_unsafe: table.is_some_and(|table| is_set(&table.is_unsafe)),
            examples: Examples::NONE,
            location: Location::caller(),
        }
    }
}

/// The function of a module that gets calls of any name, and the one that lists names.
const DISPATCH: &str = "dispatch";
const LIST_METHODS: &str = "list_methods";

/// The types of a function, and how its params are passed.
struct DescribedFunction {
    params: Vec<Param>,
    kinds: Vec<(ParamKind, bool)>,
    more: MoreParams,
    /// What is told of these, a paragraph each.
    more_in_words: Vec<String>,
    returns: DataType,
}

/// Makes examples of those in a comment. One that does not fit stays what it was: code in the help.
fn own_examples(described: &[ExampleDescription], about: &mut Metadata, contract: &Contract) -> Examples {
    let (mut examples, mut help) = (Vec::new(), about.help.to_string());
    for example in described {
        match own_example(example, about, contract) {
            Some(example) => examples.push(example),
            None => add_code(&example.text, &mut help),
        }
    }
    about.help = help.into();
    Examples::Made(examples)
}

fn own_example(described: &ExampleDescription, about: &Metadata, contract: &Contract) -> Option<Example> {
    let value = |json| Value::of(json).ok();
    let mut positional = described.params.iter().map(value).collect::<Option<Vec<Value>>>()?;
    let values = match described.named.is_empty() {
        true => Values::ByPosition(positional),
        false => {
            let names = contract.params.iter().map(|param| param.name.clone());
            let count = positional.len();
            let mut members: Vec<(String, Value)> = names.zip(positional.drain(..)).collect();
            for (name, json) in &described.named {
                members.push((name.clone(), value(json)?));
            }
            // some had no name
            Some(Values::ByName(members)).filter(|_| count <= contract.params.len())?
        }
    };
    let (params, _) = fit(values, about, contract, &[]).ok()?;
    let result = match &described.result {
        Some(json) => Some(fit_result(value(json)?, contract).ok()?),
        None => None,
    };
    Some(Example { params, result })
}

/// Returns texts without their places.
fn owned(written: &Option<Written<Vec<SpannedText<'_>>>>) -> Vec<String> {
    texts(written).into_iter().map(|(text, _)| text.to_owned()).collect()
}

/// Returns a sentence with what the author says about it, if anything.
fn in_words(sentence: &str, help: &str) -> String {
    if help.is_empty() { format!("{sentence}.") } else { format!("{sentence}: {help}") }
}

/// Takes the `[method]` table that speaks of a function: it has neither program nor worker.
fn take_table<'t>(
    loaded: &LoadedModule,
    published: &PublishedFunction,
    modules: usize,
    tables: &mut BTreeMap<&'t str, (Range<usize>, MethodTable<'t>)>,
) -> Option<(&'t str, Range<usize>, MethodTable<'t>)> {
    let is_about = |name: &str, table: &MethodTable<'_>| {
        let is_of_module = match (value(&table.module), &loaded.prefix) {
            (Some(prefix), own) => own.as_deref() == Some(prefix),
            (None, _) => table.function.is_none() || modules == 1,
        };
        let is_function = match value(&table.function) {
            Some(function) => function == published.function.name,
            None => name == published.name,
        };
        table.run.is_none() && table.worker.is_none() && is_of_module && is_function
    };
    let name = tables.iter().find(|(name, (_, table))| is_about(name, table)).map(|(name, _)| *name)?;
    tables.remove(name).map(|(span, table)| (name, span, table))
}

/// Tests whether a pattern, which may end in `*`, is for a name.
pub(in crate::manifest) fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}

/// Tests whether a function's name can be that of a method.
fn is_method_name(name: &str) -> bool {
    let is_known = |octet: u8| octet.is_ascii_alphanumeric() || b"_.:/-".contains(&octet);
    !name.is_empty()
        && name.bytes().all(is_known)
        && !name.starts_with("rpc.")
        && !system::names().any(|taken| taken == name)
}

fn param_of(param: &ParamDescription, of: DataType) -> Param {
    let own_default = param.default.as_ref().and_then(scalar);
    Param {
        name: param.name.clone(),
        of: DataType { help: param.help.clone(), ..of },
        optional: param.optional,
        default: None,
        own_default,
        leading_dash: false,
    }
}

/// Makes the type that a description speaks of.
fn data_type(description: &TypeDescription) -> DataType {
    let mut of = DataType::of_name(&description.name).unwrap_or_else(DataType::any);
    of.help.clone_from(&description.help);
    of.or_nil |= description.or_nil;
    of.cast = description.cast;
    of.or_octets = description.or_octets;
    of.items = description.items.as_deref().map(|items| Box::new(data_type(items)));
    of.values = description.values.as_deref().map(|values| Box::new(data_type(values)));
    of.members = description.members.iter().map(member).collect();
    of.bounds.choices = description.choices.iter().filter_map(scalar).collect();
    of.bounds.minimum = description.minimum.as_ref().and_then(bound);
    of.bounds.maximum = description.maximum.as_ref().and_then(bound);
    of.bounds.max_length = description.max_length;
    // a pattern that Rust does not know is one that the function checks itself
    of.bounds.pattern = description.pattern.as_deref().and_then(|pattern| regex_lite::Regex::new(pattern).ok());
    of
}

fn member(description: &MemberDescription) -> Member {
    let mut of = description.of.as_ref().map_or_else(DataType::any, data_type);
    if !description.help.is_empty() {
        of.help.clone_from(&description.help);
    }
    Member { name: description.name.clone(), optional: description.optional, of }
}

fn scalar(value: &serde_json::Value) -> Option<Value> {
    match value {
        serde_json::Value::Bool(flag) => Some(Value::Boolean(*flag)),
        serde_json::Value::Number(number) => {
            number.as_i64().map(Value::Int).or_else(|| number.as_f64().map(Value::Double))
        }
        serde_json::Value::String(text) => Some(Value::String(text.clone())),
        _ => None,
    }
}

fn bound(value: &serde_json::Value) -> Option<Bound> {
    let number = value.as_i64().map(Number::Int).or_else(|| value.as_f64().map(Number::Double));
    number.map(Bound::from)
}

//! The keys of a manifest. Each is described here, and read here: a key's row is its reader.
//!
//! The macro makes of each table a struct of what is written under its keys, which [`read`](super::read) looks into,
//! and the list that manifests are checked against, that the JSON Schema for editors and the manual page are made of. A
//! key that nothing looks at is a field that is never read, and the compiler warns of it.

use std::ops::Range;

use serde_json::{Value as Json, json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::form::{
    AsAny, AsCount, AsFlag, AsItems, AsNamed, AsSeconds, AsText, AsTexts, Form, Key, Keys, Kind, Written, table_schema,
};
use super::mistake::Mistakes;
use crate::wire::compat::Compat;

/// The most workers of a kind, and programs at once.
pub(super) const MAX_WORKERS: i64 = 1000;
pub(super) const MAX_PROGRAMS: i64 = 10_000;

/// The largest count: more than any author means.
const MAX_COUNT: i64 = 1 << 40;

/// A table of a manifest, as it is written.
pub(super) trait Table<'t>: Sized {
    fn read(table: &'t DeTable<'t>) -> Self;

    /// Completes it by what another has under keys that it does not have.
    fn over(self, other: &Self) -> Self;

    /// Tests whether nothing is written in it.
    fn is_empty(&self) -> bool;
}

/// Reads a table that stands under a key, if there is one.
pub(super) fn inner<'t, T: Table<'t>>(value: &Option<Written<&'t Spanned<DeValue<'t>>>>) -> Option<T> {
    Some(T::read(value.as_ref()?.value.get_ref().as_table()?))
}

/// Reads the tables that stand under names of the author's choice, one after the other, with the places of these.
pub(super) fn named<'t, T: Table<'t>>(
    tables: &Option<Written<&'t DeTable<'t>>>,
) -> impl Iterator<Item = (&'t str, Range<usize>, T)> + use<'t, T> {
    let named = tables.as_ref().map(|written| written.value).into_iter().flatten();
    named.filter_map(|(name, value)| Some((name.get_ref().as_ref(), name.span(), T::read(value.get_ref().as_table()?))))
}

macro_rules! key_name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $name:literal) => {
        $name
    };
}

macro_rules! tables {
    ($(
        $(#[$doc:meta])*
        $table:ident $keys:ident $(with $shared:ident: $shared_table:ident $shared_keys:ident)? $(suggest $suggest:ident)? $(defined $definition:literal)? {
            $($field:ident $($name:literal)? : $form:ty = $kind:expr, $about:expr;)*
        }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        pub(super) struct $table<'t> {
            $(pub(super) $field: Option<Written<<$form as Form>::Value<'t>>>,)*
            $(pub(super) $shared: $shared_table<'t>,)?
        }

        pub(super) static $keys: Keys = Keys {
            own: &[$(Key { name: key_name!($field $($name)?), about: $about, kind: $kind },)*],
            shared: tables!(@option $(&$shared_keys)?),
            suggest: tables!(@suggest $($suggest)?),
            definition: tables!(@option $($definition)?),
        };

        impl<'t> Table<'t> for $table<'t> {
            fn read(table: &'t DeTable<'t>) -> $table<'t> {
                $table {
                    $($field: Written::of::<$form>(table, key_name!($field $($name)?)),)*
                    $($shared: $shared_table::read(table),)?
                }
            }

            fn over(self, other: &$table<'t>) -> $table<'t> {
                $table {
                    $($field: self.$field.or_else(|| other.$field.clone()),)*
                    $($shared: self.$shared.over(&other.$shared),)?
                }
            }

            fn is_empty(&self) -> bool {
                $(self.$field.is_none() &&)* $(self.$shared.is_empty() &&)? true
            }
        }
    )*};
    (@option) => { None };
    (@option $value:expr) => { Some($value) };
    (@suggest) => { |_, _| None };
    (@suggest $suggest:expr) => { $suggest };
}

tables! {
    /// The top level.
    ManifestTable MANIFEST with functions: FunctionsTable FUNCTIONS defined "endpoint" {
        title: AsText = Kind::Text, "The title of the page, for the browser's tab: the name unless set";
        name: AsText = Kind::Text,
            "The name of the service, which heads its page: the title unless set, or else what a script says, or the file's name";
        version: AsText = Kind::Text, "The version of the service, which its OpenRPC document names";
        documentation: AsText = Kind::Text, "The text at the head of the page, in Markdown";
        paths: AsTexts = Kind::List(&Kind::Text), "Answers at these paths of the URL only, and 404 elsewhere";
        url: AsText = Kind::Text, "The service's URL as callers see it, if requests do not tell: https://api.example";
        trusted_proxies: AsTexts = Kind::List(&Kind::Text),
            "Addresses and networks of proxies that may name the client they ask for: 127.0.0.1, 10.0.0.0/8";
        forwarded: AsText = Kind::Word(&["x-forwarded", "rfc7239"]),
            "The headers in which they name it: `x-forwarded` (X-Forwarded-For, -Proto, -Host and -Prefix) unless set, or `rfc7239` (Forwarded)";
        log: AsAny = Kind::Either(&[Kind::Text, Kind::Table(|| &LOG)]),
            "The file that the log goes to, beside standard error; a relative path begins at the manifest's folder. Or a table with `file` and `format`";
        log_calls: AsFlag = Kind::Flag, "Whether the log has a line for every call";
        tell_errors: AsFlag = Kind::Flag, TELL_ERRORS;
        nil: AsFlag = Kind::Flag, "Whether XML-RPC's results may have nil: true unless set";
        encoding: AsText = Kind::Text, "The encoding of XML-RPC's answers, as \"iso-8859-1\": UTF-8 unless set";
        compat: AsText = Kind::Word(&COMPATS),
            "The system whose faults XML-RPC's callers get, in codes and texts; its default for `nil` holds too, and exceptions tell class and text";
        large_integers_as_text: AsFlag = Kind::Flag,
            "Whether JSON has integers beyond 2^53 as strings, for clients that would round them: false unless set";
        introspection: AsFlag = Kind::Flag,
            "Whether `system.` methods and `rpc.discover` tell of the methods: true unless set; where `docs` is \"off\", `rpc.discover` only if it is set";
        doctor: AsText = Kind::Text,
            "The line that `rpcgi doctor --key` prints: its holder may ask for some days what the service sees";
        docs: AsAny = Kind::Either(&[ACCESS, Kind::Table(|| &DOCS)]),
            "Whether there is a page, or a table that configures it";
        limits: AsAny = Kind::Table(|| &LIMITS), "Limits for each request, and for all of them together";
        cors: AsAny = Kind::Table(|| &CORS), "Which pages of other sites may make calls from a browser";
        method: AsNamed = Kind::Named(&Kind::Table(|| &METHOD)), "The methods, by their names";
        worker: AsNamed = Kind::Named(&Kind::Table(|| &WORKER)), "Programs that keep running, by their names";
        fallback: AsAny = Kind::Table(|| &FALLBACK), "What answers calls of any other name";
        at: AsNamed = Kind::Named(&Kind::Table(|| &MANIFEST)),
            "More endpoints, by their paths: [at.\"/admin\"] may have the keys of the top, which hold unless it has them";
        module: AsAny = Kind::Either(&[Kind::Text, Kind::Named(&Kind::Table(|| &MODULE))]),
            "The file whose functions are methods: \"bikes.py\"; its keys stand beside it. Or several, by the prefixes of their names";
    }

    /// The page.
    PageTable DOCS {
        access: AsText = ACCESS, "Who sees the page: `public` unless set; where it is `off`, GET is answered by 405";
        try_it "try": AsText = Kind::Word(&["off", "same-origin", "on"]),
            "Whether methods can be tried on the page: `off`; `same-origin`, if the browser says that the form is from this page; `on`, also if it says nothing. Unless set, only requests from the machine itself can try them";
        assets: AsText = Kind::Word(&["inline", "linked"]),
            "Where style and script are: `inline` unless set; `linked` for sites with a Content-Security-Policy of their own";
        logo: AsText = Kind::Text,
            "A picture for the head of the page: a file, a data URI as data:image/png;base64,..., or `letter`, which makes one of the first letter of the name";
        accent: AsText = Kind::Text, "The colour of links, such as #1a5fb4; it must be readable on the page's light backgrounds";
        style: AsText = Kind::Text, "A file with a style sheet that follows the page's own";
        contact: AsText = Kind::Text, "Where to ask for help, in Markdown";
        authentication: AsText = Kind::Text, "How callers log in, in Markdown";
        noindex: AsFlag = Kind::Flag, "Whether search engines are asked to leave the page out: false unless set";
        footer: AsAny = Kind::Either(&[Kind::Flag, Kind::Text]),
            "Whether the page ends with a line that says what made it: true unless set; or the text that it ends with, in Markdown";
    }

    /// The log.
    LogTable LOG {
        file: AsText = Kind::Text, "The file that the log goes to, beside standard error";
        format: AsText = Kind::Word(&["text", "json"]),
            "The format of a line: `text` (TIME LEVEL ID TEXT) unless set, or `json` (an object)";
    }

    /// The limits.
    LimitsTable LIMITS {
        body: AsCount = Kind::Count(1, MAX_COUNT),
            "Octets of a request body, before and after decompression: 16 MiB unless set";
        depth: AsCount = Kind::Count(1, MAX_COUNT), "Arrays and structs inside one another: 64 unless set";
        members: AsCount = Kind::Count(1, MAX_COUNT),
            "Array items and struct members in one document: 500000 unless set";
        calls: AsCount = Kind::Count(1, MAX_COUNT), "Calls in one system.multicall or batch: 100 unless set";
        response: AsCount = Kind::Count(1, MAX_COUNT), "Octets of a response, before compression: 64 MiB unless set";
        memory: AsCount = Kind::Count(1, MAX_COUNT),
            "Octets that all calls may take up together, by FastCGI and `serve`: 256 MiB unless set; a document counts seven times its length";
        params: AsCount = Kind::Count(1, MAX_COUNT),
            "FastCGI: octets of the meta-variables of a request: 256 KiB unless set";
        connections: AsCount = Kind::Count(1, MAX_COUNT), "FastCGI: connections open at once: 1000 unless set";
        threads: AsCount = Kind::Count(1, MAX_COUNT),
            "FastCGI: calls at once, with those that wait: enough for `programs` and `queue` unless set";
        stall: AsSeconds = Kind::Seconds,
            "FastCGI: seconds a connection may stop in the middle of a request: 60 unless set";
        stop: AsSeconds = Kind::Seconds,
            "FastCGI: seconds to wait for methods that run when told to end: 30 unless set";
        programs: AsCount = Kind::Count(1, MAX_PROGRAMS),
            "Programs that run at once, not counting workers: 8 unless set";
        queue: AsCount = Kind::Count(0, 100_000), "Calls that wait for a program or worker, at most: 100 unless set";
        wait: AsSeconds = Kind::Seconds, "Seconds that a call waits for a program, a worker or memory: 10 unless set";
        timeout: AsSeconds = Kind::Seconds,
            "Seconds that a call may take, if its method sets no timeout: 30 unless set";
        output: AsCount = Kind::Count(1, MAX_COUNT), "Octets that a program may write for one call: 16 MiB unless set";
    }

    /// Calls by pages of other sites.
    CorsTable CORS {
        origins: AsTexts = Kind::List(&Kind::Text), "Origins as https://app.example; `*` lets all pages make calls";
    }

    /// What answers calls of any other name.
    FallbackTable FALLBACK with functions: FunctionsTable FUNCTIONS {
        worker: AsText = Kind::Text, "The worker that gets them";
        module: AsText = Kind::Text,
            "The file whose function `dispatch(name, params)` gets them; its function `list_methods()` lists names";
        list: AsTexts = Kind::List(&Kind::Text),
            "The names that are listed; a worker is asked `system.listMethods` unless set";
    }

    /// A method.
    MethodTable METHOD suggest suggest_for_method {
        title: AsText = Kind::Text, "What it does, in one line: the first paragraph of the help unless set";
        help: AsText = Kind::Text, "What it does, in Markdown";
        params: AsItems = Kind::List(&Kind::Either(&[Kind::Table(|| &PARAM), Kind::Text])),
            "What it takes, in order: tables, or texts as \"a: int\", \"b: string?\" (it may be left out)";
        signatures: AsItems = Kind::List(&Kind::List(&Kind::Type)),
            "Several ways to call it, each as `system.methodSignature` has it: [\"string\", \"int\"] takes an int and returns a string";
        aliases: AsTexts = Kind::List(&Kind::Text), "More names of it";
        returns: AsAny = TYPE, "What it gives: a type, or a table that describes it; nil unless set";
        faults: AsNamed = Kind::Named(&Kind::Text),
            "What a fault means, by its code: the exit status of the program, or the code of the worker's error";
        examples: AsItems = Kind::List(&Kind::Table(|| &EXAMPLE)),
            "Calls that make sense: [{ params = [2, 3], result = 5 }]. `rpcgi check --try` makes them";
        run: AsAny = Kind::List(&Kind::Text),
            "The program and its words; `{param}` stands for a param. No shell is involved";
        success: AsItems = Kind::List(&Kind::Count(0, 255)),
            "The exit statuses with which the program gives a result: [0] unless set";
        stdin: AsText = Kind::Text,
            "What the program reads: \"{param}\", the octets of one param, or \"json\", all of them";
        output: AsText = Kind::Word(&["text", "lines", "json", "base64"]),
            "How the result is read from what the program writes: as `text`, one scalar, for a scalar; as octets (`base64`) for base64; as `json` for the rest, unless set. `lines` is an array";
        worker: AsText = Kind::Text, "The worker that answers, instead of `run`";
        function: AsText = Kind::Text, "The function of the module that answers, if its name is another";
        module: AsText = Kind::Text, "The prefix of the module that has this function, if there are several";
        timeout: AsSeconds = Kind::Seconds, "Seconds that a call may take";
        tell_errors: AsFlag = Kind::Flag, TELL_ERRORS;
        env: AsNamed = Kind::Named(&Kind::Text), "More environment variables for the program";
        encoding: AsText = Kind::Text,
            "The encoding of the text that it reads and writes, as \"iso-8859-15\": UTF-8 unless set";
        hidden: AsFlag = Kind::Flag, "Whether it is left out of the page and of listings";
        since: AsText = Kind::Text, "The version of the service that had it first";
        is_unsafe "unsafe": AsFlag = Kind::Flag,
            "Whether it changes something: where methods can be tried, the page asks first";
        deprecated: AsAny = Kind::Either(&[Kind::Flag, Kind::Text]),
            "Whether callers should stop using it, or what to call instead, in Markdown";
    }

    /// A type that is described.
    DescribedTable DESCRIBED defined "type" {
        wire "type": AsText = Kind::Type, "The type, by its name in XML-RPC";
        help: AsText = Kind::Text, "What it means, in Markdown";
        example: AsAny = Kind::Scalar, "A realistic value, for the samples on the page";
        choices: AsItems = Kind::List(&Kind::Scalar), "The values it may have: strings or numbers";
        pattern: AsText = Kind::Text, "A regular expression that a string has to match somewhere";
        minimum: AsAny = Kind::Number, "The least a number may be";
        maximum: AsAny = Kind::Number, "The most a number may be";
        max_length: AsCount = Kind::Count(0, MAX_COUNT), "How many characters a string may have";
        members: AsNamed = Kind::Named(&MEMBER_TYPE), "The members of a struct, by their names";
        values: AsAny = TYPE, "What all members of a struct are, if they may have any names";
        items: AsAny = TYPE, "What the items of an array are";
        nil: AsFlag = Kind::Flag, "Whether it may be nil too";
    }

    /// A param.
    ParamTable PARAM with of: DescribedTable DESCRIBED suggest suggest_for_param {
        name: AsText = Kind::Text, "The name: letters, digits and underscores";
        optional: AsFlag = Kind::Flag, "Whether it may be left out, or nil";
        default: AsAny = Kind::Scalar, "The value it has when it is left out";
        leading_dash: AsFlag = Kind::Flag,
            "Whether its value may begin with `-` at the start of a word of `run`, without a `--` before it";
    }

    /// A member of a struct.
    MemberTable MEMBER with of: DescribedTable DESCRIBED defined "member" {
        optional: AsFlag = Kind::Flag, "Whether it may be left out, or nil";
    }

    /// An example of a call.
    ExampleTable EXAMPLE {
        params: AsAny = Kind::Either(&[Kind::List(&Kind::Any), Kind::Named(&Kind::Any)]),
            "The params, in order, or a table of them by their names: none unless set";
        result: AsAny = Kind::Any, "What the call gives, if that is always the same";
    }

    /// A module under a prefix.
    ModuleTable MODULE with functions: FunctionsTable FUNCTIONS {
        file: AsText = Kind::Text, "The file whose functions are methods, under PREFIX.NAME";
    }

    /// What is published of a module, and how it runs.
    FunctionsTable FUNCTIONS {
        object: AsText = Kind::Text,
            "An object of the module, or a class that is made without arguments: its public methods are meant";
        only: AsTexts = Kind::List(&Kind::Text), "The functions that are published, and no others; `*` may end a name";
        without: AsTexts = Kind::List(&Kind::Text),
            "Functions that are not published; `*` may end a name. Beside `module` itself, `system.` methods too";
        count: AsCount = Kind::Count(1, MAX_WORKERS), "How many processes run it at once: one unless set";
        interpreter: AsText = Kind::Text, "The program that runs it: \"venv/bin/python3\"";
        context: AsText = Kind::Text,
            "The param that gets the context of the call: user, groups, remote_addr, request_id, headers";
        headers: AsTexts = Kind::List(&Kind::Text), "The headers of the request that the context has: X-Api-Key";
        env: AsNamed = Kind::Named(&Kind::Text), "More environment variables for the interpreter";
        concurrent: AsCount = Kind::Count(1, MAX_WORKERS),
            "Python and JavaScript: how many calls a process may have in flight, each at an `await`: one unless set";
        cache: AsText = Kind::Text,
            "The folder where descriptions are kept between calls by CGI; \"off\" keeps none. A private one of the user unless set";
        memory: AsText = Kind::Text, "PHP: the memory that a process may take: 128M unless set";
        run_as "as": AsText = Kind::Word(&["module", "script"]),
            "What the file is: a `module` of functions, or a `script` that serves XML-RPC through its language's library; told by its code unless set";
    }

    /// A worker.
    WorkerTable WORKER {
        run: AsTexts = Kind::List(&Kind::Text), "The program and its words";
        count: AsCount = Kind::Count(1, MAX_WORKERS), "How many of them run at once, at most: one unless set";
        env: AsNamed = Kind::Named(&Kind::Text), "More environment variables for the program";
        encoding: AsText = Kind::Text,
            "The encoding of the text that it reads and writes, as \"iso-8859-15\": UTF-8 unless set";
    }
}

const TELL_ERRORS: &str = "Whether callers see error texts: the last line of standard error if `faults` does not name the exit status, and the text of a worker's internal error; false unless set";

/// The systems whose faults can be told.
const COMPATS: [&str; 4] = ["python", "twisted", "odoo", "phpxmlrpc"];

/// Returns the system of a name.
pub(super) fn compat(name: &str) -> Option<Compat> {
    match name {
        "python" => Some(Compat::Python),
        "twisted" => Some(Compat::Twisted),
        "odoo" => Some(Compat::Odoo),
        "phpxmlrpc" => Some(Compat::Phpxmlrpc),
        _ => None,
    }
}

/// The choices for access to the page.
const ACCESS: Kind = Kind::Word(&["public", "off"]);

/// A type by its name, or described.
const TYPE: Kind = Kind::Either(&[Kind::Type, Kind::Table(|| &DESCRIBED)]);
const MEMBER_TYPE: Kind = Kind::Either(&[Kind::Type, Kind::Table(|| &MEMBER)]);

/// Suggests quotes for a method's name with dots, which TOML takes for tables inside of tables.
fn suggest_for_method(word: &str, value: &DeValue<'_>) -> Option<String> {
    value.is_table().then(|| format!("a name with dots is quoted: [method.\"...{word}\"]"))
}

/// Suggests a table for a param that is written as its name.
fn suggest_for_param(_: &str, value: &DeValue<'_>) -> Option<String> {
    Some(format!("{{ name = \"{}\", type = \"string\" }}", value.as_str()?.escape_debug()))
}

/// Checks a manifest, notes every mistake in its keys and their forms, and reads it.
pub(super) fn read<'t>(table: &'t DeTable<'t>, mistakes: &mut Mistakes) -> ManifestTable<'t> {
    super::form::check_table(table, &MANIFEST, mistakes);
    ManifestTable::read(table)
}

/// Returns all keys, for people: by their tables, each with the form of its value and its purpose.
pub(crate) fn reference() -> impl Iterator<Item = (&'static str, &'static str, String, &'static str)> {
    let tables: [(&str, &'static Keys); 11] = [
        ("", &MANIFEST),
        ("[docs]", &DOCS),
        ("[log]", &LOG),
        ("[limits]", &LIMITS),
        ("[cors]", &CORS),
        ("[method.\"NAME\"]", &METHOD),
        ("A param, and what a method returns", &PARAM),
        ("An example of a call", &EXAMPLE),
        ("[worker.NAME]", &WORKER),
        ("[fallback]", &FALLBACK),
        ("[module.PREFIX]", &MODULE),
    ];
    tables
        .into_iter()
        .flat_map(|(table, keys)| keys.iter().map(move |key| (table, key.name, key.kind.expected(), key.about)))
}

/// Returns the JSON Schema of a manifest.
pub(crate) fn schema() -> Json {
    let mut schema = Json::from(table_schema(&MANIFEST));
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "A manifest of rpcgi".into();
    schema["anyOf"] = json!([{ "required": ["method"] }, { "required": ["module"] }, { "required": ["fallback"] }, { "required": ["at"] }]);
    schema["$defs"] = json!({
        "type": table_schema(&DESCRIBED), "member": table_schema(&MEMBER), "endpoint": table_schema(&MANIFEST),
    });
    schema
}

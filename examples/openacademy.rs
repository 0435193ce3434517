//! Odoo's interface for programs, in small: courses, their sessions, and notes, in SQLite.
//!
//! Several servers in one program, each at its path, as Odoo and PowerOn have them:
//!
//! * `/xmlrpc/2/common`: `version()`, and `authenticate(db, user, password, {})`, which tells the user's id;
//! * `/xmlrpc/2/object`: `execute_kw(db, uid, password, model, method, args, kw)` works with the records of a model;
//! * `/xmlrpc/common` and `/xmlrpc/object`: the same, with their older names `login` and `execute`;
//! * `/jsonrpc`: `call`, with params `{"service": "common" | "object", "method": .., "args": [..]}`, does either.
//!
//! Try it: `cargo run --example openacademy -- serve`, and in another terminal
//! `python3 tests/clients/openacademy.py http://127.0.0.1:8000`.
//!
//! The database is the file that the environment variable `OPENACADEMY_FILE` names, `openacademy.sqlite` unless set. It
//! is made when it is missing, with the user `admin` and the password `admin`: change it before clients can reach it.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use rpcgi::xmlrpc::{self, Value};
use rpcgi::{Fault, Method, Request, Server};
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params_from_iter};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[path = "../src/allocator.rs"]
mod allocator;

fn main() -> ExitCode {
    allocator::settle();
    let file = std::env::var_os("OPENACADEMY_FILE").unwrap_or_else(|| "openacademy.sqlite".into());
    remove_half_made(Path::new(&file));
    let academy = Arc::new(Academy { file: file.into(), idle: Mutex::default() });
    Server::new("Open Academy")
        .documentation(
            "Courses, their sessions, and notes. Log in at `/xmlrpc/2/common`, work at `/xmlrpc/2/object`, or do both at \
             `/jsonrpc`. As it comes, the database is `openacademy`, with the user `admin` and the password `admin`.",
        )
        .at("/xmlrpc/2/common", common(Arc::clone(&academy)))
        .at("/xmlrpc/2/object", object(Arc::clone(&academy)))
        .at("/xmlrpc/common", common(Arc::clone(&academy)))
        .at("/xmlrpc/object", object(Arc::clone(&academy)))
        .at("/jsonrpc", json(academy))
        .run()
}

fn common(academy: Arc<Academy>) -> Server {
    let other = Arc::clone(&academy);
    let login = move |db: String, user: String, password: String| other.login(&db, &user, &password);
    let login = Method::new("login", login)
        .params(["db", "user", "password"])
        .help("Tells the id of a user, which `execute` asks for, or false if there is none of that password.");
    let authenticate =
        move |db: String, user: String, password: String, _agent: Value| academy.login(&db, &user, &password);
    let authenticate = Method::new("authenticate", authenticate)
        .params(["db", "user", "password", "user_agent_env"])
        .help("Tells the id of a user, which `execute_kw` asks for, or false if there is none of that password.");
    let version = Method::new("version", Version::default).help("Tells which version of the interface this is.");
    Server::new("Open Academy: common").methods(login).methods(authenticate).methods(version)
}

/// The version, as Odoo tells it.
#[derive(Serialize, JsonSchema)]
struct Version {
    server_version: &'static str,
    server_version_info: (i32, i32, i32, &'static str, i32, &'static str),
    server_serie: &'static str,
    protocol_version: i32,
}

impl From<Version> for Value {
    fn from(version: Version) -> Value {
        let Version { server_version, server_version_info, server_serie, protocol_version } = version;
        let (major, minor, micro, level, serial, edition) = server_version_info;
        let info: Vec<Value> =
            vec![major.into(), minor.into(), micro.into(), level.into(), serial.into(), edition.into()];
        let members = [
            ("server_version", Value::from(server_version)),
            ("server_version_info", Value::Array(info)),
            ("server_serie", server_serie.into()),
            ("protocol_version", protocol_version.into()),
        ];
        Value::Struct(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

impl Default for Version {
    fn default() -> Version {
        Version {
            server_version: "1.0",
            server_version_info: (1, 0, 0, "final", 0, ""),
            server_serie: "1.0",
            protocol_version: 1,
        }
    }
}

fn object(academy: Arc<Academy>) -> Server {
    let other = Arc::clone(&academy);
    let execute = move |_: &Request, params: Vec<Value>| other.execute(params);
    let execute =
        Method::dynamic("execute", execute).help(EXECUTE_HELP).fault(DENIED, NO_USER).fault(MISSING, NO_RECORD);
    let execute_kw = move |_: &Request, params: Vec<Value>| academy.execute_kw(params);
    let execute_kw = Method::dynamic("execute_kw", execute_kw)
        .help(EXECUTE_KW_HELP)
        .fault(DENIED, NO_USER)
        .fault(MISSING, NO_RECORD);
    Server::new("Open Academy: object").methods(execute).methods(execute_kw)
}

const EXECUTE_KW_HELP: &str = "\
Works with the records of a model, with params by position and by name.

The params are database, user id, password, model, method, an array of what the method takes, and a struct of what it
takes by name. Models and methods are those of `execute`.";

const NO_USER: &str = "there is no such user, or the password is another";
const NO_RECORD: &str = "there is no such model, method, field or record, or a value does not fit its field";

const EXECUTE_HELP: &str = "\
Works with the records of a model.

The params are database, user id, password, model, method, and what the method takes. The models are
`openacademy.course` (name), `openacademy.session` (name, seats, start_date, duration, course_id), `note.note` (memo,
color, create_uid) and `res.partner` (name, is_company, comment, country_id). The methods:

* `search(domain, offset, limit, order)`: the ids of records. A domain is an array of conditions
  `[field, operator, value]`, which all must hold; the operators are `=`, `!=`, `<`, `<=`, `>`, `>=`, `like`, `ilike`
  (where `a` is `A`, but `é` not `É`), `in` and `not in`. An order is as `name desc, id`.
* `read(ids, fields)`: records as structs, with the fields named, or all. What is not set is false; a `course_id` or
  `create_uid` is an array of the id and the name.
* `search_read(domain, fields, offset, limit, order)`: both.
* `search_count(domain)`: how many there are.
* `fields_get(allfields, attributes)`: what the fields are. `check_access_rights(operation, raise_exception)`: true.
* `name_get(ids)`: arrays of the id and the name.
* `create(values)`: makes a record of a struct, and tells its id.
* `write(ids, values)` and `unlink(ids)`: change and remove records; with a course go its sessions.

What stands last may be left out.";

fn json(academy: Arc<Academy>) -> Server {
    let call = move |service: Service, method: String, args: Vec<Value>| match (service, &method[..]) {
        (Service::Common, "login") => {
            let mut arguments = Arguments::new(args);
            let (db, user): (String, String) = (arguments.take("db")?, arguments.take("user")?);
            let password: String = arguments.take("password")?;
            arguments.finish()?;
            academy.login(&db, &user, &password)
        }
        (Service::Common, "authenticate") => {
            let mut arguments = Arguments::new(args);
            let (db, user): (String, String) = (arguments.take("db")?, arguments.take("user")?);
            let (password, _agent): (String, Value) = (arguments.take("password")?, arguments.take("user_agent_env")?);
            arguments.finish()?;
            academy.login(&db, &user, &password)
        }
        (Service::Common, "version") => Ok(Value::from(Version::default())),
        (Service::Object, "execute") => academy.execute(args),
        (Service::Object, "execute_kw") => academy.execute_kw(args),
        _ => Err(Fault::new(Fault::METHOD_NOT_FOUND, format!("the service has no method \"{method}\"")).into()),
    };
    let call = Method::new("call", call)
        .params(["service", "method", "args"])
        .help("Calls a method of the service `common` or `object`.")
        .fault(DENIED, NO_USER)
        .fault(MISSING, NO_RECORD);
    Server::new("Open Academy: JSON-RPC").methods(call)
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Service {
    Common,
    Object,
}

/// The one database, by the name that callers know.
const DATABASE: &str = "openacademy";

/// Odoo's code for a caller without the right to do what they ask for.
const DENIED: i32 = 3;

/// Odoo's code for a mistake in the records or fields asked for.
const MISSING: i32 = 2;

/// The outcome of a call: a fault goes to the caller as it is, any other error to the log.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn missing(message: impl Into<String>) -> Box<dyn std::error::Error + Send + Sync> {
    Fault::new(MISSING, message).into()
}

/// The params of a call, one after the other, and those that go by name.
struct Arguments {
    by_position: std::vec::IntoIter<Value>,
    by_name: Vec<(String, Value)>,
}

impl Arguments {
    fn new(by_position: Vec<Value>) -> Arguments {
        Arguments { by_position: by_position.into_iter(), by_name: Vec::new() }
    }

    /// Returns the next value, or that of a name.
    fn next(&mut self, name: &str) -> Option<Value> {
        self.by_position.next().or_else(|| {
            let at = self.by_name.iter().position(|(known, _)| known == name)?;
            Some(self.by_name.remove(at).1)
        })
    }

    fn take<T: DeserializeOwned>(&mut self, name: &str) -> Outcome<T> {
        let value = self.next(name).ok_or_else(|| invalid(format!("expected {name}, found no more params")))?;
        Ok(xmlrpc::from_value(value).map_err(|error| invalid(format!("{name}: {error}")))?)
    }

    /// Takes a param that may be left out; as in Odoo, false stands for that.
    fn take_or_default<T: DeserializeOwned + Default>(&mut self, name: &str) -> Outcome<T> {
        match self.next(name) {
            None | Some(Value::Nil | Value::Boolean(false)) => Ok(T::default()),
            Some(value) => Ok(xmlrpc::from_value(value).map_err(|error| invalid(format!("{name}: {error}")))?),
        }
    }

    fn finish(mut self) -> Outcome<()> {
        match (self.by_position.next(), self.by_name.first()) {
            (None, None) => Ok(()),
            (Some(_), _) => Err(invalid("expected no more params, found one more").into()),
            (None, Some((name, _))) => Err(invalid(format!("expected no more params, found \"{name}\"")).into()),
        }
    }
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(Fault::INVALID_PARAMS, message)
}

/// The academy's records, and the users who may see them.
struct Academy {
    file: PathBuf,
    /// Connections that are not in use.
    idle: Mutex<Vec<Connection>>,
}

impl Academy {
    /// Does something with a connection of its own.
    fn with<T>(&self, work: impl FnOnce(&mut Connection) -> Outcome<T>) -> Outcome<T> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = idle().pop();
        let mut connection = connection.map_or_else(|| open(&self.file), Ok)?;
        let done = work(&mut connection);
        idle().push(connection);
        done
    }

    /// Tells the id of a user; as in Odoo, false if there is none.
    fn login(&self, database: &str, login: &str, password: &str) -> Outcome<Value> {
        let known = self.user("SELECT id, password FROM res_users WHERE login = ?", login)?;
        let uid = verify(known.filter(|_| database == DATABASE), password)?;
        Ok(uid.map_or(Value::Boolean(false), Value::Int))
    }

    /// Finds a user: the id, and the hash of the password.
    fn user(&self, query: &str, key: impl rusqlite::ToSql) -> Outcome<Option<(i64, String)>> {
        self.with(|connection| {
            let found = connection.query_row(query, [key], |row| Ok((row.get(0)?, row.get(1)?)));
            Ok(found.optional()?)
        })
    }

    fn execute(&self, params: Vec<Value>) -> Outcome<Value> {
        let mut arguments = Arguments::new(params);
        let (uid, model, method) = self.called(&mut arguments)?;
        self.with(|connection| model.call(connection, uid, &method, arguments))
    }

    fn execute_kw(&self, params: Vec<Value>) -> Outcome<Value> {
        let mut arguments = Arguments::new(params);
        let (uid, model, method) = self.called(&mut arguments)?;
        let mut inner = Arguments::new(arguments.take("args")?);
        if let Some(Value::Struct(members)) = arguments.next("kw") {
            inner.by_name = members.into_iter().collect();
        }
        arguments.finish()?;
        self.with(|connection| model.call(connection, uid, &method, inner))
    }

    /// Takes what every call begins with: who calls, and the method of a model.
    fn called(&self, arguments: &mut Arguments) -> Outcome<(i64, &'static Model, String)> {
        let database: String = arguments.take("database")?;
        let uid: i64 = arguments.take("user id")?;
        let password: String = arguments.take("password")?;
        let known = self.user("SELECT id, password FROM res_users WHERE id = ?", uid)?;
        let uid = verify(known.filter(|_| database == DATABASE), &password)?;
        let uid = uid.ok_or_else(|| Fault::new(DENIED, "access denied"))?;
        let model = Model::find(&arguments.take::<String>("model")?)?;
        Ok((uid, model, arguments.take("method")?))
    }
}

/// Lets a user in. An unknown user costs as much work as a wrong password, and gets the same answer.
fn verify(known: Option<(i64, String)>, password: &str) -> Outcome<Option<i64>> {
    /// The hash of no user's password, in the form and cost of all others.
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    let hash = known.as_ref().map_or(NOBODY, |(_, hash)| hash);
    let hash = PasswordHash::new(hash).map_err(|error| format!("a password is not hashed: {error}"))?;
    let is_right = Argon2::default().verify_password(password.as_bytes(), &hash).is_ok();
    Ok(known.filter(|_| is_right).map(|(uid, _)| uid))
}

/// Opens the database, and makes it if it is missing.
fn open(file: &Path) -> Outcome<Connection> {
    if !file.try_exists()? {
        create(file)?;
    }
    let connection = Connection::open(file)?;
    // another writer at the same time waits
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// Makes the database beside its place and puts it there whole: of several processes that do so at once, one wins.
fn create(file: &Path) -> Outcome<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(format!(".{}.{:?}", std::process::id(), std::thread::current().id()));
    let beside = PathBuf::from(beside);
    // a process of the same id may have left one behind
    _ = fs::remove_file(&beside);
    let connection = Connection::open(&beside)?;
    // readers do not wait for a writer, nor it for them
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.execute_batch(TABLES)?;
    let salt = SaltString::generate(&mut OsRng);
    let hash = Argon2::default().hash_password(b"admin", &salt).map_err(|error| error.to_string())?;
    let admin = "INSERT INTO res_users (login, name, password) VALUES ('admin', 'Administrator', ?)";
    connection.execute(admin, [hash.to_string()])?;
    connection.close().map_err(|(_, error)| error)?;
    let placed = fs::hard_link(&beside, file);
    fs::remove_file(&beside)?;
    match placed {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(()),
    }
}

/// Removes the half-made databases of processes that were killed: `FILE.PID.ThreadId(N)`, and what SQLite keeps beside
/// them.
fn remove_half_made(file: &Path) {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = format!("{}.", file.file_name().unwrap_or_default().to_string_lossy());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let beside = entry.file_name().to_string_lossy().into_owned();
        let process = beside.strip_prefix(&name).and_then(|rest| rest.split_once(".ThreadId("));
        let process = process.and_then(|(process, _)| process.parse::<u32>().ok());
        if process.is_some_and(|process| !Path::new(&format!("/proc/{process}")).exists()) {
            // another process may do the same at the same time
            _ = fs::remove_file(entry.path());
        }
    }
}

const TABLES: &str = "
    CREATE TABLE res_users (
        id INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT NOT NULL UNIQUE, name TEXT NOT NULL, password TEXT NOT NULL
    );
    CREATE TABLE openacademy_course (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);
    CREATE TABLE openacademy_session (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, seats INTEGER, start_date TEXT, duration REAL,
        course_id INTEGER REFERENCES openacademy_course ON DELETE CASCADE
    );
    CREATE TABLE note_note (
        id INTEGER PRIMARY KEY AUTOINCREMENT, memo TEXT, color INTEGER, create_uid INTEGER REFERENCES res_users
    );
    CREATE TABLE res_country (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);
    CREATE TABLE res_partner (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, is_company INTEGER, comment TEXT,
        country_id INTEGER REFERENCES res_country
    );
    INSERT INTO res_country (name) VALUES ('Belgium'), ('Poland');
    INSERT INTO res_partner (name, is_company, country_id) VALUES ('Agrolait', 1, 1), ('Ann Kowalska', NULL, 2);
    INSERT INTO openacademy_course (name) VALUES ('Functional Training'), ('Technical Training');
    INSERT INTO openacademy_session (name, seats, start_date, duration, course_id) VALUES
        ('First functional session', 20, '2026-09-07', 3, 1),
        ('Second functional session', 15, '2026-10-05', 3, 1),
        ('First technical session', 10, '2026-09-14', 5, 2);
";

/// A kind of records.
struct Model {
    name: &'static str,
    table: &'static str,
    /// Beside `id`.
    fields: &'static [Field],
}

struct Field {
    name: &'static str,
    kind: Kind,
    required: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Flag,
    Integer,
    Number,
    /// `YYYY-MM-DD`.
    Date,
    /// The id of a record in this table.
    Record(&'static str),
}

const MODELS: [Model; 4] = [
    Model { name: "openacademy.course", table: "openacademy_course", fields: &[Field::required("name", Kind::Text)] },
    Model {
        name: "openacademy.session",
        table: "openacademy_session",
        fields: &[
            Field::required("name", Kind::Text),
            Field::new("seats", Kind::Integer),
            Field::new("start_date", Kind::Date),
            Field::new("duration", Kind::Number),
            Field::new("course_id", Kind::Record("openacademy_course")),
        ],
    },
    Model {
        name: "note.note",
        table: "note_note",
        fields: &[
            Field::new("memo", Kind::Text),
            Field::new("color", Kind::Integer),
            Field::new("create_uid", Kind::Record("res_users")),
        ],
    },
    Model {
        name: "res.partner",
        table: "res_partner",
        fields: &[
            Field::required("name", Kind::Text),
            Field::new("is_company", Kind::Flag),
            Field::new("comment", Kind::Text),
            Field::new("country_id", Kind::Record("res_country")),
        ],
    },
];

const ID: Field = Field::new("id", Kind::Integer);

impl Kind {
    /// Returns Odoo's name of it.
    fn name(self) -> &'static str {
        match self {
            Kind::Text => "char",
            Kind::Flag => "boolean",
            Kind::Integer => "integer",
            Kind::Number => "float",
            Kind::Date => "date",
            Kind::Record(_) => "many2one",
        }
    }
}

impl Field {
    const fn new(name: &'static str, kind: Kind) -> Field {
        Field { name, kind, required: false }
    }

    const fn required(name: &'static str, kind: Kind) -> Field {
        Field { name, kind, required: true }
    }

    /// Converts a value for the database.
    fn cell(&self, value: Value) -> Outcome<Cell> {
        let expected = match (self.kind, value) {
            (_, Value::Nil | Value::Boolean(false)) => return Ok(Cell::Null),
            (Kind::Flag, Value::Boolean(flag)) => return Ok(flag.into()),
            (Kind::Text, Value::String(text)) => return Ok(text.into()),
            (Kind::Integer | Kind::Record(_), Value::Int(number)) => return Ok(number.into()),
            (Kind::Number, Value::Int(number)) => return Ok((number as f64).into()),
            (Kind::Number, Value::Double(number)) => return Ok(number.into()),
            (Kind::Date, Value::DateTime(date)) => return Ok(date.date().to_string().into()),
            (Kind::Date, Value::String(text)) if is_date(&text) => return Ok(text.into()),
            (Kind::Flag, _) => "a boolean",
            (Kind::Text, _) => "a string",
            (Kind::Integer | Kind::Record(_), _) => "an int",
            (Kind::Number, _) => "a double",
            (Kind::Date, _) => "a date as 2026-11-22",
        };
        Err(missing(format!("field {}: expected {expected}", self.name)))
    }

    /// Returns what to select to read the field: the value, and the name of the record it refers to.
    fn columns(&self) -> String {
        match self.kind {
            Kind::Record(table) => format!("{0}, (SELECT name FROM {table} WHERE id = {0})", self.name),
            _ => format!("{}, NULL", self.name),
        }
    }
}

fn is_date(text: &str) -> bool {
    text.len() == "YYYY-MM-DD".len() && format!("{text}T00:00:00").parse::<rpcgi::DateTime>().is_ok()
}

/// Converts a cell for callers: what is not set is false.
fn value(cell: Cell, kind: Kind) -> Value {
    match cell {
        Cell::Null => Value::Boolean(false),
        Cell::Integer(number) if matches!(kind, Kind::Flag) => Value::Boolean(number != 0),
        Cell::Integer(number) => number.into(),
        Cell::Real(number) => number.into(),
        Cell::Text(text) => text.into(),
        Cell::Blob(octets) => rpcgi::Base64(octets).into(),
    }
}

/// A part of a query, and the values of its question marks.
struct Clause {
    sql: String,
    cells: Vec<Cell>,
}

/// The limit for conditions, terms of an order, and values of `in`: as many as a caller needs.
const MAX_ITEMS: usize = 500;

fn check_count(what: &str, count: usize) -> Outcome<()> {
    match count {
        0..=MAX_ITEMS => Ok(()),
        _ => Err(invalid(format!("{what}: expected {MAX_ITEMS} at most, found {count}")).into()),
    }
}

fn question_marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// Reads a list of ids, or one id.
fn ids(value: Value) -> Outcome<Vec<i64>> {
    let ids = match value {
        Value::Int(id) => vec![id],
        ids => xmlrpc::from_value(ids).map_err(|error| invalid(format!("ids: {error}")))?,
    };
    Ok(ids)
}

impl Model {
    fn find(name: &str) -> Outcome<&'static Model> {
        let found = MODELS.iter().find(|model| model.name == name);
        found.ok_or_else(|| missing(format!("there is no model \"{name}\"")))
    }

    fn field(&self, name: &str) -> Outcome<&Field> {
        let found = self.fields.iter().chain([&ID]).find(|field| field.name == name);
        found.ok_or_else(|| missing(format!("{} has no field \"{name}\"", self.name)))
    }

    fn call(&self, connection: &mut Connection, uid: i64, method: &str, mut arguments: Arguments) -> Outcome<Value> {
        match method {
            "search" => {
                let found = self.search(connection, arguments.take_or_default("domain")?, arguments)?;
                Ok(Value::Array(found.into_iter().map(Value::Int).collect()))
            }
            "search_count" => {
                let found = self.search(connection, arguments.take_or_default("domain")?, arguments)?;
                Ok(i64::try_from(found.len())?.into())
            }
            "check_access_rights" => {
                let _operation: String = arguments.take("operation")?;
                let _raises: bool = arguments.take_or_default("raise_exception")?;
                arguments.finish()?;
                Ok(true.into())
            }
            "fields_get" => {
                let names: Vec<String> = arguments.take_or_default("allfields")?;
                let attributes: Vec<String> = arguments.take_or_default("attributes")?;
                arguments.finish()?;
                Ok(self.fields_told(&names, &attributes))
            }
            "name_get" => {
                let ids = ids(arguments.take("ids")?)?;
                arguments.finish()?;
                self.names(connection, &ids)
            }
            "read" => {
                let ids = ids(arguments.take("ids")?)?;
                let fields: Vec<String> = arguments.take_or_default("fields")?;
                arguments.finish()?;
                self.read(connection, &ids, &fields)
            }
            "search_read" => {
                let domain = arguments.take_or_default("domain")?;
                let fields: Vec<String> = arguments.take_or_default("fields")?;
                let found = self.search(connection, domain, arguments)?;
                self.read(connection, &found, &fields)
            }
            "create" => {
                let values = arguments.take("values")?;
                arguments.finish()?;
                self.create(connection, uid, values)
            }
            "write" => {
                let ids = ids(arguments.take("ids")?)?;
                let values = arguments.take("values")?;
                arguments.finish()?;
                self.write(connection, &ids, values)
            }
            "unlink" => {
                let ids = ids(arguments.take("ids")?)?;
                arguments.finish()?;
                self.change(connection, &ids, Clause { sql: format!("DELETE FROM {}", self.table), cells: Vec::new() })
            }
            _ => Err(missing(format!("{} has no method \"{method}\"", self.name))),
        }
    }

    /// Tells what fields are: those of these names, or all; by these attributes, or all.
    fn fields_told(&self, names: &[String], attributes: &[String]) -> Value {
        let is_wanted = |wanted: &[String], name: &str| wanted.is_empty() || wanted.iter().any(|known| known == name);
        let told = |field: &Field| {
            let attributes = [("type", field.kind.name()), ("string", field.name), ("help", "")]
                .into_iter()
                .filter(|(name, _)| is_wanted(attributes, name))
                .map(|(name, text)| (name.to_owned(), Value::from(text)));
            Value::Struct(attributes.collect())
        };
        let fields = self.fields.iter().chain([&ID]).filter(|field| is_wanted(names, field.name));
        Value::Struct(fields.map(|field| (field.name.to_owned(), told(field))).collect())
    }

    /// Returns pairs of the id and the name of records.
    fn names(&self, connection: &Connection, ids: &[i64]) -> Outcome<Value> {
        let Value::Array(records) = self.read(connection, ids, &["name".to_owned()])? else {
            return Ok(Value::Array(Vec::new()));
        };
        let pair = |record: Value| {
            let of = |name: &str| record.member(name).cloned().unwrap_or(Value::Boolean(false));
            Value::Array(vec![of("id"), of("name")])
        };
        Ok(Value::Array(records.into_iter().map(pair).collect()))
    }

    fn search(&self, connection: &Connection, domain: Vec<Value>, mut arguments: Arguments) -> Outcome<Vec<i64>> {
        let offset: Option<i64> = arguments.take_or_default("offset")?;
        let limit: Option<i64> = arguments.take_or_default("limit")?;
        let order: String = arguments.take_or_default("order")?;
        arguments.finish()?;
        if let Some(number) = [offset, limit].into_iter().flatten().find(|number| *number < 0) {
            return Err(invalid(format!("offset and limit: expected 0 or more, found {number}")).into());
        }
        let Clause { sql, mut cells } = self.conditions(domain)?;
        let query =
            format!("SELECT id FROM {} WHERE {sql} ORDER BY {} LIMIT ? OFFSET ?", self.table, self.order(&order)?);
        // to SQLite, a negative limit is none
        cells.extend([limit.unwrap_or(-1).into(), offset.unwrap_or(0).into()]);
        let mut query = connection.prepare_cached(&query)?;
        let found = query.query_map(params_from_iter(cells), |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn conditions(&self, domain: Vec<Value>) -> Outcome<Clause> {
        check_count("domain", domain.len())?;
        let mut all = Clause { sql: "true".into(), cells: Vec::new() };
        for condition in domain {
            let condition: (String, String, Value) =
                xmlrpc::from_value(condition).map_err(|error| invalid(format!("domain: {error}")))?;
            let Clause { sql, cells } = self.condition(condition)?;
            all.sql += &format!(" AND {sql}");
            all.cells.extend(cells);
            check_count("domain", all.cells.len())?;
        }
        Ok(all)
    }

    fn condition(&self, (name, operator, value): (String, String, Value)) -> Outcome<Clause> {
        let field = self.field(&name)?;
        let compare = |sql: &str| sql.replace("FIELD", field.name);
        let (sql, cells) = match (&operator[..], value) {
            ("in" | "not in", Value::Array(values)) => {
                let all = values.into_iter().map(|value| field.cell(value)).collect::<Outcome<Vec<_>>>()?;
                let cells: Vec<Cell> = all.iter().filter(|cell| **cell != Cell::Null).cloned().collect();
                // in SQL, comparing with NULL gives neither true nor false
                let nothing_fits = (operator == "in") == all.contains(&Cell::Null);
                let (nothing, join) = if nothing_fits { ("IS NULL", "OR") } else { ("IS NOT NULL", "AND") };
                (format!("({name} {operator} ({}) {join} {name} {nothing})", question_marks(cells.len())), cells)
            }
            ("=", value) => (compare("FIELD IS ?"), vec![field.cell(value)?]),
            ("!=", value) => (compare("FIELD IS NOT ?"), vec![field.cell(value)?]),
            ("<" | "<=" | ">" | ">=", value) => (format!("{name} {operator} ?"), vec![field.cell(value)?]),
            ("like", value) => (compare("instr(FIELD, ?) > 0"), vec![field.cell(value)?]),
            ("ilike", value) => (compare("instr(lower(FIELD), lower(?)) > 0"), vec![field.cell(value)?]),
            _ => return Err(missing(format!("field {name}: there is no operator \"{operator}\" for this value"))),
        };
        Ok(Clause { sql, cells })
    }

    fn order(&self, order: &str) -> Outcome<String> {
        check_count("order", order.split(',').count())?;
        let mut terms = Vec::new();
        for term in order.split(',').filter(|term| !term.trim().is_empty()) {
            let (name, direction) = term.trim().split_once(' ').unwrap_or((term.trim(), "asc"));
            let direction = match &direction.trim().to_lowercase()[..] {
                "asc" => "ASC",
                "desc" => "DESC",
                other => return Err(missing(format!("order: expected asc or desc, found \"{other}\""))),
            };
            terms.push(format!("{} {direction}", self.field(name)?.name));
        }
        terms.push("id".into());
        Ok(terms.join(", "))
    }

    fn read(&self, connection: &Connection, ids: &[i64], fields: &[String]) -> Outcome<Value> {
        let mut wanted = Vec::new();
        for name in fields {
            wanted.push(self.field(name)?.name);
        }
        let is_wanted = |field: &&Field| wanted.is_empty() || wanted.contains(&field.name);
        let fields: Vec<&Field> = self.fields.iter().filter(is_wanted).collect();
        let columns: Vec<String> = fields.iter().map(|field| field.columns()).collect();
        let columns = [&["id".to_owned()], &columns[..]].concat().join(", ");
        let mut query = connection.prepare_cached(&format!("SELECT {columns} FROM {} WHERE id = ?", self.table))?;
        let mut records = Vec::with_capacity(ids.len());
        for id in ids {
            let record = query.query_row([id], |row| {
                let mut members = vec![("id".to_owned(), Value::Int(row.get(0)?))];
                for (index, field) in fields.iter().enumerate() {
                    let (cell, name): (Cell, Option<String>) = (row.get(1 + 2 * index)?, row.get(2 + 2 * index)?);
                    let value = value(cell, field.kind);
                    let value = match name {
                        Some(name) => Value::Array(vec![value, name.into()]),
                        None => value,
                    };
                    members.push((field.name.to_owned(), value));
                }
                Ok(Value::Struct(members.into()))
            });
            records.push(record.optional()?.ok_or_else(|| missing(format!("{} has no record {id}", self.name)))?);
        }
        Ok(Value::Array(records))
    }

    /// Returns the fields and cells of a struct of values.
    fn cells(&self, values: Value) -> Outcome<(Vec<&Field>, Vec<Cell>)> {
        let Value::Struct(members) = values else {
            return Err(invalid(format!("values: expected struct, found {}", values.type_name())).into());
        };
        let (mut fields, mut cells) = (Vec::new(), Vec::new());
        for (name, value) in members {
            let field = self.field(&name)?;
            let cell = field.cell(value)?;
            if field.required && cell == Cell::Null || field.name == ID.name {
                return Err(missing(format!("field {name}: it cannot be set to this")));
            }
            if fields.iter().any(|known: &&Field| known.name == name) {
                return Err(missing(format!("field {name}: expected one value, found another")));
            }
            fields.push(field);
            cells.push(cell);
        }
        Ok((fields, cells))
    }

    fn create(&self, connection: &Connection, uid: i64, values: Value) -> Outcome<Value> {
        let (mut fields, mut cells) = self.cells(values)?;
        let lacks = |fields: &[&Field], name: &str| !fields.iter().any(|field| field.name == name);
        if let Some(field) = self.fields.iter().find(|field| field.required && lacks(&fields, field.name)) {
            return Err(missing(format!("field {}: expected a value, found none", field.name)));
        }
        if let Ok(field) = self.field("create_uid")
            && lacks(&fields, field.name)
        {
            fields.push(field);
            cells.push(uid.into());
        }
        let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
        let query = match names.is_empty() {
            true => format!("INSERT INTO {} DEFAULT VALUES", self.table),
            false => {
                format!("INSERT INTO {} ({}) VALUES ({})", self.table, names.join(", "), question_marks(names.len()))
            }
        };
        connection.execute(&query, params_from_iter(cells)).map_err(constraint)?;
        Ok(connection.last_insert_rowid().into())
    }

    fn write(&self, connection: &mut Connection, ids: &[i64], values: Value) -> Outcome<Value> {
        let (fields, cells) = self.cells(values)?;
        let changes: Vec<String> = fields.iter().map(|field| format!("{} = ?", field.name)).collect();
        // nothing is changed, but the records must be there
        let changes = if changes.is_empty() { "id = id".into() } else { changes.join(", ") };
        self.change(connection, ids, Clause { sql: format!("UPDATE {} SET {changes}", self.table), cells })
    }

    /// Changes all of these records, or none.
    fn change(&self, connection: &mut Connection, ids: &[i64], change: Clause) -> Outcome<Value> {
        check_count("ids", ids.len())?;
        let ids: BTreeSet<i64> = ids.iter().copied().collect();
        let cells = change.cells.into_iter().chain(ids.iter().map(|id| Cell::Integer(*id)));
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let query = format!("{} WHERE id IN ({})", change.sql, question_marks(ids.len()));
        let changed = transaction.execute(&query, params_from_iter(cells)).map_err(constraint)?;
        if changed < ids.len() {
            let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
            return Err(missing(format!("{} has not all of the records {}", self.name, ids.join(", "))));
        }
        transaction.commit()?;
        Ok(Value::Boolean(true))
    }
}

/// Tells the caller of a violated constraint; other errors stay internal.
fn constraint(error: rusqlite::Error) -> Box<dyn std::error::Error + Send + Sync> {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::ConstraintViolation) => missing("a record that is referred to is not there"),
        _ => error.into(),
    }
}

//! Bounds that schemars knows of types are kept before a method runs, and faults say where in a param they are.

use std::collections::BTreeMap;

use rpcgi::xmlrpc::{self, Value};
use rpcgi::{Endpoint, Method, Server, method, methods};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

#[derive(Deserialize, JsonSchema)]
struct Author {
    #[schemars(length(min = 1, max = 5))]
    name: String,
    #[schemars(range(min = 1, max = 120))]
    age: Option<u8>,
}

#[derive(Deserialize, JsonSchema)]
struct Book {
    #[schemars(length(min = 1, max = 2))]
    authors: Vec<Author>,
    #[schemars(regex(pattern = r"^[0-9]{3}$"))]
    #[serde(default)]
    isbn: Option<String>,
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 100))]
    #[serde(default)]
    price: Option<f64>,
    #[schemars(extend("enum" = ["cloth", "paper", null]))]
    #[serde(default)]
    cover: Option<String>,
    #[serde(default)]
    #[allow(dead_code)]
    tags: BTreeMap<String, Author>,
}

/// A type inside of itself.
#[derive(Deserialize, JsonSchema)]
struct Tree {
    #[schemars(range(max = 9))]
    #[allow(dead_code)]
    value: i32,
    #[serde(default)]
    #[allow(dead_code)]
    children: Vec<Tree>,
}

/// An enum with data, told apart by a tag.
#[derive(Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Shape {
    Circle {
        #[schemars(range(min = 1))]
        #[allow(dead_code)]
        radius: i32,
    },
    Square {
        #[allow(dead_code)]
        radius: i32,
    },
}

/// A type without bounds, though its schema tells of ranges.
#[derive(Deserialize, JsonSchema)]
struct Plain {
    #[allow(dead_code)]
    small: u8,
    #[allow(dead_code)]
    colour: Colour,
    point: (i32, i32),
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Colour {
    Red,
    /// Also called by another name.
    #[serde(alias = "noir")]
    Black,
}

#[method]
fn add(book: Book) -> usize {
    let Book { authors, isbn, price, cover, .. } = book;
    let years: usize = authors.iter().filter_map(|author| author.age).map(usize::from).sum();
    years
        + authors.iter().map(|author| author.name.len()).sum::<usize>()
        + isbn.map_or(0, |isbn| isbn.len())
        + usize::from(price.is_some())
        + usize::from(cover.is_some())
}

#[method]
fn grow(_tree: Tree) -> bool {
    true
}

#[method]
fn draw(_shape: Shape, _more: Option<Vec<Shape>>) -> bool {
    true
}

#[method]
fn plain(plain: Plain) -> i32 {
    plain.point.1
}

fn endpoint() -> Endpoint {
    let nameless = Method::new("nameless", |book: Book| book.authors.len());
    Server::new("Test").methods(methods![add, grow, draw, plain]).methods(nameless).build().unwrap()
}

/// Returns the error of a call by JSON-RPC, or its result.
fn by_json(method: &str, params: Json) -> Result<Json, (String, Json)> {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let answer: Json = serde_json::from_slice(&endpoint().handle_document(call.as_bytes())).unwrap();
    match answer.get("error") {
        None => Ok(answer["result"].clone()),
        Some(error) => {
            assert_eq!(error["code"], -32602, "{error}");
            Err((error["message"].as_str().unwrap().to_owned(), error["data"].clone()))
        }
    }
}

/// Makes the same call by XML-RPC; returns the result, or the fault's text.
fn by_xml(method: &str, params: &Json) -> Result<Value, String> {
    let call = xmlrpc::call_to_vec(method, params).unwrap();
    xmlrpc::response_from_slice::<Value>(&endpoint().handle_document(&call)).unwrap().map_err(|fault| fault.message)
}

/// Returns a message without its place in the text.
fn without_position(message: &str) -> &str {
    message.split(" at line ").next().unwrap()
}

#[test]
fn what_is_within_them_is_taken() {
    let ann = json!({ "name": "Ann", "age": 5 });
    for (book, expected) in [
        (json!({ "authors": [ann] }), 8),
        (json!({ "authors": [{ "name": "Änne5", "age": null }], "isbn": "123", "price": 99.5 }), 10),
        (json!({ "authors": [ann], "cover": "paper", "tags": { "x": ann } }), 9),
        (json!({ "authors": [ann], "cover": null, "isbn": null, "price": 1 }), 9),
    ] {
        assert_eq!(by_json("add", json!([book])), Ok(json!(expected)), "{book}");
        assert_eq!(by_xml("add", &json!([book])), Ok(Value::Int(expected)), "{book}");
    }
    assert_eq!(by_json("add", json!({ "book": { "authors": [ann] } })), Ok(json!(8)));
    assert_eq!(by_json("grow", json!([{ "value": 9, "children": [{ "value": 1 }] }])), Ok(json!(true)));
    assert_eq!(by_json("draw", json!([{ "kind": "circle", "radius": 1 }])), Ok(json!(true)));
    assert_eq!(by_json("draw", json!([{ "kind": "square", "radius": 0 }, null])), Ok(json!(true)));
    assert_eq!(by_json("plain", json!([{ "small": 255, "colour": "noir", "point": [1, 2] }])), Ok(json!(2)));
}

#[test]
fn what_is_beyond_them_is_refused_before_the_method_runs() {
    let ann = json!({ "name": "Ann" });
    for (book, path, message) in [
        (json!({ "authors": [] }), "book.authors", "expected an array of at least 1 item, found 0"),
        (json!({ "authors": [ann, ann, ann] }), "book.authors", "expected an array of at most 2 items, found 3"),
        (
            json!({ "authors": [ann, { "name": "" }] }),
            "book.authors[1].name",
            "expected a string of at least 1 character, found 0",
        ),
        (
            json!({ "authors": [{ "name": "Änne56" }] }),
            "book.authors[0].name",
            "expected a string of at most 5 characters, found 6",
        ),
        (
            json!({ "authors": [{ "name": "A", "age": 121 }] }),
            "book.authors[0].age",
            "expected a number of at most 120, found 121",
        ),
        (
            json!({ "authors": [ann], "isbn": "12" }),
            "book.isbn",
            "expected a string that matches ^[0-9]{3}$, found \"12\"",
        ),
        (json!({ "authors": [ann], "price": 0 }), "book.price", "expected a number of more than 0, found 0"),
        (json!({ "authors": [ann], "price": 100.0 }), "book.price", "expected a number of less than 100, found 100"),
        (
            json!({ "authors": [ann], "cover": "wood" }),
            "book.cover",
            "expected \"cloth\" or \"paper\" or nil, found \"wood\"",
        ),
        (
            json!({ "authors": [ann], "tags": { "x": { "name": "" } } }),
            "book.tags.x.name",
            "expected a string of at least 1 character, found 0",
        ),
        // values of another type do not reach the method either
        (json!({ "authors": [ann, { "name": 5 }] }), "book.authors[1].name", "expected string, found int 5"),
        (
            json!({ "authors": [{ "age": 5 }] }),
            "book.authors[0]",
            "expected struct with member \"name\", found none of that name",
        ),
    ] {
        let expected = format!("method \"add\" param 1 \"book\", in {path}: {message}");
        let (found, data) = by_json("add", json!([book])).unwrap_err();
        assert_eq!(without_position(&found), expected);
        assert_eq!((&data["param"], &data["path"]), (&"book".into(), &path.into()));
        assert_eq!(without_position(&by_xml("add", &json!([book])).unwrap_err()), expected);
    }
    let (found, data) = by_json("nameless", json!([{ "authors": [{ "name": "" }] }])).unwrap_err();
    assert!(found.contains(" param 1, in p1.authors[0].name: "), "{found}");
    assert_eq!(data["path"], "p1.authors[0].name");
    let (found, _) = by_json("grow", json!([{ "value": 1, "children": [{ "value": 10 }] }])).unwrap_err();
    assert!(found.contains("in tree.children[0].value: expected a number of at most 9, found 10"), "{found}");
    let (found, _) = by_json("draw", json!([{ "kind": "circle", "radius": 0 }])).unwrap_err();
    assert!(found.contains("in shape.radius: expected a number of at least 1, found 0"), "{found}");
    let more = json!([{ "kind": "square", "radius": 0 }, [{ "kind": "circle", "radius": 0 }]]);
    let (found, data) = by_json("draw", more).unwrap_err();
    assert!(found.contains("in more[0].radius: "), "{found}");
    assert_eq!(data["path"], "more[0].radius");
}

/// A variant that serde reads where several are possible, keys that are numbers, and arrays for structs.
#[test]
fn no_way_around_them() {
    #[derive(Deserialize, JsonSchema)]
    #[serde(untagged)]
    #[allow(dead_code)]
    enum Either {
        Small {
            #[schemars(range(max = 10))]
            n: u8,
        },
        Large {
            n: u32,
        },
    }

    let by_number = Method::new("byNumber", |authors: BTreeMap<u32, Author>| authors.len());
    let either = Method::new("either", |_: Either| true);
    let endpoint = Server::new("Test").methods(methods![draw]).methods(by_number).methods(either).build().unwrap();
    let answer = |method: &str, params: Json| {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        String::from_utf8(endpoint.handle_document(call.as_bytes())).unwrap()
    };
    assert!(answer("byNumber", json!([{ "1": { "name": "Ann" } }])).contains("\"result\":1"));
    let refused = answer("byNumber", json!([{ "1": { "name": "Ann", "age": 121 } }]));
    assert!(refused.contains("in p1.1.age: expected a number of at most 120, found 121"), "{refused}");
    let refused = answer("draw", json!([["circle", 0]]));
    assert!(refused.contains("expected struct, found array"), "{refused}");
    assert!(answer("either", json!([{ "n": 10 }])).contains("\"result\":true"));
    assert!(answer("either", json!([{ "n": 1000 }])).contains("\"result\":true"));
    let refused = answer("either", json!([{ "n": 200 }]));
    assert!(refused.contains("in p1.n: expected a number of at most 10, found 200"), "{refused}");
}

/// Types without bounds are read as ever, and their faults have a path too, in every format.
#[test]
fn paths_without_bounds() {
    for (plain, path, message) in [
        (
            json!({ "small": 256, "colour": "red", "point": [1, 2] }),
            ".small",
            "expected an integer from 0 to 255, found 256",
        ),
        (
            json!({ "small": 1, "colour": "green", "point": [1, 2] }),
            ".colour",
            "expected \"red\" or \"black\" or \"noir\", found \"green\"",
        ),
        (json!({ "small": 1, "colour": "red", "point": [1, "2"] }), ".point[1]", "expected int, found string"),
    ] {
        let expected = format!("method \"plain\" param 1 \"plain\", in plain{path}: {message}");
        let (found, data) = by_json("plain", json!([plain])).unwrap_err();
        assert!(found.starts_with(&expected), "{found} is not {expected}");
        assert_eq!(data["path"], format!("plain{path}"));
        let found = by_xml("plain", &json!([plain])).unwrap_err();
        assert!(found.starts_with(&expected), "{found} is not {expected}");
        // the same inside of several calls, where the params are values
        let call = json!([{ "methodName": "plain", "params": [plain] }]);
        let found = by_xml("system.multicall", &json!([call])).unwrap();
        assert!(format!("{found:?}").contains(&format!("in plain{path}: ")), "{found:?}");
    }
    // value before name, in XML
    let document = "<methodCall><methodName>plain</methodName><params><param><value><struct><member><value><array><data>\
        <value>x</value></data></array></value><name>point</name></member></struct></value></param></params></methodCall>";
    let answer = endpoint().handle_document(document.as_bytes());
    assert!(String::from_utf8(answer).unwrap().contains("in plain.point[0]: expected int, found string"));
    // a mistake that a type has recovered from is forgotten
    let (found, data) = by_json("plain", json!([5])).unwrap_err();
    assert!(found.contains("param 1 \"plain\": expected struct, found int 5"), "{found}");
    assert_eq!(data.get("path"), None);
}

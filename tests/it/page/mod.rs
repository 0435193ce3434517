//! The page on GET.

mod both;
mod browser;
mod browsing;
mod local;
mod pictures;
mod samples;
mod states;
mod trying;

use std::collections::BTreeMap;

use base64::Engine;
use rpcgi::{Docs, Endpoint, Method, Registry, Request, Response, Server, Service, TryIt, method, methods};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The pockets that a ball may lie in.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Colour {
    Red,
    Black,
}

/// A ball.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Ball {
    /// how heavy, in *grams*
    weight: f64,
    colour: Colour,
    /// who owns it
    owner: Option<String>,
}

/// Throws balls.
///
/// Returns where they fell. See catch(1) and RFC 1952.
///
/// * one
/// * two
#[method(name = "balls.throw", fault(4, "the wind is *too* strong"))]
fn throw(
    /// what to throw
    balls: Vec<Ball>,
    /// how *far*
    distance: Option<i32>,
) -> BTreeMap<String, Ball> {
    let _ = (balls, distance);
    BTreeMap::new()
}

/// Catches.
#[method]
fn catch(ball: Ball) -> Ball {
    ball
}

fn server() -> Server {
    Server::new("Balls & Co")
        .title("Balls <for> all")
        .at("/below", Server::new("Below & after"))
        .paths(["/RPC2"])
        .documentation("See throw and catch(1), or http://balls.example/.")
        .methods(methods![throw, catch])
        .mount("a", Registry::new().mount("b", Registry::new().method("c", || 1)))
}

fn get(endpoint: &Endpoint, method: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = http::Request::builder().method(method).uri("/RPC2?x=y").header("host", "balls.example:8000");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    endpoint.handle(&request.body(Vec::new()).unwrap().into())
}

fn page(endpoint: &Endpoint) -> String {
    String::from_utf8(get(endpoint, "GET", &[]).body.into()).unwrap()
}

fn header(response: &Response, name: &str) -> String {
    response.header(&name.parse().unwrap()).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

#[track_caller]
fn assert_has(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part} is not in\n{page}");
    }
}

#[test]
fn the_page_tells_everything() {
    let page = page(&server().build().unwrap());
    assert_has(
        &page,
        &[
            "<!DOCTYPE html><html lang=\"en\">",
            "<title>Balls &lt;for&gt; all</title>",
            "<h1>Balls &amp; Co</h1>",
            "<p>See throw and <a href=\"#m-catch\">catch</a>(1), or <a href=\"http://balls.example/\">http://balls.example/</a>.</p>",
            "<p class=\"url\"><b>POST</b> <code>http://balls.example:8000/RPC2</code></p>",
            "<dt><a href=\"http://balls.example:8000/below\">Below &amp; after</a></dt><dd><code>http://balls.example:8000/below</code></dd>",
            "<h2>Methods</h2>",
            "<h2>a.b</h2>",
            "<h2>balls</h2>",
            "<section class=\"method\" id=\"m-balls.throw\"><h3><a href=\"#m-balls.throw\"><span>balls.</span>throw</a></h3>",
            "<code>(balls: <i>array of Ball</i>, distance?: <i>int</i>) → <i>struct of Ball</i></code>",
            "<dt>Limits</dt><dd>16 MiB in a request, 100 calls in one</dd>",
            "<section class=\"group\" id=\"faults\"><h2>Faults</h2>",
            "<dt><code>-32602</code></dt><dd>The params do not match the method</dd>",
            "<p>Returns where they fell. See <a href=\"#m-catch\">catch</a>(1) and <a href=\"https://www.rfc-editor.org/rfc/rfc1952.txt\">RFC 1952</a>.</p>",
            "<ul>\n<li>one</li>\n<li>two</li>\n</ul>",
            "<dt><code>distance</code> <span>int or nil</span> <em>optional</em></dt><dd><p>how <em>far</em></p>",
            "<dt><code>balls</code> <span>array of Ball</span></dt>",
            "<dt><code>weight</code> <span>double</span></dt><dd><p>how heavy, in <em>grams</em></p>",
            "<p class=\"set\"><code>red</code> <code>black</code> </p>",
            "<dt><code>owner</code> <span>string or nil</span> <em>optional</em></dt><dd><p>who owns it</p>",
            "<h4>Faults</h4>",
            "<dt><code>4</code></dt><dd><p>the wind is <em>too</em> strong</p>",
            "<a href=\"#m-balls.throw\">throw</a> <small>Throws balls.</small>",
            // the members of a type are open where it is told first
            "<details open><summary>Members</summary>",
            "<details><summary>Members<i>weight, colour, owner</i></summary>",
            "<section class=\"method\" id=\"m-system.multicall\">",
            // one call, and what it is answered
            "&lt;methodCall&gt;",
            "<pre class=j>{\"jsonrpc\": \"2.0\", \"result\": 2, \"id\": 1}</pre>",
        ],
    );
    let order: Vec<_> = ["m-catch", "m-a.b.c", "m-balls.throw", "m-system.describeMethods", "m-system.multicall"]
        .map(|id| page.find(&format!("<section class=\"method\" id=\"{id}\">")).expect(id))
        .into();
    assert!(order.is_sorted());
    let handlers =
        page.split(" on").skip(1).filter(|rest| rest.trim_start_matches(char::is_alphabetic).starts_with('='));
    assert!(page.matches("<script").count() == 1 && handlers.count() == 0, "no scripts but its own");
    for query in page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()?.split_once('?')) {
        assert!(query.1.contains('='), "{query:?}");
    }
}

/// Without scripts: a form asks the server.
#[test]
fn a_filter_leaves_the_methods_with_its_words() {
    let endpoint = server().build().unwrap();
    let filtered = |query: &str| {
        let query = query.to_owned();
        let variables = move |name: &str| match name {
            "REQUEST_METHOD" => Some(b"GET"[..].into()),
            "REQUEST_URI" => Some(b"/RPC2"[..].into()),
            "QUERY_STRING" => Some(query.clone().into_bytes().into()),
            _ => None,
        };
        let response = endpoint.handle(&Request::new(variables, Vec::new()));
        assert_eq!(response.status, 200);
        String::from_utf8(response.body.into()).unwrap()
    };
    let methods = |page: &str| page.matches("<section class=\"method\"").count();
    let all = methods(&filtered(""));
    for (query, count) in [
        ("q=", all),
        ("q=+", all),
        ("q=balls.throw", 1),
        ("q=BALLS", 1),
        ("q=they+fell", 1),
        ("q=they%20catch", 1),
        ("q=no-such-word", 0),
        ("a=b&q=Catches", 1),
        ("q=%FF%zz", 0),
    ] {
        assert_eq!(methods(&filtered(query)), count, "{query}");
    }
    let page = filtered("q=they+fell");
    assert_has(&page, &["value=\"they fell\"", &format!("1 of {all} methods."), "<a href=\"?q=\">Show all</a>"]);
    let evil = filtered("q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E");
    assert!(evil.matches("<script").count() == 1 && evil.contains("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"));
    let long = filtered(&format!("q={}", "x".repeat(100_000)));
    assert!(long.contains(&format!("value=\"{}\"", "x".repeat(200))) && methods(&long) == 0);
    // a search does not change the page of other readers
    assert_eq!(methods(&filtered("")), all);
}

/// The same in the forms that the page's head names.
#[test]
fn twins() {
    let endpoint = server().build().unwrap();
    let html = page(&endpoint);
    let by_query = |format: &str| {
        let request = http::Request::get(format!("/RPC2?format={format}")).header("host", "balls.example:8000");
        endpoint.handle(&request.body(Vec::new()).unwrap().into())
    };
    for (format, media_type, content_type) in [
        ("html", "text/html", "text/html; charset=utf-8"),
        ("json", "application/json", "application/json"),
        ("md", "text/markdown", "text/markdown; charset=utf-8"),
        ("openrpc", "application/openrpc+json", "application/openrpc+json"),
    ] {
        let response = by_query(format);
        assert_eq!((response.status.as_u16(), &header(&response, "content-type")[..]), (200, content_type));
        assert_eq!(get(&endpoint, "GET", &[("accept", media_type)]).body, response.body, "{format}");
        let etag = header(&response, "etag");
        let again = get(&endpoint, "GET", &[("accept", media_type), ("if-none-match", &etag)]);
        assert_eq!((again.status.as_u16(), &header(&again, "vary")[..]), (304, "Accept, Accept-Encoding"));
        let is_named = html.contains(&format!("<link rel=\"alternate\" type=\"{media_type}\""));
        assert_eq!(is_named, format != "html", "{format}");
    }
    let response = by_query("%3Cscript%3E");
    assert_eq!(response.status, 400);
    let message = "expected html, json, md, openrpc as format, found \"<script>\"\n";
    assert_eq!(String::from_utf8(response.body.into()).unwrap(), message);
}

#[test]
fn the_twin_of_json() {
    let body = get(&server().build().unwrap(), "GET", &[("accept", "application/json")]).body;
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&json["name"], &json["url"]), (&"Balls & Co".into(), &"http://balls.example:8000/RPC2".into()));
    assert_eq!(json["others"][0]["name"], "Below & after");
    let methods = json["methods"].as_array().unwrap();
    let throw = methods.iter().find(|method| method["name"] == "balls.throw").unwrap();
    assert_eq!(throw["title"], "Throws balls.");
    assert_eq!(throw["signatures"], serde_json::json!([["struct", "array"], ["struct", "array", "int"]]));
    assert_eq!(throw["faults"], serde_json::json!([{ "code": 4, "meaning": "the wind is *too* strong" }]));
    let [balls, distance] = [0, 1].map(|index| &throw["details"][0]["params"][index]);
    let expected =
        serde_json::json!({ "name": "distance", "optional": true, "type": "int", "nil": true, "help": "how *far*" });
    assert_eq!(*distance, expected);
    let colour = &balls["items"]["members"][1];
    assert_eq!((&colour["name"], &colour["values"]), (&"colour".into(), &serde_json::json!(["red", "black"])));
}

#[test]
fn the_twin_of_markdown() {
    let body = get(&server().build().unwrap(), "GET", &[("accept", "text/markdown")]).body;
    let text = String::from_utf8(body.into()).unwrap();
    assert_has(
        &text,
        &[
            "# Balls & Co\n\nSee throw and catch(1), or http://balls.example/.\n",
            "\nCall these methods by XML-RPC or JSON-RPC 2.0: `POST http://balls.example:8000/RPC2`\n",
            "\n## `balls.throw`\n\n* `struct balls.throw(array)`\n* `struct balls.throw(array, int)`\n\nThrows balls.\n",
            "\n| param | type | meaning |\n|---|---|---|\n| `balls` | array of Ball | what to throw |\n",
            "\n| `balls.weight` | double | how heavy, in *grams* |\n",
            "one of red, black |\n",
            "\n| `distance` | int or nil, may be left out | how *far* |\n",
            "\n| 4 | the wind is *too* strong |\n",
        ],
    );
}

#[test]
fn everything_shown_is_escaped() {
    const EVIL: &str = "<script>alert('\"&')</script>";
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[schemars(description = "<script>in a type</script>")]
    struct Evil {
        #[serde(rename = "<script>member</script>")]
        #[schemars(description = "<script>in a member</script>")]
        field: Choice,
    }
    #[derive(Serialize, Deserialize, JsonSchema)]
    enum Choice {
        #[serde(rename = "<script>value</script>")]
        One,
    }
    let method = Method::new(format!("{EVIL}.{EVIL}"), |value: Evil| value).help(EVIL).params([EVIL]).fault(1, EVIL);
    let method = method.deprecated(EVIL).since(EVIL).example([EVIL.into()]).mark_unsafe();
    let link = format!("{EVIL} [a](javascript:alert(1)) <a href=javascript:alert(1)>");
    let docs = Docs::new().contact(link).authentication(EVIL).try_it(TryIt::On);
    let server = Server::new(EVIL).title(EVIL).version(EVIL).documentation(EVIL).docs(docs);
    let endpoint = server.methods(method).at("/<script>at</script>", Server::new(EVIL)).build().unwrap();
    let variables = |name: &str| {
        Some(match name {
            "REQUEST_METHOD" => b"GET".into(),
            "HTTP_HOST" => b"'&host.example".into(),
            "REQUEST_URI" => b"/<script>path</script>".into(),
            _ => return None,
        })
    };
    let page = String::from_utf8(endpoint.handle(&Request::new(variables, Vec::new())).body.into()).unwrap();
    assert!(page.matches("<script").count() == 1 && page.contains("<script type=\"module\">"), "{page}");
    assert!(page.matches("&lt;script&gt;").count() >= 50, "{page}");
    assert!(!page.contains("href=\"javascript") && !page.contains("<a href=javascript"), "{page}");
    let name = form_urlencoded::byte_serialize(format!("{EVIL}.{EVIL}").as_bytes()).collect::<String>();
    assert!(page.contains(&format!("href=\"?try={name}\"")), "{page}");
    let trial = endpoint.handle(&http::Request::get(format!("/?try={name}")).body(Vec::new()).unwrap().into());
    let trial = String::from_utf8(trial.body.into()).unwrap();
    assert!(trial.matches("<script").count() == 1 && trial.matches("&lt;script&gt;").count() >= 10, "{trial}");
}

#[test]
fn headers() {
    let endpoint = server().build().unwrap();
    let response = get(&endpoint, "GET", &[]);
    assert_eq!(response.status, 200);
    assert_eq!(header(&response, "content-type"), "text/html; charset=utf-8");
    assert_eq!(header(&response, "x-content-type-options"), "nosniff");
    assert_eq!(header(&response, "cache-control"), "no-cache");
    let page = String::from_utf8(response.body.clone().into()).unwrap();
    let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(style));
    let policy = header(&response, "content-security-policy");
    assert!(policy.starts_with(&format!("default-src 'none'; style-src 'sha256-{hash}'; script-src ")), "{policy}");
    let script = page.split("<script type=\"module\">").nth(1).unwrap().split("</script>").next().unwrap();
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(script));
    assert!(policy.contains(&format!("script-src 'sha256-{hash}';")) && !policy.contains("connect-src"), "{policy}");
    assert!(policy.ends_with("base-uri 'none'; form-action 'self'; frame-ancestors 'none'"), "{policy}");
    assert!(!page.contains("style=\""), "the policy would not let it");
}

#[test]
fn head_is_get_without_the_body() {
    let endpoint = server().build().unwrap();
    let (head, get) = (get(&endpoint, "HEAD", &[]), get(&endpoint, "GET", &[]));
    assert_eq!(head.headers, get.headers);
    assert!(head.head_only);
}

#[test]
fn etags() {
    let endpoint = server().build().unwrap();
    let etag = header(&get(&endpoint, "GET", &[]), "etag");
    let packed = get(&endpoint, "GET", &[("accept-encoding", "gzip")]);
    assert_eq!(
        header(&packed, "etag"),
        etag.replace("\"", "").split('-').map(|tag| format!("\"{tag}-gzip\"")).collect::<String>()
    );
    for known in [&etag[..], &format!("W/{etag}"), &format!("\"x\", {etag}"), &header(&packed, "etag"), "*"] {
        for method in ["GET", "HEAD"] {
            let response = get(&endpoint, method, &[("if-none-match", known)]);
            assert_eq!((response.status.as_u16(), response.body.len()), (304, 0), "{known}");
            assert_eq!(header(&response, "etag"), etag);
        }
    }
    assert_eq!(get(&endpoint, "GET", &[("if-none-match", "\"x\"")]).status, 200);
    let again = header(&get(&server().build().unwrap(), "GET", &[]), "etag");
    assert_eq!(again, etag, "the same in every process");
    let other = server().method("one more", || 1).build().unwrap();
    assert_ne!(header(&get(&other, "GET", &[]), "etag"), etag);
}

/// Returns a file of the packages in `package.json`, which `tests/run` installs.
fn npm(file: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/npm/node_modules").join(file)
}

/// A hundred methods take no more than a picture would, neither on the way nor in the browser.
#[test]
fn the_page_is_small() {
    let method = |number: usize| {
        let name = format!("group{}.method{number}", number % 7);
        let help = format!("Does what number {number} is for.\n\nAnd says so in *two* paragraphs.");
        Method::new(name, |_: Vec<Ball>, _: Option<i32>| true)
            .help(help)
            .params(["balls", "count"])
            .fault(number as i32, "no")
    };
    let endpoint =
        |count: usize| Server::new("Large").methods((0..count).map(method).collect::<Vec<_>>()).build().unwrap();
    for (count, most) in [(12, 15_000), (100, 26_112)] {
        let page = get(&endpoint(count), "GET", &[("accept-encoding", "gzip")]);
        assert!(page.body.len() <= most, "{count} methods: {}", page.body.len());
    }
    let page = page(&endpoint(100));
    let section = page.split("<section class=\"method\" id=\"m-group1.method43\">").nth(1).unwrap();
    let tags = section.split("</section>").next().unwrap().matches('<').count();
    assert!(tags / 2 <= 120, "{tags} tags");
}

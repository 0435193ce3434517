//! The same call in both formats has the same result.

use std::collections::BTreeMap;

use chrono::DateTime as ChronoDateTime;
use proptest::prelude::*;
use rpcgi::{Base64, DateTime, Endpoint, Fault, Method, Server, xmlrpc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Everything {
    byte: u8,
    int: i32,
    long: i64,
    boolean: bool,
    text: String,
    double: f64,
    single: f32,
    date: DateTime,
    octets: Base64,
    maybe: Option<i64>,
    nothing: (),
    pair: (char, String),
    map: BTreeMap<String, Vec<Option<f64>>>,
    numbered: BTreeMap<i16, bool>,
    kind: Kind,
    inside: Vec<Everything>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
enum Kind {
    Unit,
    Newtype(DateTime),
    Tuple(i32, Base64),
    Struct { text: String, maybe: Option<String> },
}

/// Generates characters that XML has, too.
fn character() -> impl Strategy<Value = char> {
    prop_oneof![
        Just('<'),
        Just('&'),
        Just('"'),
        Just('\\'),
        Just('\r'),
        Just('\n'),
        Just('/'),
        Just('\u{2028}'),
        any::<char>().prop_filter("not in XML", |c| !(c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}'))),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(character(), 0..20).prop_map(String::from_iter)
}

fn date() -> impl Strategy<Value = DateTime> {
    // from the year 1 to 9999
    (-62_135_596_800_i64..253_402_300_800)
        .prop_map(|seconds| DateTime(ChronoDateTime::from_timestamp(seconds, 0).expect("it is in range").naive_utc()))
}

fn octets() -> impl Strategy<Value = Base64> {
    prop::collection::vec(any::<u8>(), 0..20).prop_map(Base64)
}

fn double() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("no number", |double| double.is_finite())
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Unit),
        date().prop_map(Kind::Newtype),
        (any::<i32>(), octets()).prop_map(|(number, octets)| Kind::Tuple(number, octets)),
        (text(), prop::option::of(text())).prop_map(|(text, maybe)| Kind::Struct { text, maybe }),
    ]
}

fn everything() -> impl Strategy<Value = Everything> {
    let scalars = (any::<u8>(), any::<i32>(), any::<i64>(), any::<bool>(), text(), double(), any::<f32>());
    let others = (date(), octets(), prop::option::of(any::<i64>()), (character(), text()), kind());
    let map = prop::collection::btree_map(text(), prop::collection::vec(prop::option::of(double()), 0..3), 0..3);
    let numbered = prop::collection::btree_map(any::<i16>(), any::<bool>(), 0..3);
    let flat = (scalars, others, map, numbered).prop_map(|(scalars, others, map, numbered)| {
        let (byte, int, long, boolean, text, double, single) = scalars;
        let single = if single.is_finite() { single } else { 0.5 };
        let (date, octets, maybe, pair, kind) = others;
        Everything {
            byte,
            int,
            long,
            boolean,
            text,
            double,
            single,
            date,
            octets,
            maybe,
            nothing: (),
            pair,
            map,
            numbered,
            kind,
            inside: Vec::new(),
        }
    });
    flat.prop_recursive(3, 8, 3, |inner| {
        (inner.clone(), prop::collection::vec(inner, 0..3))
            .prop_map(|(outside, inside)| Everything { inside, ..outside })
    })
}

fn endpoint() -> Endpoint {
    let pick = |count: i32, everything: Everything, remark: Option<String>| match count {
        0.. => Ok((everything, count, remark)),
        _ => Err(Fault::new(count, remark.unwrap_or_default())),
    };
    let pick = Method::new("pick", pick).params(["count", "everything", "remark"]);
    Server::new("Test").methods(pick).build().unwrap()
}

type Picked = (Everything, i32, Option<String>);

fn by_xml_rpc(endpoint: &Endpoint, params: &impl Serialize) -> Result<Picked, Fault> {
    let document = xmlrpc::call_to_vec("pick", params).unwrap();
    xmlrpc::response_from_slice(&endpoint.handle_document(&document)).unwrap()
}

fn by_json_rpc(endpoint: &Endpoint, params: Json) -> Result<Picked, Fault> {
    let document = json!({ "jsonrpc": "2.0", "method": "pick", "params": params, "id": 1 }).to_string();
    let mut answer: Json = serde_json::from_slice(&endpoint.handle_document(document.as_bytes())).unwrap();
    match answer.get("error") {
        None => Ok(serde_json::from_value(answer["result"].take()).unwrap()),
        Some(error) => {
            let code = i32::try_from(error["code"].as_i64().unwrap()).unwrap();
            Err(Fault::new(code, error["message"].as_str().unwrap()))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn same_result(count in any::<i32>(), everything in everything(), remark in prop::option::of(text())) {
        let endpoint = endpoint();
        let expected = || match count {
            0.. => Ok((everything.clone(), count, remark.clone())),
            _ => Err(Fault::new(count, remark.clone().unwrap_or_default())),
        };
        prop_assert_eq!(by_xml_rpc(&endpoint, &(count, &everything, &remark)), expected());
        prop_assert_eq!(by_json_rpc(&endpoint, json!([count, everything, remark])), expected());
        let by_name = json!({ "remark": remark, "everything": everything, "count": count });
        prop_assert_eq!(by_json_rpc(&endpoint, by_name), expected());
    }
}

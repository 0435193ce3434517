//! The serde format by itself.

use std::collections::{BTreeMap, HashMap};

use rpcgi::xmlrpc::{self, Category, Members, Value, from_slice, to_vec};
use rpcgi::{Base64, DateTime};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

fn read<T: DeserializeOwned>(value: &str) -> Result<T, String> {
    from_slice(format!("<value>{value}</value>").as_bytes()).map_err(|error| error.to_string())
}

fn written<T: Serialize + ?Sized>(value: &T) -> String {
    let octets = to_vec(value).expect("the value can be written");
    let text = String::from_utf8(octets).expect("documents are in UTF-8");
    text.strip_prefix("<value>").and_then(|text| text.strip_suffix("</value>")).expect("a value").to_owned()
}

fn unwritable<T: Serialize + ?Sized>(value: &T) -> String {
    to_vec(value).expect_err("the value cannot be written").to_string()
}

#[test]
fn integers_are_read() {
    for (value, number) in [
        ("<int>1</int>", 1),
        ("<i4>-1</i4>", -1),
        ("<i1>127</i1>", 127),
        ("<i2>-32768</i2>", -32768),
        ("<ex:i1>5</ex:i1>", 5),
        ("<ex:i2>5</ex:i2>", 5),
        ("<i8>9223372036854775807</i8>", i64::MAX),
        ("<ex:i8>-9223372036854775808</ex:i8>", i64::MIN),
        ("<int>+7</int>", 7),
        ("<int>007</int>", 7),
        (" \n <int>\t7 \r\n</int> ", 7),
        ("<int>1<!-- and -->2</int>", 12),
        ("<int><![CDATA[4]]>2</int>", 42),
        ("<int>&#52;2</int>", 42),
        ("<int><?pi?>3</int>", 3),
        ("<int a='b'>3</int>", 3),
    ] {
        assert_eq!(read::<i64>(value), Ok(number), "{value}");
    }
}

#[test]
fn integers_out_of_range_or_shape() {
    for (value, message) in [
        (
            "<int>2147483648</int>",
            "expected an integer from -2147483648 to 2147483647, found 2147483648 at line 1 column 1",
        ),
        (
            "<i4>-2147483649</i4>",
            "expected an integer from -2147483648 to 2147483647, found -2147483649 at line 1 column 1",
        ),
        ("<i1>128</i1>", "expected i1 from -128 to 127, found \"128\" at line 1 column 1"),
        (
            "<i8>9223372036854775808</i8>",
            "expected an integer from -2147483648 to 2147483647, found 9223372036854775808 at line 1 column 1",
        ),
        (
            "<i8>18446744073709551616</i8>",
            "expected i8 of at most 64 bits (a larger number can be sent as a string), found \"18446744073709551616\" at \
             line 1 column 1",
        ),
        (
            "<int>-9223372036854775809</int>",
            "expected int of at most 64 bits (a larger number can be sent as a string), found \"-9223372036854775809\" at \
             line 1 column 1",
        ),
        ("<int>5abc</int>", "expected int a whole number, found \"5abc\" at line 1 column 1"),
        ("<int></int>", "expected int a whole number, found \"\" at line 1 column 1"),
        ("<int/>", "expected int a whole number, found \"\" at line 1 column 1"),
        ("<int>1.5</int>", "expected int a whole number, found \"1.5\" at line 1 column 1"),
        ("<int>0x10</int>", "expected int a whole number, found \"0x10\" at line 1 column 1"),
        ("<int>1 2</int>", "expected int a whole number, found \"1 2\" at line 1 column 1"),
        ("<int>٣</int>", "expected int a whole number, found \"٣\" at line 1 column 1"),
        ("<string>1</string>", "expected int, found string at line 1 column 1"),
        ("1", "expected int, found string at line 1 column 1"),
        ("<double>1</double>", "expected int, found double 1 at line 1 column 1"),
        ("<nil/>", "expected int, found nil at line 1 column 1"),
    ] {
        assert_eq!(read::<i32>(value), Err(message.into()), "{value}");
    }
    let message = "expected an integer from 0 to 255, found 256 at line 1 column 1";
    assert_eq!(read::<u8>("<int>256</int>"), Err(message.into()));
    let message = "expected an integer from 0 to 18446744073709551615, found -1 at line 1 column 1";
    assert_eq!(read::<u64>("<int>-1</int>"), Err(message.into()));
}

/// An integer of more bits than its element is read if the target holds it.
#[test]
fn no_integer_loses_a_digit() {
    assert_eq!(read::<i64>("<int>1099511627783</int>"), Ok(1_099_511_627_783));
    assert_eq!(read::<u64>("<i4>18446744073709551615</i4>"), Ok(u64::MAX));
    assert_eq!(read::<Value>("<int>-9223372036854775808</int>"), Ok(i64::MIN.into()));
    let beyond = "18446744073709551615 is beyond i8: a string can have it at line 1 column 1".to_owned();
    assert_eq!(read::<Value>("<int>18446744073709551615</int>"), Err(beyond));
    assert_eq!(read::<f64>("<i8>9007199254740992</i8>"), Ok(9_007_199_254_740_992.0));
    let lost = "expected double, found int 9007199254740993, which a double cannot hold exactly at line 1 column 1";
    assert_eq!(read::<f64>("<i8>9007199254740993</i8>"), Err(lost.to_owned()));
}

#[test]
fn members_have_names_of_their_own() {
    let twice = "<struct><member><name>a</name><value>1</value></member><member><name>b</name><value>2</value></member>\
        <member><name>a</name><value>3</value></member></struct>";
    let expected = Value::Struct([("a", "3"), ("b", "2")].into());
    assert_eq!(read::<Value>(twice), Ok(expected));
}

#[test]
fn integers_are_written() {
    assert_eq!(written(&i32::MAX), "<int>2147483647</int>");
    assert_eq!(written(&i64::from(i32::MIN)), "<int>-2147483648</int>");
    assert_eq!(written(&2_147_483_648_u32), "<i8>2147483648</i8>");
    assert_eq!(written(&i64::MIN), "<i8>-9223372036854775808</i8>");
    assert_eq!(written(&7_u128), "<int>7</int>");
    assert_eq!(unwritable(&u64::MAX), "18446744073709551615 is beyond i8: a string can have it");
}

#[test]
fn doubles_roundtrip_without_exponent() {
    for (number, text) in [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (-1.5, "-1.5"),
        (0.1, "0.1"),
        (1.0 / 3.0, "0.3333333333333333"),
        (123_456_789.123_456_79, "123456789.12345679"),
        (1e15, "1000000000000000.0"),
        (1e16, "10000000000000000"),
        (1e21, "1000000000000000000000"),
        (1e-5, "0.00001"),
        (1.5e-7, "0.00000015"),
    ] {
        assert_eq!(written(&number), format!("<double>{text}</double>"));
        assert_eq!(read::<f64>(&written(&number)), Ok(number));
    }
    for number in [f64::MAX, f64::MIN_POSITIVE, 5e-324, 2.225_073_858_507_201e-308, 9_007_199_254_740_993.0] {
        let text = written(&number);
        assert!(!text.trim_matches(|c: char| !c.is_ascii_digit()).contains(['e', 'E']), "{text}");
        assert_eq!(read::<f64>(&text), Ok(number), "{text}");
    }
    assert_eq!(written(&0.1_f32), "<double>0.1</double>");
    assert_eq!(written(&1e20_f32), "<double>100000000000000000000</double>");
}

#[test]
fn doubles_are_read() {
    for (value, number) in [
        ("<double>1</double>", 1.0),
        ("<double>+1.5</double>", 1.5),
        ("<double>.5</double>", 0.5),
        ("<double>-1.5E-3</double>", -0.0015),
        ("<double> 6.02e23\n</double>", 6.02e23),
        ("<ex:float>2.5</ex:float>", 2.5),
        ("<int>3</int>", 3.0),
    ] {
        assert_eq!(read::<f64>(value), Ok(number), "{value}");
    }
    for (text, expected) in [
        ("NaN", "a number"),
        ("inf", "a number"),
        ("-Infinity", "a number"),
        ("1,5", "a number"),
        ("", "a number"),
        ("1e999", "within the range of a double"),
    ] {
        let message = read::<f64>(&format!("<double>{text}</double>")).unwrap_err();
        assert!(message.starts_with(&format!("expected double {expected}, found \"{text}\" at")), "{message}");
    }
    assert_eq!(unwritable(&f64::NAN), "NaN is no double of XML-RPC");
    assert_eq!(unwritable(&f32::NEG_INFINITY), "-inf is no double of XML-RPC");
}

#[test]
fn booleans() {
    for (text, boolean) in [("1", true), ("0", false), ("true", true), ("false", false), (" 1\n", true)] {
        assert_eq!(read::<bool>(&format!("<boolean>{text}</boolean>")), Ok(boolean));
    }
    let message = "expected boolean 0 or 1, found \"yes\" at line 1 column 1";
    assert_eq!(read::<bool>("<boolean>yes</boolean>"), Err(message.into()));
    assert_eq!(
        written(&[true, false]),
        "<array><data><value><boolean>1</boolean></value><value><boolean>0</boolean></value></data></array>"
    );
}

#[test]
fn strings_are_read() {
    for (value, text) in [
        ("<string>a b</string>", "a b"),
        ("<string> a </string>", " a "),
        (" a ", " a "),
        ("", ""),
        ("<string/>", ""),
        ("<string></string>", ""),
        ("  \n", "  \n"),
        ("&lt;&gt;&amp;&quot;&apos;&#65;&#x42;", "<>&\"'AB"),
        ("a<![CDATA[<b>&amp;]]>c", "a<b>&amp;c"),
        ("a<!-- x -->b<?y?>c", "abc"),
        ("a\r\nb\rc&#13;d", "a\nb\nc\rd"),
        ("<string>é&#233;😀&#x1F600;</string>", "éé😀😀"),
        ("<string><![CDATA[]]></string>", ""),
        ("<!-- x --> <string>y</string> <!-- z -->", "y"),
    ] {
        assert_eq!(read::<String>(value).as_deref(), Ok(text), "{value:?}");
    }
    assert_eq!(from_slice::<String>(b"<value/>").unwrap(), "");
}

#[test]
fn strings_are_written() {
    for (text, escaped) in [
        ("a < b & c > d \"e\" 'f'", "a &lt; b &amp; c &gt; d \"e\" 'f'"),
        ("]]>", "]]&gt;"),
        ("a\r\nb\tc", "a&#13;\nb\tc"),
        ("é😀", "é😀"),
        ("", ""),
    ] {
        assert_eq!(written(text), format!("<string>{escaped}</string>"));
        assert_eq!(read::<String>(&written(text)).as_deref(), Ok(text));
    }
    let forbidden = "\0\u{1}\u{1F}\u{FFFE}\u{FFFF}|\u{FFFD}\u{FEFF}\u{FF01}";
    assert_eq!(written(forbidden), "<string>�����|�\u{FEFF}\u{FF01}</string>");
    let long = "plain text, ".repeat(100);
    for special in ["<", "\r", "&", "é", "\u{FF01}"] {
        for at in [0, 15, 16, 17, 255, 271, 272, 273, 528, 1200] {
            let text = format!("{}{special}{}", &long[..at], &long[at..]);
            assert_eq!(read::<String>(&written(&text)), Ok(text.clone()), "{special} at {at}");
        }
    }
    assert_eq!(written(&'x'), "<string>x</string>");
    assert_eq!(
        written(&BTreeMap::from([("a<\u{1}", 1)])),
        "<struct><member><name>a&lt;�</name><value><int>1</int></value></member></struct>"
    );
}

#[test]
fn dates() {
    let date: DateTime = "19980717T14:08:55".parse().unwrap();
    for text in ["19980717T14:08:55", "1998-07-17T14:08:55", "1998-07-17T14:08:55Z", " 19980717T140855.5\n"] {
        let value = format!("<dateTime.iso8601>{text}</dateTime.iso8601>");
        assert_eq!(read::<DateTime>(&value).map(|date| date.to_string()), Ok(date.to_string()));
        assert!(matches!(read::<Value>(&value), Ok(Value::DateTime(_))));
    }
    assert_eq!(read::<DateTime>("<ex:dateTime>1998-07-17T16:08:55.000+0200</ex:dateTime>"), Ok(date));
    assert_eq!(written(&date), "<dateTime.iso8601>19980717T14:08:55</dateTime.iso8601>");
    assert_eq!(written(&Some(Value::from(date))), "<dateTime.iso8601>19980717T14:08:55</dateTime.iso8601>");
    for (text, found) in [("", "\"\""), ("tomorrow", "\"tomorrow\""), ("19981317T00:00:00", "\"19981317T00:00:00\"")] {
        let message = format!("{found} is not a date and time of the form YYYYMMDDTHH:MM:SS at line 1 column 1");
        let value = format!("<dateTime.iso8601>{text}</dateTime.iso8601>");
        assert_eq!(read::<DateTime>(&value), Err(message.clone()));
        assert_eq!(read::<Value>(&value), Err(message));
    }
    let message = "expected dateTime.iso8601, found string at line 1 column 1";
    assert_eq!(read::<DateTime>("<string>19980717T14:08:55</string>"), Err(message.into()));
    assert_eq!(
        read::<String>(&written(&date)),
        Err("expected string, found dateTime.iso8601 at line 1 column 1".into())
    );
}

#[test]
fn base64() {
    let octets = Base64(b"\0\xFFhello".to_vec());
    assert_eq!(written(&octets), "<base64>AP9oZWxsbw==</base64>");
    for text in ["AP9oZWxsbw==", "\nAP9o\n ZWxs\r\nbw==\n", "AP9o&#13;\nZWxsbw", "<![CDATA[AP9oZWxsbw==]]>"] {
        assert_eq!(read::<Base64>(&format!("<base64>{text}</base64>")), Ok(octets.clone()), "{text}");
    }
    assert_eq!(read::<Base64>("<base64/>"), Ok(Base64(Vec::new())));
    let message = read::<Base64>("<base64>AP*=</base64>").unwrap_err();
    assert_eq!(message, "expected base64, found an invalid symbol 42, offset 2 at line 1 column 1");
    let long = Base64((0..=255).cycle().take(100_000).collect());
    assert_eq!(read::<Base64>(&written(&long)), Ok(long));
}

#[test]
fn arrays() {
    for value in [
        "<array><data></data></array>",
        "<array><data/></array>",
        "<array></array>",
        "<array/>",
        "<array> <!-- none --> <data> </data> </array>",
    ] {
        assert_eq!(read::<Vec<i32>>(value), Ok(vec![]), "{value}");
    }
    assert_eq!(written(&[0_i32; 0]), "<array><data></data></array>");
    let two = "<value><int>1</int></value> <value><int>2</int></value>";
    assert_eq!(read::<Vec<i32>>(&format!("<array><data>{two}</data></array>")), Ok(vec![1, 2]));
    assert_eq!(read::<Vec<i32>>(&format!("<array>{two}</array>")), Ok(vec![1, 2]));
    assert_eq!(read::<(i32, f64)>(&format!("<array><data>{two}</data></array>")), Ok((1, 2.0)));
    let message = "expected the end of the array, found one more item at line 1 column 49";
    assert_eq!(read::<(i32,)>(&format!("<array><data>{two}</data></array>")), Err(message.into()));
    let message = "expected array of 3 items, found 2 items at line 1 column 1";
    assert_eq!(read::<(i32, i32, i32)>(&format!("<array><data>{two}</data></array>")), Err(message.into()));
    let message = "expected </array>, found <data> at line 1 column 28";
    assert_eq!(read::<Vec<i32>>("<array><data></data><data></data></array>"), Err(message.into()));
    let message = "expected <value> or the end of the array, found <data> at line 1 column 21";
    assert_eq!(read::<Vec<i32>>("<array><data><data></data></data></array>"), Err(message.into()));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Person {
    name: String,
    age: u8,
    #[serde(default)]
    email: Option<String>,
}

fn member(name: &str, value: &str) -> String {
    format!("<member><name>{name}</name><value>{value}</value></member>")
}

#[test]
fn structs() {
    let ann = Person { name: "Ann".into(), age: 7, email: None };
    let name = member("name", "Ann");
    let age = "<member> <value><int>7</int></value> <name>age</name> </member>";
    for value in [format!("<struct>{name}{age}</struct>"), format!("<struct>\n{age}\n{name}\n</struct>")] {
        assert_eq!(read::<Person>(&value).as_ref(), Ok(&ann), "{value}");
    }
    assert_eq!(
        written(&ann),
        format!(
            "<struct>{}{}{}</struct>",
            member("name", "<string>Ann</string>"),
            member("age", "<int>7</int>"),
            member("email", "<nil/>")
        )
    );
    for (value, message) in [
        (
            format!("<struct>{name}</struct>"),
            "expected struct with member \"age\", found none of that name at line 1 column 1",
        ),
        (format!("<struct>{name}{name}</struct>"), "expected member \"name\" once, found it again at line 1 column 1"),
        (format!("<struct>{}</struct>", member("age", "x")), "expected int, found string at line 1 column 40"),
        (
            "<struct><member><name>age</name></member></struct>".into(),
            "expected <value>, found </member> at line 1 column 40",
        ),
        ("<struct><member></member></struct>".into(), "expected <name>, found </member> at line 1 column 24"),
        (
            "<struct><member><value>x</value></member></struct>".into(),
            "expected <name>, found </member> at line 1 column 40",
        ),
        ("<struct>x</struct>".into(), "expected <member> or </struct>, found text at line 1 column 16"),
        ("<array/>".into(), "expected struct, found array at line 1 column 1"),
    ] {
        assert_eq!(read::<Person>(&value), Err(message.into()));
    }
    let twice = format!("<struct>{}{}</struct>", member("a", "1"), member("a", "2"));
    assert_eq!(read::<HashMap<String, String>>(&twice), Ok(HashMap::from([("a".into(), "2".into())])));
    assert_eq!(read::<Value>(&twice).unwrap().member("a"), Some(&"2".into()));
    assert_eq!(read::<BTreeMap<String, i32>>("<struct/>"), Ok(BTreeMap::new()));
    assert_eq!(written(&BTreeMap::<String, i32>::new()), "<struct></struct>");
    assert_eq!(
        read::<BTreeMap<String, String>>(&format!("<struct>{}</struct>", member("", "x"))),
        Ok(BTreeMap::from([("".into(), "x".into())]))
    );
    let numbered = BTreeMap::from([(1, "x".to_owned())]);
    assert_eq!(read::<BTreeMap<i32, String>>(&written(&numbered)), Ok(numbered));
    assert_eq!(unwritable(&BTreeMap::from([((1, 2), 3)])), "a map has keys that are neither text nor numbers");
}

#[test]
fn value_before_name_at_every_level() {
    let mut value = "<int>1</int>".to_owned();
    for _ in 0..60 {
        value = format!("<struct><member><value>{value}</value><name>a</name></member></struct>");
    }
    let mut found = &read::<Value>(&value).unwrap();
    for _ in 0..60 {
        found = found.member("a").unwrap();
    }
    assert_eq!(found, &Value::Int(1));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Point,
    Circle(f64),
    Rectangle(f64, f64),
    Named { name: String },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Either {
    Date(DateTime),
    Octets(Base64),
    Number(i32),
    Text(String),
}

#[test]
fn enums() {
    let shapes = vec![Shape::Point, Shape::Circle(1.5), Shape::Rectangle(1.0, 2.0), Shape::Named { name: "x".into() }];
    assert_eq!(read::<Vec<Shape>>(&written(&shapes)).as_ref(), Ok(&shapes));
    assert_eq!(written(&Shape::Point), "<string>Point</string>");
    assert_eq!(written(&Shape::Circle(0.5)), format!("<struct>{}</struct>", member("Circle", "<double>0.5</double>")));
    let message = "expected \"Point\" or \"Circle\" or \"Rectangle\" or \"Named\", found \"Square\" at line 1 column 1";
    assert_eq!(read::<Shape>("Square"), Err(message.into()));
    let either = vec![
        Either::Date("19980717T14:08:55".parse().unwrap()),
        Either::Octets(Base64(vec![1])),
        Either::Number(1),
        Either::Text("x".into()),
    ];
    assert_eq!(read::<Vec<Either>>(&written(&either)).as_ref(), Ok(&either));
}

#[test]
fn nil() {
    for value in ["<nil/>", "<nil></nil>", "<ex:nil/>", " <nil/> "] {
        assert_eq!(read::<Option<i32>>(value), Ok(None), "{value}");
        assert_eq!(read::<()>(value), Ok(()), "{value}");
        assert_eq!(read::<Value>(value), Ok(Value::Nil), "{value}");
    }
    assert_eq!(read::<Option<i32>>("<int>1</int>"), Ok(Some(1)));
    assert_eq!(read::<Option<Option<String>>>("x"), Ok(Some(Some("x".into()))));
    assert_eq!(written(&None::<i32>), "<nil/>");
    assert_eq!(written(&()), "<nil/>");
}

#[test]
fn values_keep_their_types() {
    let members: Vec<(String, Value)> = vec![
        ("i".into(), 1.into()),
        ("long".into(), (1_i64 << 40).into()),
        ("b".into(), true.into()),
        ("s".into(), "x".into()),
        ("d".into(), 1.5.into()),
        ("date".into(), Value::DateTime("19980717T14:08:55".parse().unwrap())),
        ("octets".into(), Base64(vec![1, 2]).into()),
        ("a".into(), Value::Array(vec![Value::Nil, Value::Array(vec![])])),
        ("s2".into(), Value::Struct(Members::new())),
    ];
    let value = Value::Struct(members.into());
    assert_eq!(read::<Value>(&written(&value)), Ok(value));
}

#[test]
fn json_carries_the_same_values() {
    let value =
        Value::Array(vec![Value::DateTime("19980717T14:08:55".parse().unwrap()), Base64(vec![255]).into(), Value::Nil]);
    assert_eq!(serde_json::to_string(&value).unwrap(), r#"["1998-07-17T14:08:55","/w==",null]"#);
    let date: DateTime = serde_json::from_str("\"1998-07-17T14:08:55Z\"").unwrap();
    assert_eq!(date.to_string(), "19980717T14:08:55");
}

#[test]
fn encodings_are_read_by_declaration() {
    let value = |encoding: &str| format!("<?xml version='1.0' encoding='{encoding}'?><value>né€</value>");
    let utf16 = |text: &str, big: bool, mark: bool| -> Vec<u8> {
        let mark = mark.then_some('\u{FEFF}');
        let text: String = mark.into_iter().chain(text.chars()).collect();
        text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    let mut documents = vec![
        value("utf-8").into_bytes(),
        value("UTF8").into_bytes(),
        [b"\xEF\xBB\xBF", value("utf-8").as_bytes()].concat(),
        [&b"\xEF\xBB\xBF"[..], "<value>né€</value>".as_bytes()].concat(),
        "<value>né€</value>".into(),
    ];
    for big in [true, false] {
        documents.push(utf16(&value("utf-16"), big, true));
        documents.push(utf16("<value>né€</value>", big, true));
        documents.push(utf16(&value("utf-16"), big, false));
    }
    let windows = value("windows-1252");
    documents.push(
        windows
            .chars()
            .map(|c| match c {
                '€' => 0x80,
                c => c as u8,
            })
            .collect(),
    );
    documents.push(value("us-ascii").replace('é', "&#233;").replace('€', "&#x20AC;").into_bytes());
    documents.push(value("ISO-8859-1").replace('€', "&#8364;").chars().map(|c| c as u8).collect());
    documents.push(
        value("iso-8859-15")
            .chars()
            .map(|c| match c {
                '€' => 0xA4,
                c => c as u8,
            })
            .collect(),
    );
    for document in documents {
        assert_eq!(from_slice::<String>(&document).unwrap(), "né€", "{}", String::from_utf8_lossy(&document));
    }
    assert_eq!(from_slice::<String>(b"<?xml-stylesheet encoding='x'?><value>y</value>").unwrap(), "y");
    // not windows-1252, which web browsers read by this name
    let latin = b"<?xml version='1.0' encoding='iso-8859-1'?><value>\x85</value>";
    assert_eq!(from_slice::<String>(latin).unwrap(), "\u{85}");
}

#[test]
fn encodings_that_are_wrong() {
    for (document, category, message) in [
        (
            &b"<?xml version='1.0' encoding='klingon'?><value/>"[..],
            Category::Encoding,
            "unsupported encoding \"klingon\" at line 1 column 1",
        ),
        (
            b"<?xml version='1.0' encoding='utf-16'?><value/>",
            Category::Encoding,
            "declared as utf-16, but it is not at line 1 column 1",
        ),
        (
            b"<?xml version='1.0' encoding='utf-7'?><value/>",
            Category::Encoding,
            "unsupported encoding \"utf-7\" at line 1 column 1",
        ),
        (b"<value>a\n\xFF</value>", Category::Character, "octets that are not utf-8 at line 2 column 1"),
        (b"<value>\xC0\x80</value>", Category::Character, "octets that are not utf-8 at line 1 column 8"),
        (b"<value>\xED\xA0\x80</value>", Category::Character, "octets that are not utf-8 at line 1 column 8"),
        (
            b"<?xml version='1.0' encoding='us-ascii'?>\n<value>\xE9</value>",
            Category::Character,
            "octet E9 is not us-ascii at line 2 column 8",
        ),
        (
            b"<?xml version='1.0' encoding='shift_jis'?>\n<value>\xFF</value>",
            Category::Character,
            "octets that are not shift_jis at line 2 column 8",
        ),
        (b"\xFF\xFE<\0v\0\0\xD8", Category::Character, "octets that are not utf-16le at line 1 column 3"),
        (b"<value>\x01</value>", Category::Character, "character U+0001, which XML does not allow at line 1 column 8"),
        (
            b"<value>ab\xEF\xBF\xBF</value>",
            Category::Character,
            "character U+FFFF, which XML does not allow at line 1 column 10",
        ),
        (
            b"<value>a\r\n\r\n<![CDATA[\r\n\x01]]></value>",
            Category::Character,
            "character U+0001, which XML does not allow at line 4 column 1",
        ),
        (
            b"<?xml version='1.0' encoding=utf-8?><value/>",
            Category::Syntax,
            "an encoding that is not in quotes at line 1 column 1",
        ),
        (
            b"<value><?xml version='1.0'?></value>",
            Category::Syntax,
            "an XML declaration that is not at the start at line 1 column 8",
        ),
        (b"<value>&#0;</value>", Category::Syntax, "invalid character reference at line 1 column 8"),
        (b"<value>&#1;</value>", Category::Character, "character U+0001, which XML does not allow at line 1 column 8"),
        (b"<value>&#xD800;</value>", Category::Syntax, "invalid character reference at line 1 column 8"),
    ] {
        let error = from_slice::<String>(document).unwrap_err();
        assert_eq!(
            (error.category(), &error.to_string()[..]),
            (category, message),
            "{}",
            String::from_utf8_lossy(document)
        );
    }
}

#[test]
fn positions_count_lines_and_characters() {
    let error = from_slice::<Vec<i32>>("<value><array>\n<data>\n é <value>x</value></data></array></value>".as_bytes());
    let position = error.unwrap_err().position().unwrap();
    assert_eq!((position.line, position.column), (3, 2));
    let error =
        from_slice::<Vec<i32>>("<value><array>\n<data>\n<!--é--><value>x</value></data></array></value>".as_bytes());
    let position = error.unwrap_err().position().unwrap();
    assert_eq!((position.line, position.column), (3, 9));
}

#[test]
fn what_cannot_be_written_is_named_by_its_place() {
    #[derive(Serialize)]
    struct Report {
        items: Vec<BTreeMap<String, Shape>>,
    }

    let report =
        Report { items: vec![BTreeMap::new(), BTreeMap::from([("x".into(), Shape::Rectangle(1.0, f64::NAN))])] };
    assert_eq!(unwritable(&report), "NaN is no double of XML-RPC, at items[1].x[1]");
    assert_eq!(unwritable(&Shape::Circle(f64::INFINITY)), "inf is no double of XML-RPC, at Circle");
}

#[test]
fn calls_and_responses() {
    let call = xmlrpc::call_to_vec("a<b", &("x", [1])).unwrap();
    let (name, params): (String, (String, Vec<i32>)) = xmlrpc::call_from_slice(&call).unwrap();
    assert_eq!((&name[..], &params.0[..], &params.1[..]), ("a<b", "x", &[1][..]));
    let (_, none): (String, Vec<Value>) = xmlrpc::call_from_slice(&xmlrpc::call_to_vec("x", &()).unwrap()).unwrap();
    assert_eq!(none, []);
    let (_, ()) = xmlrpc::call_from_slice(&xmlrpc::call_to_vec("x", &()).unwrap()).unwrap();
    assert_eq!(xmlrpc::call_to_vec("x", &1).unwrap_err().to_string(), "params are a tuple, an array or a unit");
    let error = xmlrpc::call_from_slice::<(String,)>(&call).unwrap_err();
    assert_eq!(error.to_string(), "expected the end of the params, found one more at line 2 column 107");
}

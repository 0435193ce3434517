//! `rpcgi check --try`: the examples of methods, called.

use std::fmt;

use crate::description::{Description, Example};
use crate::manifest::{Mistake, Severity};
use crate::server::Endpoint;
use crate::wire::json::as_json;
use crate::wire::value::Value;

/// The outcome of the examples of a service.
#[derive(Debug, Default)]
pub(super) struct Tried {
    called: usize,
    /// Of those that were not called, because their methods are unsafe.
    left_out: usize,
    pub(super) failed: Vec<Mistake>,
}

/// Calls each example of each method that is not unsafe, at all paths.
pub(super) fn try_examples(endpoint: &Endpoint) -> Tried {
    let mut tried = Tried::default();
    tried.all_of(endpoint, "");
    for (path, endpoint) in endpoint.places() {
        tried.all_of(endpoint, &format!(", at {path}"));
    }
    tried
}

impl Tried {
    fn all_of(&mut self, endpoint: &Endpoint, place: &str) {
        for method in endpoint.describe_listed() {
            if method.is_unsafe {
                self.left_out += method.examples.len();
                continue;
            }
            for example in &method.examples {
                self.called += 1;
                if let Err(found) = outcome(endpoint, &method, example) {
                    let call = Call { name: &method.name, params: &example.params };
                    let message = match &example.result {
                        Some(expected) => {
                            format!("example {call}{place}: expected {}, found {found}", as_json(expected))
                        }
                        None => format!("example {call}{place}: expected a result, found {found}"),
                    };
                    self.failed.push(Mistake { severity: Severity::Error, message, span: None, help: None });
                }
            }
        }
    }

    /// Says how many examples there were.
    pub(super) fn told(&self) -> String {
        let counted = |count: usize| if count == 1 { "1 example".to_owned() } else { format!("{count} examples") };
        match (self.called, self.left_out) {
            (0, 0) => "there are no examples to try".into(),
            (called, 0) => format!("{} tried", counted(called)),
            (called, left_out) => {
                let whose = if left_out == 1 { "its method is" } else { "their methods are" };
                format!("{} tried, {left_out} left out: {whose} unsafe", counted(called))
            }
        }
    }
}

/// Makes a call. `Err` says what came, if it is not what the example has.
fn outcome(endpoint: &Endpoint, method: &Description, example: &Example) -> Result<(), String> {
    let found =
        endpoint.call_by_values(&method.name, example.params.clone()).map_err(|fault| format!("fault {fault}"))?;
    match &example.result {
        Some(expected) if !is_same(expected, &found) => Err(as_json(&found).to_string()),
        _ => Ok(()),
    }
}

/// A call, as people write it.
struct Call<'a> {
    name: &'a str,
    params: &'a [Value],
}

impl fmt::Display for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let params: Vec<String> = self.params.iter().map(|value| as_json(value).to_string()).collect();
        write!(f, "{}({})", self.name, params.join(", "))
    }
}

/// Tests whether two values mean the same to a reader: members in any order, doubles as people write them.
fn is_same(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Array(expected), Value::Array(found)) => {
            expected.len() == found.len() && expected.iter().zip(found).all(|(a, b)| is_same(a, b))
        }
        (Value::Struct(expected), Value::Struct(found)) => {
            let is_there =
                |(name, value): (&String, &Value)| found.get(name).is_some_and(|found| is_same(value, found));
            expected.len() == found.len() && expected.into_iter().all(|(name, value)| is_there((name, value)))
        }
        (Value::Double(a), Value::Double(b)) => is_near(*a, *b),
        (Value::Int(a), Value::Double(b)) | (Value::Double(b), Value::Int(a)) => is_near(*a as f64, *b),
        (expected, found) => expected == found,
    }
}

/// Tests whether a double is the one that was written with fewer digits.
fn is_near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_mean_the_same() {
        let members = |pairs: [(&'static str, i32); 2]| {
            Value::Struct(pairs.map(|(name, value)| (name, Value::from(value))).into())
        };
        for (expected, found, same) in [
            (Value::from(5), Value::from(5.0), true),
            (0.3.into(), (0.1 + 0.2).into(), true),
            (0.3.into(), 0.300_001.into(), false),
            (Value::Nil, Value::from(0), false),
            (members([("a", 1), ("b", 2)]), members([("b", 2), ("a", 1)]), true),
            (members([("a", 1), ("b", 2)]), members([("a", 1), ("c", 2)]), false),
            (Value::Array(vec![1.into()]), Value::Array(vec![1.into(), 2.into()]), false),
        ] {
            assert_eq!(is_same(&expected, &found), same, "{expected:?} {found:?}");
        }
    }
}

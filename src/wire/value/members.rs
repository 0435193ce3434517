//! The members of a struct whose type is learned only from the document.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::Value;

/// The members of a [`Value::Struct`]: in order, and one of each name.
///
/// Of two members with one name the last wins, in the place of the first. Collecting members takes time in proportion
/// to their number; [`insert`](Members::insert) and [`get`](Members::get) compare names one by one, which is the
/// fastest for the few that structs have.
///
/// # Example
///
/// ```
/// use rpcgi::xmlrpc::{Members, Value};
///
/// let mut members = Members::from([("name", "Ann"), ("name", "Bob")]);
/// members.insert("age", 41);
/// assert_eq!(members.get("name"), Some(&"Bob".into()));
/// assert_eq!(members.len(), 2);
/// let person: Value = members.into();
/// assert_eq!(person.member("age"), Some(&41.into()));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Members(Vec<(String, Value)>);

/// The number of names up to which comparing them one by one is faster than hashing.
const FEW: usize = 16;

impl Members {
    /// Creates an empty list of members.
    pub const fn new() -> Members {
        Members(Vec::new())
    }

    /// Adds a member, and returns the previous value of this name.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => Some(std::mem::replace(known, value)),
            None => {
                self.0.push((name, value));
                None
            }
        }
    }

    /// Removes a member and returns its value; the others keep their order.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    /// Returns the value of a member.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Returns the number of members.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns `true` if there are no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }
}

impl From<Vec<(String, Value)>> for Members {
    fn from(members: Vec<(String, Value)>) -> Members {
        if members.len() <= FEW {
            let is_last = |(index, (name, _)): (usize, &(String, Value))| {
                members[index + 1..].iter().all(|(later, _)| later != name)
            };
            if members.iter().enumerate().all(is_last) {
                return Members(members);
            }
        }
        let mut places: HashMap<String, usize> = HashMap::with_capacity(members.len());
        let mut kept: Vec<(String, Value)> = Vec::with_capacity(members.len());
        for (name, value) in members {
            match places.entry(name) {
                Entry::Occupied(place) => kept[*place.get()].1 = value,
                Entry::Vacant(place) => {
                    kept.push((place.key().clone(), value));
                    place.insert(kept.len() - 1);
                }
            }
        }
        Members(kept)
    }
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Members {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(members: I) -> Members {
        members.into_iter().map(|(name, value)| (name.into(), value.into())).collect::<Vec<_>>().into()
    }
}

impl<N: Into<String>, V: Into<Value>, const COUNT: usize> From<[(N, V); COUNT]> for Members {
    fn from(members: [(N, V); COUNT]) -> Members {
        members.into_iter().collect()
    }
}

impl From<Members> for Value {
    fn from(members: Members) -> Value {
        Value::Struct(members)
    }
}

impl IntoIterator for Members {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'m> IntoIterator for &'m Members {
    type Item = &'m (String, Value);
    type IntoIter = std::slice::Iter<'m, (String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_a_name_wins() {
        for count in [3, FEW as i64, 1000] {
            let names = || (0..count).map(|number| (format!("n{number}"), number));
            let members: Members = names().chain([("n1".to_owned(), -1)]).collect();
            assert_eq!(members.len() as i64, count);
            let expected: Vec<i64> = names().map(|(_, number)| if number == 1 { -1 } else { number }).collect();
            assert_eq!(
                members.iter().map(|(_, value)| value.clone()).collect::<Vec<_>>(),
                expected.into_iter().map(Value::Int).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn one_by_one() {
        let mut members = Members::new();
        assert!(members.is_empty() && members.get("a").is_none());
        assert_eq!(members.insert("a", 1), None);
        assert_eq!(members.insert("b", 2), None);
        assert_eq!(members.insert("a", 3), Some(1.into()));
        assert_eq!(members, Members::from([("a", 3), ("b", 2)]));
        assert_eq!(members.remove("a"), Some(3.into()));
        assert_eq!(members.remove("a"), None);
        assert_eq!(members.into_iter().collect::<Vec<_>>(), [("b".to_owned(), Value::Int(2))]);
    }
}

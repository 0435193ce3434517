//! The place of a mistake inside a value: `.authors[1].name`.
//!
//! A reader of the inside of a value notes a step when that fails, on the way out: a value without a mistake pays
//! nothing for it. The steps cannot go with the error, which may be of any type.

use std::cell::RefCell;
use std::fmt::{Display, Write};

use super::excerpt;

thread_local! {
    /// The steps from the inside out, each with its depth.
    static STEPS: RefCell<Vec<(u32, String)>> = const { RefCell::new(Vec::new()) };
}

/// Forgets the noted steps.
#[inline]
pub(crate) fn begin() {
    STEPS.with_borrow_mut(Vec::clear);
}

/// Notes a failure of the item at this index, in an array at this depth.
#[cold]
pub(crate) fn note_item(depth: u32, index: usize) {
    note(depth, format!("[{index}]"));
}

/// Notes a failure of the member of this name, in a struct at this depth.
#[cold]
pub(crate) fn note_member(depth: u32, name: impl Display) {
    note(depth, format!(".{}", excerpt(&name.to_string())));
}

fn note(depth: u32, step: String) {
    STEPS.with_borrow_mut(|steps| {
        // an earlier mistake without consequences: a type has recovered from it
        if steps.last().is_some_and(|(last, _)| *last <= depth) {
            steps.clear();
        }
        steps.push((depth, step));
    });
}

/// Takes the noted place; empty for the whole value.
#[cold]
pub(crate) fn taken() -> String {
    let mut place = String::new();
    for (_, step) in STEPS.take().iter().rev() {
        _ = place.write_str(step);
    }
    place
}

//! The place of a mistake inside a value: `.authors[1].name`.
//!
//! Whoever reads the inside of a value notes a step when that fails, on the way out: what is read without a mistake pays
//! nothing for it. The steps cannot go with the error, which is any type's own.

use std::cell::RefCell;
use std::fmt::{Display, Write};

use super::shown;

thread_local! {
    /// From the inside out, with the depth of each.
    static STEPS: RefCell<Vec<(u32, String)>> = const { RefCell::new(Vec::new()) };
}

/// Forgets what was noted.
#[inline]
pub(crate) fn begin() {
    STEPS.with_borrow_mut(Vec::clear);
}

/// Notes that the item of this index fails, in an array that is this deep.
#[cold]
pub(crate) fn note_item(depth: u32, index: usize) {
    note(depth, format!("[{index}]"));
}

/// Notes that the member of this name fails, in a struct that is this deep.
#[cold]
pub(crate) fn note_member(depth: u32, name: impl Display) {
    note(depth, format!(".{}", shown(&name.to_string())));
}

fn note(depth: u32, step: String) {
    STEPS.with_borrow_mut(|steps| {
        // a mistake that was noted before and led to nothing: a type has made do without
        if steps.last().is_some_and(|(last, _)| *last <= depth) {
            steps.clear();
        }
        steps.push((depth, step));
    });
}

/// The place that was noted; empty for the whole.
#[cold]
pub(crate) fn taken() -> String {
    let mut place = String::new();
    for (_, step) in STEPS.take().iter().rev() {
        _ = place.write_str(step);
    }
    place
}

//! Places in documents.

/// A place in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// One-based.
    pub line: usize,
    /// One-based, in characters.
    pub column: usize,
}

impl Position {
    /// Returns the place of the octet `at` in a document of UTF-8.
    #[cold]
    pub(crate) fn of(document: &[u8], at: usize) -> Position {
        let before = &document[..at.min(document.len())];
        let line_start = before.iter().rposition(|octet| *octet == b'\n').map_or(0, |newline| newline + 1);
        let is_first = |octet: &&u8| **octet & 0b1100_0000 != 0b1000_0000;
        Position {
            line: before.iter().filter(|octet| **octet == b'\n').count() + 1,
            column: before[line_start..].iter().filter(is_first).count() + 1,
        }
    }
}

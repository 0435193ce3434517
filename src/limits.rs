//! How much one request may cost.

/// What a request may take up; beyond it the caller gets an answer that names the limit.
///
/// Every limit has a default with a reason, and `system.getCapabilities` reports all of them.
///
/// # Example
///
/// ```
/// use rpcgi::Limits;
///
/// let mut limits = Limits::default();
/// limits.body = 64 << 20; // somebody uploads photographs
/// assert_eq!(limits.depth, 64);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Octets of a request body, before and after decompression: 16 MiB.
    ///
    /// Room for a photograph in base64; small enough that a hundred such requests at once fit in a small machine.
    pub body: usize,
    /// Arrays and structs inside one another: 64.
    ///
    /// Nobody nests deeper by hand, xmlrpc-c stops there too, and the recursion fits any thread's stack.
    pub depth: u32,
    /// Array items and struct members in one document, together: 500,000.
    ///
    /// As a tree of [`Value`](crate::Value)s they take some 50 MB, three times the largest body.
    pub members: usize,
    /// Calls in one `system.multicall`, and names in one `system.describeMethods`: 100.
    ///
    /// A screenful of work in one round trip; not a way to try a thousand passwords in one.
    pub calls: usize,
    /// Octets of a response document, before compression: 64 MiB.
    ///
    /// Four times the largest request: a result above it is a mistake in a method, and is not written to its end.
    pub response: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { body: 16 << 20, depth: 64, members: 500_000, calls: 100, response: 64 << 20 }
    }
}

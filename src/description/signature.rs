//! Signatures: the types of a method's params and result.

use crate::wire::Type;

/// One way to call a method: the type of its result, and of its params in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signature {
    /// The type of the result.
    pub returns: Type,
    /// The types of the params.
    pub params: Vec<Type>,
}

impl Signature {
    /// Creates a signature.
    pub fn new(returns: Type, params: impl Into<Vec<Type>>) -> Signature {
        Signature { returns, params: params.into() }
    }

    /// Returns the names of its types as `system.methodSignature` lists them: that of the result first.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        std::iter::once(self.returns).chain(self.params.iter().copied()).map(Type::name).collect()
    }
}

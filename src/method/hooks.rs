//! Hooks: functions that are asked before a call, and told after it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Method;
use crate::description::Signature;
use crate::service::Request;
use crate::wire::fault::{Fault, catch_panic};

/// A call that a hook looks at: one of a document that may have several.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    name: &'a str,
    request: &'a Request,
    method: Option<&'a Method>,
}

impl<'a> Call<'a> {
    pub(super) fn new(name: &'a str, request: &'a Request, method: Option<&'a Method>) -> Call<'a> {
        Call { name, request, method }
    }

    /// Returns the name that the client calls, in full: with the prefixes of mounts, and maybe an alias.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Returns the request that the call is part of.
    pub fn request(&self) -> &'a Request {
        self.request
    }

    /// Returns the signature of the method, with all params that it may have; `None` if there is no such method, or it
    /// declares none. It is made from the types at each call of this function.
    pub fn signature(&self) -> Option<Signature> {
        let signatures = self.method?.describe(self.name).signatures;
        signatures.into_iter().max_by_key(|signature| signature.params.len())
    }

    /// Tests whether the call is of a method about methods: one of `system.` but `system.multicall`, whose calls come one
    /// by one, or `rpc.discover`.
    pub fn is_introspection(&self) -> bool {
        self.method.is_some_and(Method::is_introspection)
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("name", &self.name).finish_non_exhaustive()
    }
}

type Before = dyn Fn(&Call<'_>) -> Result<(), Fault> + Send + Sync;
type After = dyn Fn(&Call<'_>, Result<(), &Fault>, Duration) + Send + Sync;

/// The hooks of a registry, in the order they were added.
#[derive(Clone, Default)]
pub(super) struct Hooks {
    before: Vec<Arc<Before>>,
    after: Vec<Arc<After>>,
}

impl Hooks {
    pub(super) fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    pub(super) fn add_before(&mut self, before: impl Fn(&Call<'_>) -> Result<(), Fault> + Send + Sync + 'static) {
        self.before.push(Arc::new(before));
    }

    pub(super) fn add_after(
        &mut self,
        after: impl Fn(&Call<'_>, Result<(), &Fault>, Duration) + Send + Sync + 'static,
    ) {
        self.after.push(Arc::new(after));
    }

    /// Asks whether a call may be made.
    #[cold]
    pub(super) fn ask(&self, call: &Call<'_>) -> Result<(), Fault> {
        self.before.iter().try_for_each(|before| catch_panic(|| before(call))?)
    }

    /// Tells of a call that was made, or refused.
    #[cold]
    pub(super) fn tell(&self, call: &Call<'_>, outcome: Result<(), &Fault>, took: Duration) {
        for after in &self.after {
            if let Err(fault) = catch_panic(|| after(call, outcome, took)) {
                log::error!("a hook after a call {}", fault.cause().unwrap_or_default());
            }
        }
    }
}

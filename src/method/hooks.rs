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

    /// Tests whether the call is of a method about methods: one of `system.` but `system.multicall`, whose calls come
    /// one by one, or `rpc.discover`.
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::wire::Type;

    fn request() -> Request {
        Request::new(|name: &str| (name == "REMOTE_ADDR").then(|| b"192.0.2.7"[..].into()), Vec::new())
    }

    /// Adds a hook of each kind, which note their number.
    fn add_noting(hooks: &mut Hooks, number: i32, notes: &Arc<Mutex<Vec<String>>>) {
        let (before, after) = (Arc::clone(notes), Arc::clone(notes));
        hooks.add_before(move |_| {
            before.lock().unwrap().push(format!("before {number}"));
            Ok(())
        });
        hooks.add_after(move |_, outcome, took| {
            let fault = outcome.err().map_or(0, |fault| fault.code);
            after.lock().unwrap().push(format!("after {number} {fault} {}", took.as_secs()));
        });
    }

    #[test]
    fn calls_roundtrip() {
        let request = request();
        let method = Method::new("add", |a: i32, b: Option<String>| (a, b));
        let call = Call::new("m.add", &request, Some(&method));
        assert_eq!(call.name(), "m.add");
        assert_eq!(call.request().remote_addr(), request.remote_addr());
        let signature = call.signature().unwrap();
        assert_eq!((signature.returns, &signature.params[..]), (Type::Array, &[Type::Int, Type::String][..]));
        assert!(!call.is_introspection());
        let listing = Method::new("system.listMethods", || 1).mark_introspection();
        assert!(Call::new("system.listMethods", &request, Some(&listing)).is_introspection());
        let unknown = Call::new("none", &request, None);
        assert!(unknown.signature().is_none() && !unknown.is_introspection());
    }

    #[test]
    fn order_spec() {
        let (request, notes, mut hooks) = (request(), Arc::default(), Hooks::default());
        assert!(hooks.is_empty());
        (1..=2).for_each(|number| add_noting(&mut hooks, number, &notes));
        assert!(!hooks.is_empty());
        let call = Call::new("m", &request, None);
        assert_eq!(hooks.ask(&call), Ok(()));
        hooks.tell(&call, Err(&Fault::new(7, "full")), Duration::from_secs(3));
        assert_eq!(*notes.lock().unwrap(), ["before 1", "before 2", "after 1 7 3", "after 2 7 3"]);
    }

    #[test]
    fn calls_invalid() {
        let (request, notes, mut hooks) = (request(), Arc::default(), Hooks::default());
        hooks.add_before(|call| match call.name() {
            "closed" => Err(Fault::new(403, "closed")),
            "panic" => panic!("oh {}", call.name()),
            _ => Ok(()),
        });
        hooks.add_after(|_, _, _| panic!("oh"));
        add_noting(&mut hooks, 2, &notes);
        let ask = |name: &str| hooks.ask(&Call::new(name, &request, None));
        assert_eq!(ask("closed"), Err(Fault::new(403, "closed")));
        let fault = ask("panic").unwrap_err();
        assert_eq!(fault, Fault::new(-32603, "internal error"));
        assert_eq!(fault.cause().as_deref(), Some("panicked: oh panic"));
        assert!(notes.lock().unwrap().is_empty());
        // a hook that is told and panics keeps no other from being told
        hooks.tell(&Call::new("m", &request, None), Ok(()), Duration::ZERO);
        assert_eq!(*notes.lock().unwrap(), ["after 2 0 0"]);
    }
}

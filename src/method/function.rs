//! Functions and closures as methods: [`Function`], implemented for every number of arguments.

use std::convert::identity;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::arguments::{Arguments, is_optional};
#[cfg(feature = "async")]
use super::runtime::block_on;
use super::{Body, CallError, Metadata};
use crate::call::{Params, Reply};
use crate::description::FunctionSchemas;
use crate::service::Request;
use crate::wire::fault::Fault;

/// A function that can be a method.
///
/// Implemented for every function and closure of up to eight arguments that fit [`Method::new`](crate::Method::new);
/// `Kind` and `Args` only tell the implementations apart.
#[diagnostic::on_unimplemented(
    message = "this function cannot be a method",
    label = "arguments or result do not fit",
    note = "arguments: first `&Request` if wanted, then owned types that are `serde::de::DeserializeOwned + schemars::JsonSchema`",
    note = "result: a type that is `serde::Serialize + schemars::JsonSchema + Send + 'static`, or a `Result` of one and an error that is `Into<rpcgi::Fault>`",
    note = "the function must be `Send + Sync + 'static` and have at most eight arguments"
)]
pub trait Function<Kind, Args>: Send + Sync + 'static {
    #[doc(hidden)]
    fn call(&self, about: &Metadata, request: &Request, params: Params<'_, '_>) -> Result<Reply, CallError>;

    /// Returns the schemas of the arguments, each with whether it may be left out, and the schema of the result.
    #[doc(hidden)]
    fn schemas(generator: &mut SchemaGenerator) -> (Vec<(Schema, bool)>, Schema);
}

/// Marks functions that return their result.
#[doc(hidden)]
#[derive(Debug)]
pub enum Plain {}

/// Marks functions that return a `Result`.
#[doc(hidden)]
#[derive(Debug)]
pub enum Fallible {}

/// Marks functions whose first argument is the request.
#[doc(hidden)]
#[derive(Debug)]
pub struct WithRequest<Kind>(PhantomData<Kind>);

/// Marks `async` functions.
#[cfg(feature = "async")]
#[doc(hidden)]
#[derive(Debug)]
pub struct Async<Kind>(PhantomData<Kind>);

macro_rules! function {
    ($Fn:ident, $finish:path, $kind:ty, ($($error:ident)?), ($($request:ident: $Request:ty)?), $($Arg:ident $arg:ident),*) => {
        impl<F, R, $($error,)? $($Arg),*> Function<$kind, (R, $($error,)? $($Arg),*)> for F
        where
            F: $Fn($($Request,)? $($Arg),*) -> function!(@returns R $($error)?) + Send + Sync + 'static,
            R: Serialize + JsonSchema + Send + 'static,
            $($error: Into<Fault>,)?
            $($Arg: DeserializeOwned + JsonSchema + 'static,)*
        {
            #[allow(unused_variables, unused_mut, unused_assignments)]
            fn call(&self, about: &Metadata, request: &Request, params: Params<'_, '_>) -> Result<Reply, CallError> {
                let optional: &[fn() -> bool] = &[$(is_optional::<$Arg>),*];
                let is_optional = |index: usize| optional[index]();
                let mut arguments = Arguments::new(about, optional.len(), &is_optional, params);
                $(let $arg: $Arg = arguments.next()?;)*
                arguments.finish()?;
                $(let $request = request;)?
                let result = $finish(self($($request,)? $($arg),*));
                function!(@reply result $($error)?)
            }

            fn schemas(generator: &mut SchemaGenerator) -> (Vec<(Schema, bool)>, Schema) {
                let params = vec![$((generator.subschema_for::<$Arg>(), is_optional::<$Arg>())),*];
                (params, generator.subschema_for::<R>())
            }
        }
    };
    (@returns $R:ident) => { $R };
    (@returns $R:ident $E:ident) => { Result<$R, $E> };
    (@reply $result:ident) => { Ok(Reply::new($result)) };
    (@reply $result:ident $E:ident) => {
        match $result {
            Ok(result) => Ok(Reply::new(result)),
            Err(error) => Err(CallError::Fault(error.into())),
        }
    };
}

macro_rules! functions {
    ($($Arg:ident $arg:ident),*) => {
        function!(Fn, identity, Plain, (), (), $($Arg $arg),*);
        function!(Fn, identity, Fallible, (E), (), $($Arg $arg),*);
        function!(Fn, identity, WithRequest<Plain>, (), (request: &Request), $($Arg $arg),*);
        function!(Fn, identity, WithRequest<Fallible>, (E), (request: &Request), $($Arg $arg),*);
        #[cfg(feature = "async")]
        const _: () = {
            function!(AsyncFn, block_on, Async<Plain>, (), (), $($Arg $arg),*);
            function!(AsyncFn, block_on, Async<Fallible>, (E), (), $($Arg $arg),*);
            function!(AsyncFn, block_on, Async<WithRequest<Plain>>, (), (request: &Request), $($Arg $arg),*);
            function!(AsyncFn, block_on, Async<WithRequest<Fallible>>, (E), (request: &Request), $($Arg $arg),*);
        };
    };
}

functions!();
functions!(A a);
functions!(A a, B b);
functions!(A a, B b, C c);
functions!(A a, B b, C c, D d);
functions!(A a, B b, C c, D d, G g);
functions!(A a, B b, C c, D d, G g, H h);
functions!(A a, B b, C c, D d, G g, H h, I i);
functions!(A a, B b, C c, D d, G g, H h, I i, J j);

/// A function of typed arguments.
#[doc(hidden)]
pub struct TypedFunction<F, Kind, Args> {
    pub function: F,
    pub marker: PhantomData<fn(Kind, Args)>,
}

impl<F, Kind, Args> fmt::Debug for TypedFunction<F, Kind, Args> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedFunction").finish_non_exhaustive()
    }
}

impl<F, Kind, Args> TypedFunction<F, Kind, Args> {
    pub(super) fn new(function: F) -> TypedFunction<F, Kind, Args> {
        TypedFunction { function, marker: PhantomData }
    }
}

impl<F: Function<Kind, Args>, Kind, Args> Body for TypedFunction<F, Kind, Args> {
    fn call(&self, about: &Metadata, request: &Request, params: Params<'_, '_>) -> Result<Reply, CallError> {
        self.function.call(about, request, params)
    }

    fn functions(&self, about: &Metadata, generator: &mut SchemaGenerator) -> Vec<FunctionSchemas> {
        let (params, returns) = F::schemas(generator);
        let param = |(index, (schema, optional)): (usize, (Schema, bool))| about.param_schema(index, optional, schema);
        let params = params.into_iter().enumerate().map(param).collect();
        vec![FunctionSchemas { params, returns }]
    }
}

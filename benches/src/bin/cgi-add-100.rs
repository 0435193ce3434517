//! `cgi-add` with a hundred methods more, to see what registering them costs.

use std::process::ExitCode;

use rpcgi::{Registry, Server, method, methods};

/// It asks the system for memory once or twice, where musl's own asks for each size apart.
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// Adds two numbers.
#[method]
fn add(a: i32, b: i32) -> Option<i32> {
    a.checked_add(b)
}

/// Ten methods in a module of this name.
macro_rules! ten {
    ($module:ident: $($method:ident)*) => {
        mod $module {
            use rpcgi::{Registry, method, methods};

            $(
                /// Multiplies a number, and says what came of it.
                #[method]
                fn $method(
                    /// the number
                    number: i64,
                    /// what the answer begins with
                    text: Option<String>,
                ) -> String {
                    format!("{} {}", text.unwrap_or_default(), number.wrapping_mul(stringify!($method).len() as i64))
                }
            )*

            pub(crate) fn registry() -> Registry {
                methods![$($method),*].into()
            }
        }
    };
}

ten!(a: zero one two three four five six seven eight nine);
ten!(b: zero one two three four five six seven eight nine);
ten!(c: zero one two three four five six seven eight nine);
ten!(d: zero one two three four five six seven eight nine);
ten!(e: zero one two three four five six seven eight nine);
ten!(f: zero one two three four five six seven eight nine);
ten!(g: zero one two three four five six seven eight nine);
ten!(h: zero one two three four five six seven eight nine);
ten!(i: zero one two three four five six seven eight nine);
ten!(j: zero one two three four five six seven eight nine);

fn main() -> ExitCode {
    let modules: [(&str, Registry); 10] = [
        ("a", a::registry()),
        ("b", b::registry()),
        ("c", c::registry()),
        ("d", d::registry()),
        ("e", e::registry()),
        ("f", f::registry()),
        ("g", g::registry()),
        ("h", h::registry()),
        ("i", i::registry()),
        ("j", j::registry()),
    ];
    let server = Server::new("Sums").methods(methods![add]);
    modules.into_iter().fold(server, |server, (prefix, registry)| server.mount(prefix, registry)).run()
}

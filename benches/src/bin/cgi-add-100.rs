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

/// Methods of these names.
macro_rules! more {
    ($($method:ident)*) => {
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

        fn more() -> Registry {
            methods![$($method),*].into()
        }
    };
}

more! {
    m73 m86 m82 m23 m01 m42 m57 m40 m76 m69 m25 m94 m09 m41 m88 m83 m74 m91 m67 m95 m79 m75 m06 m72 m04
    m71 m63 m62 m20 m65 m89 m60 m29 m56 m59 m90 m16 m84 m14 m10 m85 m44 m58 m98 m77 m26 m12 m32 m48 m54
    m45 m36 m18 m00 m93 m53 m81 m55 m52 m05 m17 m99 m15 m80 m31 m64 m49 m43 m96 m47 m87 m39 m21 m24 m34
    m78 m03 m27 m33 m97 m22 m35 m46 m68 m66 m28 m07 m37 m70 m51 m02 m08 m11 m19 m61 m50 m92 m13 m38 m30
}

fn main() -> ExitCode {
    Server::new("Sums").methods(methods![add]).methods(more()).run()
}

use rpcgi::method;

#[method(nam = "x")]
fn both(a: &str, (b, c): (i32, i32)) {}

fn main() {
    // the function is there all the same
    both("", (1, 2));
}

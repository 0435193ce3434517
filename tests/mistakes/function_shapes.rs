use rpcgi::{Request, method};

#[method]
fn borrowed(text: &str) -> i32 {
    text.len() as i32
}

#[method]
fn generic<T>(value: T) {}

#[method]
fn opaque(value: impl ToString) {}

#[method]
fn pattern((a, b): (i32, i32)) -> i32 {
    a + b
}

#[method]
fn request_last(a: i32, request: &Request) {}

#[method]
fn request_mut(request: &mut Request) {}

#[method]
unsafe fn trusting() {}

fn main() {}

use rpcgi::{method, service};

#[method(example(a = 1, c = 2))]
fn unknown_name_and_missing_argument(a: i32, b: i32) -> i32 {
    a + b
}

#[method(example(a = 1, a = 2, result = 3, return = 4))]
fn twice(a: i32) -> i32 {
    a
}

#[method(example(result = 1, return = 1), example(results = 1))]
fn argument_called_result(result: i32) -> i32 {
    result
}

#[method(example(a))]
fn no_value(a: i32) -> i32 {
    a
}

struct Opaque;

#[method(example(a = Opaque))]
fn cannot_be_sent(a: i32) -> i32 {
    a
}

struct Wheel;

#[service]
impl Wheel {
    #[method(example())]
    pub fn spin(&self, force: i32) -> i32 {
        force
    }
}

fn main() {}

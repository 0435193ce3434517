use rpcgi::{Server, method, methods};

struct NotSerializable;

#[method]
fn returns() -> NotSerializable {
    NotSerializable
}

#[method]
fn takes(value: NotSerializable) {}

fn not_a_method() {}

fn main() {
    Server::new("x").methods(methods![not_a_method]);
    Server::new("x").method("closure", |value: NotSerializable| 1);
}

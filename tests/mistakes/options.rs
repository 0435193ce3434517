use rpcgi::{method, service};

#[method(rename = "x")]
fn unknown_option() {}

#[method(name = 5)]
fn no_text() {}

struct Wheel;

#[service(rename_all = "camel")]
impl Wheel {}

#[service(prefix = "x")]
impl Wheel {
    pub fn spin(&self) {}
}

#[service]
impl Wheel {
    #[method(nam = "x")]
    pub fn turn(&self) {}

    #[method(name = "x")]
    fn private(&self) {}
}

fn main() {}

use rpcgi::{method, service};

#[method]
struct Wheel;

#[method]
impl Wheel {}

#[service]
fn function() {}

#[service]
struct Other;

#[service]
impl Clone for Wheel {
    fn clone(&self) -> Wheel {
        Wheel
    }
}

impl Wheel {
    #[method]
    pub fn spin(&self) {}
}

fn main() {}

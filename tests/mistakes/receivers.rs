use rpcgi::service;

struct Wheel;

#[service]
impl Wheel {
    pub fn change(&mut self) {}

    pub fn consume(self) {}
}

fn main() {}

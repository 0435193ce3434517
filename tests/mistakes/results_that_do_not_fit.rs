use rpcgi::{method, service};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
struct WithoutSchema;

#[derive(Deserialize, Serialize, JsonSchema)]
struct Fine;

struct NoFault;

type Answer<T> = Result<T, rpcgi::Fault>;

#[method]
fn the_second_argument(_fine: Fine, _other: Vec<WithoutSchema>) -> Fine {
    Fine
}

#[method]
fn behind_an_alias() -> Answer<WithoutSchema> {
    Ok(WithoutSchema)
}

#[method]
fn an_error() -> Result<Fine, NoFault> {
    Ok(Fine)
}

struct Shop;

#[service]
impl Shop {
    pub fn sell(&self, fine: Fine) -> Option<WithoutSchema> {
        let _ = fine;
        None
    }
}

fn main() {}

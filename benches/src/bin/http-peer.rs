//! jsonrpsee's side of `http`: `add` of two ints. Usage: `http-peer ADDRESS:PORT`

use std::error::Error;

use jsonrpsee::RpcModule;
use jsonrpsee::server::{ServerBuilder, ServerConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: http-peer ADDRESS:PORT")?;
    let mut module = RpcModule::new(());
    module.register_method("add", |params, (), _| {
        let (a, b): (i32, i32) = params.parse()?;
        Ok::<i32, jsonrpsee::types::ErrorObjectOwned>(a + b)
    })?;
    let config = ServerConfig::builder().http_only().max_connections(100).build();
    let server = ServerBuilder::new().set_config(config).build(address).await?;
    println!("Serving at http://{}/", server.local_addr()?);
    server.start(module).stopped().await;
    Ok(())
}

// cargo add serde_json, and ureq with the feature json
{{basic}}// and base64
use serde_json::{Value, json};

fn main() -> Result<(), ureq::Error> {
    let call = json!({{call}});
{{bearer}}    let token = std::env::var("TOKEN").unwrap_or_default();
{{basic}}    let login = std::env::var("LOGIN").unwrap_or_default();
{{basic}}    let login = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, login);
    let answer: Value = ureq::post({{url}})
{{bearer}}        .header("Authorization", format!("Bearer {token}"))
{{basic}}        .header("Authorization", format!("Basic {login}"))
        .send_json(call)?.body_mut().read_json()?;
    println!("{answer:#}");
    Ok(())
}

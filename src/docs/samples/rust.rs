// cargo add serde_json, and ureq with the feature json
use serde_json::{Value, json};

fn main() -> Result<(), ureq::Error> {
    let call = json!({{call}});
    let answer: Value = ureq::post({{url}}).send_json(call)?.body_mut().read_json()?;
    println!("{answer:#}");
    Ok(())
}

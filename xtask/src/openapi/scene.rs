//! A server with a courier on the way, and the credentials of everybody who may call it: most calls need an id that
//! exists to get beyond "not found".

use super::document::folder;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::fs;
use xtask_support::http::call;
use xtask_support::postgres::Throwaway;
use xtask_support::running::free_address;
use xtask_support::server::Server;

const DATABASE: &str = "openapi";

const EMAIL: &str = "admin@example.org";
const PASSWORD: &str = "correct horse battery staple";

/// Phones choose the ids of proofs.
const PROOF_ID: &str = "019ab0c2-7a10-7c44-9d5e-3b1f0a2c4d6e";

/// A running server. It ends with this value.
pub(super) struct Scene {
    server: Server,
    api_key: String,
    device_token: String,
}

impl Scene {
    /// Starts a debug server on a database of its own, and makes a person, a courier and an order that is on its way.
    ///
    /// # Errors
    /// When the server does not start, or does not do one of these.
    pub(super) fn make(postgres: &Throwaway) -> Result<Self> {
        postgres.create_database(DATABASE)?;
        let server = start(postgres)?;
        server.run(&["user", "create", "--email", EMAIL, "--role", "admin"])?;
        let api_key = server.run(&["api-key", "create", "--name", "openapi"])?;
        let mut scene = Self { server, api_key, device_token: String::new() };
        scene.send_a_courier()?;
        Ok(scene)
    }

    /// Where the server answers.
    pub(super) fn url(&self) -> String {
        self.server.url()
    }

    /// The variables of xtask/openapi/schemathesis.toml.
    pub(super) fn credentials(&self) -> [(&'static str, &str); 4] {
        [
            ("DOORSTEP_API_KEY", &self.api_key),
            ("DOORSTEP_DEVICE_TOKEN", &self.device_token),
            ("DOORSTEP_EMAIL", EMAIL),
            ("DOORSTEP_PASSWORD", PASSWORD),
        ]
    }

    /// A courier with two orders on the way. Calls end the first; nothing but its link leads to the second.
    fn send_a_courier(&mut self) -> Result<()> {
        let courier = self.post("/couriers", &json!({ "name": "Ana", "vehicle": "scooter" }))?;
        let courier_id = text(&courier, "id")?;
        let device = self.post(&format!("/couriers/{courier_id}/devices"), &json!({ "label": "phone" }))?;
        self.device_token = text(&device, "token")?;
        let order_id = text(&self.order_on_its_way(&courier_id)?, "id")?;
        self.sign_for(&order_id)?;
        let tracked = self.order_on_its_way(&courier_id)?;
        write("couriers.txt", &courier_id)?;
        write("orders.txt", &order_id)?;
        write("proofs.txt", PROOF_ID)?;
        write("tracking-tokens.txt", &text(&tracked, "tracking_token")?)
    }

    fn order_on_its_way(&self, courier_id: &str) -> Result<Value> {
        let order = self.post("/orders", &order())?;
        let order_id = text(&order, "id")?;
        self.post(&format!("/orders/{order_id}/assign"), &json!({ "courier_id": courier_id }))?;
        self.post(&format!("/orders/{order_id}/status"), &json!({ "status": "picked_up" }))?;
        Ok(order)
    }

    /// A proof with a picture.
    fn sign_for(&self, order_id: &str) -> Result<()> {
        let path = format!("/courier/orders/{order_id}/proofs/{PROOF_ID}");
        let signature =
            json!({ "kind": "signature", "name": "Eve", "strokes": [[[0.1, 0.5], [0.9, 0.5]]], "taken_ms": 0 });
        self.send("PUT", &path, &self.device_token, &signature).map(drop)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send("POST", path, &self.api_key, body)
    }

    fn send(&self, method: &str, path: &str, token: &str, body: &Value) -> Result<Value> {
        let body = body.to_string();
        let answer = call(self.server.address(), method, &format!("/api/v1{path}"), token, Some(&body));
        ensure!(answer.status.is_some_and(|status| status < 300), "{method} {path} was answered with {answer:?}");
        serde_json::from_str(&answer.body).with_context(|| format!("the answer to {method} {path}"))
    }
}

/// A server that its document describes: behind TLS, as the names of its cookies say.
fn start(postgres: &Throwaway) -> Result<Server> {
    let data = folder().join("data");
    let environment = vec![
        ("DATABASE_URL", postgres.url(DATABASE)),
        ("DOORSTEP_DATA_DIR", data.display().to_string()),
        ("DOORSTEP_PUBLIC_URL", "https://doorstep.example".to_owned()),
        ("DOORSTEP_PASSWORD", PASSWORD.to_owned()),
    ];
    Server::start("debug", free_address()?, environment, folder().join("server.log"))
}

fn order() -> Value {
    json!({
        "reference": "A-1042",
        "pickup": { "lat": 35.8935, "lon": 14.5005, "address": "Harbour Kitchen" },
        "dropoff": { "lat": 35.8989, "lon": 14.5145, "address": "12 Triq il-Merkanti" },
        "customer": { "name": "Eve" },
        "proof": ["photo", "signature", "pin"],
    })
}

fn text(answer: &Value, field: &str) -> Result<String> {
    let text = answer[field].as_str().with_context(|| format!("an answer without {field}"))?;
    Ok(text.to_owned())
}

/// A dictionary of xtask/openapi/schemathesis.toml.
fn write(name: &str, value: &str) -> Result<()> {
    let file = folder().join(name);
    fs::write(&file, format!("\"{value}\"\n")).with_context(|| format!("writing {}", file.display()))
}

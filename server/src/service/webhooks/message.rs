//! A message as it travels: its body and its signatures, by Standard Webhooks 1.0.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

/// The body of a message: the same for every try. `personal` goes over `data`.
pub(super) fn body(kind: &str, at: DateTime<Utc>, mut data: Value, personal: Value) -> String {
    merge(&mut data, personal);
    let timestamp = at.to_rfc3339_opts(SecondsFormat::Millis, true);
    json!({ "type": kind, "timestamp": timestamp, "data": data }).to_string()
}

/// Puts the fields of `more` into `into`, object by object.
fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (field, value) in more {
                merge(into.entry(field).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (into, more) => *into = more,
    }
}

/// The signatures of a message sent at `sent_at_s`, Unix epoch seconds: one for each secret.
pub(super) fn signatures(secrets: &[Vec<u8>], id: &str, sent_at_s: i64, body: &str) -> String {
    let sign = |secret: &Vec<u8>| {
        let signer = Webhook::from_bytes(secret.clone()).expect("any bytes are a key");
        signer.sign(id, sent_at_s, body.as_bytes()).expect("the body is text")
    };
    secrets.iter().map(sign).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::{clock::from_ms, token};

    #[test]
    fn a_body_has_the_type_the_time_and_what_only_some_may_read() {
        let data = json!({ "reference": "A-1", "customer": { "name": "Eve" }, "version": 3 });
        let personal = json!({ "customer": { "phone": "+356 2122 0000" } });
        let at = from_ms(1_795_219_200_123);
        let read = |body: String| serde_json::from_str::<Value>(&body).expect("JSON");
        let plain = read(body("order.created", at, data.clone(), Value::Null));
        assert_eq!(plain, json!({ "type": "order.created", "timestamp": "2026-11-21T00:00:00.123Z", "data": data }));
        let whole = read(body("order.created", at, data, personal));
        assert_eq!(whole["data"]["customer"], json!({ "name": "Eve", "phone": "+356 2122 0000" }));
    }

    #[test]
    fn a_message_is_signed_as_the_standards_example() {
        let secret =
            base64::Engine::decode(&base64::engine::general_purpose::STANDARD, "C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
        let secret = secret.expect("base64");
        let body = r#"{"email":"test@example.com","username":"test_user"}"#;
        let id = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
        let one = signatures(std::slice::from_ref(&secret), id, 1_649_367_553, body);
        assert_eq!(one, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
        let two = signatures(&[token::new_webhook_secret().to_vec(), secret], id, 1_649_367_553, body);
        assert_eq!(two.split(' ').count(), 2);
        assert!(two.ends_with(&one));
    }
}

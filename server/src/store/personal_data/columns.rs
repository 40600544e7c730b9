//! Every column that can hold text, and what becomes of it.

/// What a column holds, and so what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Words of the program's own, and ids.
    Words,
    /// A secret's hash, or what it seals. No export shows it.
    Secret,
    /// The operator's own text: about the business, or a member of it.
    Operators,
    /// Something about a customer, which ends with their order's data.
    Customers,
    /// Something about a courier, which ends when they are erased.
    Couriers,
}

use Holds::{Couriers, Customers, Operators, Secret, Words};

/// Every column of every table that can hold text: table, column, and what it holds.
pub const COLUMNS: [(&str, &str, Holds); 96] = [
    ("_sqlx_migrations", "checksum", Words),
    ("_sqlx_migrations", "description", Words),
    ("access_log", "actor", Words),
    // Of the person at the console who looked.
    ("access_log", "address", Operators),
    ("access_log", "what", Words),
    ("address_pins", "address", Customers),
    ("address_pins", "key", Customers),
    ("address_pins", "pinned_by", Words),
    ("api_keys", "created_by", Words),
    ("api_keys", "former_token_hash", Secret),
    ("api_keys", "name", Operators),
    ("api_keys", "scopes", Words),
    ("api_keys", "token_hash", Secret),
    ("arrival_lessons", "seen", Words),
    ("arrival_scores", "pickup", Customers),
    ("arrival_scores", "situation", Words),
    ("arrival_scores", "vehicle", Words),
    ("arrival_told", "situation", Words),
    ("courier_sessions", "token_hash", Secret),
    ("courier_sign_in_codes", "code_hash", Secret),
    ("couriers", "depot_address", Couriers),
    ("couriers", "name", Couriers),
    ("couriers", "phone", Couriers),
    ("couriers", "presence_reason", Words),
    ("couriers", "presence_state", Words),
    ("couriers", "skills", Couriers),
    ("couriers", "vehicle", Words),
    ("devices", "client", Words),
    ("devices", "label", Couriers),
    ("devices", "last_rejection", Words),
    ("devices", "token_hash", Secret),
    ("devices", "tracker_app", Words),
    ("erasures", "counts", Words),
    ("erasures", "erased_by", Words),
    ("erasures", "sought", Words),
    ("exceptions", "code", Words),
    ("exceptions", "note", Customers),
    ("exceptions", "reason", Words),
    ("idempotency_keys", "body", Secret),
    ("idempotency_keys", "key", Customers),
    ("idempotency_keys", "principal", Words),
    ("idempotency_keys", "request_hash", Secret),
    ("order_events", "actor", Words),
    ("order_events", "changes", Customers),
    ("order_events", "kind", Words),
    ("order_events", "note", Customers),
    ("order_events", "status", Words),
    ("orders", "customer_email", Customers),
    ("orders", "customer_name", Customers),
    ("orders", "customer_phone", Customers),
    ("orders", "dropoff_address", Customers),
    ("orders", "dropoff_instructions", Customers),
    ("orders", "note", Customers),
    ("orders", "pickup_address", Customers),
    ("orders", "pickup_instructions", Customers),
    ("orders", "pickup_phone", Customers),
    ("orders", "pin_hash", Secret),
    ("orders", "proof_wanted", Words),
    ("orders", "reference", Customers),
    ("orders", "requires", Customers),
    // Made by the database from what else stands in the row.
    ("orders", "search_text", Customers),
    ("orders", "status", Words),
    ("orders", "tracking_token_hash", Secret),
    ("orders", "unseen_changes", Words),
    ("outbox_deliveries", "lane", Words),
    ("outbox_deliveries", "state", Words),
    ("outbox_events", "data", Customers),
    ("outbox_events", "personal", Customers),
    ("outbox_events", "type", Words),
    ("plans", "change", Words),
    ("plans", "changed_by", Words),
    ("plans", "kinds", Words),
    ("proofs", "content_hash", Secret),
    ("proofs", "image_key", Words),
    ("proofs", "kind", Words),
    ("proofs", "media_type", Words),
    ("proofs", "name", Customers),
    ("saved_pickups", "address", Operators),
    ("saved_pickups", "instructions", Operators),
    ("saved_pickups", "name", Operators),
    ("saved_pickups", "phone", Customers),
    ("sessions", "token_hash", Secret),
    ("tracking_links", "created_by", Words),
    ("tracking_links", "token_hash", Secret),
    // An account is closed first (`doorstep user disable`); then its address ends with the person.
    ("users", "email", Operators),
    ("users", "password_hash", Secret),
    ("users", "role", Words),
    ("webhook_attempts", "outcome", Words),
    ("webhook_attempts", "type", Words),
    ("webhooks", "created_by", Words),
    ("webhooks", "description", Operators),
    ("webhooks", "disabled_reason", Words),
    ("webhooks", "events", Words),
    ("webhooks", "former_secret", Secret),
    ("webhooks", "secret", Secret),
    ("webhooks", "url", Operators),
];

/// The columns of a table that no export shows.
pub fn secrets_of(table: &str) -> Vec<String> {
    let hidden = COLUMNS.iter().filter(|(of, _, holds)| *of == table && *holds == Secret);
    hidden.map(|(_, column, _)| (*column).to_owned()).collect()
}

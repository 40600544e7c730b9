//! The baseline of `cargo xtask bench`: the least that can carry a fix from a courier to a customer.
//!
//! actix-web and actix-ws as their documentation shows them, a map of topics, and nothing else: no database, no
//! checks, no conflation. It speaks just enough of the protocol for the same load client to measure both. A fix's
//! JSON goes out as it came in, with another `type` before it.

#![allow(clippy::disallowed_methods, reason = "a baseline does without the server's task registry")]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    web::{Data, Json, Path, Payload},
};
use actix_ws::{Message, Session};
use doorstep_shared::{
    CourierId, DeviceId, OrderId, OrderStatus, Vehicle,
    api::{Assign, CourierView, CreateCourier, CreateOrder, DeviceCreated, OrderCreated},
    protocol::{
        Codec,
        courier::{CourierEvent, CourierIdentity, Pace, Welcome},
        customer::{CustomerEvent, Place, Snapshot, TrackedOrder},
        encode_json,
    },
};
use serde_json::json;

#[derive(Default)]
struct Topics {
    /// Which order a courier's positions belong to.
    order_of: Mutex<HashMap<String, String>>,
    reference_of: Mutex<HashMap<String, String>>,
    viewers: Mutex<HashMap<String, Vec<Session>>>,
}

type State = Data<Arc<Topics>>;

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics while it holds a topic")
}

async fn create_courier(body: Json<CreateCourier>) -> HttpResponse {
    HttpResponse::Created().json(CourierView {
        id: CourierId::new(),
        name: body.name.clone(),
        phone: None,
        vehicle: Vehicle::Scooter,
        created_at: chrono::DateTime::UNIX_EPOCH,
        position: None,
        presence: None,
        capacity: None,
        skills: None,
        shift: None,
        depot: None,
        archived_at: None,
    })
}

/// A device's token is its courier's id, and an order's tracking token the order's id.
async fn create_device(courier: Path<String>) -> HttpResponse {
    HttpResponse::Created().json(DeviceCreated {
        id: DeviceId::new(),
        token: courier.into_inner(),
        sign_in_url: String::new(),
        sign_in_expires_at: chrono::DateTime::UNIX_EPOCH,
    })
}

async fn create_order(topics: State, body: Json<CreateOrder>) -> HttpResponse {
    let id = OrderId::new();
    lock(&topics.reference_of).insert(id.to_string(), body.reference.clone());
    HttpResponse::Created().json(OrderCreated {
        id,
        reference: body.reference.clone(),
        status: OrderStatus::Created,
        tracking_token: id.to_string(),
        tracking_url: String::new(),
        delivery_pin: None,
        created_at: chrono::DateTime::UNIX_EPOCH,
    })
}

async fn assign(topics: State, order: Path<String>, body: Json<Assign>) -> HttpResponse {
    lock(&topics.order_of).insert(body.courier_id.to_string(), order.into_inner());
    HttpResponse::Ok().json(json!({}))
}

async fn accept() -> HttpResponse {
    HttpResponse::Ok().json(json!({}))
}

async fn courier(topics: State, request: HttpRequest, body: Payload) -> actix_web::Result<HttpResponse> {
    let token = request.headers().get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let courier = token.trim_start_matches("Bearer ").to_owned();
    let (response, mut session, mut messages) =
        actix_ws::handle_with_protocols(&request, body, &[Codec::Json.subprotocol()])?;
    let order = lock(&topics.order_of).get(&courier).cloned().unwrap_or_default();
    let welcome = CourierEvent::Welcome(Welcome {
        server_time_ms: 0,
        courier: CourierIdentity { id: courier.parse().unwrap_or_else(|_| CourierId::new()), name: "relay".into() },
        max_fixes: 500,
        pace: Pace { interval_ms: 1_000, min_distance_m: 0, reason: None },
        stops: vec![],
        version: None,
        office_phone: None,
        may_reorder: None,
    });
    actix_web::rt::spawn(async move {
        let _ = session.text(encode_json(&welcome)).await;
        while let Some(Ok(message)) = messages.recv().await {
            let Message::Text(text) = message else { continue };
            let Some((position, ack)) = relayed(&text) else { continue };
            let viewers = lock(&topics.viewers).get(&order).cloned().unwrap_or_default();
            for mut viewer in viewers {
                let _ = viewer.text(position.clone()).await;
            }
            let _ = session.text(ack).await;
        }
    });
    Ok(response)
}

async fn viewer(
    topics: State,
    request: HttpRequest,
    order: Path<String>,
    body: Payload,
) -> actix_web::Result<HttpResponse> {
    let (response, mut session, mut messages) =
        actix_ws::handle_with_protocols(&request, body, &[Codec::Json.subprotocol()])?;
    let order = order.into_inner();
    let reference = lock(&topics.reference_of).get(&order).cloned().unwrap_or_default();
    actix_web::rt::spawn(async move {
        let _ = session.text(encode_json(&snapshot(reference))).await;
        lock(&topics.viewers).entry(order).or_default().push(session);
        while let Some(Ok(_)) = messages.recv().await {}
    });
    Ok(response)
}

fn snapshot(reference: String) -> CustomerEvent {
    let place = Place { lat: 35.9, lon: 14.5, label: String::new() };
    CustomerEvent::Snapshot(Snapshot {
        server_time_ms: 0,
        order: TrackedOrder {
            reference,
            status: OrderStatus::PickedUp,
            status_at_ms: 0,
            stops_before: 0,
            pickup: place.clone(),
            dropoff: place,
            timeline: vec![],
        },
        courier: None,
        position: None,
        trail: vec![],
        eta: None,
    })
}

/// The last fix of a message as a position, and the message's ack, cut out of the text.
fn relayed(message: &str) -> Option<(String, String)> {
    let id = message.split_once("\"id\":")?.1.split([',', '}']).next()?;
    let last_fix = message.rsplit_once('{')?.1.split_once('}')?.0;
    let fixes = message.matches("\"time_ms\"").count();
    let position = format!("{{\"type\":\"position\",{last_fix}}}");
    let ack = format!("{{\"type\":\"ack\",\"id\":{id},\"stored\":{fixes},\"duplicates\":0,\"rejected\":[]}}");
    Some((position, ack))
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8070".to_owned());
    let topics: State = Data::new(Arc::new(Topics::default()));
    HttpServer::new(move || {
        use actix_web::web::{get, post};
        App::new()
            .app_data(topics.clone())
            .route("/api/v1/couriers", post().to(create_courier))
            .route("/api/v1/couriers/{id}/devices", post().to(create_device))
            .route("/api/v1/orders", post().to(create_order))
            .route("/api/v1/orders/{id}/assign", post().to(assign))
            .route("/api/v1/orders/{id}/status", post().to(accept))
            .route("/health/ready", get().to(accept))
            .route("/ws/courier", get().to(courier))
            .route("/ws/track/{token}", get().to(viewer))
    })
    .workers(std::thread::available_parallelism().map_or(2, usize::from))
    .backlog(4_096)
    // Whoever ends a measurement does not wait for its sockets.
    .shutdown_timeout(0)
    .bind(address)?
    .run()
    .await
}

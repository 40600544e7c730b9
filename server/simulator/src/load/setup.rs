//! Registers couriers, devices and orders through the REST API, before anything is measured.

use anyhow::{Context, Result};
use doorstep_shared::{
    CourierId, LatLon, OrderId, OrderStatus, Vehicle,
    api::{CreateCourier, CreateOrder, CustomerBody, PlaceBody},
};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::api::Api;

/// A courier with an order under way.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub courier: CourierId,
    pub order: OrderId,
    pub device_token: String,
    pub reference: String,
    pub tracking_token: String,
}

/// Sets up `count` deliveries, at most `concurrency` at once, in the order of their numbers.
pub(crate) async fn deliveries(api: &Api, count: usize, concurrency: usize, seed: u64) -> Result<Vec<Delivery>> {
    let numbered = (0..count).map(|number| delivery(api, number, seed));
    stream::iter(numbered).buffered(concurrency.max(1)).try_collect().await.context("setting up couriers and orders")
}

async fn delivery(api: &Api, number: usize, seed: u64) -> Result<Delivery> {
    let name = format!("Load courier {number}");
    let courier = api.create_courier(&CreateCourier::plain(name, None, Vehicle::Scooter)).await?;
    let device = api.create_device(courier.id, "load test").await?;
    let reference = format!("L{seed}-{number}");
    let created = api.create_order(&order(reference.clone())).await?;
    api.assign(created.id, courier.id).await?;
    // From here on the customer sees the courier move.
    api.set_status(created.id, OrderStatus::PickedUp, None).await?;
    Ok(Delivery {
        courier: courier.id,
        order: created.id,
        device_token: device.token,
        reference,
        tracking_token: created.tracking_token,
    })
}

/// An unassigned order, for customers to wait on.
#[derive(Clone, Debug)]
pub(super) struct Idle {
    pub order: OrderId,
    pub reference: String,
    pub tracking_token: String,
}

/// Sets up `count` orders without couriers.
pub(super) async fn idle_orders(api: &Api, count: usize, concurrency: usize, seed: u64) -> Result<Vec<Idle>> {
    let numbered = (0..count).map(|number| async move {
        let reference = format!("I{seed}-{number}");
        let created = api.create_order(&order(reference.clone())).await?;
        anyhow::Ok(Idle { order: created.id, reference, tracking_token: created.tracking_token })
    });
    stream::iter(numbered).buffered(concurrency.max(1)).try_collect().await.context("setting up idle orders")
}

/// Cancels what was set up, so that the next test does not find a server full of open orders.
pub(super) async fn tidy_up(api: &Api, deliveries: &[Delivery], idle: &[Idle], concurrency: usize) {
    let orders = deliveries.iter().map(|delivery| delivery.order).chain(idle.iter().map(|idle| idle.order));
    let cancelling = orders.map(|order| async move {
        if let Err(error) = api.set_status(order, OrderStatus::Cancelled, Some("load test over")).await {
            tracing::warn!(error = %error, "an order of the load test stays open");
        }
    });
    stream::iter(cancelling).buffer_unordered(concurrency.max(1)).collect::<()>().await;
}

/// Between two places off the riders' streets, so that no courier arrives during the measurement.
fn order(reference: String) -> CreateOrder {
    let place = |point: LatLon, address: &str| PlaceBody {
        lat: point.lat(),
        lon: point.lon(),
        address: address.to_owned(),
        ..PlaceBody::default()
    };
    let at = |lat, lon| LatLon::try_new(lat, lon).expect("on earth");
    CreateOrder {
        reference,
        pickup: place(at(35.9811, 14.3381), "One end of the area"),
        dropoff: place(at(35.8264, 14.5281), "The other end"),
        customer: CustomerBody { name: "Load customer".into(), phone: None, email: None },
        ..CreateOrder::default()
    }
}

//! Couriers who deliver on the streets of an area until the demo ends.
//!
//! Each courier takes orders, fetches them, brings them and begins again, in real time, on real streets, with
//! the phones and networks that couriers have. Now and then dispatch changes the order of their stops or an address under
//! way, a kitchen is late, or nobody answers and a second attempt is made. The first order is picked up within seconds and then takes
//! some minutes, so that a person who opens its link sees a delivery from beginning to end.
//! Couriers of an earlier demo on the same server are taken over, and their open orders called off.

mod cast;
mod desk;
mod errand;
mod guest;
mod phone;
mod shift;
mod twists;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use doorstep_shared::{
    CourierId, LatLon, OrderId, OrderStatus, Vehicle,
    api::{CourierView, CreateCourier, OrderView},
};
use futures_util::{StreamExt, stream};
use rand::Rng;
use tokio::task::JoinSet;

use crate::{
    api::Api,
    driving::Weather,
    random::{any_seed, generator},
    server_url::ServerUrl,
    streets::Streets,
};
use desk::Desk;
use errand::Stage;
use guest::Guest;
use phone::Phone;
use shift::{OpenOrders, Shift};

// Everybody is on the map soon, and not everything happens in the same second.
const BETWEEN_STARTS: Duration = Duration::from_millis(700);
const GOODBYE: Duration = Duration::from_secs(3);
const CALLS_AT_ONCE: usize = 8;

/// How telephone numbers of the demo begin: no country has this code.
const NUMBERS: &str = "+999";

pub use guest::Invitation;

/// What a visitor can open.
#[derive(Clone, Debug)]
pub struct Introduction {
    /// The page of a customer whose order is on its way.
    pub customer_url: String,
    /// For the courier whom no bot drives.
    pub guest: Invitation,
}

/// What to show.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// Where the server is.
    pub server: ServerUrl,
    /// A key with every scope.
    pub api_key: String,
    /// How many couriers deliver, at least one.
    pub couriers: usize,
    /// Decides everything that is drawn; any when `None`.
    pub seed: Option<u64>,
    /// Where they ride: the streets of the area that the server delivers in.
    pub streets: Streets,
}

/// Runs until `shutdown` resolves, and then calls off what is under way.
///
/// `on_ready` gets the links for a visitor, as soon as the first orders exist; `on_next` the link of the next order of the
/// courier whose customer a visitor looks at, whenever the one before is done. Restarts of the server are survived.
///
/// # Errors
/// When the couriers cannot be set up, or the server turns all of them away.
pub async fn run(
    options: DemoOptions,
    on_ready: impl FnOnce(Introduction) + Send,
    on_next: impl Fn(&str) + Send + Sync + 'static,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<()> {
    let open = OpenOrders::default();
    let api = Api::new(options.server.clone(), options.api_key.clone())?;
    let outcome = tokio::select! {
        outcome = deliver(&api, &options, &open, on_ready, Box::new(on_next)) => outcome,
        () = shutdown => Ok(()),
    };
    let left: Vec<OrderId> = open.lock().expect("nothing panics while it holds the set").iter().copied().collect();
    // The server may be going down as well; then its next demo tidies up.
    let api = api.with_patience(Duration::ZERO);
    let _ = tokio::time::timeout(GOODBYE, call_off(&api, left, "The demo ended.")).await;
    outcome
}

/// Puts one courier after the other on the road and waits until none is left.
async fn deliver(
    api: &Api,
    options: &DemoOptions,
    open: &OpenOrders,
    on_ready: impl FnOnce(Introduction),
    on_next: shift::TellNext,
) -> Result<()> {
    if options.couriers == 0 {
        bail!("a demo needs at least one courier");
    }
    let seed = options.seed.unwrap_or_else(any_seed);
    tracing::info!(seed, couriers = options.couriers, "couriers take to the road");
    let mut troupe = Troupe::gather(api, open, seed, &options.streets).await?;
    let mut shifts = JoinSet::new();

    let mut random = generator(seed, u64::MAX);
    let errand = troupe.stage.first_errand(cast::COURIERS[0].1, &mut random);
    let mut first = troupe.hire(0, Some(errand.pickup.point)).await?;
    let (taken, customer_url) = first.take(errand).await?;
    let (guest, invitation) = troupe.invite_guest().await?;
    let desk = Desk::open(api, &troupe.stage, open, seed, troupe.first_reference).await?;
    on_ready(Introduction { customer_url, guest: invitation });
    first.tell_next = Some(on_next);
    shifts.spawn(first.work_with(taken));
    let mut visitors = JoinSet::new();
    visitors.spawn(guest.keep_busy());
    visitors.spawn(desk.keep_full());

    for number in 1..options.couriers {
        tokio::time::sleep(BETWEEN_STARTS).await;
        shifts.spawn(troupe.hire(number, None).await?.work());
    }
    while let Some(ended) = shifts.join_next().await {
        if let Err(error) = ended? {
            tracing::warn!(error = format!("{error:#}"), "a courier went home");
        }
    }
    bail!("no courier is left: the server turned all of them away")
}

/// Everything that hiring couriers takes.
struct Troupe {
    api: Api,
    stage: Arc<Stage>,
    open: OpenOrders,
    seed: u64,
    /// Couriers whom an earlier demo registered, by their name and number.
    known: HashMap<(String, Option<String>), CourierView>,
    first_reference: u32,
}

impl Troupe {
    async fn gather(api: &Api, open: &OpenOrders, seed: u64, streets: &Streets) -> Result<Self> {
        let known = api.couriers().await.context("cannot list the couriers")?;
        let known: HashMap<_, _> =
            known.into_iter().map(|courier| ((courier.name.clone(), courier.phone.clone()), courier)).collect();
        tidy_up(api, &known).await.context("cannot call off what an earlier demo left")?;
        // Looking at every street takes a moment, which the runtime's other tasks should not wait for.
        let streets = streets.clone();
        let stage = tokio::task::spawn_blocking(move || Stage::new(&streets)).await?;
        let stage = stage.context("the area has no streets with doors for couriers to ride to")?;
        let first_reference = generator(seed, u64::MAX - 1).random_range(1_000..9_000);
        Ok(Self { api: api.clone(), stage: Arc::new(stage), open: Arc::clone(open), seed, known, first_reference })
    }

    /// Registers courier `number` with a phone, and puts them on a street.
    async fn hire(&mut self, number: usize, place: Option<LatLon>) -> Result<Shift> {
        let wanted = courier(number);
        let known = self.known.remove(&(wanted.name.clone(), wanted.phone.clone()));
        let courier = match known.filter(|known| known.vehicle == wanted.vehicle) {
            Some(known) => known,
            None => self.api.create_courier(&wanted).await.context("cannot register a courier")?,
        };
        let device = self.api.create_device(courier.id, &format!("{}'s phone", courier.name)).await?;
        let mut random = generator(self.seed, number as u64);
        let place = place.unwrap_or_else(|| self.stage.any_door(&mut random).point);
        let own = generator(self.seed, number as u64 + (1 << 32));
        let server = self.api.server().clone();
        let phone =
            Phone::start(server, device.token, (wanted.vehicle, place), self.stage.streets(), Weather::TOWN, own).await;
        Ok(Shift {
            api: self.api.clone(),
            courier: courier.id,
            vehicle: wanted.vehicle,
            phone,
            stage: Arc::clone(&self.stage),
            open: Arc::clone(&self.open),
            random,
            // A hundred for each: whose order it is can be told from its number.
            next_reference: self.first_reference + 100 * number as u32,
            lately: VecDeque::new(),
            tell_next: None,
        })
    }
}

impl Troupe {
    /// A courier for the visitor to play. Their references begin far from everybody else's.
    async fn invite_guest(&mut self) -> Result<(Guest, Invitation)> {
        let wanted = guest::identity();
        let known = self.known.remove(&(wanted.name, wanted.phone));
        Guest::invite(&self.api, known, &self.stage, &self.open, self.seed, self.first_reference).await
    }
}

/// The courier with this number; past the end of the cast, namesakes join.
fn courier(number: usize) -> CreateCourier {
    let (name, vehicle) = cast::COURIERS[number % cast::COURIERS.len()];
    let generation = number / cast::COURIERS.len();
    let name = if generation == 0 { name.to_owned() } else { format!("{name} {}", generation + 1) };
    let capacity = Some(capacity(vehicle));
    CreateCourier { capacity, ..CreateCourier::plain(name, Some(format!("{NUMBERS} 2098 {number:04}")), vehicle) }
}

/// How many orders fit into or onto it.
const fn capacity(vehicle: Vehicle) -> u32 {
    match vehicle {
        Vehicle::Foot => 2,
        Vehicle::Bicycle => 3,
        Vehicle::Scooter | Vehicle::Motorcycle => 4,
        Vehicle::Car => 12,
        Vehicle::Van => 40,
    }
}

/// Calls off the open orders of couriers whom we are about to take over: no bot drives them any more.
async fn tidy_up(api: &Api, known: &HashMap<(String, Option<String>), CourierView>) -> Result<()> {
    let ours: HashSet<(String, Option<String>)> = (0..known.len().max(cast::COURIERS.len()))
        .map(courier)
        .chain([guest::identity()])
        .map(|courier| (courier.name, courier.phone))
        .collect();
    let taken_over: HashSet<CourierId> =
        known.iter().filter(|(key, _)| ours.contains(key)).map(|(_, courier)| courier.id).collect();
    if taken_over.is_empty() {
        return Ok(());
    }
    // Only the demo's customers have these numbers.
    let is_ours = |order: &OrderView| {
        order.customer.phone.as_deref().is_some_and(|phone| phone.starts_with(errand::CUSTOMERS_PHONE))
    };
    let is_left = |order: &OrderView| match order.courier_id {
        _ if order.status.is_final() => false,
        Some(courier) => taken_over.contains(&courier),
        None => is_ours(order),
    };
    let left = api.orders().await?.into_iter().filter(is_left).map(|order| order.id).collect();
    call_off(api, left, "An earlier demo ended.").await;
    Ok(())
}

/// Cancels orders; what cannot be cancelled any more is left as it is.
async fn call_off(api: &Api, orders: Vec<OrderId>, reason: &str) {
    let cancelling = orders.into_iter().map(|order| async move {
        if let Err(error) = api.set_status(order, OrderStatus::Cancelled, Some(reason)).await {
            tracing::debug!(error = %error, "an order could not be called off");
        }
    });
    stream::iter(cancelling).buffer_unordered(CALLS_AT_ONCE).collect::<()>().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_courier_has_a_name_and_a_number_of_their_own() {
        let couriers: HashSet<_> = (0..100).map(courier).map(|courier| (courier.name, courier.phone)).collect();
        assert_eq!(couriers.len(), 100);
    }
}

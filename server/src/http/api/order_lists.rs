//! Lists of orders, and how many each tab of the console holds.

use actix_web::{HttpResponse, http::StatusCode, web::Data};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doorstep_shared::{
    OrderStatus,
    api::{
        ListPage, OrderView,
        console::{ACTIVE, OrderCounts, OrderSort, UNASSIGNED},
    },
};

use super::{order_query::OrderListQuery, page};
use crate::{
    auth::{extract::Allowed, scope::OrdersRead},
    domain::order::Order,
    error::ApiError,
    http::{body::json::json, context::context},
    live::tracker::Tracker,
    platform::clock::{Clock, is_usable},
    service::{
        areas::Areas,
        orders::risk::{Estimates, Rank},
    },
    store::{Store, order_lists::OrderFilter, orders::OrderCursor},
};

/// The most open orders that are ranked. Those beyond have the latest promises, or none.
const MAX_RANKED: i64 = 20_000;

context! {
    /// What lists of orders work with.
    pub struct Lists { store: Store, tracker: Tracker, areas: Areas, clock: Clock }
}

/// A page of orders, with where the next one begins.
type Page = (Vec<Order>, Option<String>);

/// List orders, the newest first or the most urgent first.
#[utoipa::path(get, path = "/api/v1/orders", operation_id = "listOrders", tag = "orders",
    responses((status = 200, body = ListPage<OrderView>, description = "A page of orders")))]
pub async fn list(lists: Lists, _: Allowed<OrdersRead>, query: OrderListQuery) -> Result<HttpResponse, ApiError> {
    let limit = page::page_size(query.limit)?;
    let (orders, next_cursor) = match query.sort {
        OrderSort::Newest => lists.newest(&query, limit).await?,
        OrderSort::LateRisk => lists.most_urgent(&query, limit).await?,
    };
    let items = lists.views(&orders).await?;
    Ok(json(StatusCode::OK, &ListPage { items, next_cursor }))
}

/// Count how many orders each tab of the console holds.
#[utoipa::path(get, path = "/api/v1/orders/counts", operation_id = "countOrders", tag = "orders",
    responses((status = 200, body = OrderCounts, description = "How many, by tab")))]
pub async fn counts(
    store: Data<Store>,
    _: Allowed<OrdersRead>,
    query: OrderListQuery,
) -> Result<HttpResponse, ApiError> {
    Ok(json(StatusCode::OK, &store.count_orders(&query.filter()).await?))
}

impl Lists {
    async fn newest(&self, query: &OrderListQuery, limit: usize) -> Result<Page, ApiError> {
        let after = page::cursor(query.cursor.as_deref(), read_cursor)?;
        let mut orders = self.store.orders_newest(&query.filter(), after, limit as i64 + 1).await?;
        let next_cursor = page::cut(&mut orders, limit, write_cursor);
        Ok((orders, next_cursor))
    }

    /// Ranks every open order that is meant, which are few next to all orders, and fetches one page of them.
    async fn most_urgent(&self, query: &OrderListQuery, limit: usize) -> Result<Page, ApiError> {
        let after = page::cursor(query.cursor.as_deref(), read_rank)?;
        let Some(filter) = open_only(query.filter()) else { return Ok((Vec::new(), None)) };
        let open = self.store.open_orders_to_rank(&filter, MAX_RANKED).await?;
        let mut estimates = Estimates::new(&self.tracker, self.clock.now_ms());
        let mut ranks: Vec<Rank> = open.iter().map(|order| estimates.rank(order)).collect();
        ranks.retain(|rank| after.is_none_or(|after| *rank > after));
        ranks.sort_unstable();
        let next_cursor = page::cut(&mut ranks, limit, write_rank);
        let ids: Vec<_> = ranks.iter().map(|rank| rank.order).collect();
        let mut orders = self.store.orders_by_id(&ids).await?;
        orders.sort_by_key(|order| ids.iter().position(|id| *id == order.id));
        Ok((orders, next_cursor))
    }

    async fn views(&self, orders: &[Order]) -> Result<Vec<OrderView>, ApiError> {
        let mut estimates = Estimates::new(&self.tracker, self.clock.now_ms());
        let ids: Vec<_> = orders.iter().map(|order| order.id).collect();
        let mut wanted = self.store.proofs_wanted(&ids).await?;
        let area = self.areas.current();
        let view = |order: &Order| OrderView {
            expected_at: estimates.expected_at(order),
            sequence: estimates.sequence(order),
            proof: wanted.remove(&order.id),
            outside_area: area.is_outside([order.pickup.point, order.dropoff.point]).then_some(true),
            ..order.to_view(None)
        };
        Ok(orders.iter().map(view).collect())
    }
}

/// The same without the orders that are over; `None` when none of those that are meant can be open.
fn open_only(mut filter: OrderFilter) -> Option<OrderFilter> {
    let is_open = |status: &OrderStatus| UNASSIGNED.contains(status) || ACTIVE.contains(status);
    let asked = std::mem::take(&mut filter.statuses);
    filter.statuses = match asked.is_empty() {
        true => UNASSIGNED.into_iter().chain(ACTIVE).collect(),
        false => asked.into_iter().filter(is_open).collect(),
    };
    (!filter.statuses.is_empty()).then_some(filter)
}

fn write_cursor(order: &Order) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}:{}", order.created_at.timestamp_micros(), order.id))
}

fn read_cursor(cursor: &str) -> Option<OrderCursor> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (created_us, id) = text.split_once(':')?;
    let created_at = chrono::DateTime::from_timestamp_micros(created_us.parse().ok()?)?;
    // Postgres knows no times as far away as chrono does.
    is_usable(created_at).then_some(OrderCursor { created_at, id: id.parse().ok()? })
}

fn write_rank(rank: &Rank) -> String {
    URL_SAFE_NO_PAD.encode(format!("risk:{}:{}", rank.begin_by_ms, rank.order))
}

fn read_rank(cursor: &str) -> Option<Rank> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (begin_by_ms, order) = text.strip_prefix("risk:")?.split_once(':')?;
    Some(Rank { begin_by_ms: begin_by_ms.parse().ok()?, order: order.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use doorstep_shared::OrderId;

    use super::*;
    use crate::{domain::order::visibility::tests::order, platform::clock::from_ms};

    #[test]
    fn a_cursor_is_read_back_and_nonsense_is_refused() {
        let order = Order { created_at: from_ms(1_795_219_200_123), ..order(OrderStatus::Created, 0) };
        let cursor = read_cursor(&write_cursor(&order)).expect("our own cursor");
        assert_eq!((cursor.created_at, cursor.id), (order.created_at, order.id));
        let rank = Rank { begin_by_ms: i64::MAX, order: OrderId::new() };
        assert_eq!(read_rank(&write_rank(&rank)), Some(rank));
        assert_eq!(read_rank(&write_cursor(&order)), None, "a cursor of the other order of the list");
        assert_eq!(read_cursor(&write_rank(&rank)), None);
        for absurd_us in [i64::MIN, -8_000_000_000_000_000_000, 300_000_000_000_000_000, i64::MAX] {
            let absurd = URL_SAFE_NO_PAD.encode(format!("{absurd_us}:{}", order.id));
            assert_eq!(read_cursor(&absurd), None, "{absurd_us}");
        }
        assert_eq!((read_cursor("nonsense"), read_rank("nonsense")), (None, None));
    }
}

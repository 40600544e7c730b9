//! Lists of orders, and how many each tab of the console holds.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Query},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doorstep_shared::{
    CourierId, OrderStatus,
    api::{
        ListPage, OrderView,
        console::{ACTIVE, OrderCounts, OrderSort, UNASSIGNED},
    },
    problem::Problem,
};

use super::{bad_cursor, page_size};
use crate::{
    auth::principal::{Principal, Scope},
    domain::order::Order,
    error::ApiError,
    http::body,
    platform::clock::is_usable,
    service::orders::risk::{Estimates, Rank},
    state::AppState,
    store::{order_lists::OrderFilter, orders::OrderCursor},
};

/// The most open orders that are ranked. Those beyond have the latest promises, or none.
const MAX_RANKED: i64 = 20_000;

/// The longest text that is searched for.
const MAX_SEARCH_CHARACTERS: usize = 200;

/// How the list of orders is asked for.
#[derive(Debug, Default)]
struct ListQuery {
    filter: OrderFilter,
    sort: OrderSort,
    cursor: Option<String>,
    limit: Option<u32>,
}

impl ListQuery {
    /// Reads a query string, in which `status` may be repeated or hold several with commas between them.
    fn read(text: &str) -> Result<Self, ApiError> {
        let pairs = Query::<Vec<(String, String)>>::from_query(text);
        let pairs = pairs.map_err(|error| ApiError::bad_request(error.to_string()))?.into_inner();
        let mut query = Self::default();
        for (name, value) in pairs {
            query.take(&name, value)?;
        }
        Ok(query)
    }

    fn take(&mut self, name: &str, value: String) -> Result<(), ApiError> {
        let wrong = |what: &str| ApiError::bad_request(format!("{name}: {what}"));
        match name {
            "status" => {
                for word in value.split(',').filter(|word| !word.is_empty()) {
                    let status: OrderStatus = word.parse().map_err(|_| wrong("no such status"))?;
                    if !self.filter.statuses.contains(&status) {
                        self.filter.statuses.push(status);
                    }
                }
            }
            "courier_id" => {
                self.filter.courier = Some(value.parse::<CourierId>().map_err(|_| wrong("not a courier's id"))?);
            }
            "q" if value.chars().count() > MAX_SEARCH_CHARACTERS => return Err(wrong("at most 200 characters")),
            "q" => self.filter = std::mem::take(&mut self.filter).search(&value),
            "sort" => {
                self.sort = match value.as_str() {
                    "newest" => OrderSort::Newest,
                    "late_risk" => OrderSort::LateRisk,
                    _ => return Err(wrong("newest or late_risk")),
                }
            }
            "cursor" => self.cursor = Some(value),
            "limit" => self.limit = Some(value.parse().map_err(|_| wrong("a whole number"))?),
            // Like unknown fields of a body.
            _ => {}
        }
        Ok(())
    }
}

/// Lists orders, the newest first or the most urgent first.
#[utoipa::path(get, path = "/api/v1/orders", tag = "orders",
    params(("status" = Option<Vec<OrderStatus>>, Query, description = "Any of these; repeated, or with commas between them"),
        ("courier_id" = Option<String>, Query, description = "Brought by this courier"),
        ("q" = Option<String>, Query, description = "Words that must all occur, as pieces of words, in the reference, the \
            customer's name or number, or an address; case and accents do not matter"),
        ("sort" = Option<OrderSort>, Query, description = "`late_risk` lists open orders only"),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
    responses((status = 200, body = ListPage<OrderView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub async fn list(app: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    Principal::require(&app, &request, Scope::OrdersRead).await?;
    let query = ListQuery::read(request.query_string())?;
    let limit = page_size(query.limit)?;
    let (orders, next_cursor) = match query.sort {
        OrderSort::Newest => newest(&app, &query, limit).await?,
        OrderSort::LateRisk => most_urgent(&app, query, limit).await?,
    };
    let mut estimates = Estimates::new(&app.tracker, app.clock.now_ms());
    let ids: Vec<_> = orders.iter().map(|order| order.id).collect();
    let mut wanted = app.store.proofs_wanted(&ids).await?;
    let view = |order: &Order| OrderView {
        expected_at: estimates.expected_at(order),
        proof: wanted.remove(&order.id),
        ..order.to_view(None)
    };
    let items: Vec<_> = orders.iter().map(view).collect();
    Ok(body::json(StatusCode::OK, &ListPage { items, next_cursor }))
}

/// How many orders each tab of the console holds.
#[utoipa::path(get, path = "/api/v1/orders/counts", tag = "orders",
    params(("courier_id" = Option<String>, Query), ("q" = Option<String>, Query, description = "As in the list")),
    responses((status = 200, body = OrderCounts), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub async fn counts(app: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    Principal::require(&app, &request, Scope::OrdersRead).await?;
    let query = ListQuery::read(request.query_string())?;
    Ok(body::json(StatusCode::OK, &app.store.count_orders(&query.filter).await?))
}

async fn newest(app: &AppState, query: &ListQuery, limit: usize) -> Result<(Vec<Order>, Option<String>), ApiError> {
    let after = query.cursor.as_deref().map(|cursor| read_cursor(cursor).ok_or_else(bad_cursor)).transpose()?;
    let mut orders = app.store.orders_newest(&query.filter, after, limit as i64 + 1).await?;
    let more = orders.len() > limit;
    orders.truncate(limit);
    let next_cursor = orders.last().filter(|_| more).map(write_cursor);
    Ok((orders, next_cursor))
}

/// Ranks every open order that is meant, which are few next to all orders, and fetches one page of them.
async fn most_urgent(app: &AppState, query: ListQuery, limit: usize) -> Result<(Vec<Order>, Option<String>), ApiError> {
    let after = query.cursor.as_deref().map(|cursor| read_rank(cursor).ok_or_else(bad_cursor)).transpose()?;
    let mut filter = query.filter;
    let is_open = |status: &OrderStatus| UNASSIGNED.contains(status) || ACTIVE.contains(status);
    let asked = std::mem::take(&mut filter.statuses);
    filter.statuses = match asked.is_empty() {
        true => UNASSIGNED.into_iter().chain(ACTIVE).collect(),
        false => asked.into_iter().filter(is_open).collect(),
    };
    if filter.statuses.is_empty() {
        return Ok((Vec::new(), None));
    }
    let open = app.store.open_orders_to_rank(&filter, MAX_RANKED).await?;
    let mut estimates = Estimates::new(&app.tracker, app.clock.now_ms());
    let mut ranks: Vec<Rank> = open.iter().map(|order| estimates.rank(order)).collect();
    ranks.retain(|rank| after.is_none_or(|after| *rank > after));
    ranks.sort_unstable();
    let more = ranks.len() > limit;
    ranks.truncate(limit);
    let ids: Vec<_> = ranks.iter().map(|rank| rank.order).collect();
    let mut orders = app.store.orders_by_id(&ids).await?;
    orders.sort_by_key(|order| ids.iter().position(|id| *id == order.id));
    let next_cursor = ranks.last().filter(|_| more).map(write_rank);
    Ok((orders, next_cursor))
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

    #[test]
    fn statuses_are_repeated_or_listed() {
        let statuses = |text: &str| ListQuery::read(text).map(|query| query.filter.statuses).ok();
        let both = Some(vec![OrderStatus::Created, OrderStatus::PickedUp]);
        assert_eq!(statuses("status=created&status=picked_up"), both);
        assert_eq!(statuses("status=created,picked_up,created&other=1"), both);
        assert_eq!(statuses("status="), Some(Vec::new()));
        assert_eq!(statuses("status=lost"), None);
        assert!(ListQuery::read(&format!("q={}", "x".repeat(201))).is_err());
        assert!(ListQuery::read("sort=oldest").is_err() && ListQuery::read("courier_id=1").is_err());
    }
}

//! Orders as a spreadsheet: all that a filter finds, and a file to fill in.

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, Bytes, Data},
};
use doorstep_shared::api::console::{AccessKind, MAX_COUNT};
use futures_util::{Stream, stream};

use super::order_query::OrderListQuery;
use crate::{
    auth::{
        access_recorder::AccessRecorder,
        extract::Allowed,
        scope::{OrdersRead, OrdersWrite},
    },
    domain::order::{
        Order,
        import::write::{self, Exported},
    },
    error::ApiError,
    http::context::context,
    platform::clock::Clock,
    service::areas::Areas,
    store::{Store, order_lists::OrderFilter, orders::OrderCursor},
};

/// Orders that are read and written at a time, so that a file of any length takes little memory.
const ORDERS_AT_ONCE: usize = 500;

/// Addresses in the template.
const TEMPLATE_PLACES: usize = 3;

context! {
    /// What exporting orders works with.
    pub struct Exporting { store: Store, clock: Clock, areas: Areas }
}

/// Export the orders that a filter finds as CSV, the newest first.
///
/// The filters are those of the list; `sort`, `cursor` and `limit` do nothing. The headings are those of the import,
/// which takes the file back, and after them the status, the courier, the attempt and the times. A cell that a
/// spreadsheet would take for a formula begins with an apostrophe; the import takes it off. At most 100 000 orders.
#[utoipa::path(get, path = "/api/v1/orders/export", operation_id = "exportOrders", tag = "orders",
    responses(
        (status = 200, description = "The file", content_type = "text/csv", body = String),
        (status = 422, description = "More than 100 000 orders are meant"),
    ))]
pub async fn export(
    exporting: Exporting,
    by: Allowed<OrdersRead>,
    recorder: AccessRecorder,
    query: OrderListQuery,
) -> Result<HttpResponse, ApiError> {
    let filter = query.filter();
    exporting.refuse_too_many(&filter).await?;
    recorder.record(&by, AccessKind::Export, None);
    let day = exporting.clock.now().with_timezone(&exporting.areas.time_zone()).format("%Y-%m-%d");
    let name = format!("orders-{day}.csv");
    Ok(spreadsheet(&name).streaming(exporting.into_pieces(filter)))
}

fn spreadsheet(name: &str) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    response
}

/// Where an export is.
enum Progress {
    Heading,
    After(Option<OrderCursor>),
    Done,
}

impl Exporting {
    async fn refuse_too_many(&self, filter: &OrderFilter) -> Result<(), ApiError> {
        if self.store.has_more_orders(filter, MAX_COUNT).await? {
            return Err(ApiError::too_many_orders(MAX_COUNT));
        }
        Ok(())
    }

    /// The file in pieces; each is read when the client has taken the one before. An error ends the connection, so that
    /// no client takes a part for the whole.
    fn into_pieces(self, filter: OrderFilter) -> impl Stream<Item = Result<Bytes, ApiError>> {
        stream::try_unfold(Progress::Heading, move |progress| {
            let (exporting, filter) = (self.clone(), filter.clone());
            async move {
                match progress {
                    Progress::Heading => Ok(Some((Bytes::from(write::export_heading()), Progress::After(None)))),
                    Progress::After(after) => exporting.piece(&filter, after).await,
                    Progress::Done => Ok(None),
                }
            }
        })
    }

    async fn piece(
        &self,
        filter: &OrderFilter,
        after: Option<OrderCursor>,
    ) -> Result<Option<(Bytes, Progress)>, ApiError> {
        let orders = self.store.orders_newest(filter, after, ORDERS_AT_ONCE as i64).await?;
        let Some(last) = orders.last() else { return Ok(None) };
        let next = OrderCursor { created_at: last.created_at, id: last.id };
        let progress = if orders.len() < ORDERS_AT_ONCE { Progress::Done } else { Progress::After(Some(next)) };
        Ok(Some((Bytes::from(self.lines(&orders).await?), progress)))
    }

    async fn lines(&self, orders: &[Order]) -> Result<String, ApiError> {
        let ids: Vec<_> = orders.iter().map(|order| order.id).collect();
        let proofs = self.store.proofs_wanted(&ids).await?;
        let mut couriers: Vec<_> = orders.iter().filter_map(|order| order.courier_id).collect();
        couriers.sort_unstable();
        couriers.dedup();
        let couriers = self.store.couriers(&couriers).await?;
        let name_of = |id| couriers.iter().find(|courier| courier.id == id).map(|courier| courier.name.as_str());
        let exported = orders.iter().map(|order| Exported {
            order,
            courier_name: order.courier_id.and_then(name_of),
            proof: proofs.get(&order.id).map(Vec::as_slice).unwrap_or_default(),
        });
        let exported: Vec<_> = exported.collect();
        Ok(write::export_lines(&exported, self.areas.time_zone()))
    }
}

/// Give a CSV file to fill in for the import: readable headings, and two orders in this server's streets.
#[utoipa::path(get, path = "/api/v1/orders/import/template", operation_id = "getImportTemplate", tag = "orders",
    responses((status = 200, description = "The file", content_type = "text/csv", body = String)))]
pub async fn template(areas: Data<Areas>, _: Allowed<OrdersWrite>) -> Result<HttpResponse, ApiError> {
    let writing = web::block(move || write::template(&areas.current().examples(TEMPLATE_PLACES)));
    let file = writing.await.map_err(|error| ApiError::internal(&error))?;
    Ok(spreadsheet("orders-template.csv").body(file))
}

//! Calls that change orders and plans after the fact, and saved pickups.

use doorstep_shared::{
    CourierId, OrderId,
    api::{
        ListPage, OrderView,
        change::{EditOrder, NextAttempt, Reopen, Unassign},
        console::{SavePickup, SavedPickup},
        plan::{PlanView, PutPlan},
    },
};
use reqwest::{Method, header};
use uuid::Uuid;

use super::{Api, ApiError, Call};

impl Api {
    /// Changes fields of an order that has this version.
    ///
    /// # Errors
    /// [`ApiError`]; its code is `version_conflict` when the order has changed since, and `not_editable` when its status
    /// does not allow the change.
    pub async fn edit_order(&self, order: OrderId, version: u64, edit: &EditOrder) -> Result<OrderView, ApiError> {
        let call = Call::new(Method::PATCH, &format!("/api/v1/orders/{order}"));
        let seen = format!("\"{version}\"");
        let response = self.send(&call, |request| request.header(header::IF_MATCH, &seen).json(edit)).await?;
        call.read(response).await
    }

    /// Takes an order from its courier.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn unassign(&self, order: OrderId, reason: Option<&str>) -> Result<(), ApiError> {
        let body = Unassign { reason: reason.map(str::to_owned), version: None };
        self.post_for_nothing(&format!("/api/v1/orders/{order}/unassign"), &body).await
    }

    /// Begins another attempt to deliver a failed order.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn next_attempt(&self, order: OrderId, attempt: &NextAttempt) -> Result<OrderView, ApiError> {
        self.post(&format!("/api/v1/orders/{order}/attempts"), attempt).await
    }

    /// Corrects a final status; only people may, so a key is refused.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn reopen(&self, order: OrderId, reason: &str) -> Result<OrderView, ApiError> {
        let body = Reopen { reason: reason.to_owned(), version: None };
        self.post(&format!("/api/v1/orders/{order}/reopen"), &body).await
    }

    /// A courier's plan.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn plan(&self, courier: CourierId) -> Result<PlanView, ApiError> {
        self.get(&format!("/api/v1/couriers/{courier}/plan"), &[]).await
    }

    /// Puts a courier's stops in another order.
    ///
    /// # Errors
    /// [`ApiError`]; its code is `version_conflict` when the plan has changed since.
    pub async fn put_plan(&self, courier: CourierId, plan: &PutPlan) -> Result<PlanView, ApiError> {
        let call = Call::new(Method::PUT, &format!("/api/v1/couriers/{courier}/plan"));
        let response = self.send(&call, |request| request.json(plan)).await?;
        call.read(response).await
    }

    /// Every saved pickup.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn pickups(&self) -> Result<Vec<SavedPickup>, ApiError> {
        let page: ListPage<SavedPickup> = self.get("/api/v1/pickups", &[]).await?;
        Ok(page.items)
    }

    /// Saves a pickup.
    ///
    /// # Errors
    /// [`ApiError`]; its code is `name_taken` when another one has its name.
    pub async fn save_pickup(&self, pickup: &SavePickup) -> Result<SavedPickup, ApiError> {
        self.post("/api/v1/pickups", pickup).await
    }

    /// Forgets a saved pickup.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn delete_pickup(&self, pickup: Uuid) -> Result<(), ApiError> {
        let call = Call::new(Method::DELETE, &format!("/api/v1/pickups/{pickup}"));
        self.send(&call, |request| request).await.map(drop)
    }
}

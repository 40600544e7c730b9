//! Changing an order's fields.
//!
//! What may change when is one table, [`doorstep_shared::editing`]. Customers whose page is open get a fresh snapshot,
//! for a changed address shows there; the courier's phones get their stops.

use doorstep_shared::{
    OrderId,
    api::change::{EditOrder, OrderEventKind},
};

use super::{
    error::LifecycleError,
    lifecycle::{Orders, SeenVersions, check_seen},
};
use crate::{
    domain::order::{
        Actor, Order,
        editing::{EditRefusal, Edited, edit},
    },
    store::order_changes::OrderEvent,
};

impl Orders {
    /// Changes an order's fields. One that has them already stays as it is, and its version, too.
    ///
    /// # Errors
    /// [`LifecycleError`]; nothing was changed then.
    /// # Cancel safety
    /// As [`Orders::set_status`].
    pub async fn edit(
        &self,
        id: OrderId,
        wanted: &EditOrder,
        by: &Actor,
        seen: &SeenVersions,
    ) -> Result<Order, LifecycleError> {
        let mut change = self.lock(id, None).await?;
        check_seen(&mut change, seen).await?;
        let (before, proof) = (change.order.clone(), change.proofs_wanted().await?);
        let edited = edit(&before, &proof, wanted).map_err(|refusal| refused(&before, refusal))?;
        let Edited { order: after, proof: wanted_proof, changes } = edited;
        if changes.is_empty() {
            return Ok(self.publish_again(change).await);
        }
        if wanted_proof != proof {
            change.want_proofs(&wanted_proof).await?;
        }
        let now = self.clock.now();
        let event = OrderEvent { changes: Some(&changes), ..OrderEvent::of(OrderEventKind::Edited, &after, now, by) };
        let after = change.commit(&after, &event).await?;
        self.tell_dispatchers(&after);
        self.refresh_plan_of(&after).await;
        self.tracker.outdate([id]);
        Ok(after)
    }
}

fn refused(order: &Order, refusal: EditRefusal) -> LifecycleError {
    match refusal {
        EditRefusal::NotEditable(fields) => {
            LifecycleError::NotEditable { reference: order.reference.clone(), status: order.status, fields }
        }
        EditRefusal::Invalid(errors) => LifecycleError::InvalidFields(errors),
    }
}

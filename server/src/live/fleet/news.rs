//! One change of the fleet that a console has not been told.

use doorstep_shared::protocol::fleet::{FleetAlert, FleetCourier, FleetOrder};

/// One message that a reader has not had, in its newest form.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum News {
    /// A courier.
    Courier(FleetCourier),
    /// A courier who is archived now.
    CourierLeft(FleetCourier),
    /// An order.
    Order(FleetOrder),
    /// An alert.
    Alert(FleetAlert),
}

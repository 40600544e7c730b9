//! Why an order was not changed.

use std::collections::BTreeMap;

use doorstep_shared::{
    OrderId, OrderStatus,
    api::proof::ProofKind,
    editing::editable,
    problem::{ErrorDetails, FieldError},
};

use crate::{
    domain::order::Order,
    store::{StoreError, order_history::LastChange},
};

/// Why an order was not changed.
#[derive(Debug, thiserror::Error)]
pub enum LifecycleError {
    /// No such order, or not this courier's and never was.
    #[error("there is no such order")]
    UnknownOrder,
    /// No such courier.
    #[error("there is no such courier")]
    UnknownCourier,
    /// The courier works here no longer.
    #[error("the courier is archived; restore them first, or choose another one")]
    CourierArchived,
    /// The status may not follow the present one.
    #[error("order {reference} is already {from}", from = words(*from))]
    InvalidTransition {
        /// The order.
        order_id: OrderId,
        /// The merchant's name for the order.
        reference: String,
        /// What it is.
        from: OrderStatus,
        /// What it should have become.
        to: OrderStatus,
    },
    /// Only dispatch may set this status.
    #[error("only dispatch can make order {reference} {to}", to = words(*to))]
    NotForCouriers {
        /// The order.
        order_id: OrderId,
        /// The merchant's name for the order.
        reference: String,
        /// What it is.
        from: OrderStatus,
        /// What it should have become.
        to: OrderStatus,
    },
    /// The order asks for proofs that the courier has not sent yet.
    #[error("order {reference} needs {} before it is delivered", list(missing))]
    ProofRequired {
        /// The merchant's name for the order.
        reference: String,
        /// What is missing.
        missing: Vec<ProofKind>,
    },
    /// The order changed after the caller saw it.
    #[error("{}", conflict(reference, last.as_ref()))]
    VersionConflict {
        /// The merchant's name for the order.
        reference: String,
        /// The order's version.
        current: u64,
        /// Its newest change.
        last: Option<LastChange>,
    },
    /// The order's status does not allow to change these fields.
    #[error("order {reference} is {status}, and {} cannot be changed any more", fields.keys().cloned().collect::<Vec<_>>().join(", "), status = words(*status))]
    NotEditable {
        /// The merchant's name for the order.
        reference: String,
        /// What it is.
        status: OrderStatus,
        /// Why each field was refused.
        fields: BTreeMap<String, String>,
    },
    /// The order would contradict itself.
    #[error("some fields are not valid")]
    InvalidFields(Vec<FieldError>),
    /// The order is not over, or was over too long ago.
    #[error("order {reference} is {status} and cannot be reopened", status = words(*status))]
    NotReopenable {
        /// The merchant's name for the order.
        reference: String,
        /// What it is.
        status: OrderStatus,
    },
    /// The order was taken from this courier.
    #[error("order {reference} is no longer yours{}", courier_name.as_ref().map(|name| format!("; {name} has it")).unwrap_or_default())]
    Withdrawn {
        /// The order.
        order_id: OrderId,
        /// The merchant's name for the order.
        reference: String,
        /// What it is.
        status: OrderStatus,
        /// Who has it now.
        courier_name: Option<String>,
    },
    /// The database is away.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LifecycleError {
    /// `order` cannot become `to`.
    pub(super) fn no_step(order: &Order, to: OrderStatus) -> Self {
        Self::InvalidTransition { order_id: order.id, reference: order.reference.clone(), from: order.status, to }
    }

    /// The values behind the error, for programs.
    pub fn details(&self) -> Option<ErrorDetails> {
        match self {
            Self::InvalidTransition { order_id, from, to, .. } | Self::NotForCouriers { order_id, from, to, .. } => {
                Some(ErrorDetails::invalid_transition(*order_id, *from, *to))
            }
            Self::VersionConflict { current, last, .. } => Some(conflict_details(*current, last.as_ref())),
            Self::NotEditable { status, fields, .. } => Some(ErrorDetails {
                status: Some(*status),
                fields: Some(fields.clone()),
                editable: Some(editable(*status).into_iter().map(str::to_owned).collect()),
                ..ErrorDetails::default()
            }),
            Self::InvalidFields(errors) => Some(ErrorDetails::refused_fields(errors)),
            Self::NotReopenable { status, .. } => {
                Some(ErrorDetails { status: Some(*status), ..ErrorDetails::default() })
            }
            Self::Withdrawn { order_id, status, courier_name, .. } => Some(ErrorDetails {
                order_id: Some(*order_id),
                status: Some(*status),
                courier_name: courier_name.clone(),
                ..ErrorDetails::default()
            }),
            Self::UnknownOrder
            | Self::UnknownCourier
            | Self::CourierArchived
            | Self::ProofRequired { .. }
            | Self::Store(_) => None,
        }
    }
}

fn conflict_details(current: u64, last: Option<&LastChange>) -> ErrorDetails {
    ErrorDetails {
        changed_by: last.and_then(|last| last.by.clone()),
        changed_at_ms: last.map(|last| last.at.timestamp_millis()),
        change: last.map(|last| last.kind.as_str().to_owned()),
        courier_name: last.and_then(|last| last.courier_name.clone()),
        ..ErrorDetails::version_conflict(current)
    }
}

fn conflict(reference: &str, last: Option<&LastChange>) -> String {
    match last.and_then(|last| last.by.as_deref()) {
        Some(by) => format!("{by} changed order {reference} after you saw it"),
        None => format!("order {reference} changed after you saw it"),
    }
}

fn list(missing: &[ProofKind]) -> String {
    let words = missing.iter().map(|kind| match kind {
        ProofKind::Photo => "a photo",
        ProofKind::Signature => "a signature",
        ProofKind::Pin => "the customer's PIN",
    });
    words.collect::<Vec<_>>().join(" and ")
}

fn words(status: OrderStatus) -> String {
    status.as_str().replace('_', " ")
}

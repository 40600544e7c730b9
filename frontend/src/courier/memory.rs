//! What the app must remember so that it opens and works without a network after the tab was closed.
//!
//! One JSON record in the phone's storage. Fields that an older app did not write have their defaults, so an update
//! never finds itself locked out of its own memory.

use doorstep_shared::{
    CourierId, OrderId, Vehicle,
    api::{
        courier::CourierHome,
        proof::{ProofBody, ProofKind},
    },
    protocol::{
        courier::{Pace, Stop},
        encode_json,
    },
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{clock::PhoneClock, marks::Mark, presence::Presence, state::Who, stops::Leg};

/// A shift that is older than this when the app opens is over: the courier forgot to end it.
pub const LONGEST_SHIFT_MS: i64 = 16 * 3_600_000;

/// How long a phone that was signed out keeps what could not be sent.
pub const KEPT_AFTER_REVOKE_MS: i64 = 24 * 3_600_000;

/// The record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Who is signed in.
    pub courier: Option<Known>,
    /// When the courier went online; `None` while off duty. By the corrected clock.
    pub on_duty_since_ms: Option<i64>,
    /// By which clock that was.
    pub on_duty_clock: u32,
    /// What was reported about sharing.
    pub presence: Presence,
    /// The stops as the server sent them last; `None` before it ever did.
    pub stops: Option<Vec<Stop>>,
    /// The version of the plan that they are of; `None` from a server that has no plans.
    pub plan_version: Option<u64>,
    /// Whether the courier may put them in order; `None` from such a server.
    pub may_reorder: Option<bool>,
    /// The dispatch office's number.
    pub office_phone: Option<String>,
    /// What the tour says about them.
    pub legs: Vec<Leg>,
    /// What changed at them and was not read.
    pub marks: Vec<Mark>,
    /// The orders for whose goods the courier waits, and since when by the corrected clock, Unix epoch milliseconds.
    pub waits: Vec<(OrderId, i64)>,
    /// The orders whose door the courier said to be elsewhere.
    pub doors: Vec<OrderId>,
    /// The pickups of the goods on board, to which they go back when they cannot be handed over.
    pub collected: Vec<Stop>,
    /// The pace in force.
    pub pace: Option<Pace>,
    /// What is added to the phone's clock.
    pub clock_shift_ms: i64,
    /// The clock itself.
    pub clock: PhoneClock,
    /// Proofs that were collected and not handed in, or not taken yet.
    pub drafts: Vec<Draft>,
    /// When dispatch signed this phone out.
    pub revoked_at_ms: Option<i64>,
    /// The courier signed out, and the server does not know yet.
    pub owes_sign_out: bool,
}

/// Who is signed in, as kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// Their id: what waits belongs to them alone.
    pub id: CourierId,
    name: String,
    vehicle: Vehicle,
    device_label: String,
}

impl From<CourierHome> for Known {
    fn from(home: CourierHome) -> Self {
        let CourierHome { id, name, vehicle, device_label, .. } = home;
        Self { id, name, vehicle, device_label }
    }
}

impl Known {
    /// As the screens show it.
    pub fn who(&self) -> Who {
        Who { name: self.name.clone(), vehicle: self.vehicle, device_label: self.device_label.clone() }
    }
}

/// The proofs of one order. They stay until the server has taken the hand-over, so a wrong PIN costs no second photo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// Which order.
    pub order_id: OrderId,
    /// What was collected, at most one of each kind.
    pub items: Vec<Item>,
    /// What is wrong with the last entry.
    pub problem: Option<String>,
    /// The remark for the customer, as far as it is written.
    #[serde(default)]
    pub note: String,
}

/// One proof that was collected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Its id.
    pub proof_id: Uuid,
    /// Which kind.
    pub kind: ProofKind,
    /// When, Unix epoch milliseconds.
    pub taken_ms: i64,
    /// Who signed.
    pub name: Option<String>,
    /// The JSON body; `None` for a photo.
    pub body: Option<String>,
    /// Whether the server has it.
    #[serde(default)]
    pub is_taken: bool,
}

impl Item {
    /// A photo whose picture is in storage under its id.
    pub fn photo(proof_id: Uuid, taken_ms: i64) -> Self {
        Self { proof_id, kind: ProofKind::Photo, taken_ms, name: None, body: None, is_taken: false }
    }

    /// A signature.
    pub fn signature(proof_id: Uuid, taken_ms: i64, name: String, strokes: Vec<Vec<[f32; 2]>>) -> Self {
        let body = encode_json(&ProofBody::Signature { name: name.clone(), strokes, taken_ms });
        Self { proof_id, kind: ProofKind::Signature, taken_ms, name: Some(name), body: Some(body), is_taken: false }
    }

    /// A PIN.
    pub fn pin(proof_id: Uuid, taken_ms: i64, pin: String) -> Self {
        let body = encode_json(&ProofBody::Pin { pin, taken_ms });
        Self { proof_id, kind: ProofKind::Pin, taken_ms, name: None, body: Some(body), is_taken: false }
    }
}

impl Draft {
    /// Nothing collected yet.
    pub fn new(order_id: OrderId) -> Self {
        Self { order_id, items: Vec::new(), problem: None, note: String::new() }
    }

    /// Takes a proof in place of the one of its kind, which is answered.
    pub fn put(&mut self, item: Item) -> Option<Item> {
        let before = self.drop(item.kind);
        self.items.push(item);
        self.problem = None;
        before
    }

    /// Takes a proof out.
    pub fn drop(&mut self, kind: ProofKind) -> Option<Item> {
        let place = self.items.iter().position(|item| item.kind == kind)?;
        Some(self.items.remove(place))
    }

    /// The proof of a kind.
    pub fn get(&self, kind: ProofKind) -> Option<&Item> {
        self.items.iter().find(|item| item.kind == kind)
    }
}

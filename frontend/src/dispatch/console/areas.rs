//! The areas that the server has: which one is in use, an extract on its way, and the import that follows.
//!
//! Only admins come here. The list is fetched when the dialog opens, after every change, and every second while an import
//! goes on. The area in use is known without it, because the page carries it.

use doorstep_shared::api::{
    OrderView, PlaceBody,
    area::{AreaId, AreaImportState},
};

use super::{ApiCall, ApiError, ApiReply, Console, Dialog, Effect};
use crate::dispatch::areas::{AreaImport, AreaInUse, AreaList, Upload};

/// An import of a city takes from seconds to minutes.
const IMPORT_EVERY_MS: f64 = 1_000.0;

/// What is known of areas.
#[derive(Clone, Debug, Default)]
pub struct Areas {
    /// The area in use, as the maps show it.
    pub current: Option<AreaInUse>,
    /// Every area of the server, once fetched.
    pub list: Option<AreaList>,
    /// Why the last call failed.
    pub problem: Option<String>,
    /// The extract that is sent.
    pub upload: Option<Upload>,
    /// A change is on its way, and its buttons wait.
    pub is_busy: bool,
    /// The area of which the dispatcher is asked whether it may really go.
    pub removing: Option<AreaId>,
    due_ms: Option<f64>,
    /// The list is being fetched.
    is_asked: bool,
}

/// What an admin does with areas.
#[derive(Clone, Debug, PartialEq)]
pub enum AreaIntent {
    /// Open the dialog.
    Open,
    /// Fetch the list again.
    Refresh,
    /// Send the chosen extract; an empty name is taken from the file's.
    Upload { name: String },
    /// Stop the upload or the import, whichever goes on.
    Stop,
    /// Use this area from now on.
    Use(AreaId),
    /// Ask whether this area may go, or no longer.
    AskRemove(Option<AreaId>),
    /// Remove it.
    Remove(AreaId),
}

impl Areas {
    /// What is known while the area in use is `current`.
    pub fn new(current: Option<AreaInUse>) -> Self {
        Self { current, ..Self::default() }
    }

    /// The import that goes on.
    pub fn running(&self) -> Option<&AreaImport> {
        let import = self.list.as_ref()?.import.as_ref();
        import.filter(|import| import.state == AreaImportState::Importing)
    }

    /// Whether an extract is sent or imported: another one waits until it is over.
    pub fn is_importing(&self) -> bool {
        self.upload.is_some() || self.running().is_some()
    }

    /// Whether an order begins or ends where the server knows no streets.
    pub fn is_outside(&self, order: &OrderView) -> bool {
        let Some(area) = &self.current else { return false };
        let [west, south, east, north] = area.bounds;
        let holds = |place: &PlaceBody| (west..=east).contains(&place.lon) && (south..=north).contains(&place.lat);
        !(area.streets && holds(&order.pickup) && holds(&order.dropoff))
    }

    /// When the list must be fetched again.
    pub(super) const fn due_ms(&self) -> Option<f64> {
        self.due_ms
    }
}

impl Console {
    pub(super) fn act_on_areas(&mut self, intent: AreaIntent, effects: &mut Vec<Effect>) {
        match intent {
            AreaIntent::Open => {
                *self.dialog = Some(Dialog::Areas);
                self.areas.removing = None;
                self.refresh_areas(effects);
            }
            AreaIntent::Refresh => self.refresh_areas(effects),
            AreaIntent::Upload { name } => self.upload_area(name, effects),
            AreaIntent::Stop if self.areas.upload.is_some() => effects.push(Effect::StopUpload),
            AreaIntent::Stop => self.change_areas(ApiCall::StopImport, effects),
            AreaIntent::Use(id) => self.change_areas(ApiCall::UseArea(id), effects),
            AreaIntent::AskRemove(id) => self.areas.removing = id,
            AreaIntent::Remove(id) => self.change_areas(ApiCall::RemoveArea(id), effects),
        }
    }

    fn refresh_areas(&mut self, effects: &mut Vec<Effect>) {
        self.areas.problem = None;
        effects.push(Effect::Call(ApiCall::Areas));
    }

    fn upload_area(&mut self, name: String, effects: &mut Vec<Effect>) {
        if self.areas.is_importing() {
            return;
        }
        let areas = &mut *self.areas;
        (areas.problem, areas.upload) = (None, Some(Upload { sent: 0, total: 0 }));
        effects.push(Effect::UploadArea { name });
    }

    fn change_areas(&mut self, call: ApiCall, effects: &mut Vec<Effect>) {
        let areas = &mut *self.areas;
        if !std::mem::replace(&mut areas.is_busy, true) {
            areas.problem = None;
            effects.push(Effect::Call(call));
        }
    }

    /// So much of the extract has been sent.
    pub(super) fn upload_progressed(&mut self, upload: Upload) {
        if self.areas.upload.is_some() {
            self.areas.upload = Some(upload);
        }
    }

    pub(super) fn areas_replied(&mut self, call: &ApiCall, reply: ApiReply, effects: &mut Vec<Effect>) {
        match (call, reply) {
            (_, ApiReply::Areas(list)) => self.areas_fetched(*list, effects),
            (ApiCall::UploadArea { .. }, _) => {
                self.areas.upload = None;
                self.announce("The extract is on the server and is being imported".to_owned());
                effects.push(Effect::Call(ApiCall::Areas));
            }
            _ => {
                (self.areas.is_busy, self.areas.removing) = (false, None);
                effects.push(Effect::Call(ApiCall::Areas));
                effects.push(Effect::Focus("areas"));
            }
        }
    }

    fn areas_fetched(&mut self, list: AreaList, effects: &mut Vec<Effect>) {
        let in_use = list.items.iter().find(|stored| stored.current).map(|stored| stored.id.as_str());
        if in_use.is_some() && in_use != self.areas.current.as_ref().map(|area| area.id.as_str()) {
            effects.push(Effect::RenewArea);
        }
        let was_running = self.areas.running().is_some();
        (self.areas.list, self.areas.is_asked) = (Some(list), false);
        if was_running && self.areas.running().is_none() {
            self.announce_import();
        }
    }

    fn announce_import(&mut self) {
        let import = self.areas.list.as_ref().and_then(|list| list.import.as_ref());
        let text = match import.map(|import| import.state) {
            Some(AreaImportState::Done) => "The area is imported",
            Some(AreaImportState::Failed) => "The import failed",
            _ => "The import was stopped",
        };
        self.announce(text.to_owned());
    }

    pub(super) fn areas_failed(&mut self, call: &ApiCall, error: &ApiError) {
        let areas = &mut *self.areas;
        areas.problem = Some(error.text());
        match call {
            ApiCall::UploadArea { .. } => areas.upload = None,
            // An import goes on without us; the next answer shows it.
            ApiCall::Areas => areas.is_asked = false,
            _ => areas.is_busy = false,
        }
    }

    /// The person stopped the upload.
    pub(super) fn upload_stopped(&mut self) {
        self.areas.upload = None;
        self.announce("The upload was stopped".to_owned());
    }

    /// The feed says that another area is in use.
    pub(super) fn area_announced(&self, effects: &mut Vec<Effect>) {
        effects.push(Effect::RenewArea);
        if matches!(*self.dialog, Some(Dialog::Areas)) {
            effects.push(Effect::Call(ApiCall::Areas));
        }
    }

    /// The maps show another area.
    pub(super) fn area_changed(&mut self, area: AreaInUse) {
        self.locale.miles = area.imperial;
        self.areas.current = Some(area);
    }

    /// Follows an import while somebody looks.
    pub(super) fn areas_due(&mut self, now_ms: f64, effects: &mut Vec<Effect>) {
        let is_followed = matches!(*self.dialog, Some(Dialog::Areas)) && self.areas.running().is_some();
        let areas = self.areas.untracked_mut();
        match areas.due_ms {
            _ if !is_followed => areas.due_ms = None,
            None if !areas.is_asked => areas.due_ms = Some(now_ms + IMPORT_EVERY_MS),
            Some(due_ms) if due_ms <= now_ms => {
                (areas.due_ms, areas.is_asked) = (None, true);
                effects.push(Effect::Call(ApiCall::Areas));
            }
            _ => {}
        }
    }
}

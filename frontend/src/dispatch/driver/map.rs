//! What the map shows, and what has to be handed to it because it differs.

use std::collections::HashMap;

use doorstep_shared::CourierId;
use js_sys::Float64Array;
use serde_json::{Value, json};

use crate::{
    dispatch::{
        console::{Console, Mark, Scene},
        fleet::{Activity, Courier},
        fleet_map::FleetMap,
        replay::Shown,
        store::Store,
    },
    live::listen::now_ms,
    map::plane::LonLat,
};

/// Two thousand orders are looked through this often at most.
const PINS_EVERY_MS: f64 = 500.0;

/// The map and what it shows.
#[derive(Default)]
pub struct MapView {
    map: Option<FleetMap>,
    /// The activity with which each courier is drawn.
    drawn: HashMap<CourierId, Activity>,
    /// The names that the map has.
    named: HashMap<CourierId, String>,
    /// When the orders were last looked through for changes.
    pins_ms: f64,
    scene: Scene,
    scene_json: String,
    /// What to bring into view once the map is open: `lon, lat, lon, lat…`.
    fit: Vec<f64>,
}

impl MapView {
    /// The map is open: draws everything.
    pub fn opened(&mut self, map: FleetMap, store: Store) {
        self.map = Some(map);
        self.drawn.clear();
        self.named.clear();
        store.change(Console::forget_pins);
        self.mark_changed_activities(store);
        self.draw_scene(store);
        self.draw_fleet(store);
        let points = std::mem::take(&mut self.fit);
        if !points.is_empty() {
            self.fit(points);
        }
    }

    /// Brings points into view: `lon, lat, lon, lat…`.
    pub fn fit(&mut self, points: Vec<f64>) {
        match &self.map {
            Some(map) => map.fit(&points),
            None => self.fit = points,
        }
    }

    /// Moves the replayed courier alone, which happens with every frame.
    pub fn move_replayed(&self, shown: Option<Shown>) {
        if let (Some(map), Some(shown)) = (&self.map, shown) {
            map.move_replayed(shown.at[0], shown.at[1], shown.heading_deg);
        }
    }

    /// Hands the couriers that moved to the map.
    pub fn draw_fleet(&mut self, store: Store) {
        let Some(map) = &self.map else { return };
        let (drawn, named) = (&mut self.drawn, &mut self.named);
        let rows = store.change(|console| {
            let at_ms = console.at_ms;
            let fleet = console.fleet.untracked_mut();
            let mut rows = Vec::new();
            for id in fleet.take_moved() {
                let Some(courier) = fleet.couriers.get(&id) else { continue };
                let activity = fleet.activity(courier, at_ms);
                drawn.insert(id, activity);
                if named.get(&id) != Some(&courier.name) {
                    map.name(courier.number, &courier.name);
                    named.insert(id, courier.name.clone());
                }
                rows.extend(row(courier, activity));
            }
            rows
        });
        if !rows.is_empty() {
            map.move_couriers(&Float64Array::from(&rows[..]));
            self.draw_scene(store);
        }
    }

    /// Has the couriers drawn again whose activity changed although they did not move.
    pub fn mark_changed_activities(&mut self, store: Store) {
        let drawn = &self.drawn;
        store.change(|console| {
            let at_ms = console.at_ms;
            let fleet = console.fleet.untracked_mut();
            let has_changed =
                |courier: &&Courier| drawn.get(&courier.id).copied() != Some(fleet.activity(courier, at_ms));
            let changed: Vec<_> = fleet.couriers.values().filter(has_changed).map(|courier| courier.id).collect();
            for id in changed {
                fleet.mark_moved(id);
            }
        });
    }

    /// Hands the orders that changed to the map, now and then.
    fn draw_pins(&mut self, store: Store) {
        let now_ms = now_ms();
        let Some(map) = self.map.as_ref().filter(|_| now_ms >= self.pins_ms + PINS_EVERY_MS) else { return };
        self.pins_ms = now_ms;
        let rows = store.change(Console::changed_pins);
        if !rows.is_empty() {
            map.pins(&Float64Array::from(&rows[..]));
        }
    }

    /// Hands the map what differs beside the fleet.
    pub fn draw_scene(&mut self, store: Store) {
        self.draw_pins(store);
        let Some(map) = &self.map else { return };
        let scene = store.peek(Console::scene);
        draw_line(map, "whole", &self.scene.whole, &scene.whole);
        draw_line(map, "behind", &self.scene.behind, &scene.behind);
        draw_line(map, "ahead", std::slice::from_ref(&self.scene.ahead), std::slice::from_ref(&scene.ahead));
        draw_line(map, "guess", std::slice::from_ref(&self.scene.guess), std::slice::from_ref(&scene.guess));
        let json = store.peek(|console| scene_json(console, &scene));
        if self.scene_json != json {
            map.show(&json);
            self.scene_json = json;
        }
        self.scene = scene;
    }
}

fn row(courier: &Courier, activity: Activity) -> [f64; 5] {
    let position = courier.position;
    let is_shown = position.is_some() && activity != Activity::Away;
    let [lon, lat] = position.map_or([0.0; 2], |position| [position.lon, position.lat]);
    let heading = position.and_then(|position| position.heading_deg).map_or(-1.0, f64::from);
    [f64::from(courier.number), lon, lat, heading, if is_shown { f64::from(activity as u8) } else { -1.0 }]
}

fn draw_line(map: &FleetMap, name: &str, before: &[Vec<LonLat>], now: &[Vec<LonLat>]) {
    if before != now {
        let lengths: Vec<u32> = now.iter().map(|line| line.len() as u32).collect();
        let points: Vec<f64> = now.iter().flatten().flatten().copied().collect();
        map.line(name, &points, &lengths);
    }
}

/// The scene without its lines, as the map's script reads it.
fn scene_json(console: &Console, scene: &Scene) -> String {
    let courier = |id: CourierId| console.fleet.couriers.get(&id).and_then(courier_json);
    let mark = |mark: &Mark| json!({ "icon": mark.icon, "at": mark.at, "label": mark.label });
    let marks: Vec<_> = scene.marks.iter().map(mark).collect();
    let replayed = scene.replayed.map(|(at, heading)| json!({ "at": at, "heading": heading, "label": "" }));
    let hover = scene.hover.filter(|id| scene.selected != Some(*id) && replayed.is_none()).and_then(courier);
    json!({
        "selected": scene.selected.and_then(courier), "hover": hover.map(|hover| hover["at"].clone()), "marks": marks,
        "replayed": replayed, "is_placing": scene.is_placing,
    })
    .to_string()
}

fn courier_json(courier: &Courier) -> Option<Value> {
    let position = courier.position?;
    Some(json!({
        "number": courier.number, "at": [position.lon, position.lat], "heading": position.heading_deg,
        "label": courier.name,
    }))
}

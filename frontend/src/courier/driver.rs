//! Runs the engine in a browser: owns the socket, timers and listeners, and does what [`Engine`] decides.
//!
//! Whatever happens is posted and handled one after the other in a task of its own. So nothing is dropped while the
//! browser is still calling it, and no handler runs inside another. The screens are drawn anew only when what they show
//! has changed, and not while the page is hidden.

use std::{cell::RefCell, rc::Rc};

use doorstep_shared::{
    api::proof::MAX_PHOTO_SIDE_PX,
    protocol::{self, encode_postcard},
};
use js_sys::Array;
use leptos::prelude::*;
use uuid::Uuid;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

use super::{
    api,
    device::{self, Kept},
    engine::{Effect, Engine, Input, Lock, Moment, NoStorage, Records, Slot, Start, Write},
    intent::{Intent, PHOTO_INPUT_ID},
    platform::System,
    position::{Failure, Reading},
    preferences,
    state::{self, Shift, Wake},
};
use crate::{
    live::{
        connection::ABNORMAL,
        listen::{Listener, Timer, document, now_ms, spawn, window},
        socket::{News, Socket},
    },
    map::maplibre,
};

/// While the page is shown the engine runs this often: how good the position is changes with its age.
const TICK_MS: f64 = 1_000.0;

/// The running engine. It lives as long as the page.
#[derive(Clone)]
pub struct Driver(Rc<RefCell<Running>>);

/// Takes the name of an event of the phone, and its numbers.
type Hear = dyn FnMut(String, Vec<f64>);

struct Running {
    engine: Engine,
    shift: RwSignal<Shift>,
    is_hidden: bool,
    socket: Option<Socket>,
    /// Counts sockets, so that a late message of a dropped one is not taken for the next one's.
    socket_number: u32,
    timer: Option<Timer>,
    listeners: Vec<Listener>,
    /// What the phone calls; it is never dropped while the page lives.
    hear: Option<Closure<Hear>>,
}

impl Driver {
    /// Starts the app. `code` is what stood behind the `#` of a sign-in link.
    pub fn start(shift: RwSignal<Shift>, code: Option<String>) -> Self {
        let is_hidden = document().hidden();
        let driver = Self(Rc::new(RefCell::new(Running {
            engine: Engine::new(now_ms()),
            shift,
            is_hidden,
            socket: None,
            socket_number: 0,
            timer: None,
            listeners: Vec::new(),
            hear: None,
        })));
        driver.listen();
        let has_network = window().navigator().on_line();
        let can_locate = device::can_locate();
        driver.post(Input::Start(Start { code, can_locate, is_hidden, has_network }));
        driver.hear();
        driver
    }

    /// Hands on what the courier did.
    pub fn act(&self, intent: Intent) {
        self.post(Input::Act(intent));
    }

    fn listen(&self) {
        let window = window();
        let on = |target: &web_sys::EventTarget, kind, input: fn() -> Input| {
            let driver = self.clone();
            Listener::new(target, kind, Box::new(move |_| driver.post(input())))
        };
        let listeners = vec![
            on(&window, "online", || Input::Online),
            on(&window, "offline", || Input::Offline),
            on(&document(), "visibilitychange", || if document().hidden() { Input::Hidden } else { Input::Shown }),
            on(&window, "pagehide", || Input::Hidden),
            on(&window, "pageshow", || if document().hidden() { Input::Hidden } else { Input::Shown }),
        ];
        self.0.borrow_mut().listeners = listeners;
    }

    /// Lets the phone call.
    fn hear(&self) {
        let driver = self.clone();
        let told = move |word: String, numbers: Vec<f64>| {
            if let Some(input) = driver.input(&word, &numbers) {
                driver.post(input);
            }
        };
        let hear = Closure::<Hear>::new(told);
        device::listen(hear.as_ref().unchecked_ref());
        self.0.borrow_mut().hear = Some(hear);
    }

    fn input(&self, word: &str, numbers: &[f64]) -> Option<Input> {
        Some(match (word, numbers) {
            ("held", _) => Input::Lock(Lock::Held),
            ("taken", _) => Input::Lock(Lock::Taken),
            ("lost", _) => Input::Lock(Lock::Lost),
            ("position", numbers) => Input::Reading(reading(numbers)?),
            ("no_position", [code]) => Input::PositionFailed(failure(*code)),
            ("permission", [granted]) => Input::Permission { is_granted: *granted > 0.0 },
            ("battery", [level, charging]) => Input::Battery { level: *level as f32, is_charging: *charging > 0.0 },
            ("wake", [state]) if *state > 0.0 => Input::Wake(Wake::On),
            ("wake", [state]) if *state < 0.0 => Input::Wake(Wake::Unavailable),
            ("wake", _) => Input::Wake(Wake::Idle),
            ("photo_unkept", _) => Input::PhotoUnkept,
            ("install", [offered]) => Input::Install(self.install(*offered > 0.0)),
            _ => return None,
        })
    }

    fn install(&self, is_offered: bool) -> state::Install {
        let is_ios = self.0.borrow().shift.with_untracked(|shift| shift.platform.system == System::Ios);
        match (is_offered, is_ios && !device::is_installed()) {
            (true, _) => state::Install::Offered,
            (false, true) => state::Install::ByShareSheet,
            (false, false) => state::Install::NotOffered,
        }
    }

    fn post(&self, input: Input) {
        let driver = self.clone();
        spawn(Box::pin(async move { driver.handle(input) }));
    }

    fn handle(&self, input: Input) {
        let mut running = self.0.borrow_mut();
        match input {
            Input::Hidden => running.is_hidden = true,
            Input::Shown => running.is_hidden = false,
            _ => {}
        }
        let effects = running.engine.step(moment(), input);
        for effect in effects {
            self.perform(&mut running, effect);
        }
        running.show();
        self.sleep(&mut running);
    }

    fn perform(&self, running: &mut Running, effect: Effect) {
        match effect {
            Effect::TakeLock { steal } => device::take_lock(steal),
            Effect::RenewArea => wasm_bindgen_futures::spawn_local(maplibre::renew_area()),
            Effect::Load => self.ask(async { load().await.map_or_else(Input::NoStorage, Input::Loaded) }),
            Effect::Commit { number, writes, is_strict } => {
                let changes: Array = writes.into_iter().map(change).collect();
                self.ask(async move {
                    let is_kept = device::commit(&changes, is_strict).await.is_ok();
                    Input::Committed { number, is_kept }
                });
            }
            Effect::Wipe => run(device::wipe()),
            Effect::SignIn { code } => self.ask(async { Input::SignedIn(api::sign_in(code).await) }),
            Effect::AskWhoAmI => self.ask(async { Input::WhoAmI(api::who_am_i().await) }),
            Effect::EndSession => self.ask(async { Input::SignedOut { is_known: api::end_session().await } }),
            Effect::AskTour => self.ask(async { Input::Tour(api::tour().await) }),
            Effect::PutPlan { courier_id, version, stops } => {
                self.ask(async move { Input::PlanAnswered(api::put_plan(courier_id, version, stops).await) });
            }
            Effect::AskDay => self.ask(async { Input::Day(api::day().await) }),
            Effect::Alert => device::alert(preferences::is_sound_on()),
            Effect::SetUpTracker(app) => {
                self.ask(async move { Input::Tracker(api::set_up_tracker(app).await.map(Box::new)) });
            }
            Effect::PutProof { id, order_id, proof_id, taken_ms, body } => self.ask(async move {
                let answer = api::put_proof(order_id, proof_id, taken_ms, body).await;
                Input::ProofAnswered { id, answer }
            }),
            Effect::OpenSocket => self.open_socket(running),
            Effect::CloseSocket => {
                running.socket = None;
                running.socket_number += 1;
            }
            Effect::Send(message) => {
                if let Some(socket) = &running.socket {
                    socket.send(&encode_postcard(&message));
                }
            }
            Effect::Watch(on) => device::watch(on),
            Effect::KeepAwake(on) => run(device::keep_awake(on)),
            Effect::TakePhoto { order_id, proof_id } => self.ask(async move {
                let taken = device::take_photo(PHOTO_INPUT_ID, &proof_id.to_string(), MAX_PHOTO_SIDE_PX).await;
                Input::Photo { order_id, proof_id, url: taken.ok().and_then(|url| url.as_string()) }
            }),
            Effect::ForgetPhoto { url } => device::forget_photo(&url),
            Effect::Persist => run(device::persist()),
            Effect::PromptInstall => run(device::prompt_install()),
        }
    }

    /// Starts something that answers later.
    fn ask(&self, question: impl Future<Output = Input> + 'static) {
        let driver = self.clone();
        spawn(Box::pin(async move {
            let answer = question.await;
            driver.post(answer);
        }));
    }

    fn open_socket(&self, running: &mut Running) {
        running.socket_number += 1;
        let (driver, number) = (self.clone(), running.socket_number);
        let tell = move |news| {
            let input = match news {
                // A message this build does not understand comes from a newer server; the others still matter.
                News::Message(bytes) => protocol::decode_postcard(&bytes).ok().map(Input::SocketMessage),
                News::Closed(code) => Some(Input::SocketClosed(code)),
            };
            if let Some(input) = input {
                driver.post_from(number, input);
            }
        };
        running.socket = Socket::open(&socket_url(), tell);
        if running.socket.is_none() {
            self.post_from(number, Input::SocketClosed(ABNORMAL));
        }
    }

    fn post_from(&self, number: u32, input: Input) {
        let driver = self.clone();
        spawn(Box::pin(async move {
            if driver.0.borrow().socket_number == number {
                driver.handle(input);
            }
        }));
    }

    /// Wakes when the engine wants to, and every second while the page is shown.
    fn sleep(&self, running: &mut Running) {
        let now_ms = now_ms();
        let wake_ms = running.engine.next_wake_ms(now_ms, js_sys::Date::now() as i64).map(|at_ms| at_ms - now_ms);
        let tick_ms = (!running.is_hidden).then_some(TICK_MS);
        let wait_ms = wake_ms.into_iter().chain(tick_ms).reduce(f64::min);
        running.timer = wait_ms.map(|wait_ms| {
            let driver = self.clone();
            Timer::new(wait_ms, Box::new(move || driver.post(Input::Tick)))
        });
    }
}

impl Running {
    fn show(&mut self) {
        if self.is_hidden {
            return;
        }
        let mut next = self.shift.get_untracked();
        self.engine.show(moment(), &mut next);
        if self.shift.with_untracked(|shown| *shown != next) {
            self.shift.set(next);
        }
    }
}

fn moment() -> Moment {
    let bytes: [u8; 16] = device::random_bytes().try_into().unwrap_or_default();
    let id = uuid::Builder::from_random_bytes(bytes).into_uuid();
    Moment { now_ms: now_ms(), date_ms: js_sys::Date::now() as i64, random: js_sys::Math::random(), id }
}

/// Starts something whose end does not matter here.
fn run(task: impl Future<Output = Result<JsValue, JsValue>> + 'static) {
    spawn(Box::pin(async move {
        // The phone says itself how it went, where that matters.
        let _ = task.await;
    }));
}

async fn load() -> Result<Records, NoStorage> {
    let kept = device::load().await.map_err(|_| NoStorage::Refused)?;
    if kept.is_undefined() {
        return Err(NoStorage::Silent);
    }
    let kept: Kept = kept.unchecked_into();
    let keyed = |keys: Vec<f64>, texts: Vec<String>| keys.into_iter().map(|key| key as i64).zip(texts).collect();
    let photo_ids = kept.photo_ids().into_iter().map(|id| Uuid::parse_str(&id).unwrap_or_default());
    Ok(Records {
        fixes: keyed(kept.fix_keys(), kept.fixes()),
        actions: keyed(kept.action_keys(), kept.actions()),
        memory: kept.memory(),
        photos: photo_ids.zip(kept.photo_urls()).collect(),
    })
}

fn change(Write { slot, text }: Write) -> Array {
    let (store, key) = match slot {
        Slot::Fix(time_ms) => ("fixes", JsValue::from_f64(time_ms as f64)),
        Slot::Action(id) => ("actions", JsValue::from_f64(id as f64)),
        Slot::Photo(id) => ("photos", JsValue::from_str(&id.to_string())),
        Slot::Memory => ("memory", JsValue::from_str("memory")),
    };
    let text = text.map_or(JsValue::UNDEFINED, |text| JsValue::from_str(&text));
    Array::of3(&JsValue::from_str(store), &key, &text)
}

fn reading(numbers: &[f64]) -> Option<Reading> {
    let &[time_ms, lat, lon, accuracy_m, speed_mps, heading_deg, altitude_m] = numbers else { return None };
    let known = |number: f64| (!number.is_nan()).then_some(number as f32);
    Some(Reading {
        time_ms: time_ms as i64,
        lat,
        lon,
        accuracy_m: accuracy_m as f32,
        speed_mps: known(speed_mps),
        heading_deg: known(heading_deg),
        altitude_m: known(altitude_m),
    })
}

/// By the numbers of the Geolocation API.
fn failure(code: f64) -> Failure {
    match code as i32 {
        1 => Failure::Denied,
        2 => Failure::Unavailable,
        _ => Failure::Timeout,
    }
}

fn socket_url() -> String {
    let location = window().location();
    let text = |value: Result<String, JsValue>| value.unwrap_or_default();
    let scheme = if text(location.protocol()) == "https:" { "wss://" } else { "ws://" };
    [scheme, &text(location.host()), "/ws/courier"].concat()
}

// What the courier's app needs from the phone: storage, the position, the screen, one tab among many, photos.
//
// Small on purpose: nothing is decided here. The program asks through the functions below and hears through the one
// function it hands to `listen`: a word, and numbers. Some of these have no typed bindings, others differ per browser.

const DATABASE = "doorstep-courier";
const STORES = ["fixes", "actions", "photos", "memory"];
const LOCK = "doorstep-courier";

// WebKit's storage at times answers nothing at all, neither that it is open nor that something is kept. A phone whose storage
// works opens it within a second, and reads 20 000 positions or writes a photo within three.
const OPEN_MS = 3_000;
const TRANSACTION_MS = 8_000;

let tell = () => {};

/** From now on the program hears through `hear(word, numbers)`. */
export function listen(hear) {
  tell = hear;
  watchPermission();
  watchBattery();
  tellInstall();
}

// --- Storage -------------------------------------------------------------------------------------------------------

let opening;

/** The pictures of proofs by their id: in storage too, unless this browser keeps nothing. */
const pictures = new Map();

function database() {
  opening ??= open().catch((error) => {
    opening = undefined;
    throw error;
  });
  return opening;
}

/** Storage does not answer. */
class Silence extends Error {}

/** Calls `silent` after so long; call what this answers when the answer is there. */
function deadline(ms, silent) {
  let timer;
  const wait = () => {
    const due = performance.now() + ms;
    // A page that slept is late itself, and the answer may stand behind this timer.
    timer = setTimeout(() => (performance.now() < due + ms ? silent() : wait()), ms);
  };
  wait();
  return () => clearTimeout(timer);
}

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    let isTooLate = false;
    const answered = deadline(OPEN_MS, () => {
      isTooLate = true;
      reject(new Silence("storage does not open"));
    });
    request.onupgradeneeded = () => STORES.forEach((name) => request.result.createObjectStore(name));
    request.onsuccess = () => {
      answered();
      const opened = request.result;
      // Another one may have been opened meanwhile.
      if (isTooLate) return opened.close();
      // The browser may close it, and a tab that wipes wants it closed; the next call opens it again.
      const forget = () => {
        opened.close();
        opening = undefined;
      };
      opened.onclose = forget;
      opened.onversionchange = forget;
      resolve(opened);
    };
    request.onerror = () => {
      answered();
      reject(request.error);
    };
    request.onblocked = () => reject(new Error("storage is blocked by an older tab"));
  });
}

function finished(transaction) {
  return new Promise((resolve, reject) => {
    const answered = deadline(TRANSACTION_MS, () => {
      reject(new Silence("storage does not keep"));
      // Others would wait behind it for ever. The next one gets a connection of its own.
      opening = undefined;
      try {
        transaction.abort();
        transaction.db.close();
      } catch {
        // It has just ended.
      }
    });
    transaction.oncomplete = () => {
      answered();
      resolve();
    };
    transaction.onabort = () => {
      answered();
      reject(transaction.error);
    };
  });
}

/** A transaction; a connection that died in the background is opened again. */
async function begin(mode, options) {
  try {
    return (await database()).transaction(STORES, mode, options);
  } catch {
    opening = undefined;
    return (await database()).transaction(STORES, mode, options);
  }
}

/** Everything that is kept; `undefined` when storage does not answer. Rejects when this browser keeps nothing. */
export async function load() {
  try {
    return await loadAll();
  } catch (error) {
    if (error instanceof Silence) return undefined;
    throw error;
  }
}

async function loadAll() {
  const transaction = await begin("readonly");
  const all = (name) => {
    const store = transaction.objectStore(name);
    return [store.getAllKeys(), store.getAll()];
  };
  const requests = STORES.map(all);
  await finished(transaction);
  const [fixes, actions, photos, memory] = requests.map((pair) => pair.map((request) => request.result));
  photos[0].forEach((id, index) => pictures.set(id, photos[1][index]));
  return {
    fixKeys: fixes[0],
    fixes: fixes[1],
    actionKeys: actions[0],
    actions: actions[1],
    photoIds: photos[0],
    photoUrls: photos[1].map((picture) => URL.createObjectURL(picture)),
    memory: memory[1][0],
  };
}

/** Changes storage, all of it or nothing: `[store, key, text]`, without a text to delete. Resolves when it is kept. */
export async function commit(changes, isStrict) {
  const transaction = await begin("readwrite", { durability: isStrict ? "strict" : "relaxed" });
  for (const [store, key, text] of changes) {
    if (text === undefined) transaction.objectStore(store).delete(key);
    else transaction.objectStore(store).put(text, key);
    if (store === "photos") pictures.delete(key);
  }
  await finished(transaction);
}

/** Deletes everything. What is committed afterwards goes to a new database. */
export async function wipe() {
  const before = opening;
  pictures.clear();
  opening = (async () => {
    (await before?.catch(() => undefined))?.close();
    await new Promise((resolve) => {
      const request = indexedDB.deleteDatabase(DATABASE);
      request.onsuccess = request.onerror = request.onblocked = resolve;
      deadline(OPEN_MS, resolve);
    });
    return open();
  })();
  await opening.catch(() => (opening = undefined));
}

// --- One tab of many -----------------------------------------------------------------------------------------------

let isQueued = false;

/** Tells `held`, `taken` or, later, `lost`. A tab without the lock gets it when the one that has it is closed. */
export function takeLock(steal) {
  if (!navigator.locks) {
    tell("held", []);
    return;
  }
  const hold = () => {
    tell("held", []);
    return new Promise(() => {});
  };
  const lost = () => {
    tell("lost", []);
    queue();
  };
  const queue = () => {
    if (isQueued) return;
    isQueued = true;
    const granted = () => {
      isQueued = false;
      return hold();
    };
    navigator.locks.request(LOCK, granted).catch(lost);
  };
  const tried = (lock) => {
    if (lock) return hold();
    tell("taken", []);
    queue();
  };
  navigator.locks.request(LOCK, steal ? { steal } : { ifAvailable: true }, tried).catch(lost);
}

// --- The position --------------------------------------------------------------------------------------------------

const ACCURATE = { enableHighAccuracy: true, maximumAge: 0, timeout: 15_000 };

let watching;

/** Watches the position, anew if it is watched, or stops: tells `position` and `no_position`. */
export function watch(on) {
  if (watching !== undefined) navigator.geolocation.clearWatch(watching);
  watching = on ? navigator.geolocation.watchPosition(tellPosition, tellNoPosition, ACCURATE) : undefined;
}

/** Whether there is a position to ask for: only a page that came safely may. */
export function canLocate() {
  return window.isSecureContext && "geolocation" in navigator;
}

function tellPosition({ timestamp, coords }) {
  const { latitude, longitude, accuracy, speed, heading, altitude } = coords;
  tell("position", [timestamp, latitude, longitude, accuracy, speed ?? NaN, heading ?? NaN, altitude ?? NaN]);
}

function tellNoPosition({ code }) {
  tell("no_position", [code]);
}

async function watchPermission() {
  const status = await navigator.permissions?.query({ name: "geolocation" }).catch(() => undefined);
  status?.addEventListener("change", () => tell("permission", [Number(status.state === "granted")]));
}

// --- Battery and screen --------------------------------------------------------------------------------------------

async function watchBattery() {
  const battery = await navigator.getBattery?.().catch(() => undefined);
  if (!battery) return;
  const report = () => tell("battery", [battery.level, Number(battery.charging)]);
  battery.addEventListener("levelchange", report);
  battery.addEventListener("chargingchange", report);
  report();
}

/** Asks the browser not to clear away what waits to be sent when space runs out. It need not agree. */
export async function persist() {
  try {
    await navigator.storage?.persist?.();
  } catch (error) {
    console.warn(error);
  }
}

let isAwakeWanted = false;
let awake;

/** Keeps the screen on, or lets it go; the browser lets go by itself when the page is hidden. */
export async function keepAwake(on) {
  isAwakeWanted = on;
  if (!on) {
    awake?.release();
    awake = undefined;
    return;
  }
  if (awake && !awake.released) return;
  try {
    const lock = await navigator.wakeLock.request("screen");
    if (!isAwakeWanted) return lock.release();
    awake = lock;
    lock.addEventListener("release", () => tell("wake", [0]));
    tell("wake", [1]);
  } catch {
    tell("wake", [-1]);
  }
}

// --- Attention -----------------------------------------------------------------------------------------------------

let speaker;

/** Vibrates, and sounds two short tones unless the courier switched them off. A browser may refuse both: words follow. */
export function alert(isAudible) {
  if (!isAudible) return;
  navigator.vibrate?.([200, 100, 200]);
  // Before the courier has touched the page a browser lets nothing sound, and says so in its console.
  if (navigator.userActivation && !navigator.userActivation.hasBeenActive) return;
  speaker ??= new AudioContext();
  // A page that comes back from the background finds its speaker asleep.
  speaker.resume?.();
  [0, 0.22].forEach((after, number) => sound(speaker.currentTime + after, 740 + 220 * number));
}

function sound(at, pitch) {
  const tone = new OscillatorNode(speaker, { frequency: pitch });
  const volume = new GainNode(speaker, { gain: 0 });
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.4, at + 0.02);
  volume.gain.linearRampToValueAtTime(0, at + 0.18);
  tone.connect(volume).connect(speaker.destination);
  tone.start(at);
  tone.stop(at + 0.2);
}

// --- Photos --------------------------------------------------------------------------------------------------------

const JPEG_QUALITY = 0.82;

/** Reads the photo chosen in the page's file input, makes it smaller, keeps it, and answers where the page finds it. */
export async function takePhoto(inputId, id, sidePx) {
  const input = document.getElementById(inputId);
  const file = input?.files?.[0];
  if (!file) throw new Error("no file was chosen");
  const picture = await shrink(file, sidePx);
  // The same picture may be chosen again.
  input.value = "";
  pictures.set(id, picture);
  try {
    const transaction = await begin("readwrite", { durability: "strict" });
    transaction.objectStore("photos").put(picture, id);
    await finished(transaction);
  } catch (error) {
    // It is sent from memory; should the tab be closed before, it is gone, which the courier must know at the door.
    console.warn(error);
    tell("photo_unkept", []);
  }
  return URL.createObjectURL(picture);
}

/** Drawn on a canvas and encoded anew, a picture carries nothing of where and with what it was taken. */
async function shrink(file, sidePx) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, sidePx / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const brush = canvas.getContext("2d", { alpha: false });
  brush.imageSmoothingQuality = "high";
  brush.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const encoded = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY));
  if (!encoded) throw new Error("the picture could not be encoded");
  return encoded;
}

/** Lets a picture's address go. */
export function forgetPhoto(url) {
  URL.revokeObjectURL(url);
}

// --- Questions by HTTP ---------------------------------------------------------------------------------------------

/** Asks the server: with JSON, with the picture of this id, or with nothing. Rejects when there is no answer. */
export async function ask(method, path, json, photoId, limitMs) {
  const picture = photoId === undefined ? undefined : pictures.get(photoId);
  if (photoId !== undefined && !picture) return { status: 422, text: "", retryAfterS: 0 };
  const headers = { accept: "application/json" };
  if (json !== undefined) headers["content-type"] = "application/json";
  if (picture) headers["content-type"] = picture.type;
  const body = picture ?? json;
  const response = await fetch(path, { method, headers, body, cache: "no-store", signal: AbortSignal.timeout(limitMs) });
  const retryAfterS = Number(response.headers.get("retry-after")) || 0;
  return { status: response.status, text: await response.text(), retryAfterS };
}

// --- The app itself ------------------------------------------------------------------------------------------------

let installPrompt;

window.addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  installPrompt = event;
  tellInstall();
});
window.addEventListener("appinstalled", () => {
  installPrompt = undefined;
  tellInstall();
});

function tellInstall() {
  tell("install", [Number(Boolean(installPrompt))]);
}

/** Shows the browser's question; it may be shown once. */
export async function promptInstall() {
  const prompt = installPrompt;
  installPrompt = undefined;
  await prompt?.prompt();
  tellInstall();
}

/** Whether the app was opened from the home screen. */
export function isInstalled() {
  return matchMedia("(display-mode: standalone)").matches || navigator.standalone === true;
}

/** Lets the app open without a network. */
export function registerWorker(url, scope) {
  navigator.serviceWorker?.register(url, { scope }).catch(console.warn);
}

/** 16 random bytes. */
export function randomBytes() {
  return crypto.getRandomValues(new Uint8Array(16));
}

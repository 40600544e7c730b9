// What the console's program needs of the browser beside its own screens: requests, files, the clipboard, the focus and the
// theme.

/** Calls the REST API; answers the status and the text, or status 0 when nothing came back. */
export async function call(method, path, body, mediaType, key, ifMatch, accept) {
  const headers = { accept };
  if (body !== undefined) headers["content-type"] = mediaType;
  if (key !== undefined) headers["idempotency-key"] = key;
  if (ifMatch !== undefined) headers["if-match"] = ifMatch;
  try {
    const answer = await fetch(`/api/v1${path}`, { method, headers, body, cache: "no-store" });
    return [answer.status, await answer.text()];
  } catch {
    return [0, ""];
  }
}

/** What is being sent. */
let sending;

/**
 * Sends the file that was chosen in an input, as its browser reads it from the disk; answers as `call` does, or nothing when
 * it was stopped. `progressed` hears how many bytes of how many are on their way.
 */
export function uploadFile(id, path, progressed) {
  const [file] = document.getElementById(id)?.files ?? [];
  if (!file) return Promise.resolve([0, ""]);
  return new Promise((resolve) => {
    // `fetch` does not tell how far it is.
    sending = new XMLHttpRequest();
    sending.open("POST", `/api/v1${path}`);
    sending.setRequestHeader("content-type", "application/octet-stream");
    sending.setRequestHeader("accept", "application/json, application/problem+json");
    sending.upload.onprogress = throttled(({ loaded, total }) => progressed(loaded, total));
    sending.onload = ({ target }) => resolve([target.status, target.responseText]);
    sending.onerror = () => resolve([0, ""]);
    sending.onabort = () => resolve(undefined);
    sending.send(file);
  });
}

/** Stops sending. */
export function stopUpload() {
  sending?.abort();
}

/** Four times a second is enough for people, and always the last. */
function throttled(then) {
  let toldMs = 0;
  return (event) => {
    const now = performance.now();
    if (now - toldMs < 250 && event.loaded < event.total) return;
    toldMs = now;
    then(event);
  };
}

/** Saves a text as a file. */
export function save(name, type, text) {
  const href = URL.createObjectURL(new Blob([text], { type }));
  const link = Object.assign(document.createElement("a"), { href, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

/** Puts a text on the clipboard; answers whether the browser allowed it. If not, the user can copy the text by hand. */
export async function copy(text) {
  if (!navigator.clipboard) return false;
  return navigator.clipboard.writeText(text).then(
    () => true,
    () => false,
  );
}

/** The text of the file that was chosen, and its name; the input is empty afterwards, so that it can be chosen again. */
export async function chosenFile(input, maxBytes) {
  const [file] = input.files;
  if (!file) return ["", new Uint8Array()];
  // As it is: spreadsheets write other encodings than a browser would guess.
  const bytes = new Uint8Array(await file.slice(0, maxBytes).arrayBuffer());
  input.value = "";
  return [file.name, bytes];
}

let awaitedFrame = 0;

/**
 * Puts the focus on an element: at once, or in the next frame, when it is drawn. Until then no text field keeps it. A frame can
 * be long in coming, and the person may have gone on: then the focus stays where they put it.
 */
export function focus(id) {
  cancelAnimationFrame(awaitedFrame);
  if (take(id)) return;
  if (document.activeElement instanceof HTMLInputElement) document.activeElement.blur();
  const before = document.activeElement;
  awaitedFrame = requestAnimationFrame(() => {
    if ([before, document.body].includes(document.activeElement)) take(id);
  });
}

/** Puts the focus on an element in the next frame, if the element that had it has left the page. */
export function focusIfLost(id) {
  requestAnimationFrame(() => {
    const { activeElement, body } = document;
    if (activeElement === null || activeElement === body) take(id);
  });
}

/**
 * Gives the focus back to the element that has it now, if drawing moves that element in the page: a browser takes the focus
 * from whatever is put elsewhere. Call it before drawing.
 */
export function keepFocus() {
  const { activeElement: before, body } = document;
  if (before === null || before === body) return;
  // Drawing is done in microtasks.
  setTimeout(() => {
    if (before.isConnected && document.activeElement === body) before.focus({ preventScroll: true });
  });
}

function take(id) {
  const element = document.getElementById(id);
  element?.focus({ preventScroll: id === "list" });
  if (!element || document.activeElement !== element) return false;
  if (element instanceof HTMLInputElement) element.select();
  return true;
}

/** Keeps a text for the next load of the page in this tab; an empty one is forgotten. */
export function keep(text) {
  try {
    if (text) sessionStorage.setItem(KEPT, text);
    else sessionStorage.removeItem(KEPT);
  } catch {
    // Without storage a reload loses it.
  }
}

/** The text that was kept, or an empty one. */
export function kept() {
  try {
    return sessionStorage.getItem(KEPT) ?? "";
  } catch {
    return "";
  }
}

const KEPT = "doorstep.bulk";

/** Whether keys are letters here. */
export function isTextField(target) {
  const isField = target.matches?.("input:not([type=checkbox], [type=radio], [type=range], [type=file]), textarea, select");
  return Boolean(isField || target.isContentEditable);
}

/** Switches from light to dark to the device's own theme; the browser keeps the choice for the next visit. */
export function nextTheme() {
  const root = document.documentElement;
  const next = { undefined: "light", light: "dark", dark: undefined }[root.dataset.theme];
  if (next) root.dataset.theme = next;
  else delete root.dataset.theme;
  try {
    if (next) localStorage.setItem(THEME, next);
    else localStorage.removeItem(THEME);
  } catch {
    // Without storage the choice lasts until the page is left.
  }
}

/** Restores the theme that was chosen before. */
export function restoreTheme() {
  try {
    const theme = localStorage.getItem(THEME);
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // As above.
  }
}

const THEME = "doorstep.theme";

/** Makes a dialog modal when it appears: the browser then keeps the focus in it. */
export function showModal(id) {
  requestAnimationFrame(() => {
    const dialog = document.getElementById(id);
    if (dialog && !dialog.open) dialog.showModal();
  });
}

/** Calls `then` whenever an element has another height, for as long as the page lives. */
export function onHeight(element, then) {
  new ResizeObserver(() => then()).observe(element);
}

/** How large texts are: 1 as browsers have them, 2 twice as large. */
export function textScale() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) / 16 || 1;
}

// The few things of the browser that the console asks for beside its own screens: requests, files, the clipboard, colours.

/** Asks the REST API; answers the status and the text, or status 0 when nothing came back. */
export async function call(method, path, body, mediaType, key, accept) {
  const headers = { accept };
  if (body !== undefined) headers["content-type"] = mediaType;
  if (key !== undefined) headers["idempotency-key"] = key;
  try {
    const answer = await fetch(`/api/v1${path}`, { method, headers, body, cache: "no-store" });
    return [answer.status, await answer.text()];
  } catch {
    return [0, ""];
  }
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

/** Puts a text on the clipboard; answers whether it may. Where it may not, the text stands there to be copied by hand. */
export async function copy(text) {
  if (!navigator.clipboard) return false;
  return navigator.clipboard.writeText(text).then(
    () => true,
    () => false,
  );
}

/** The text of the file that was chosen, and its name; the input is empty afterwards, so that it can be chosen again. */
export async function chosenFile(input) {
  const [file] = input.files;
  if (!file) return ["", ""];
  const text = await file.text();
  input.value = "";
  return [file.name, text];
}

/** Puts the focus on an element: at once, or when it has been drawn. Where it cannot go, it leaves the field it was in. */
export function focus(id) {
  if (take(id)) return;
  if (document.activeElement instanceof HTMLInputElement) document.activeElement.blur();
  requestAnimationFrame(() => take(id));
}

function take(id) {
  const element = document.getElementById(id);
  element?.focus({ preventScroll: id === "list" });
  if (!element || document.activeElement !== element) return false;
  if (element instanceof HTMLInputElement) element.select();
  return true;
}

/** Whether keys are letters here, and whether the list has the focus. */
export function typing(target) {
  const isField = target.matches?.("input:not([type=checkbox], [type=radio], [type=range], [type=file]), textarea, select");
  return Boolean(isField || target.isContentEditable);
}

/** Light, dark, and as the device says, one after the other; kept for the next visit. */
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

/** The theme that was chosen before. */
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

/** Tells an element's height whenever it changes, for as long as the page lives. */
export function onHeight(element, tell) {
  new ResizeObserver(() => tell()).observe(element);
}

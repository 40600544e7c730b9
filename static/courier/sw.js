// The courier app's service worker: lets the app open in a tunnel.
//
// It keeps the files of one build, named by the server in SHELL, and answers with them first; a new build is fetched
// beside the old one and takes over at the next opening. Nothing of the API is ever kept or answered from here: all
// that is, is the page and what lies under ASSETS, whose names hold a hash of their content. The build before this one
// stays until the next, for tabs that are still open on it and whose files the server has no more.
//
// The server puts `const SHELL = {"version":…,"page":…,"files":[…],"map":…};` before this text.

const CACHES = "doorstep-courier-";
const CURRENT = CACHES + SHELL.version;
const ASSETS = "/assets/";

self.addEventListener("install", (event) => {
  event.waitUntil(fill().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(forgetOlder().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate" && url.pathname === SHELL.page) {
    event.respondWith(kept(SHELL.page, request));
  } else if (url.pathname === SHELL.map) {
    event.respondWith(mapPart(event));
  } else if (url.pathname.startsWith(ASSETS)) {
    event.respondWith(kept(url.pathname, request));
  }
});

// Past the HTTP cache only for the page: the other names hold a hash of their content.
async function fill() {
  const cache = await caches.open(CURRENT);
  await cache.add(new Request(SHELL.page, { cache: "reload" }));
  await cache.addAll(SHELL.files);
}

async function forgetOlder() {
  const names = (await caches.keys()).filter((name) => name.startsWith(CACHES) && name !== CURRENT);
  // `keys` lists them in the order in which they were made.
  await Promise.all(names.slice(0, -1).map((name) => caches.delete(name)));
}

// This build's first: every build has a page of the same name.
async function kept(path, request) {
  const options = { ignoreVary: true };
  const current = await caches.open(CURRENT);
  return (await current.match(path, options)) ?? (await caches.match(path, options)) ?? fetch(request);
}

// The map's tiles are parts of one large file. It is fetched whole, in the background, the first
// time the map is shown; from then on parts are cut from it here.
async function mapPart(event) {
  const whole = await caches.match(SHELL.map);
  if (!whole) {
    event.waitUntil(keepMap());
    return fetch(event.request);
  }
  const range = /^bytes=(\d+)-(\d+)$/.exec(event.request.headers.get("range") ?? "");
  if (!range) return whole;
  const blob = await whole.blob();
  const [first, last] = [Number(range[1]), Math.min(Number(range[2]), blob.size - 1)];
  if (first > last) return new Response(null, { status: 416, headers: { "Content-Range": `bytes */${blob.size}` } });
  return new Response(blob.slice(first, last + 1), {
    status: 206,
    headers: {
      "Content-Type": whole.headers.get("Content-Type") ?? "application/octet-stream",
      "Content-Range": `bytes ${first}-${last}/${blob.size}`,
      "Content-Length": String(last - first + 1),
    },
  });
}

let keeping;

function keepMap() {
  keeping ??= caches
    .open(CURRENT)
    .then((cache) => cache.add(SHELL.map))
    // Tried again when the map is looked at the next time.
    .catch(() => (keeping = undefined));
  return keeping;
}

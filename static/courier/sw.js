// The courier app's service worker: lets the app open in a tunnel.
//
// It keeps the files of one build, named by the server in SHELL, and answers with them first; a new build is fetched
// beside the old one and takes over at the next opening. Nothing of the API is ever kept or answered from here: all
// that is, is the page and what lies under ASSETS, whose names hold a hash of their content. The build before this one
// stays until the next, for tabs that are still open on it and whose files the server has no more.
//
// Of the area's map it keeps the parts that the page asked for, and never the whole.
//
// The server puts `const SHELL = {"version":…,"page":…,"files":[…]};` before this text.

const CACHES = "doorstep-courier-";
const CURRENT = CACHES + SHELL.version;
const ASSETS = "/assets/";

/** What is kept of the map of an area. */
const AREAS = "doorstep-area-";

/** A city's tiles around a day of stops are a few megabytes. */
const MOST_BYTES = 20_000_000;

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
  const [, area, file] = /^\/area\/([^/]+)\/(map\.pmtiles|land\.geojson)$/.exec(url.pathname) ?? [];
  if (request.mode === "navigate" && url.pathname === SHELL.page) {
    event.respondWith(kept(SHELL.page, request));
  } else if (area) {
    event.respondWith(areaPart(event, area, file));
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

// The map's tiles are ranges of one large file, of which a phone needs little. What the page asks for is kept: it asks for
// the surroundings of the day's stops by itself. An area's files never change, so what is kept is never stale.
async function areaPart(event, area, file) {
  const { request } = event;
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "");
  const isWhole = file === "land.geojson";
  if (!range && !isWhole) return fetch(request);
  const name = isWhole ? `/area/${area}/${file}` : `/area/${area}/${file}?${range[1]}-${range[2]}`;
  const found = await caches.match(name);
  if (found) return isWhole ? found : asPart(found);
  const answer = await fetch(request);
  if (answer.status === (isWhole ? 200 : 206)) event.waitUntil(keep(area, name, answer.clone()));
  return answer;
}

/** A cache holds no partial answers, so they are kept as whole ones and become partial again. */
async function asPart(found) {
  return new Response(await found.blob(), { status: 206, headers: found.headers });
}

/** One after the other, so that each knows how much there is. */
let keeping = Promise.resolve();

function keep(area, name, answer) {
  keeping = keeping.then(async () => {
    const bytes = await answer.blob();
    const cache = await caches.open(AREAS + area);
    if (!(await makeRoom(cache, bytes.size))) return;
    await cache.put(name, new Response(bytes, { headers: answer.headers }));
  });
  // A full disk or a lost network: asked for again another time.
  keeping = keeping.catch(() => {});
  return keeping;
}

/** Forgets the tiles that were kept first, if there is too much; never the directories in front, without which none is found. */
async function makeRoom(cache, wanted) {
  const kept = (await cache.keys()).map((request) => ({ request, ...extent(request) }));
  let excess = kept.reduce((all, { bytes }) => all + bytes, wanted) - MOST_BYTES;
  if (excess <= 0) return true;
  const tilesBegin = await firstTile(cache, kept);
  for (const { request, first, bytes } of kept) {
    if (first < tilesBegin) continue;
    await cache.delete(request);
    excess -= bytes;
    if (excess <= 0) return true;
  }
  return false;
}

function extent({ url }) {
  const [, first, last] = /\?(\d+)-(\d+)$/.exec(url) ?? [0, 0, -1];
  return { first: Number(first), bytes: Number(last) - Number(first) + 1 };
}

/** Where the tiles begin in the file: its header says so (PMTiles 3, bytes 56 to 63). */
async function firstTile(cache, kept) {
  const header = kept.find(({ first, bytes }) => first === 0 && bytes > 0);
  if (!header) return 0;
  const bytes = await (await cache.match(header.request)).arrayBuffer();
  return Number(new DataView(bytes).getBigUint64(56, true));
}

/** The page says which area it shows now; what is kept of others goes. */
self.addEventListener("message", (event) => {
  const { area } = event.data ?? {};
  if (area) event.waitUntil(forgetAreasBut(area));
});

async function forgetAreasBut(area) {
  const others = (await caches.keys()).filter((name) => name.startsWith(AREAS) && name !== AREAS + area);
  await Promise.all(others.map((name) => caches.delete(name)));
}

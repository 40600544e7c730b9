// What the couriers' service worker keeps of an area's map: with the real worker, in a real browser, over a file of which
// every byte is known.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { expect, test as base } from "@playwright/test";

const WORKER = await readFile(new URL("../../static/courier/sw.js", import.meta.url), "utf8");

/** As large as that of a city. */
const MAP_BYTES = 60_000_000;

/** Where the tiles begin; header and directories are before. */
const TILES_BEGIN = 20_000;

/** The byte at a place; the header's field at 56 says where the tiles begin. */
function byteAt(place) {
  if (place >= 56 && place < 64) return place === 56 ? TILES_BEGIN & 255 : place === 57 ? TILES_BEGIN >> 8 : 0;
  return (place * 7) % 251;
}

class Site {
  async start() {
    this.asked = [];
    this.server = createServer((request, response) => this.answer(request, response));
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  answer(request, response) {
    const { pathname } = new URL(request.url, this.url);
    const send = (type, body) => response.writeHead(200, { "content-type": type, "Service-Worker-Allowed": "/courier" }).end(body);
    if (pathname === "/courier") {
      const start = `navigator.serviceWorker.register("/courier/sw.js", { scope: "/courier" })`;
      return send("text/html", `<!doctype html><title>x</title><script>${start}</script>`);
    }
    if (pathname === "/courier/sw.js") {
      const shell = { version: "one", page: "/courier", files: [] };
      return send("text/javascript", `const SHELL = ${JSON.stringify(shell)};\n${WORKER}`);
    }
    if (!pathname.startsWith("/area/")) return response.writeHead(404).end();
    this.asked.push(request.headers.range);
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    if (pathname.endsWith("land.geojson")) return send("application/geo+json", `{"of":"${pathname}"}`);
    const [first, last] = range ? [Number(range[1]), Number(range[2])] : [0, MAP_BYTES - 1];
    const body = Buffer.from(Uint8Array.from({ length: last - first + 1 }, (_, index) => byteAt(first + index)));
    const headers = { "content-range": `bytes ${first}-${last}/${MAP_BYTES}`, "content-length": body.length, etag: '"x"' };
    return response.writeHead(206, headers).end(body);
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

const test = base.extend({
  site: async ({}, use) => {
    const site = await new Site().start();
    await use(site);
    site.stop();
  },

  /** The app's page, with the worker in charge. */
  app: async ({ page, site }, use) => {
    await page.goto(`${site.url}/courier`);
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    await use(page);
  },
});

/** Asks for a range as the map does: status, length, first byte and entity tag, or the error's name. */
function read(page, area, first, last) {
  return page.evaluate(
    async ([path, range]) => {
      const answer = await fetch(path, { headers: { range } }).catch(() => undefined);
      if (!answer) return "unreachable";
      const bytes = new Uint8Array(await answer.arrayBuffer());
      return [answer.status, bytes.length, bytes[0], answer.headers.get("etag"), answer.headers.get("content-range")];
    },
    [`/area/${area}/map.pmtiles`, `bytes=${first}-${last}`],
  );
}

/** The ranges that are kept, in the order in which they came. */
function kept(page) {
  return page.evaluate(async () => {
    const names = (await caches.keys()).filter((name) => name.startsWith("doorstep-area-"));
    const lists = names.map(async (name) => [name, (await (await caches.open(name)).keys()).map(({ url }) => url.split("?")[1])]);
    return Object.fromEntries(await Promise.all(lists));
  });
}

/** What is kept of an area; waits until there is as much as expected. */
function keeps(page, expected) {
  return expect.poll(() => kept(page)).toEqual(expected);
}

test("ranges that were read once are there without a network, and others are not", async ({ app, site, context }) => {
  const ranges = [
    [0, 16_383],
    [30_000, 30_999],
  ];
  for (const [first, last] of ranges) {
    expect(await read(app, "here-1", first, last)).toEqual([206, last - first + 1, byteAt(first), '"x"', `bytes ${first}-${last}/${MAP_BYTES}`]);
  }
  await keeps(app, { "doorstep-area-here-1": ["0-16383", "30000-30999"] });
  const asked = site.asked.length;
  await context.setOffline(true);
  for (const [first, last] of ranges) {
    expect(await read(app, "here-1", first, last)).toEqual([206, last - first + 1, byteAt(first), '"x"', `bytes ${first}-${last}/${MAP_BYTES}`]);
  }
  expect(await read(app, "here-1", 40_000, 40_999)).toBe("unreachable");
  expect(site.asked.length).toBe(asked);
});

test("the land is kept with the tiles, and the whole map never is", async ({ app, context }) => {
  const get = (path) => app.evaluate((path) => fetch(path).then((answer) => answer.text()), path);
  expect(await get("/area/here-1/land.geojson")).toContain("here-1");
  await keeps(app, { "doorstep-area-here-1": [undefined] });
  await app.evaluate(() => fetch("/area/here-1/map.pmtiles").then((answer) => answer.body.cancel()));
  await keeps(app, { "doorstep-area-here-1": [undefined] });
  await context.setOffline(true);
  expect(await get("/area/here-1/land.geojson")).toContain("here-1");
});

test("at most 20 MB are kept: the oldest tiles go, and the directories stay", async ({ app }) => {
  const piece = 4_000_000;
  await read(app, "here-1", 0, 16_383);
  for (let index = 0; index < 6; index++) await read(app, "here-1", TILES_BEGIN + index * piece, TILES_BEGIN + (index + 1) * piece - 1);
  const range = (index) => `${TILES_BEGIN + index * piece}-${TILES_BEGIN + (index + 1) * piece - 1}`;
  await keeps(app, { "doorstep-area-here-1": ["0-16383", range(2), range(3), range(4), range(5)] });
});

test("what is kept of other areas goes when the page shows another one", async ({ app }) => {
  await read(app, "here-1", 0, 16_383);
  await read(app, "there-2", 0, 16_383);
  await keeps(app, { "doorstep-area-here-1": ["0-16383"], "doorstep-area-there-2": ["0-16383"] });
  await app.evaluate(() => navigator.serviceWorker.controller.postMessage({ area: "there-2" }));
  await keeps(app, { "doorstep-area-there-2": ["0-16383"] });
});

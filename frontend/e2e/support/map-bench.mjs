// The maps' scripts without the programs that call them: a page with a box, pins and an area, and a server whose map comes,
// stays away or changes as a test says.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

const read = (path) => readFile(new URL(`../../${path}`, import.meta.url));

const PMTILES_EXPORTS =
  "\nexport const { Compression, EtagMismatch, FetchSource, PMTiles, Protocol, TileType } = pmtiles;\n";

const TYPES = { css: "text/css", js: "text/javascript", mjs: "text/javascript", json: "application/json", geojson: "application/geo+json" };

/** The built-in area's manifest. */
const BUILT_IN = JSON.parse(await read("../static/area/area.json"));

/** The area as pages get it, with other details. */
export function pageArea(more = {}) {
  const { id, bounds, center, attribution } = BUILT_IN;
  const name = more.id ?? id;
  return {
    id: name,
    bounds,
    center: [center.lat, center.lon],
    streets: true,
    imperial: false,
    attribution,
    basemap_pmtiles: `/area/${name}/map.pmtiles`,
    basemap_land: `/area/${name}/land.geojson`,
    basemap_style: null,
    ...more,
  };
}

export class MapBench {
  area = pageArea();

  /** An answer for a path, in place of a file: `[status, body]`. */
  answers = {};

  /** What an answer for a path waits for. */
  held = {};

  /** What was asked for. */
  asked = [];

  async start() {
    this.server = createServer((request, response) => {
      this.answer(request, response).catch(() => response.writeHead(404).end());
    });
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** Has every answer for a path wait until the function is called that this one returns. */
  hold(path) {
    let release;
    this.held[path] = new Promise((resolve) => (release = resolve));
    return release;
  }

  async answer(request, response) {
    const { pathname } = new URL(request.url, this.url);
    this.asked.push(pathname);
    await this.held[pathname];
    const [status, body] = this.answers[pathname] ?? [200, await this.content(pathname)];
    const headers = { "content-type": TYPES[pathname.split(".").pop()] ?? "text/html", "cache-control": "no-store" };
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    if (!range || status !== 200) return response.writeHead(status, headers).end(body);
    const [first, last] = [Number(range[1]), Math.min(Number(range[2]), body.length - 1)];
    headers["content-range"] = `bytes ${first}-${last}/${body.length}`;
    return response.writeHead(206, headers).end(body.subarray(first, last + 1));
  }

  async content(path) {
    const name = path.split("/").pop();
    if (path === "/") return this.page();
    if (path === "/area/current") return JSON.stringify(this.area);
    if (path.startsWith("/area/")) return read(`../static/area/${name}`);
    if (path.startsWith("/assets/vendor/pmtiles/")) return (await read("node_modules/pmtiles/dist/pmtiles.js")) + PMTILES_EXPORTS;
    if (path.startsWith("/assets/vendor/maplibre/")) return read(`node_modules/maplibre-gl/dist/${name}`);
    if (path.startsWith("/assets/js/")) return read(`js/${name}`);
    if (path === "/theme.css") return read("style/common/theme.css");
    throw new Error(`there is no ${path}`);
  }

  page() {
    const area = JSON.stringify(this.area).replaceAll("&", "&amp;").replaceAll('"', "&quot;");
    const pins = ["courier", "door", "pickup"].map((name) => `<div data-marker="${name}">${name}</div>`).join("");
    return `<!doctype html><meta charset="utf-8"><title>Map</title><link rel="stylesheet" href="/theme.css">
      <style>.map { position: fixed; inset: 0 } .pins { display: none }</style>
      <div class="map" id="map" data-title="Map"></div><div class="pins">${pins}</div>
      <script type="application/octet-stream" id="view" data-area="${area}" data-css="/assets/vendor/maplibre/maplibre-gl.css"></script>`;
  }
}

/** Opens the customer's map at its places; what it tells is kept in the page. */
export function openStreetMap(page) {
  return page.evaluate(async () => {
    window.told = [];
    const { openMap, renewArea } = await import("/assets/js/map.js");
    window.map = await openMap([14.5, 35.89, 14.51, 35.9], () => {}, (state) => window.told.push(state));
    window.renewArea = renewArea;
    window.map.place("courier", 14.5, 35.89, 90);
    window.map.place("door", 14.51, 35.9);
    window.map.line("route", [14.5, 35.89, 14.505, 35.895, 14.51, 35.9]);
  });
}

/** Opens the console's map with one courier in its middle. */
export function openFleetMap(page) {
  return page.evaluate(async () => {
    window.told = [];
    window.clicks = [];
    const { openFleetMap, renewArea } = await import("/assets/js/fleet-map.js");
    const report = {
      clicked: (lon, lat, number) => window.clicks.push(number),
      pointed() {},
      moved() {},
      dropped() {},
      viewport() {},
      base: (state) => window.told.push(state),
    };
    window.map = await openFleetMap(document.getElementById("map"), report);
    window.renewArea = renewArea;
    window.map.name(7, "Zoe");
    window.map.move(Float64Array.from([7, 14.5, 35.9, 45, 1]));
  });
}

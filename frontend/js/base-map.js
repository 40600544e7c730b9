// What lies under couriers, pins and lines: the area's own map, an online style, or a plain sheet when neither comes.
//
// The maps are drawn over it and never wait for it. What is missing is asked for again when the network is back, and now and
// then. When the area changes, the base changes in its place: view, pins and lines stay. Only couriers' phones keep tiles for
// later; their service worker stores what is read here.

import { PMTiles } from "/assets/vendor/pmtiles/pmtiles.mjs";

/** The scheme under which MapLibre asks for tiles of the area's own map. */
const SCHEME = "area";

/** Sources of the base begin like this, those of the order or the fleet do not. */
const OWN = "base-";

const TILES = `${OWN}tiles`;
const LAND = `${OWN}land`;

/** Without the base by then, the map opens over a plain sheet. */
const PATIENCE_MS = 3_000;

/** So long after a failure, and after the next ones, the base is asked for again. */
const RETRY_AFTER_MS = [5_000, 15_000, 30_000, 60_000];

/** So much is kept for later at once, in bytes as they are drawn; the worker has room for twice as much. */
const MOST_KEPT_BYTES = 20_000_000;

/** Reads the base of an area and follows it when it changes. */
export class BaseMap {
  constructor(library, area) {
    this.library = library;
    this.area = area;
    this.state = "plain";
    this.failures = 0;
    library.addProtocol(SCHEME, ({ url }, { signal }) => this.tile(url, signal));
  }

  /** Reads what there is to read; comes back after a while in any case. */
  begin() {
    return Promise.race([this.load(), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
  }

  /** Follows the map that is drawn over this base; `paint` has it drawn anew. */
  follow(map, paint) {
    Object.assign(this, { map, paint });
    map.on("error", ({ sourceId }) => sourceId?.startsWith(OWN) && this.missed());
    map.on("style.load", () => this.styled());
    map.on("webglcontextlost", () => this.lost());
    map.on("webglcontextrestored", () => this.restored());
    addEventListener("online", () => this.networkIsBack());
    // The worker of a page's first visit takes over a little later.
    navigator.serviceWorker?.addEventListener("controllerchange", () => this.wanted && this.keepAround(this.wanted));
    document.addEventListener("visibilitychange", () => this.isRetryDue && this.retry());
  }

  /** From now on `told` hears the base's state: streets, partial, plain or lost. */
  report(told) {
    this.told = told;
    this.tell();
  }

  tell() {
    if (!this.told) return;
    const state = this.isLost ? "lost" : this.state;
    const { dataset } = this.map.getContainer();
    [dataset.base, dataset.area] = [state, this.area.id];
    this.told(state);
  }

  /** A style that is still being read cannot be changed; it is right after that. */
  repaint() {
    this.isPaintDue = !this.isStyled;
    if (this.isStyled) this.paint();
  }

  styled() {
    this.isStyled = true;
    if (this.isPaintDue) this.repaint();
  }

  /** The browser took the graphics card away; nothing can be drawn until it gives one back. */
  lost() {
    [this.isLost, this.isStyled, this.isPaintDue] = [true, false, true];
    this.tell();
  }

  restored() {
    this.isLost = false;
    this.tell();
  }

  /** Shows another area from now on. */
  async change(area) {
    this.area = area;
    this.failures = 0;
    await this.load();
    if (this.wanted) this.keepAround(this.wanted);
  }

  async load() {
    const { area } = this;
    const reading = area.basemap_style ? readStyle(area.basemap_style) : readTiles(area);
    const found = await reading.catch(() => undefined);
    // Another area's turn has come meanwhile.
    if (area !== this.area) return;
    const hadGaps = this.state === "partial";
    const isAnother = found ? this.found?.area !== area : Boolean(this.found);
    this.found = found && { area, ...found };
    this.state = found ? "streets" : "plain";
    if (isAnother && this.map) this.repaint();
    else if (hadGaps && this.isStyled) this.fillGaps();
    this.tell();
    if (!found && hasBase(area)) this.retryLater();
  }

  /** Something of the base did not come. */
  missed() {
    if (this.state !== "streets") return;
    this.state = "partial";
    this.tell();
    this.retryLater();
  }

  retryLater() {
    const after = RETRY_AFTER_MS[Math.min(this.failures++, RETRY_AFTER_MS.length - 1)];
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.retry(), after);
  }

  /** Asks again for what is missing, unless nobody looks: then when somebody does. */
  retry() {
    clearTimeout(this.timer);
    this.isRetryDue = document.hidden;
    if (this.isRetryDue || this.state === "streets" || !hasBase(this.area)) return;
    this.load();
  }

  networkIsBack() {
    this.retry();
    if (this.wanted) this.keepAround(this.wanted);
  }

  fillGaps() {
    this.map.getSource(LAND)?.setData(absolute(this.area.basemap_land));
    for (const [name, { type, url, tiles }] of Object.entries(this.map.getStyle().sources)) {
      if (!name.startsWith(OWN)) continue;
      if (type !== "vector" && type !== "raster") continue;
      // Not `refreshTiles`: MapLibre 5 waits for ever for a tile that failed once, because it takes it for one on its way.
      const source = this.map.getSource(name);
      if (url) source.setUrl(url);
      else source.setTiles(tiles);
    }
  }

  async tile(url, signal) {
    const archive = this.found?.archive;
    try {
      // No tile is an empty one.
      return { data: (await archive?.getZxy(...address(url), signal))?.data ?? new Uint8Array() };
    } catch (problem) {
      if (!signal.aborted) this.missed();
      throw problem;
    }
  }

  /** The style to draw on, without anything of the order or the fleet. */
  style(colour) {
    if (!this.found) return plainStyle(colour);
    return this.found.style ?? areaStyle(this.found, colour);
  }

  /** Whose data the maps show, as HTML. Routes and addresses are theirs as well, whatever lies under them. */
  get attribution() {
    return asHtml(this.area.attribution);
  }

  /** Where the land's polygons are. */
  get land() {
    return this.area.basemap_land;
  }

  /** Has the phone's service worker keep the tiles around these places, `[lon, lat]`, for where there is no network. */
  async keepAround(points) {
    this.wanted = points;
    const { found, area } = this;
    const worker = navigator.serviceWorker?.controller;
    if (!worker || !found?.archive || !navigator.onLine || navigator.connection?.saveData) return;
    worker.postMessage({ area: area.id });
    const isOld = () => this.wanted !== points || this.found !== found;
    // Through the worker from the first byte on; what is kept already comes from there.
    await keepTiles(await readTiles(area), points, isOld).catch(() => {});
  }
}

/** Reads them for the worker to keep, the closest look first, until there is enough. */
async function keepTiles({ archive, maxZoom }, points, isOld) {
  let bytes = 0;
  for (let zoom = maxZoom; zoom >= 0; zoom--) {
    for (const [z, x, y] of tilesAround(points, zoom)) {
      if (isOld() || bytes > MOST_KEPT_BYTES) return;
      bytes += (await archive.getZxy(z, x, y))?.data.byteLength ?? 0;
    }
  }
}

function hasBase(area) {
  return Boolean(area.basemap_style ?? area.basemap_pmtiles);
}

function address(url) {
  return url.split("/").slice(-3).map(Number);
}

/** Relative addresses mean nothing to the workers that fetch. */
function absolute(path) {
  return new URL(path, location.href).href;
}

async function readTiles({ basemap_pmtiles }) {
  if (!basemap_pmtiles) return undefined;
  // A new one each time: it remembers failures for ever.
  const archive = new PMTiles(absolute(basemap_pmtiles));
  const { minZoom, maxZoom } = await archive.getHeader();
  return { archive, minZoom, maxZoom };
}

/** Reads an online style. Its names become ours, so that none can be that of a source or layer drawn over it. */
async function readStyle(url) {
  const answer = await fetch(url);
  const style = answer.ok ? await answer.json() : undefined;
  if (style?.version !== 8 || !style.sources || !Array.isArray(style.layers)) throw new Error("this is no map style");
  const { terrain, ...rest } = style;
  const named = ([name, source]) => [OWN + name, source];
  const sources = Object.fromEntries(Object.entries(style.sources).map(named));
  const layers = style.layers.map(({ source, ...layer }) => ({
    ...layer,
    id: OWN + layer.id,
    ...(source && { source: OWN + source }),
  }));
  return { style: { ...rest, sources, layers } };
}

/** Plain text for the map's corner, which takes HTML; OpenStreetMap asks for the link. */
function asHtml(text) {
  const escaped = text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  return `<a href="https://www.openstreetmap.org/copyright">${escaped}</a>`;
}

/** The tiles that hold these points, and those around them. */
function* tilesAround(points, zoom) {
  const side = 2 ** zoom;
  const seen = new Set();
  for (const [lon, lat] of points) {
    const angle = (lat * Math.PI) / 180;
    const column = Math.floor(((lon + 180) / 360) * side);
    const row = Math.floor(((1 - Math.asinh(Math.tan(angle)) / Math.PI) / 2) * side);
    for (let place = 0; place < 9; place++) {
      const [x, y] = [column - 1 + (place % 3), row - 1 + Math.floor(place / 3)];
      const isNew = !seen.has(y * side + x) && Math.min(x, y) >= 0 && Math.max(x, y) < side;
      seen.add(y * side + x);
      if (isNew) yield [zoom, x, y];
    }
  }
}

function plainStyle(colour) {
  const paint = { "background-color": colour("map-land") };
  return { version: 8, sources: {}, layers: [{ id: "plain", type: "background", paint }] };
}

// The tiles keep the name people there use under this key; others keep it under "name".
const NAME = ["coalesce", ["get", "name:latin"], ["get", "name"]];

const MAIN_ROADS = ["motorway", "trunk", "primary", "secondary"];
const SIDE_ROADS = ["tertiary", "minor", "service", "busway"];
const PATHS = ["path", "track", "pedestrian", "pier"];

function areaStyle({ area, minZoom, maxZoom }, colour) {
  const fill = (id, source, filter, name, more = {}) => ({
    id,
    source: TILES,
    "source-layer": source,
    type: "fill",
    filter,
    paint: { "fill-color": colour(`map-${name}`) },
    ...more,
  });
  const isClass = (classes) => ["match", ["get", "class"], classes, true, false];
  const isArea = ["==", ["geometry-type"], "Polygon"];
  const isLine = ["==", ["geometry-type"], "LineString"];
  const road = (id, classes, name, widths, more = {}) => ({
    id,
    source: TILES,
    "source-layer": "transportation",
    type: "line",
    filter: ["all", isLine, isClass(classes)],
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": colour(`map-${name}`), "line-width": grow(widths) },
    ...more,
  });
  const text = (id, source, layout, more = {}) => ({
    id,
    source: TILES,
    "source-layer": source,
    type: "symbol",
    layout: { "text-field": NAME, "text-font": ["system-ui", "sans-serif"], ...layout },
    paint: { "text-color": colour("map-label"), "text-halo-color": colour("map-land"), "text-halo-width": 1.2 },
    ...more,
  });
  // Nobody knows where the sea is: then nowhere.
  const land = area.basemap_land;
  return {
    version: 8,
    sources: {
      [TILES]: {
        type: "vector",
        // By the area's name, so that another area's tiles are other tiles.
        tiles: [`${SCHEME}://${area.id}/{z}/{x}/{y}`],
        bounds: area.bounds,
        minzoom: minZoom,
        maxzoom: maxZoom,
      },
      ...(land && { [LAND]: { type: "geojson", data: absolute(land), tolerance: 0.2 } }),
    },
    layers: [
      { id: "sea", type: "background", paint: { "background-color": colour(land ? "map-sea" : "map-land") } },
      ...(land ? [{ id: "land", source: LAND, type: "fill", paint: { "fill-color": colour("map-land") } }] : []),
      fill("landcover", "landcover", isClass(["grass", "wood", "farmland", "wetland"]), "green", {
        paint: { "fill-color": colour("map-green"), "fill-opacity": 0.6 },
      }),
      fill("landuse", "landuse", isClass(["cemetery", "pitch", "playground", "stadium", "garden"]), "green"),
      fill("park", "park", isArea, "green"),
      fill("water", "water", ["!=", ["get", "class"], "ocean"], "sea"),
      fill("apron", "aeroway", isArea, "building"),
      fill("buildings", "building", true, "building", { minzoom: 13 }),
      fill("squares", "transportation", isArea, "road", { minzoom: 13 }),
      road("path", PATHS, "road", { 13: 0.6, 16: 2, 19: 8 }, { minzoom: 13 }),
      road("side-casing", SIDE_ROADS, "casing", { 12: 1, 14: 3.4, 16: 9, 19: 34 }, { minzoom: 12 }),
      road("main-casing", MAIN_ROADS, "casing", { 9: 1.4, 12: 3.6, 14: 7, 16: 13, 19: 44 }),
      road("side", SIDE_ROADS, "road", { 12: 0.6, 14: 2.4, 16: 7.4, 19: 31 }, { minzoom: 12 }),
      road("main", MAIN_ROADS, "main", { 9: 0.8, 12: 2.4, 14: 5.4, 16: 11, 19: 40 }),
      text(
        "street-names",
        "transportation_name",
        {
          "symbol-placement": "line",
          "symbol-spacing": 320,
          "text-size": ["interpolate", ["linear"], ["zoom"], 13, 10, 17, 13],
          "text-max-angle": 30,
        },
        { minzoom: 13, filter: ["!=", ["get", "class"], "ferry"] },
      ),
      text(
        "place-names",
        "place",
        {
          "text-size": ["interpolate", ["linear"], ["zoom"], 9, 11, 15, 14],
          "text-padding": 12,
          "symbol-sort-key": ["coalesce", ["get", "rank"], 20],
        },
        { filter: isClass(["city", "town", "village", "suburb", "island"]) },
      ),
    ],
  };
}

/** A width that doubles with the scale between the given zooms. */
function grow(widths) {
  return ["interpolate", ["exponential", 1.6], ["zoom"], ...Object.entries(widths).flatMap(([zoom, width]) => [Number(zoom), width])];
}

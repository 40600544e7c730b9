// The street map, behind the few calls that the page's program makes.
//
// This module comes with the page and is small. The map library is fetched when a map is opened, after the first paint.
// What the map shows of the order comes through the methods of `StreetMap`; what it looks like comes from the custom
// properties of the style sheet, so that colours stand in one place. The pins are elements of the page: nothing here
// builds HTML from data. The console's map (fleet-map.js) takes the base from here.

const EMPTY = { type: "FeatureCollection", features: [] };

const ATTRIBUTION =
  '<a href="https://www.openmaptiles.org/">© OpenMapTiles</a> <a href="https://www.openstreetmap.org/copyright">© OpenStreetMap contributors</a>';

// Room around what is kept in view: half a pin, the bar at the top, the attribution at the bottom.
const PADDING = { top: 76, right: 44, bottom: 64, left: 44 };

const CLOSEST_ZOOM = 16.5;

/** Whether this browser can draw the street map. Asked first: without WebGL2 the library's constructor throws. */
export function canDraw() {
  const gl = document.createElement("canvas").getContext("webgl2");
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return Boolean(gl);
}

/** Opens the street map in the page's box with these points in view; `moved` is called when a person moves it. */
export async function openMap(flat, moved) {
  const places = document.getElementById("view").dataset;
  const [library, base] = await Promise.all([
    import("/assets/vendor/maplibre/maplibre-gl.mjs"),
    places.style ?? offlineBase(places),
    styleSheet(places.css),
  ]);
  if (base.protocol) library.addProtocol("pmtiles", base.protocol.tile);
  const map = new StreetMap(library, document.querySelector(".map"), base, flat, moved);
  await map.opened;
  return map;
}

export async function offlineBase(places) {
  const { Protocol } = await import("/assets/vendor/pmtiles/pmtiles.mjs");
  const absolute = (path) => new URL(path, location.href).href;
  return { protocol: new Protocol(), tiles: `pmtiles://${absolute(places.pmtiles)}`, land: absolute(places.land) };
}

export function styleSheet(href) {
  return new Promise((resolve, reject) => {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
    link.onload = resolve;
    link.onerror = reject;
    // Before the page's own, which has the last word.
    document.head.prepend(link);
  });
}

class StreetMap {
  constructor(library, box, base, flat, moved) {
    this.library = library;
    this.base = base;
    this.lines = { trail: [], route: [], later: [] };
    this.uncertain = EMPTY;
    this.markers = {};
    const { clientWidth, clientHeight, dataset } = box;
    // A map that stands still lets a thumb that lands on it scroll the page.
    const isStill = "still" in dataset;
    this.map = new library.Map({
      container: box,
      interactive: !isStill,
      bounds: this.bounds(pairs(flat)),
      fitBoundsOptions: { padding: padding(clientWidth, clientHeight), maxZoom: CLOSEST_ZOOM },
      attributionControl: false,
      dragRotate: false,
      maxPitch: 0,
      maxZoom: 19,
      pitchWithRotate: false,
      renderWorldCopies: false,
      locale: { "Map.Title": dataset.title },
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.addControl(new library.AttributionControl({ compact: false }), "bottom-right");
    if (!isStill) this.map.addControl(new library.NavigationControl({ showCompass: false }), "top-right");
    // Only people's own movements carry the event that began them.
    this.map.on("movestart", (event) => event.originalEvent && moved());
    this.map.on("resize", () => this.kept && this.frame(this.kept, true));
    this.opened = new Promise((resolve) => this.map.once("load", resolve));
    this.paint();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
    const themes = new MutationObserver(() => this.paint());
    themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  place(name, lon, lat, headingDeg) {
    const marker = (this.markers[name] ??= this.pin(name));
    marker.setLngLat([lon, lat]);
    if (!marker.isOnMap) {
      marker.isOnMap = true;
      marker.addTo(this.map);
    }
    const notch = marker.notch;
    if (notch) {
      notch.toggleAttribute("hidden", headingDeg === undefined);
      notch.style.rotate = `${headingDeg ?? 0}deg`;
    }
  }

  pin(name) {
    const element = document.querySelector(`.pins [data-marker="${name}"]`);
    const marker = new this.library.Marker({ element, subpixelPositioning: true });
    marker.notch = element.querySelector(".notch");
    return marker;
  }

  note(lon, lat, timeMs) {
    const { dataset } = this.markers.courier.getElement();
    dataset.lon = lon.toFixed(6);
    dataset.lat = lat.toFixed(6);
    dataset.timeMs = Math.round(timeMs);
  }

  remove(name) {
    const marker = this.markers[name];
    if (marker?.isOnMap) {
      marker.isOnMap = false;
      marker.remove();
    }
  }

  line(name, flat) {
    if (flat.length === 0 && this.lines[name].length === 0) return;
    this.lines[name] = pairs(flat);
    this.map.getSource(name)?.setData(lineData(this.lines[name]));
  }

  disc(lon, lat, radiusM) {
    if (radiusM === 0 && this.uncertain === EMPTY) return;
    this.uncertain = radiusM > 0 ? discData(lon, lat, radiusM) : EMPTY;
    this.map.getSource("uncertain")?.setData(this.uncertain);
  }

  /** Moves only when something would leave the view or could be seen much better. */
  frame(flat, now) {
    this.kept = Array.from(flat);
    const points = pairs(this.kept);
    const camera = this.map.cameraForBounds(this.bounds(points), { padding: this.padding(), maxZoom: CLOSEST_ZOOM });
    if (!camera || (!now && this.isGoodEnough(points, camera.zoom))) return;
    this.map.easeTo({ ...camera, duration: now ? 0 : 800 });
  }

  release() {
    this.kept = undefined;
  }

  isGoodEnough(points, zoom) {
    const { clientWidth, clientHeight } = this.map.getContainer();
    const room = this.padding();
    // Half the padding: who walks along the edge must not shake the map.
    const isInside = (point) => {
      const { x, y } = this.map.project(point);
      const isAcross = x >= room.left / 2 && x <= clientWidth - room.right / 2;
      return isAcross && y >= room.top / 2 && y <= clientHeight - room.bottom / 2;
    };
    return points.every(isInside) && zoom - this.map.getZoom() < 0.6;
  }

  bounds(points) {
    return points.reduce((all, point) => all.extend(point), new this.library.LngLatBounds());
  }

  padding() {
    const { clientWidth, clientHeight } = this.map.getContainer();
    return padding(clientWidth, clientHeight);
  }

  /** Brings the map's colours in line with the page's; only what differs is drawn anew. */
  paint() {
    const colours = getComputedStyle(document.documentElement);
    const colour = (name) => colours.getPropertyValue(`--${name}`).trim();
    const base = typeof this.base === "string" ? this.base : baseStyle(this.base, colour);
    this.map.setStyle(base, { transformStyle: (_, next) => this.withOrder(next, colour) });
  }

  withOrder(style, colour) {
    const data = {
      uncertain: this.uncertain,
      trail: lineData(this.lines.trail),
      route: lineData(this.lines.route),
      later: lineData(this.lines.later),
    };
    const sources = { ...style.sources };
    for (const name in data) sources[name] = { type: "geojson", data: data[name] };
    // Above the names, whose halos would cut the lines to pieces.
    return { ...style, sources, layers: [...style.layers, ...orderLayers(colour)] };
  }
}

function padding(width, height) {
  const room = (space, side) => Math.min(space, side / 4);
  return {
    top: room(PADDING.top, height),
    bottom: room(PADDING.bottom, height),
    left: room(PADDING.left, width),
    right: room(PADDING.right, width),
  };
}

function pairs(flat) {
  const points = [];
  for (let index = 0; index < flat.length; index += 2) points.push([flat[index], flat[index + 1]]);
  return points;
}

function lineData(coordinates) {
  if (coordinates.length < 2) return EMPTY;
  return { type: "Feature", properties: {}, geometry: { type: "LineString", coordinates } };
}

function discData(lon, lat, radiusM) {
  const northDeg = radiusM / 111195;
  const eastDeg = northDeg / Math.cos((lat * Math.PI) / 180);
  const ring = Array.from({ length: 65 }, (_, step) => {
    const angle = (step / 32) * Math.PI;
    return [lon + eastDeg * Math.sin(angle), lat + northDeg * Math.cos(angle)];
  });
  return { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } };
}

function orderLayers(colour) {
  const round = { "line-cap": "round", "line-join": "round" };
  const line = (id, source, paint) => ({ id, source, type: "line", layout: round, paint });
  return [
    {
      id: "uncertain",
      source: "uncertain",
      type: "fill",
      paint: { "fill-color": colour("ink-2"), "fill-opacity": 0.18, "fill-outline-color": colour("ink-2") },
    },
    line("trail", "trail", { "line-color": colour("accent"), "line-width": 5, "line-opacity": 0.35 }),
    // Where no way along streets is known: straight, and so that nobody takes it for one.
    line("later", "later", { "line-color": colour("accent"), "line-width": 3, "line-dasharray": [0.1, 2] }),
    line("route-casing", "route", { "line-color": colour("surface"), "line-width": 9 }),
    line("route", "route", { "line-color": colour("accent"), "line-width": 5 }),
  ];
}

// The tiles keep the name people there use under this key; others keep it under "name".
const NAME = ["coalesce", ["get", "name:latin"], ["get", "name"]];

const MAIN_ROADS = ["motorway", "trunk", "primary", "secondary"];
const SIDE_ROADS = ["tertiary", "minor", "service", "busway"];
const PATHS = ["path", "track", "pedestrian", "pier"];

export function baseStyle({ tiles, land }, colour) {
  const fill = (id, source, filter, name, more = {}) => ({
    id,
    source: "base",
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
    source: "base",
    "source-layer": "transportation",
    type: "line",
    filter: ["all", isLine, isClass(classes)],
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": colour(`map-${name}`), "line-width": grow(widths) },
    ...more,
  });
  const text = (id, source, layout, more = {}) => ({
    id,
    source: "base",
    "source-layer": source,
    type: "symbol",
    layout: { "text-field": NAME, "text-font": ["system-ui", "sans-serif"], ...layout },
    paint: { "text-color": colour("map-label"), "text-halo-color": colour("map-land"), "text-halo-width": 1.2 },
    ...more,
  });
  return {
    version: 8,
    sources: {
      base: { type: "vector", url: tiles, attribution: ATTRIBUTION },
      land: { type: "geojson", data: land, tolerance: 0.2 },
    },
    layers: [
      { id: "sea", type: "background", paint: { "background-color": colour("map-sea") } },
      { id: "land", source: "land", type: "fill", paint: { "fill-color": colour("map-land") } },
      fill("landcover", "landcover", isClass(["grass", "wood", "farmland", "wetland"]), "green", {
        paint: { "fill-color": colour("map-green"), "fill-opacity": 0.6 },
      }),
      fill("landuse", "landuse", isClass(["cemetery", "pitch", "playground", "stadium", "garden"]), "green"),
      fill("park", "park", isArea, "green"),
      fill("water", "water", ["!=", ["get", "class"], "ocean"], "sea"),
      fill("apron", "aeroway", isArea, "building"),
      fill("buildings", "building", true, "building", { minzoom: 13 }),
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

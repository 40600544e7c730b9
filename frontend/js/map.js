// The street map, behind the few calls that the page's program makes.
//
// This module comes with the page and is small. The map library is fetched when a map is opened, after the first paint.
// What the map shows of the order comes through the methods of `StreetMap`; what it looks like comes from the custom
// properties of the style sheet, so that colours stand in one place. The pins are elements of the page: nothing here
// builds HTML from data. The console's map (fleet-map.js) takes the base from here.

const EMPTY = { type: "FeatureCollection", features: [] };

// Room around what is kept in view: half a pin, the bar at the top, the attribution at the bottom.
const PADDING = { top: 76, right: 44, bottom: 64, left: 44 };

const CLOSEST_ZOOM = 16.5;

/** An area changes every few months; a page that comes back to the front asks this often at most. */
const RENEW_AFTER_MS = 600_000;

/** What is not drawn by then is drawn later. */
const PATIENCE_MS = 2_500;

/** Whether this browser can draw the street map. Asked first: without WebGL2 the library's constructor throws. */
export function canDraw() {
  const gl = document.createElement("canvas").getContext("webgl2");
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return Boolean(gl);
}

/** The area that the page shows, until there is news of another one. */
let area;

/** When the server was last asked which area there is; the page itself said it at first. */
let renewedMs = 0;

/** What the open map is drawn over. */
let base;

/** The area that the page shows. */
export function areaOfPage() {
  area ??= JSON.parse(document.getElementById("view").dataset.area);
  return area;
}

/** Whether a place lies within the area: the map shows nothing beyond. */
export function isInArea(lon, lat) {
  const [west, south, east, north] = areaOfPage().bounds;
  return lon >= west && lon <= east && lat >= south && lat <= north;
}

/** The area may be another one: asks, shows it in the place of the old one, and answers it as JSON. */
export async function renewArea() {
  renewedMs = performance.now();
  const answer = await fetch("/area/current", { cache: "no-cache" }).catch(() => undefined);
  // A page that is opened later shows the new one all the same.
  if (!answer?.ok) return undefined;
  const found = await answer.text();
  area = JSON.parse(found);
  if (base && JSON.stringify(area) !== JSON.stringify(base.area)) await base.change(area);
  return found;
}

/** A page that was hidden may have missed the news. */
function renewIfOld() {
  if (document.hidden || performance.now() - renewedMs < RENEW_AFTER_MS) return;
  renewArea();
}

/** The library, its style sheet and the base of the area: what a map is made with. */
export async function mapParts() {
  const [library, { BaseMap }] = await Promise.all([
    import("/assets/vendor/maplibre/maplibre-gl.mjs"),
    import("/assets/js/base-map.js"),
    styleSheet(document.getElementById("view").dataset.css),
  ]);
  base = new BaseMap(library, areaOfPage());
  await base.begin();
  // A page that a service worker kept may be older than the area.
  if (navigator.serviceWorker?.controller) renewArea();
  document.addEventListener("visibilitychange", renewIfOld);
  return { library, base };
}

/** Comes when the map is drawn; a base whose tiles are slow keeps nothing waiting. */
export function drawn(map) {
  const loaded = new Promise((resolve) => map.once("load", resolve));
  const waited = new Promise((resolve) => map.once("style.load", () => setTimeout(resolve, PATIENCE_MS)));
  return Promise.race([loaded, waited]);
}

/**
 * Opens the street map in the page's box with these points in view. `moved` is called when a person moves it, `told` when
 * the base fares otherwise.
 */
export async function openMap(flat, moved, told) {
  const { library, base } = await mapParts();
  const map = new StreetMap(library, document.querySelector(".map"), base, flat, moved);
  await map.opened;
  base.report(told);
  return map;
}

function styleSheet(href) {
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
    this.opened = drawn(this.map);
    base.follow(this.map, () => this.paint());
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

  /** Has the phone keep the streets around these places, `lon, lat, lon, lat…`. */
  keep(flat) {
    this.base.keepAround(pairs(flat));
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
    if (this.base.isLost) return;
    const colours = getComputedStyle(document.documentElement);
    const colour = (name) => colours.getPropertyValue(`--${name}`).trim();
    this.map.setStyle(this.base.style(colour), { transformStyle: (_, next) => this.withOrder(next, colour) });
  }

  withOrder(style, colour) {
    const data = {
      uncertain: this.uncertain,
      trail: lineData(this.lines.trail),
      route: lineData(this.lines.route),
      later: lineData(this.lines.later),
    };
    const sources = { ...style.sources };
    const { attribution } = this.base;
    for (const name in data) sources[name] = { type: "geojson", data: data[name], attribution };
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

// The console's map: thousands of couriers as one source and one layer, behind the few calls that the program makes.
//
// No courier and no order is an element of the page; `live-source.js` hands over what changed.
// Icons are drawn here, in the colours of the style sheet; colour and shape both say what a courier does.

import { overLand } from "/assets/js/land.js";
import { LiveSource } from "/assets/js/live-source.js";
import { areaOfPage, canDraw, drawn, mapParts, renewArea } from "/assets/js/map.js";
import { PIN_ICONS, PIN_LAYERS, orderOf, pinLayers, takePins } from "/assets/js/order-pins.js";

export { canDraw, renewArea };

/** The least time between two writes: eight a second look alive, and more would only cost. */
const WRITE_EVERY_MS = 125;

/** Orders change seldom, and there may be thousands. */
const WRITE_ORDERS_EVERY_MS = 500;

/** From this zoom on, couriers have names. */
const NAMES_ZOOM = 14;

/** How far from the pointer a courier may be, in pixels. */
const REACH = 10;

/** The zoom at which the map opens on the area's middle, until couriers are known. */
const FIRST_ZOOM = 11.5;

/** What couriers do, by the numbers that the program uses; couriers with another number are not drawn. */
const ACTIVITIES = ["attention", "delivering", "free"];

/** The type under which a dragged order travels. */
const DRAGGED = "application/x-doorstep-order";

/** Opens the map in the page's box. `report` hears what the dispatcher does on it. */
export async function openFleetMap(box, report) {
  const { library, base } = await mapParts();
  const map = new FleetMap(library, box, base, report);
  await map.opened;
  base.report(report.base);
  return map;
}

class FleetMap {
  constructor(library, box, base, report) {
    this.library = library;
    this.base = base;
    this.report = report;
    this.names = new Map();
    this.scene = { marks: [], label: "" };
    this.lines = { whole: [], behind: [], ahead: [], guess: [] };
    const [lat, lon] = areaOfPage().center;
    this.map = new library.Map({
      container: box,
      center: [lon, lat],
      zoom: FIRST_ZOOM,
      attributionControl: false,
      dragRotate: false,
      maxPitch: 0,
      maxZoom: 19,
      pitchWithRotate: false,
      renderWorldCopies: false,
      fadeDuration: 0,
      locale: { "Map.Title": box.dataset.title },
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.addControl(new library.AttributionControl({ compact: false }), "bottom-right");
    this.map.addControl(new library.NavigationControl({ showCompass: false }), "top-right");
    this.map.setMissingStyleImageResolver((id) => this.draw(id));
    this.fleet = new LiveSource(this.map, "fleet", WRITE_EVERY_MS);
    this.orders = new LiveSource(this.map, "orders", WRITE_ORDERS_EVERY_MS);
    this.opened = drawn(this.map);
    base.follow(this.map, () => this.paint());
    this.paint();
    this.listen(box);
    this.opened.then(() => this.reportViewport());
  }

  listen(box) {
    const { map, report } = this;
    map.on("click", ({ point, lngLat }) => {
      const number = this.at(point);
      report.clicked(lngLat.lng, lngLat.lat, number, number === undefined ? this.pinAt(point) : undefined);
    });
    map.on("mousemove", ({ point }) => this.hover(point));
    map.on("mouseout", () => this.point(undefined));
    map.on("movestart", (event) => event.originalEvent && report.moved());
    map.on("moveend", () => this.reportViewport());
    map.on("resize", () => this.reportViewport());
    // Without a pointer, a pin goes where the middle of the map is.
    map.getCanvas().addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !this.scene.is_placing) return;
      const { lng, lat } = map.getCenter();
      report.clicked(lng, lat, undefined, undefined);
    });
    box.addEventListener("dragover", (event) => this.dragged(event, box));
    box.addEventListener("dragleave", () => this.point(undefined));
    box.addEventListener("drop", (event) => this.dropped(event, box));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
    new MutationObserver(() => this.paint()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    document.addEventListener("visibilitychange", () => [this.fleet, this.orders].forEach((source) => source.flush()));
  }

  reportViewport() {
    const bounds = this.map.getBounds();
    this.report.viewport(bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth());
  }

  /** Looks what is under the pointer, once for each frame. */
  hover(point) {
    if (!this.hovered) {
      requestAnimationFrame(() => {
        const number = this.at(this.hovered);
        this.point(number, number === undefined ? this.pinAt(this.hovered) : undefined);
        this.hovered = undefined;
      });
    }
    this.hovered = point;
  }

  point(number, pin) {
    if (number === this.pointed && pin === this.pointedPin) return;
    [this.pointed, this.pointedPin] = [number, pin];
    const isSomething = number !== undefined || pin !== undefined;
    this.map.getCanvas().style.cursor = isSomething && !this.scene.is_placing ? "pointer" : "";
    this.report.pointed(number, pin);
  }

  /** The courier nearest to a point of the screen, if one is near. */
  at(point) {
    return this.nearest(point, ["fleet", "selected"])?.id;
  }

  /** The order nearest to a point of the screen, if one is near. */
  pinAt(point) {
    const pin = this.scene.replayed ? undefined : this.nearest(point, PIN_LAYERS);
    return pin && orderOf(pin);
  }

  nearest({ x, y }, layers) {
    if (this.scene.is_placing || !this.map.getLayer("fleet")) return undefined;
    const around = [
      [x - REACH, y - REACH],
      [x + REACH, y + REACH],
    ];
    const found = this.map.queryRenderedFeatures(around, { layers });
    const distance = ({ geometry }) => {
      const place = this.map.project(geometry.coordinates);
      return Math.hypot(place.x - x, place.y - y);
    };
    return found.reduce((best, one) => (!best || distance(one) < distance(best) ? one : best), undefined);
  }

  dragged(event, box) {
    if (!event.dataTransfer.types.includes(DRAGGED)) return;
    const number = this.at(inside(event, box));
    this.point(number);
    if (number !== undefined) event.preventDefault();
  }

  dropped(event, box) {
    const order = event.dataTransfer.getData(DRAGGED);
    const number = this.at(inside(event, box));
    if (!order || number === undefined) return;
    event.preventDefault();
    this.report.dropped(order, number);
  }

  /** Couriers as rows of five: number, longitude, latitude, heading (negative: unknown), activity. */
  move(rows) {
    for (let row = 0; row < rows.length; row += 5) {
      const [number, lon, lat, heading, activity] = rows.subarray(row, row + 5);
      const name = ACTIVITIES[activity];
      if (!name) {
        this.fleet.remove(number);
        continue;
      }
      const icon = heading < 0 ? `${name}-still` : name;
      const properties = { icon, heading: Math.max(heading, 0), order: -activity, label: this.names.get(number) ?? "" };
      this.fleet.set({ type: "Feature", id: number, geometry: { type: "Point", coordinates: [lon, lat] }, properties });
    }
    this.frameOnce();
    this.fleet.flush();
  }

  /** What a courier is called; the name is shown near by. */
  name(number, label) {
    this.names.set(number, label);
  }

  /** Orders as rows of six: number, state (negative: not drawn any more), longitude and latitude of pickup and door. */
  pins(rows) {
    takePins(this.orders, rows);
  }

  /** The first couriers decide where the map looks, unless something was opened before. */
  frameOnce() {
    if (this.framed || this.size === 0) return;
    this.framed = true;
    const bounds = new this.library.LngLatBounds();
    for (const { geometry } of this.fleet.features.values()) bounds.extend(geometry.coordinates);
    this.map.fitBounds(bounds, { padding: 60, maxZoom: 14.5, duration: 0 });
  }

  /** What is shown beside the fleet: selected, hover, replayed, marks, is_placing. */
  show(text) {
    const [wasReplaying, wasFaint] = [Boolean(this.scene.replayed), this.isFaint];
    this.scene = JSON.parse(text);
    this.map.getContainer().toggleAttribute("data-placing", Boolean(this.scene.is_placing));
    const { hover, selected, marks } = this.sceneData();
    this.set("hover", hover);
    this.set("selected", selected);
    this.set("marks", marks);
    if (wasReplaying !== Boolean(this.scene.replayed)) this.dim();
    if (wasFaint !== this.isFaint) this.fade();
  }

  /** Draws a line: `lon, lat, lon, lat…`, in pieces of so many points. */
  line(name, flat, lengths) {
    const points = [];
    for (let index = 0; index < flat.length; index += 2) points.push([flat[index], flat[index + 1]]);
    let start = 0;
    this.lines[name] = Array.from(lengths, (length) => points.slice(start, (start += length)));
    if (name === "guess") this.guess();
    else this.set(name, lineData(this.lines[name]));
  }

  /** Draws the straight lines that stay on land. */
  async guess() {
    const { land } = this.base;
    // Another area has other land.
    if (this.landOf !== land) [this.landOf, this.isLand] = [land, overLand(land)];
    const isLand = await this.isLand;
    const pairs = this.lines.guess.flatMap((line) => line.slice(1).map((to, index) => [line[index], to]));
    this.guessed = pairs.filter(([from, to]) => isLand(from, to));
    this.set("guess", lineData(this.guessed));
  }

  /** Moves the replayed courier alone: this comes with every frame. */
  moveReplayed(lon, lat, heading) {
    if (!this.scene.replayed) return;
    Object.assign(this.scene.replayed, { at: [lon, lat], heading: heading ?? null });
    this.set("selected", this.sceneData().selected);
  }

  set(name, data) {
    this.map.getSource(name)?.setData(data);
  }

  /** Hides the fleet of today during a replay. */
  dim() {
    const visibility = this.scene.replayed ? "none" : "visible";
    for (const id of ["fleet", "names", ...PIN_LAYERS]) if (this.map.getLayer(id)) this.map.setLayoutProperty(id, "visibility", visibility);
  }

  /** Whether what is selected has marks of its own. */
  get isFaint() {
    return this.scene.marks.length > 0;
  }

  /** Makes the pins of other orders fainter, or not any more. */
  fade() {
    for (const { id, paint } of pinLayers(this.colour, this.isFaint)) {
      for (const [name, value] of Object.entries(paint)) {
        if (name.endsWith("opacity") && this.map.getLayer(id)) this.map.setPaintProperty(id, name, value);
      }
    }
  }

  sceneData() {
    const { scene, lines } = this;
    const points = (features) => ({ type: "FeatureCollection", features });
    const point = (coordinates, properties, id) => ({
      type: "Feature",
      id,
      properties,
      geometry: { type: "Point", coordinates },
    });
    const large = ({ at, heading, label, number }) =>
      point(at, { icon: heading === null ? "selected-still" : "selected", heading: heading ?? 0, label }, number);
    return {
      whole: lineData(lines.whole),
      behind: lineData(lines.behind),
      ahead: lineData(lines.ahead),
      guess: lineData(this.guessed ?? []),
      hover: points(scene.hover ? [point(scene.hover, {})] : []),
      selected: points([scene.replayed ?? scene.selected].filter(Boolean).map(large)),
      marks: points(scene.marks.map(({ icon, at, label }, index) => point(at, { icon, label, order: -index }))),
    };
  }

  /** Brings points into view; one alone only when it is near the edge or beyond. */
  fit(flat) {
    this.framed = true;
    const points = [];
    for (let index = 0; index < flat.length; index += 2) points.push([flat[index], flat[index + 1]]);
    const { clientWidth: width, clientHeight: height } = this.map.getContainer();
    const room = Math.min(90, width / 5, height / 5);
    if (points.length === 1) {
      this.map.easeTo({ center: points[0], zoom: Math.max(this.map.getZoom(), 13.5), duration: 400 });
      return;
    }
    const bounds = points.reduce((all, one) => all.extend(one), new this.library.LngLatBounds());
    const camera = this.map.cameraForBounds(bounds, { padding: room, maxZoom: 16 });
    if (camera) this.map.easeTo({ ...camera, duration: 400 });
  }

  /** Brings the map's colours in line with the page's. */
  paint() {
    if (this.base.isLost) return;
    const colours = getComputedStyle(document.documentElement);
    this.colour = (name) => colours.getPropertyValue(`--${name}`).trim();
    this.map.setStyle(this.base.style(this.colour), { transformStyle: (_, next) => this.withFleet(next) });
    for (const id of Object.keys(ICONS)) if (this.map.hasImage(id)) this.draw(id);
    for (const source of [this.fleet, this.orders]) source.renew();
  }

  withFleet(style) {
    const live = (source) => ({ type: "geojson", data: source.collection() });
    const { attribution } = this.base;
    const sources = { ...style.sources, fleet: live(this.fleet), orders: live(this.orders) };
    for (const [name, data] of Object.entries(this.sceneData())) sources[name] = { type: "geojson", data, attribution };
    return { ...style, sources, layers: [...style.layers, ...this.layers()] };
  }

  layers() {
    const { colour } = this;
    const round = { "line-cap": "round", "line-join": "round" };
    const line = (id, paint, layout = round) => ({ id, source: id, type: "line", layout, paint });
    const symbols = (id, more = {}) => ({
      id,
      source: id,
      type: "symbol",
      layout: {
        "icon-image": ["get", "icon"],
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
        "icon-rotation-alignment": "map",
        ...more,
      },
      paint: {
        "text-color": colour("ink"),
        "text-halo-color": colour("surface"),
        "text-halo-width": 2,
      },
    });
    const heading = { "icon-rotate": ["get", "heading"] };
    const named = {
      "text-field": ["get", "label"],
      "text-font": ["system-ui", "sans-serif"],
      "text-size": 13,
      "text-offset": [0, 2],
      "text-anchor": "top",
      "text-allow-overlap": true,
      "text-ignore-placement": true,
    };
    const numbered = { ...named, "text-size": 12, "text-offset": [0, 0], "text-anchor": "center" };
    const visibility = this.scene.replayed ? "none" : "visible";
    return [
      line("whole", { "line-color": colour("ink-3"), "line-width": 3, "line-opacity": 0.35 }),
      line("behind", { "line-color": colour("accent"), "line-width": 5, "line-opacity": 0.4 }),
      line("guess", { "line-color": colour("ink-3"), "line-width": 2.5, "line-dasharray": [1, 2] }),
      { ...line("ahead", { "line-color": colour("surface"), "line-width": 8 }), id: "ahead-casing" },
      line("ahead", { "line-color": colour("accent"), "line-width": 5 }),
      ...pinLayers(colour, this.isFaint).map(({ layout, ...layer }) => ({ ...layer, layout: { ...layout, visibility } })),
      symbols("fleet", { ...heading, "symbol-sort-key": ["get", "order"], visibility }),
      {
        ...symbols("fleet"),
        id: "names",
        minzoom: NAMES_ZOOM,
        layout: { ...named, "text-size": 12, "text-offset": [0, 1.1], "text-allow-overlap": false, visibility },
      },
      {
        id: "hover",
        source: "hover",
        type: "circle",
        paint: {
          "circle-radius": 17,
          "circle-opacity": 0,
          "circle-stroke-width": 3,
          "circle-stroke-color": colour("accent"),
        },
      },
      {
        ...symbols("marks", { ...numbered, "symbol-sort-key": ["get", "order"] }),
        paint: { "text-color": ["match", ["get", "icon"], "stop-dropoff", colour("surface"), colour("ink")] },
      },
      symbols("selected", { ...heading, ...named }),
    ];
  }

  draw(id) {
    const icon = ICONS[id];
    if (!icon) return;
    const image = picture(icon.size, (pen) => icon.draw(pen, this.colour));
    if (this.map.hasImage(id)) this.map.updateImage(id, image);
    else this.map.addImage(id, image, { pixelRatio: PIXELS });
  }

  /** For measuring: how many couriers the map holds, and how long the last write took, in milliseconds. */
  get size() {
    return this.fleet.features.size;
  }
}

function lineData(pieces) {
  const coordinates = pieces.filter((piece) => piece.length > 1);
  return { type: "Feature", properties: {}, geometry: { type: "MultiLineString", coordinates } };
}

function inside(event, box) {
  const { left, top } = box.getBoundingClientRect();
  return { x: event.clientX - left, y: event.clientY - top };
}

/** Twice as fine as the page, for sharp screens. */
const PIXELS = 2;

function picture(size, draw) {
  const canvas = Object.assign(document.createElement("canvas"), { width: size * PIXELS, height: size * PIXELS });
  const pen = canvas.getContext("2d");
  pen.scale(PIXELS, PIXELS);
  pen.translate(size / 2, size / 2);
  pen.lineJoin = "round";
  pen.lineCap = "round";
  draw(pen);
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

function fillAndLine(pen, fill, stroke, width) {
  pen.lineWidth = width * 2;
  pen.strokeStyle = stroke;
  pen.stroke();
  pen.fillStyle = fill;
  pen.fill();
}

/** An arrowhead that points north, around the middle. */
function arrowhead(pen, scale) {
  pen.beginPath();
  pen.moveTo(0, -8 * scale);
  pen.lineTo(6 * scale, 7 * scale);
  pen.lineTo(0, 3.5 * scale);
  pen.lineTo(-6 * scale, 7 * scale);
  pen.closePath();
}

function disc(pen, radius) {
  pen.beginPath();
  pen.arc(0, 0, radius, 0, 2 * Math.PI);
}

function square(pen, half, corner) {
  pen.beginPath();
  pen.roundRect(-half, -half, half * 2, half * 2, corner);
}

const ICONS = {
  ...PIN_ICONS,
  // A full arrowhead: has an order.
  delivering: {
    size: 24,
    draw(pen, colour) {
      arrowhead(pen, 1);
      fillAndLine(pen, colour("accent"), colour("surface"), 1.5);
    },
  },
  "delivering-still": {
    size: 24,
    draw(pen, colour) {
      disc(pen, 6);
      fillAndLine(pen, colour("accent"), colour("surface"), 1.5);
    },
  },
  // Hollow: has none.
  free: {
    size: 24,
    draw(pen, colour) {
      arrowhead(pen, 0.9);
      fillAndLine(pen, colour("surface"), colour("ink-2"), 1.5);
      arrowhead(pen, 0.9);
      pen.fillStyle = colour("surface");
      pen.fill();
    },
  },
  "free-still": {
    size: 24,
    draw(pen, colour) {
      disc(pen, 5);
      fillAndLine(pen, colour("surface"), colour("ink-2"), 1.5);
    },
  },
  // An arrowhead cut out of a disc: needs a look.
  attention: {
    size: 32,
    draw(pen, colour) {
      disc(pen, 12.5);
      fillAndLine(pen, colour("bad"), colour("surface"), 1.5);
      arrowhead(pen, 0.95);
      pen.fillStyle = colour("surface");
      pen.fill();
    },
  },
  "attention-still": {
    size: 32,
    draw(pen, colour) {
      disc(pen, 12.5);
      fillAndLine(pen, colour("bad"), colour("surface"), 1.5);
      pen.strokeStyle = colour("surface");
      pen.lineWidth = 3;
      pen.beginPath();
      pen.moveTo(0, -6);
      pen.lineTo(0, 1);
      pen.moveTo(0, 6);
      pen.lineTo(0, 6.01);
      pen.stroke();
    },
  },
  selected: {
    size: 52,
    draw(pen, colour) {
      disc(pen, 20);
      fillAndLine(pen, colour("accent"), colour("ring"), 3);
      arrowhead(pen, 1.35);
      pen.fillStyle = colour("on-accent");
      pen.fill();
    },
  },
  "selected-still": {
    size: 52,
    draw(pen, colour) {
      disc(pen, 20);
      fillAndLine(pen, colour("accent"), colour("ring"), 3);
      disc(pen, 6);
      pen.fillStyle = colour("on-accent");
      pen.fill();
    },
  },
  // A house: the door.
  dropoff: {
    size: 44,
    draw(pen, colour) {
      square(pen, 17, 8);
      fillAndLine(pen, colour("ink"), colour("surface"), 2);
      pen.strokeStyle = colour("surface");
      pen.lineWidth = 1.8;
      pen.stroke(new Path2D("M-7 -0.5 L0 -7 L7 -0.5 M-5.5 -1.5 V7 H5.5 V-1.5 M-1.8 7 V2 H1.8 V7"));
    },
  },
  // A hall with a gate: where a courier's tours begin and end.
  depot: {
    size: 44,
    draw(pen, colour) {
      square(pen, 15, 15);
      fillAndLine(pen, colour("surface"), colour("ink"), 2);
      pen.strokeStyle = colour("ink");
      pen.lineWidth = 1.8;
      pen.stroke(new Path2D("M-7.5 6.5 V-2.5 L0 -7 L7.5 -2.5 V6.5 M-4 6.5 V0.5 H4 V6.5 M-4 3.5 H4"));
    },
  },
  // A bag: the pickup.
  pickup: {
    size: 44,
    draw(pen, colour) {
      square(pen, 17, 8);
      fillAndLine(pen, colour("surface"), colour("ink"), 2);
      pen.strokeStyle = colour("ink");
      pen.lineWidth = 1.8;
      pen.stroke(new Path2D("M-5.8 -3 H5.8 L6.8 7 H-6.8 Z M-2.8 -3 V-4.2 A2.8 2.8 0 0 1 2.8 -4.2 V-3"));
    },
  },
};

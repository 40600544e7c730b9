// The open orders on the console's map: from afar a dot for each door, near by a pin for each pickup and door.
//
// Orders without a courier and failed ones stand out by colour and size. Thousands are one source and two layers; none is an
// element of the page.

/** From this zoom on, dots become pins. */
const NEAR_ZOOM = 13.4;

/** The numbers in one row that the program hands over: number, state, pickup, door. */
const ROW = 6;

/** By the numbers that the program uses. */
const STATES = ["new", "waiting", "loaded", "failed"];

/** The layers on which an order can be clicked. */
export const PIN_LAYERS = ["pins-far", "pins"];

/** Takes rows of orders; one with another state is taken off the map. */
export function takePins(source, rows) {
  for (let row = 0; row < rows.length; row += ROW) {
    const [number, state, ...places] = rows.subarray(row, row + ROW);
    const name = STATES[state];
    set(source, number * 2, name && "door", name, places.slice(2));
    // Once collected, the pickup is of no interest.
    set(source, number * 2 + 1, (name === "new" || name === "waiting") && "pickup", name, places.slice(0, 2));
  }
  source.flush();
}

function set(source, id, end, state, coordinates) {
  if (!end) return source.remove(id);
  const order = { new: 3, failed: 2, loaded: 1, waiting: 1 }[state];
  return source.set({ type: "Feature", id, properties: { end, state, order }, geometry: { type: "Point", coordinates } });
}

/** The number of the order behind a feature. */
export function orderOf(feature) {
  return Math.floor(feature.id / 2);
}

/** The layers of the pins, fainter while something else is selected. */
export function pinLayers(colour, isFaint) {
  const byState = (fresh, failed, other) => ["match", ["get", "state"], "new", fresh, "failed", failed, other];
  const opacity = isFaint ? 0.35 : 1;
  return [
    {
      id: "pins-far",
      source: "orders",
      type: "circle",
      maxzoom: NEAR_ZOOM,
      filter: ["==", ["get", "end"], "door"],
      layout: { "circle-sort-key": ["get", "order"] },
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 10, byState(3.5, 3.5, 2), 13.4, byState(6, 6, 4)],
        "circle-color": byState(colour("warn"), colour("bad"), colour("ink-3")),
        "circle-stroke-color": colour("surface"),
        "circle-stroke-width": byState(1.5, 1.5, 1),
        "circle-opacity": opacity,
        "circle-stroke-opacity": opacity,
      },
    },
    {
      id: "pins",
      source: "orders",
      type: "symbol",
      minzoom: NEAR_ZOOM,
      layout: {
        "icon-image": ["concat", "pin-", ["get", "end"], "-", byState("new", "failed", "open")],
        "icon-size": ["interpolate", ["linear"], ["zoom"], NEAR_ZOOM, 0.7, 16, 1],
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
        "symbol-sort-key": ["get", "order"],
      },
      paint: { "icon-opacity": opacity },
    },
  ];
}

const HOUSE = "M-7 -0.5 L0 -7 L7 -0.5 M-5.5 -1.5 V7 H5.5 V-1.5 M-1.8 7 V2 H1.8 V7";
const BAG = "M-5.8 -3 H5.8 L6.8 7 H-6.8 Z M-2.8 -3 V-4.2 A2.8 2.8 0 0 1 2.8 -4.2 V-3";

function icon(end, fill, line, glyph) {
  return {
    size: 26,
    draw(pen, colour) {
      pen.beginPath();
      pen.roundRect(-10, -10, 20, 20, 5);
      pen.lineWidth = 3;
      pen.strokeStyle = colour(line);
      pen.stroke();
      pen.fillStyle = colour(fill);
      pen.fill();
      pen.scale(0.72, 0.72);
      pen.lineWidth = 2.2;
      pen.strokeStyle = colour(glyph);
      pen.stroke(new Path2D(end === "door" ? HOUSE : BAG));
    },
  };
}

/** A stop of the selected courier's plan; its number is written over it. */
function stop(fill, line, dash) {
  return {
    size: 36,
    draw(pen, colour) {
      pen.beginPath();
      pen.roundRect(-14, -14, 28, 28, 8);
      pen.lineWidth = 6;
      pen.strokeStyle = colour("surface");
      pen.stroke();
      pen.fillStyle = colour(fill);
      pen.fill();
      pen.lineWidth = 2.5;
      pen.strokeStyle = colour(line);
      pen.setLineDash(dash);
      pen.stroke();
    },
  };
}

export const PIN_ICONS = {
  "pin-door-new": icon("door", "warn", "surface", "surface"),
  "pin-door-failed": icon("door", "bad", "surface", "surface"),
  "pin-door-open": icon("door", "ink-2", "surface", "surface"),
  "pin-pickup-new": icon("pickup", "surface", "warn", "warn"),
  "pin-pickup-failed": icon("pickup", "surface", "bad", "bad"),
  "pin-pickup-open": icon("pickup", "surface", "ink-2", "ink-2"),
  "stop-pickup": stop("surface", "ink", []),
  "stop-dropoff": stop("ink", "ink", []),
  "stop-return": stop("surface", "ink", [4, 3]),
};

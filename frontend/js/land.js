// Whether a straight line stays on land. A way that nobody knows is guessed as a straight one only where people can go.

/** A line is looked at this often. */
const STEPS = 24;

/** Reads the land's polygons; answers a function of two points `[lon, lat]`. Without land every line is good. */
export async function overLand(url) {
  if (!url) return () => true;
  const rings = await fetch(url)
    .then((answer) => answer.json())
    .then(({ features }) => features.flatMap(({ geometry }) => outlines(geometry)).map(boxed))
    .catch(() => undefined);
  if (!rings) return () => true;
  return (from, to) => {
    for (let step = 1; step < STEPS; step++) {
      const share = step / STEPS;
      if (!isInside(rings, from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share)) return false;
    }
    return true;
  };
}

function outlines({ type, coordinates }) {
  if (type === "Polygon") return coordinates;
  return type === "MultiPolygon" ? coordinates.flat() : [];
}

function boxed(ring) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [lon, lat] of ring) {
    box[0] = Math.min(box[0], lon);
    box[1] = Math.min(box[1], lat);
    box[2] = Math.max(box[2], lon);
    box[3] = Math.max(box[3], lat);
  }
  return { ring, box };
}

/** Even-odd over all rings: holes are water. */
function isInside(rings, lon, lat) {
  let inside = false;
  for (const { ring, box } of rings) {
    if (lon < box[0] || lat < box[1] || lon > box[2] || lat > box[3]) continue;
    for (let index = 0, before = ring.length - 1; index < ring.length; before = index++) {
      const [[x, y], [px, py]] = [ring[index], ring[before]];
      if (y > lat !== py > lat && lon < ((px - x) * (lat - y)) / (py - y) + x) inside = !inside;
    }
  }
  return inside;
}

// A small OpenStreetMap extract (.osm.pbf), made up: a grid of named streets with houses. See "PBF Format" in
// OpenStreetMap's wiki; its blobs may stay uncompressed.

/** Metres between two streets. */
const BLOCK_M = 120;

/** The extract of a place with `side` streets each way around a point; `name` is what its town is called. */
export function extract({ lat, lon, name, side = 12 }) {
  const strings = [""];
  const text = (value) => {
    if (!strings.includes(value)) strings.push(value);
    return strings.indexOf(value);
  };
  const nodes = [];
  const ways = [];
  const north = BLOCK_M / 111_195;
  const east = north / Math.cos((lat * Math.PI) / 180);
  const corner = (row, column) => row * side + column + 1;
  const at = (row, column) => ({ lat: lat + (row - side / 2) * north, lon: lon + (column - side / 2) * east });
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) nodes.push({ id: corner(row, column), ...at(row, column), tags: {} });
  }
  const line = Array.from({ length: side }, (_, index) => index);
  for (const index of line) {
    const across = { highway: "residential", name: `${name} Street ${index + 1}` };
    ways.push({ id: ways.length + 1, refs: line.map((column) => corner(index, column)), tags: across });
    const along = { highway: "residential", name: `${name} Lane ${index + 1}` };
    ways.push({ id: ways.length + 1, refs: line.map((row) => corner(row, index)), tags: along });
    const house = { "addr:housenumber": String(index + 1), "addr:street": across.name, "addr:city": name, "addr:postcode": "10115" };
    nodes.push({ id: 10_000 + index, ...at(index + 0.1, index + 0.4), tags: house });
  }
  nodes.push({ id: 20_000, lat, lon, tags: { place: "town", name } });
  const groups = [field(2, field(2, dense(nodes, text))), ...ways.map((way) => field(2, field(3, encodeWay(way, text))))];
  const table = field(1, strings.flatMap((value) => field(1, Array.from(Buffer.from(value)))));
  const header = ["OsmSchema-V0.6", "DenseNodes"].flatMap((feature) => field(4, Array.from(Buffer.from(feature))));
  return Buffer.concat([blob("OSMHeader", header), blob("OSMData", [...table, ...groups.flat()])]);
}

function dense(nodes, text) {
  const degrees = (value) => Math.round(value * 1e7);
  const tags = nodes.flatMap(({ tags }) => [...Object.entries(tags).flatMap(([key, value]) => [text(key), text(value)]), 0]);
  return [
    ...field(1, deltas(nodes.map(({ id }) => id))),
    ...field(8, deltas(nodes.map(({ lat }) => degrees(lat)))),
    ...field(9, deltas(nodes.map(({ lon }) => degrees(lon)))),
    ...field(10, tags.flatMap(varint)),
  ];
}

function encodeWay({ id, refs, tags }, text) {
  const [keys, values] = [Object.keys(tags), Object.values(tags)].map((list) => list.flatMap((value) => varint(text(value))));
  return [...number(1, id), ...field(2, keys), ...field(3, values), ...field(8, deltas(refs))];
}

function blob(type, content) {
  const body = Buffer.from([...number(2, content.length), ...field(1, content)]);
  const head = Buffer.from([...field(1, Array.from(Buffer.from(type))), ...number(3, body.length)]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, body]);
}

/** A field with a length; `bytes` is its content. */
function field(tag, bytes) {
  return [...varint(tag * 8 + 2), ...varint(bytes.length), ...bytes];
}

function number(tag, value) {
  return [...varint(tag * 8), ...varint(value)];
}

function varint(value) {
  const bytes = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}

/** Differences, zigzag, as packed numbers. */
function deltas(values) {
  return values.flatMap((value, index) => {
    const step = value - (values[index - 1] ?? 0);
    return varint(step < 0 ? -step * 2 - 1 : step * 2);
  });
}

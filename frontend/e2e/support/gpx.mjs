// Whether a file is GPX 1.1: the rules of the schema (http://www.topografix.com/GPX/1/1/), written down anew.
//
// The schema's own file says nothing about its licence, so it is not carried here. These are its rules for everything that
// may stand in such a file, checked by a reading of the file that knows nothing of what wrote it: Chromium's XML parser.
// For each element: its attributes, all required; and its children in the only order in which they may stand, each as
// `[name, type, how many at most]`, or the type of its text.

const text = "text";
const number = "decimal";
const many = Infinity;

const description = [
  ["name", text, 1],
  ["cmt", text, 1],
  ["desc", text, 1],
  ["src", text, 1],
  ["link", "link", many],
];
const path = [...description, ["number", "count", 1], ["type", text, 1], ["extensions", "extensions", 1]];

const TYPES = {
  gpx: {
    attributes: { version: "one.one", creator: text },
    children: [
      ["metadata", "metadata", 1],
      ["wpt", "point", many],
      ["rte", "route", many],
      ["trk", "track", many],
      ["extensions", "extensions", 1],
    ],
  },
  metadata: {
    children: [
      ["name", text, 1],
      ["desc", text, 1],
      ["author", "person", 1],
      ["copyright", "copyright", 1],
      ["link", "link", many],
      ["time", "time", 1],
      ["keywords", text, 1],
      ["bounds", "bounds", 1],
      ["extensions", "extensions", 1],
    ],
  },
  point: {
    attributes: { lat: "latitude", lon: "longitude" },
    children: [
      ["ele", number, 1],
      ["time", "time", 1],
      ["magvar", "degrees", 1],
      ["geoidheight", number, 1],
      ...description,
      ["sym", text, 1],
      ["type", text, 1],
      ["fix", "fix", 1],
      ["sat", "count", 1],
      ["hdop", number, 1],
      ["vdop", number, 1],
      ["pdop", number, 1],
      ["ageofdgpsdata", number, 1],
      ["dgpsid", "station", 1],
      ["extensions", "extensions", 1],
    ],
  },
  route: { children: [...path, ["rtept", "point", many]] },
  track: { children: [...path, ["trkseg", "segment", many]] },
  segment: { children: [["trkpt", "point", many], ["extensions", "extensions", 1]] },
  link: { attributes: { href: text }, children: [["text", text, 1], ["type", text, 1]] },
  person: { children: [["name", text, 1], ["email", "email", 1], ["link", "link", 1]] },
  email: { attributes: { id: text, domain: text } },
  copyright: { attributes: { author: text }, children: [["year", "year", 1], ["license", text, 1]] },
  bounds: { attributes: { minlat: "latitude", minlon: "longitude", maxlat: "latitude", maxlon: "longitude" } },
};

// Of the types of text: which texts are one. Patterns travel into the page as their source.
const decimal = "[+-]?(\\d+(\\.\\d*)?|\\.\\d+)";
const TEXTS = {
  text: { pattern: "[^]*" },
  "one.one": { pattern: "1\\.1" },
  decimal: { pattern: decimal },
  latitude: { pattern: decimal, from: -90, to: 90 },
  // 180 itself is left out: it is -180.
  longitude: { pattern: decimal, from: -180, below: 180 },
  degrees: { pattern: decimal, from: 0, below: 360 },
  count: { pattern: "\\+?\\d+" },
  station: { pattern: "\\d+", from: 0, to: 1023 },
  fix: { pattern: "none|2d|3d|dgps|pps" },
  year: { pattern: "-?\\d{4,}(Z|[+-]\\d\\d:\\d\\d)?" },
  time: { pattern: "-?\\d{4,}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)?" },
};

const NAMESPACE = "http://www.topografix.com/GPX/1/1";

/** What is wrong with a file, as sentences; none when it is GPX 1.1. `page` is any page: its browser has the parser. */
export async function gpxProblems(page, file) {
  const empty = await page.context().newPage();
  const problems = await empty.evaluate(check, { file, types: TYPES, texts: TEXTS, namespace: NAMESPACE });
  await empty.close();
  return problems;
}

/** Runs in an empty page. */
function check({ file, types, texts, namespace }) {
  const problems = [];
  const xml = new DOMParser().parseFromString(file, "application/xml");
  const broken = xml.querySelector("parsererror");
  if (broken) return [`not well-formed: ${broken.textContent}`];
  element(xml.documentElement, "gpx");
  if (xml.documentElement.localName !== "gpx") problems.push(`the root is ${xml.documentElement.nodeName}`);
  return problems;

  function element(node, type) {
    if (node.namespaceURI !== namespace) problems.push(`${node.nodeName} is not of GPX 1.1`);
    if (texts[type]) {
      if (node.children.length) problems.push(`${node.nodeName} has elements inside`);
      words(node.textContent, type, node.nodeName);
      return;
    }
    // Anything of another namespace, and nothing of this one.
    if (type === "extensions") {
      for (const child of node.children) {
        if (!child.namespaceURI || child.namespaceURI === namespace) problems.push(`${child.nodeName} is no extension`);
      }
      return;
    }
    const { attributes = {}, children = [] } = types[type];
    for (const [name, of] of Object.entries(attributes)) {
      if (!node.hasAttribute(name)) problems.push(`${node.nodeName} has no ${name}`);
      else words(node.getAttribute(name), of, `${name} of ${node.nodeName}`);
    }
    for (const { name, namespaceURI } of node.attributes) {
      const isDeclaration = ["http://www.w3.org/2000/xmlns/", "http://www.w3.org/2001/XMLSchema-instance"].includes(namespaceURI);
      if (!isDeclaration && !(name in attributes)) problems.push(`${node.nodeName} may not have ${name}`);
    }
    const hasText = [...node.childNodes].some(({ nodeType, data }) => [3, 4].includes(nodeType) && data.trim());
    if (hasText) problems.push(`${node.nodeName} has text between its elements`);
    let place = 0;
    const counts = {};
    for (const child of node.children) {
      const found = children.findIndex(([name]) => name === child.localName);
      if (found < 0) {
        problems.push(`${child.nodeName} may not stand in ${node.nodeName}`);
        continue;
      }
      if (found < place) problems.push(`${child.nodeName} comes too late in ${node.nodeName}`);
      place = found;
      const [name, of, most] = children[found];
      counts[name] = (counts[name] ?? 0) + 1;
      if (counts[name] > most) problems.push(`${node.nodeName} has more than one ${name}`);
      element(child, of);
    }
  }

  function words(said, type, where) {
    const { pattern, from, to, below } = texts[type];
    // Around numbers and times the schema lets white space stand.
    const trimmed = type === "text" ? said : said.trim();
    const value = Number(trimmed);
    const isIn = (from === undefined || value >= from) && (to === undefined || value <= to) && (below === undefined || value < below);
    if (!new RegExp(`^(${pattern})$`).test(trimmed) || !isIn) problems.push(`${where} is "${said}", which is no ${type}`);
  }
}

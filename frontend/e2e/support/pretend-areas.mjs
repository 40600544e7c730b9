// The areas of a pretended server: two, and an import that can be held at any step.

export class PretendAreas {
  constructor() {
    this.items = [
      area("malta-1a2b3c4d", "Malta", { bytes: 0, current: true }),
      area("neubrandenburg-5e6f7a8b", "Neubrandenburg and the lakes around it", { bytes: 12_400_000, addresses: false }),
    ];
    this.import = undefined;
    /** A status that every call is answered with, to look at failures. */
    this.fails = undefined;
  }

  /** Answers `[status, body]`. */
  answer(method, id, what) {
    if (this.fails) return [this.fails, { type: "about:blank", title: "No", status: this.fails, code: "conflict", detail: "an import is going on already" }];
    if (method === "GET") return [200, { items: this.items, import: this.import }];
    if (method === "DELETE" && id === "import") this.import = { ...this.import, state: "cancelled" };
    else if (method === "DELETE") this.items = this.items.filter((one) => one.id !== id);
    else if (what === "use") for (const one of this.items) one.current = one.id === id;
    else this.import = { state: "importing", stage: "streets", share: 0.42 };
    return [method === "POST" && !what ? 202 : 204, {}];
  }
}

function area(id, name, more) {
  return {
    id,
    name,
    bounds: [14.18, 35.8, 14.58, 36.09],
    center: { lat: 35.9, lon: 14.49 },
    time_zone: "Europe/Malta",
    driving_side: "left",
    units: "metric",
    languages: ["mt", "en"],
    extracted_at: "2026-11-21T20:21:00Z",
    attribution: "© OpenStreetMap contributors",
    streets: true,
    addresses: true,
    basemap: true,
    current: false,
    built_in: id.startsWith("malta"),
    ...more,
  };
}

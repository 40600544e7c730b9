// What a pretended server answers when a dispatcher changes orders and couriers: edits with versions, attempts, saved
// pickups, archived couriers, and a file whose headings nobody knows. Colleagues are faster with some orders, so that the
// console's words for it can be looked at.

import { PretendAreas } from "./pretend-areas.mjs";

const MINUTE = 60_000;

export class PretendDesk {
  constructor(fleet) {
    this.fleet = fleet;
    /** The orders with which a colleague is faster, once each. */
    this.contested = new Set();
    this.areas = new PretendAreas();
    this.pickups = [
      pickup(0, "Harbour Kitchen", "1 Xatt il-Barriera, Valletta", "+356 2100 0002"),
      pickup(1, "Pasta Lab", "12 Triq Melita, Valletta"),
    ];
  }

  /** Answers `[status, body]`, or nothing when it is not asked. */
  answer(method, path, body) {
    const [, kind, id, what] = path.split("/");
    if (path === "/pickups" && method === "GET") return [200, { items: this.pickups }];
    if (kind === "pickups" && method === "DELETE") return [204, this.forget(id)];
    if (path === "/pickups") return [201, this.save(body)];
    if (kind === "areas") return this.areas.answer(method, id, what);
    if (path.startsWith("/places/pins")) return [200, { items: PINS }];
    if (path.startsWith("/arrival/")) return [200, { items: id === "waits" ? WAITS : SCORES }];
    if (path === "/orders/import") return [200, PREVIEW];
    const order = kind === "orders" ? this.fleet.orders.get(id) : undefined;
    const isChange = method === "PATCH" || ["assign", "status", "unassign", "attempts", "reopen"].includes(what);
    if (!order || !isChange || method === "GET") return undefined;
    if (this.contested.delete(order.id)) return this.conflict(order, method === "PATCH" ? 412 : 409);
    return this.change(order, method === "PATCH" ? "edit" : what, body);
  }

  change(order, what, body) {
    const event = { actor_name: "dora@example.org", note: body?.reason };
    if (what === "edit") {
      for (const part of ["pickup", "dropoff", "customer"]) Object.assign(order[part], body[part]);
      Object.assign(order, { ...body, pickup: order.pickup, dropoff: order.dropoff, customer: order.customer });
      this.fleet.change(order, { ...event, kind: "edited" });
      return [200, order];
    }
    if (what === "unassign") {
      Object.assign(order, { status: "created", courier_id: undefined });
      this.fleet.change(order, { ...event, kind: "unassigned" });
      return [200, order];
    }
    if (what === "attempts") {
      Object.assign(order, { status: "assigned", attempt: (order.attempt ?? 1) + 1, courier_id: body.courier_id ?? order.courier_id });
      this.fleet.change(order, { ...event, kind: "attempt" });
      return [200, order];
    }
    if (what === "reopen") {
      order.status = "at_dropoff";
      this.fleet.change(order, { ...event, kind: "reopened" });
      return [200, order];
    }
    return undefined;
  }

  /** Ben changes the note at the door, three seconds before the dispatcher saves theirs. */
  conflict(order, status) {
    order.dropoff.instructions = "Use the side door";
    order.version = (order.version ?? 1) + 1;
    const at = Date.now() - 3_000;
    const changes = { "dropoff.instructions": { to: order.dropoff.instructions } };
    order.timeline.push({ kind: "edited", status: order.status, at: iso(at), actor_name: "ben@example.org", changes });
    const details = { current: order.version, changed_by: "ben@example.org", changed_at_ms: at, change: "edited" };
    return [status, { type: "about:blank", title: "Changed meanwhile", status, code: "version_conflict", details }];
  }

  save({ name, place }) {
    const saved = { id: uuid(this.pickups.length), name, place };
    this.pickups.push(saved);
    return saved;
  }

  forget(id) {
    this.pickups = this.pickups.filter((one) => one.id !== id);
    return {};
  }
}

/** An order's history with everything that stands out. */
export function eventful(order, now) {
  const at = (minutes) => iso(now - minutes * MINUTE);
  const ben = { actor: "user:1", actor_name: "ben@example.org" };
  const ana = { actor: "courier:1", actor_name: "Ana", courier_name: "Ana" };
  order.timeline = [
    { kind: "status", status: "created", at: at(26 * 60), actor_name: "Web shop" },
    { kind: "assigned", status: "assigned", at: at(58), ...ben, courier_name: "Ana" },
    { kind: "not_ready", status: "at_pickup", at: at(50), ...ana, note: "ten more minutes" },
    { kind: "given_back", status: "created", at: at(41), ...ana, note: "the kitchen is closed" },
    { kind: "assigned", status: "assigned", at: at(39), ...ben, courier_name: "Marija" },
    {
      kind: "edited",
      status: "assigned",
      at: at(33),
      ...ben,
      changes: {
        "dropoff.address": { from: "12 Strait Street, Valletta", to: "21 Strait Street, Valletta" },
        "dropoff.instructions": { to: "ring twice" },
      },
    },
    { kind: "late_report", status: "delivered", at: at(30), ...ana, note: "reported after an outage" },
    { kind: "status", status: "picked_up", at: at(12), actor_name: "Marija", courier_name: "Marija" },
    { kind: "status", status: "failed", at: at(3), actor_name: "Marija", courier_name: "Marija", note: "nobody answered the door" },
  ];
}

function pickup(index, name, address, phone) {
  return { id: uuid(index), name, place: { lat: 35.8989, lon: 14.5142, address, phone, instructions: "back door" } };
}

const COLUMN = (position, heading, column, samples) => ({ position, heading, column, samples });

const PREVIEW = {
  rows: [],
  valid: 0,
  invalid: 0,
  ignored_columns: ["Kundennummer"],
  columns: [
    COLUMN(1, "Order no", "reference", ["A-2001", "A-2002", "A-2003"]),
    COLUMN(2, "Shop", undefined, ["Harbour Kitchen", "Pasta Lab"]),
    COLUMN(3, "Deliver to", "dropoff_address", ["12 Triq il-Merkanti, Valletta", "71 Strait Street, Valletta"]),
    COLUMN(4, "Who", undefined, ["Eve Borg", "Paul Vella", "Ines Camilleri"]),
    COLUMN(5, "Kundennummer", undefined, ["7004", "7011"]),
  ],
  missing_columns: ["pickup_address", "customer_name"],
};

function uuid(index) {
  return `01900000-0000-7000-8007-${index.toString(16).padStart(12, "0")}`;
}

function iso(ms) {
  return new Date(ms).toISOString();
}

const PINS = [
  { id: uuid(1), address: "12 Triq il-Merkanti, Valletta", pinned_by: "dora@example.org" },
  { id: uuid(2), address: "Block C, St Paul’s Court, Triq il-Kbira, Mellieħa", pinned_by: "shop" },
  { id: uuid(3), address: "The boathouse, Marsaxlokk" },
].map((pin) => ({ ...pin, lat: 35.9, lon: 14.5, pinned_at: "2026-11-21T12:00:00Z" }));

// How arrivals went, by the minutes before them, and a kitchen that is slow on Fridays.
const SCORES = [
  [1, 1_240, 0.82, 0.06, 72],
  [3, 1_238, 0.79, 0.09, 130],
  [5, 1_190, 0.81, 0.09, 184],
  [10, 980, 0.64, 0.05, 316],
  [30, 21, 0.76, 0.1, 850],
].map(([minutes, n, inside, early, width_s]) => ({
  group: `${minutes}`,
  n,
  inside,
  early,
  late: 1 - inside - early,
  width_s,
  bias_s: 12,
  mae_s: width_s / 4,
  interval_score_s: width_s * 1.4,
}));
const WAITS = [
  { pickup: "Harbour Kitchen", n: 212, wait_s: 420, usual_s: 240, days: [{ weekday: 5, wait_s: 660 }] },
  { pickup: "Pasta Lab", n: 90, wait_s: 200, usual_s: 240, days: [] },
];

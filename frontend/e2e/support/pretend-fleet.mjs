// A pretended server behind the console: a fleet of any size that drives around, orders of any number, and just enough of
// the API to open them. It is for looking at the console and measuring it, not for testing the server.

import { WebSocketServer } from "ws";
import { orderChange, positions, snapshot } from "./postcard.mjs";
import { PretendDesk, eventful } from "./pretend-desk.mjs";
import { PretendPlans } from "./pretend-plans.mjs";

const NAMES = ["Ana", "Marco", "Leah", "Joe", "Mia", "Sam", "Noor", "Luca", "Ġorġ", "Eva", "Tom", "Rita", "Karl", "Dina"];
const STREETS = [
  "Triq il-Merkanti",
  "Strait Street",
  "Old Bakery Street",
  "Triq San Ġwann",
  "Triq id-Dejqa",
  "Tower Road",
  "Triq l-Ifran",
  "Rue d'Argens",
  "Triq ix-Xatt",
  "Triq il-Kbira",
];
const KITCHENS = ["Harbour Kitchen", "Pasta Lab", "Caffe Cordina", "Sliema Sushi", "Il-Forn"];
const MINUTE = 60_000;
// Where the streets are, roughly.
const BOX = { west: 14.46, east: 14.51, south: 35.875, north: 35.9 };

export class PretendFleet {
  constructor({ couriers = 58, unassigned = 4, active = 37, done = 212, everyMs = 5_000, seed = 7, lively = false, plans } = {}) {
    this.random = generator(seed);
    this.now = Date.now();
    this.everyMs = everyMs;
    this.lively = lively;
    /** So many couriers have all the orders; four in five, when left out. */
    this.planned = plans;
    this.plans = new PretendPlans(this);
    this.desk = new PretendDesk(this);
    this.ordersByCourier = new Map();
    this.made = 0;
    this.couriers = Array.from({ length: couriers }, (_, index) => this.courier(index));
    this.orders = new Map();
    const add = (count, statuses, make) => {
      for (let index = 0; index < count; index++) {
        const order = this.order(index, statuses[index % statuses.length], make);
        this.keep(order);
      }
    };
    add(active, ["picked_up", "picked_up", "assigned", "at_pickup", "picked_up", "at_dropoff"], "active");
    add(unassigned, ["created"], "created");
    add(done, ["delivered", "delivered", "delivered", "cancelled", "delivered", "returned"], "done");
    const failed = [...this.orders.values()].filter(({ status }) => status === "at_dropoff").at(-1);
    if (failed) {
      Object.assign(failed, { status: "failed", carried_by: failed.courier_id, expected_at: undefined, attempt: 2, size: 3, service_s: 150, requires: ["van"], note: "two bags and a box" });
      eventful(failed, this.now);
    }
    this.exceptions = couriers > 3 && active > 3 ? this.troubles() : [];
    this.sockets = new Set();
  }

  courier(index) {
    const free = this.planned === undefined ? index % 5 === 4 : index >= this.planned;
    const courier = {
      id: uuid(1, index),
      name: index < NAMES.length ? NAMES[index] : `${NAMES[index % NAMES.length]} ${Math.floor(index / NAMES.length) + 1}`,
      vehicle: ["scooter", "bicycle", "car", "scooter", "van", "motorcycle"][index % 6],
      battery: 0.2 + this.random() * 0.8,
      presence: { state: "tracking", since_ms: this.now - 90 * MINUTE },
      heading: this.random() * 360,
      free,
      lat: between(BOX.south, BOX.north, this.random()),
      lon: between(BOX.west, BOX.east, this.random()),
    };
    if (index === 2) courier.presence = { state: "paused", reason: "screen_locked", since_ms: this.now - 3.4 * MINUTE };
    courier.silent = index === 1;
    courier.position = this.fix(courier, this.now - (courier.silent ? 6 * MINUTE : this.random() * 4_000));
    return courier;
  }

  fix({ lat, lon, heading }, time) {
    return { time_ms: Math.round(time), lat, lon, speed_mps: 7, heading_deg: heading };
  }

  order(index, status, group) {
    const busy = this.couriers.filter((courier) => !courier.free);
    const courier = group === "created" || !busy.length ? undefined : busy[index % busy.length];
    const ended = group === "done";
    const createdMs = this.now - (ended ? 60 + index * 3 : 20 + (index % 15)) * MINUTE;
    const lateBy = index === 1 && group === "active" ? -12 : undefined;
    const until = this.now + (lateBy ?? 12 + ((index * 7) % 45)) * MINUTE;
    const place = (address) => ({
      lat: between(BOX.south, BOX.north, this.random()),
      lon: between(BOX.west, BOX.east, this.random()),
      address,
    });
    const statusAt = ended ? createdMs + 31 * MINUTE : this.now - (2 + (index % 9)) * MINUTE;
    return {
      version: 1,
      attempt: 1,
      seen_at: index % 4 === 2 ? undefined : iso(this.now - 9 * MINUTE),
      id: uuid({ active: 2, created: 3, done: 4 }[group], index),
      reference: `A-${1000 + index + { active: 39, created: 100, done: 200 }[group]}`,
      status,
      status_at: iso(statusAt),
      pickup: place(KITCHENS[index % KITCHENS.length]),
      dropoff: { ...place(`${1 + ((index * 13) % 90)} ${STREETS[index % STREETS.length]}, Valletta`), instructions: index % 3 ? undefined : "Ring twice, second floor" },
      customer: { name: ["Eve Borg", "Paul Vella", "Ines Camilleri"][index % 3], phone: "+356 9912 3456" },
      courier_id: courier?.id,
      promised_until: iso(until),
      expected_at: group === "active" && status !== "at_dropoff" ? iso(until - ((index % 4) * 6 + (lateBy ? 0 : 4)) * MINUTE) : undefined,
      created_at: iso(createdMs),
      timeline: [
        { status: "created", at: iso(createdMs) },
        ...(courier ? [{ status: "assigned", at: iso(createdMs + 4 * MINUTE) }] : []),
        ...(status === "created" || status === "assigned" ? [] : [{ status, at: iso(statusAt), note: ended && index % 4 === 0 ? "left with the concierge" : undefined }]),
      ],
    };
  }

  /** One exception of each kind, and an acknowledged one. */
  troubles() {
    const orders = [...this.orders.values()];
    const about = (index, code, minutes, more) => {
      const order = orders[index];
      const courier = this.couriers.find(({ id }) => id === order.courier_id);
      const { lat, lon } = courier;
      const since = iso(this.now - minutes * MINUTE);
      const names = { courier_id: courier.id, courier_name: courier.name, order_id: order.id, order_reference: order.reference };
      return { id: uuid(6, index), code, since, ...names, at: { lat, lon }, ...more };
    };
    return [
      about(1, "late", 12, { late_by_s: 720 }),
      about(2, "silent", 3.4, { silent_s: 204, reason: "screen_locked" }),
      about(3, "off_route", 2, { distance_m: 417 }),
      about(5, "stationary", 6, { stationary_s: 360 }),
      about(7, "delivered_far", 9, { distance_m: 320, ended_at: iso(this.now - 9 * MINUTE) }),
      about(9, "silent", 40, {
        silent_s: 300,
        ended_at: iso(this.now - 35 * MINUTE),
        acknowledged_at: iso(this.now - 34 * MINUTE),
        acknowledged_by: "sam@example.org",
        note: "rang him, he was in the tunnel",
      }),
      about(11, "not_ready", 14, { waiting_s: 840 }),
      about(13, "late_report", 5, { reported: "delivered", ended_at: iso(this.now - 5 * MINUTE) }),
      about(15, "given_back", 4, { remark: "the kitchen is closed" }),
    ];
  }

  /** The feed, on an HTTP server. */
  attach(server) {
    const feed = new WebSocketServer({ server, path: "/ws/fleet", handleProtocols: () => "doorstep.v1.postcard" });
    feed.on("connection", (socket) => {
      socket.seq = 1;
      const open = [...this.orders.values()].filter(({ status }) => !["delivered", "cancelled", "returned"].includes(status));
      socket.send(snapshot(Date.now(), this.couriers, open.map((order) => this.wire(order))));
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
  }

  /** Moves a share of the couriers four times a second, each once in `everyMs`. */
  drive() {
    const tickMs = 250;
    let turn = 0;
    const turns = this.everyMs / tickMs;
    return setInterval(() => {
      const now = Date.now();
      const fixes = [];
      for (let index = turn % turns; index < this.couriers.length; index += turns) {
        const courier = this.couriers[index];
        if (courier.silent || courier.presence.state !== "tracking") continue;
        this.step(courier, now);
        fixes.push({ courier_id: courier.id, battery: courier.battery, ...courier.position });
      }
      turn += 1;
      if (this.lively && turn % 4 === 0) this.moveOn();
      if (fixes.length) for (const socket of this.sockets) socket.send(positions(socket.seq++, fixes));
    }, tickMs);
  }

  step(courier, now) {
    courier.heading = (courier.heading + (this.random() - 0.5) * 60 + 360) % 360;
    const metres = 7 * (this.everyMs / 1_000);
    const angle = (courier.heading * Math.PI) / 180;
    courier.lat += (Math.cos(angle) * metres) / 111_195;
    courier.lon += (Math.sin(angle) * metres) / 90_000;
    if (courier.lat < BOX.south || courier.lat > BOX.north || courier.lon < BOX.west || courier.lon > BOX.east) {
      courier.heading = (courier.heading + 180) % 360;
    }
    courier.position = this.fix(courier, now);
  }

  /** The oldest open order takes its next step; one that is over makes room for a new one. */
  moveOn() {
    const [id, order] = [...this.orders].find(([, { status }]) => STEPS[status]);
    this.drop(order);
    order.status = STEPS[order.status];
    order.courier_id ??= this.couriers[this.made % this.couriers.length].id;
    if (order.status === "delivered") {
      this.made += 1;
      const next = this.order(1_000_000 + this.made, "created", "created");
      this.keep(next);
      this.change(next);
    } else {
      // Moved to the end, so that every order has its turn.
      this.keep(order);
    }
    this.change(order);
    if (this.planned !== undefined) this.reorder(order.courier_id);
  }

  /** What the server tells when a stop is done: every order behind it moves up by one. */
  reorder(courierId) {
    for (const order of this.ordersOf(courierId)) this.tell(order);
  }

  /** Somebody puts a courier's stops in another order: the first goes to the end. */
  rearrange(courierId) {
    const plan = this.plans.of(courierId);
    const [{ order_id }] = plan.stops;
    const isFirst = (stop) => stop.order_id === order_id;
    plan.stops = [...plan.stops.filter((stop) => !isFirst(stop)), ...plan.stops.filter(isFirst)];
    plan.version += 1;
    this.reorder(courierId);
  }

  keep(order) {
    this.orders.set(order.id, order);
    if (!order.courier_id || order.status === "delivered") return;
    if (!this.ordersByCourier.has(order.courier_id)) this.ordersByCourier.set(order.courier_id, new Map());
    this.ordersByCourier.get(order.courier_id).set(order.id, order);
  }

  drop(order) {
    this.orders.delete(order.id);
    this.ordersByCourier.get(order.courier_id)?.delete(order.id);
  }

  /** The orders of a courier that are not over. */
  ordersOf(courierId) {
    return [...(this.ordersByCourier.get(courierId)?.values() ?? [])];
  }

  /** An order as the feed sends it. */
  wire({ id, reference, status, status_at, courier_id, version, seen_at, ...order }) {
    const sequence = this.plans.sequence({ id, status, courier_id, ...order });
    return { id, reference, status, status_at_ms: Date.parse(status_at), courier_id, version, sequence, seen_at_ms: seen_at && Date.parse(seen_at) };
  }

  tell(order) {
    for (const socket of this.sockets) socket.send(orderChange(socket.seq++, this.wire(order)));
  }

  /** An order has changed; `event` says how, when it is more than a status. */
  change(order, event = {}) {
    order.status_at = iso(Date.now());
    order.version += 1;
    order.timeline.push({ status: order.status, at: order.status_at, ...event });
    this.tell(order);
  }

  /** Answers a request to `/api/v1…`: `[status, body]`. */
  answer(method, url, body) {
    const path = url.pathname.slice("/api/v1".length);
    const [, kind, id, what] = path.split("/");
    const query = url.searchParams;
    const ofDesk = this.desk.answer(method, path, body);
    if (ofDesk) return ofDesk;
    if (path === "/couriers" && query.get("archived")) return [200, { items: this.couriers.slice(-2).map(({ id, name, vehicle }) => ({ id, name, vehicle, created_at: iso(this.now) })) }];
    if (path === "/session") return [200, { email: "dora@example.org", role: "admin" }];
    if (path === "/orders/counts") return [200, this.counts(query.get("q"))];
    if (path === "/orders" && method === "GET") return [200, this.page(query)];
    if (kind === "orders" && what === "suggestions") return [200, { items: this.suggestions() }];
    if (kind === "orders" && what === "tracking-link") return [200, link()];
    if (kind === "orders" && this.orders.has(id)) {
      const order = this.orders.get(id);
      if (what === "assign" || what === "status") this.drop(order);
      if (what === "assign") Object.assign(order, { courier_id: body.courier_id, status: "assigned", seen_at: undefined });
      if (what === "status") order.status = body.status;
      if (what === "assign" || what === "status") this.keep(order);
      if (method === "POST") this.change(order);
      return [200, order];
    }
    if (kind === "couriers" && what === "plan") return method === "PUT" ? this.plans.put(id, body) : [200, this.plans.view(id)];
    if (kind === "couriers" && what === "devices") return [200, { items: DEVICES }];
    if (kind === "couriers" && what === "fixes") return [200, { items: this.day(id, query) }];
    if (kind === "couriers" && id) {
      const courier = this.couriers.find((one) => one.id === id);
      return courier ? [200, { ...courier, phone: "+356 7712 3456", created_at: iso(this.now), presence: undefined, position: undefined, ...WORK(this.now) }] : [404, {}];
    }
    if (path === "/exceptions") {
      const isAll = query.get("state") === "all";
      return [200, { items: this.exceptions.filter(({ acknowledged_at }) => isAll || !acknowledged_at) }];
    }
    if (kind === "exceptions") {
      const exception = this.exceptions.find((one) => one.id === id);
      Object.assign(exception, { acknowledged_at: iso(Date.now()), acknowledged_by: "dora@example.org", note: body.note });
      return [200, exception];
    }
    if (path === "/places") return [200, { items: query.get("q") ? PLACES : PLACES.slice(0, 1) }];
    return [404, { type: "about:blank", title: "Not found", status: 404, code: "not_found" }];
  }

  counts(words) {
    const found = this.found(words, undefined);
    const count = (statuses) => found.filter(({ status }) => statuses.includes(status)).length;
    return {
      unassigned: count(["created"]),
      active: count(["assigned", "at_pickup", "picked_up", "at_dropoff", "failed"]),
      done: count(["delivered", "cancelled", "returned"]),
    };
  }

  found(words, statuses) {
    const wanted = (words ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    const text = (order) => `${order.reference} ${order.dropoff.address} ${order.customer.name}`.toLowerCase();
    return [...this.orders.values()].filter(
      (order) => (!statuses || statuses.includes(order.status)) && wanted.every((word) => text(order).includes(word)),
    );
  }

  page(query) {
    const found = this.found(query.get("q"), query.get("status")?.split(","));
    const start = Number(query.get("cursor") ?? 0);
    const limit = Number(query.get("limit") ?? 50);
    const next = start + limit < found.length ? { next_cursor: String(start + limit) } : {};
    return { items: found.slice(start, start + limit).map((order) => ({ ...order, timeline: undefined })), ...next };
  }

  suggestions() {
    return this.couriers.slice(3, 8).map((courier, index) => ({
      courier_id: courier.id,
      name: courier.name,
      vehicle: courier.vehicle,
      on_duty: true,
      distance_m: 350 + index * 420,
      open_orders: courier.free ? 0 : 1 + (index % 2),
      free_at: courier.free ? undefined : iso(Date.now() + (6 + index * 4) * MINUTE),
      arrives_at: iso(Date.now() + (9 + index * 5) * MINUTE),
      lacks: index === 3 ? ["cold"] : undefined,
      over_capacity: index === 4 ? true : undefined,
    }));
  }

  day(id, query) {
    const courier = this.couriers.find((one) => one.id === id);
    if (!courier) return [];
    const isTrail = !query.has("until");
    const fixes = [];
    const random = generator(Number.parseInt(id.slice(-4), 16) + 1);
    let { lat, lon } = courier;
    let heading = courier.heading + 180;
    const count = isTrail ? 60 : 900;
    for (let index = 0; index < count; index++) {
      heading += (random() - 0.5) * 50;
      lat += (Math.cos((heading * Math.PI) / 180) * 30) / 111_195;
      lon += (Math.sin((heading * Math.PI) / 180) * 30) / 90_000;
      const gap = !isTrail && index > 400 ? 40 * MINUTE : 0;
      fixes.unshift({ time_ms: Math.round(courier.position.time_ms - (index + 1) * 10_000 - gap), lat, lon, speed_mps: 5, heading_deg: (heading + 180) % 360 });
    }
    return fixes;
  }
}

const WORK = (now) => ({
  capacity: 8,
  skills: ["van", "cold"],
  shift: { from: iso(now - 180 * MINUTE), until: iso(now + 300 * MINUTE), break: { from: iso(now + 30 * MINUTE), until: iso(now + 60 * MINUTE) } },
  depot: { lat: 35.89, lon: 14.5, address: "Marsa depot" },
});

const STEPS = { created: "assigned", assigned: "at_pickup", at_pickup: "picked_up", picked_up: "at_dropoff", at_dropoff: "delivered" };

const DEVICES = [
  { id: uuid(5, 0), label: "Ana's phone", created_at: iso(Date.now() - 9e8), last_seen_at: iso(Date.now() - 4_000), client: "web" },
  { id: uuid(5, 1), label: "OwnTracks", created_at: iso(Date.now() - 8e8), last_seen_at: iso(Date.now() - 9e6), client: "owntracks" },
  { id: uuid(5, 2), label: "Old phone", created_at: iso(Date.now() - 9e9), revoked_at: iso(Date.now() - 8e8) },
];

const PLACES = [
  { name: "12 Triq il-Merkanti", town: "Valletta", address: "12 Triq il-Merkanti, Valletta", kind: "house", lat: 35.8989, lon: 14.5142 },
  { name: "Triq il-Merkanti", town: "Rabat", address: "Triq il-Merkanti, Rabat", kind: "street", lat: 35.8816, lon: 14.3988 },
  { name: "Merkanti Reef", town: "San Ġiljan", address: "Merkanti Reef, San Ġiljan", kind: "poi", lat: 35.9236, lon: 14.491 },
];

function link() {
  const url = "https://doorstep.example/t/3uUqFJ0m2wV7xN1yQp8Zkg";
  const svg = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><path d='M1 1h3v3H1zM5 1h3v3H5zM1 5h3v3H1zM6 6h1v1H6z'/></svg>";
  return { tracking_token: "3uUqFJ0m2wV7xN1yQp8Zkg", tracking_url: url, qr_svg: svg };
}

function uuid(kind, index) {
  return `01900000-0000-7000-8${String(kind).padStart(3, "0")}-${index.toString(16).padStart(12, "0")}`;
}

function iso(ms) {
  return new Date(ms).toISOString();
}

function between(low, high, share) {
  return low + (high - low) * share;
}

/** The same fleet every time. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

// The plans of a pretended fleet: the order of each courier's stops, kept and answered as the server does.

const MINUTE = 60_000;
const DONE = ["delivered", "cancelled", "returned", "failed", "created"];

export class PretendPlans {
  constructor(fleet) {
    this.fleet = fleet;
    this.plans = new Map();
    /** A dispatcher who is faster than the next `PUT`, for previews. */
    this.rival = undefined;
  }

  /** A courier's plan, with what is done left out and what is new at the end. */
  of(courierId) {
    const plan = this.plans.get(courierId) ?? { version: 1, locked: 0, stops: [] };
    const open = this.fleet.ordersOf(courierId).flatMap(openStops);
    const isOpen = new Set(open.map(key));
    const kept = plan.stops.filter((stop) => isOpen.has(key(stop)));
    const known = new Set(kept.map(key));
    plan.stops = [...kept, ...open.filter((stop) => !known.has(key(stop)))];
    plan.locked = Math.min(plan.locked, plan.stops.length);
    this.plans.set(courierId, plan);
    return plan;
  }

  /** The place of an order's next stop, from 1. */
  sequence(order) {
    if (!order.courier_id || DONE.includes(order.status)) return undefined;
    const index = this.of(order.courier_id).stops.findIndex(({ order_id }) => order_id === order.id);
    return index < 0 ? undefined : index + 1;
  }

  view(courierId) {
    const { version, locked, stops } = this.of(courierId);
    const courier = this.fleet.couriers.find(({ id }) => id === courierId);
    const line = [[courier.lon, courier.lat]];
    let load = stops.filter(({ kind, order_id }) => kind === "dropoff" && !stops.some((one) => one.kind === "pickup" && one.order_id === order_id)).length;
    const loads = [];
    let at = Date.now() + 4 * MINUTE;
    const planned = stops.map(({ order_id, kind }, index) => {
      const order = this.fleet.orders.get(order_id);
      const { lat, lon } = kind === "dropoff" ? order.dropoff : order.pickup;
      // Around a corner, as streets lead.
      line.push([lon, line.at(-1)[1]], [lon, lat]);
      load += kind === "pickup" ? 1 : -1;
      loads.push(load);
      at += 5 * MINUTE;
      const arrival = { earliest_at: iso(at - 2 * MINUTE), expected_at: iso(at), latest_at: iso(at + 4 * MINUTE) };
      const late = kind === "dropoff" && at > Date.parse(order.promised_until);
      return { order_id, kind, sequence: index + 1, locked: index < locked, arrival, late };
    });
    const hour = 60 * MINUTE;
    const shift = { from: iso(this.fleet.now - 2 * hour), until: iso(this.fleet.now + 4 * hour), break: { from: iso(this.fleet.now + hour), until: iso(this.fleet.now + 1.5 * hour) } };
    return { version, stops: planned, shift, capacity: 6, load: loads, metres: 1_400 * stops.length, seconds: 320 * stops.length, line };
  }

  /** Answers `PUT`: `[status, body]`. */
  put(courierId, { version, stops, locked }) {
    const plan = this.of(courierId);
    if (this.rival) {
      plan.stops = [...plan.stops].reverse().sort((a, b) => (a.order_id === b.order_id ? (a.kind === "pickup" ? -1 : 1) : 0));
      plan.version += 1;
      const details = { current: plan.version, changed_by: this.rival, changed_at_ms: Date.now() - 3_000, change: "reordered" };
      this.rival = undefined;
      return [409, problem(409, "version_conflict", details)];
    }
    if (version !== plan.version) return [409, problem(409, "version_conflict", { current: plan.version })];
    const early = stops.find(({ kind, order_id }, index) => kind === "dropoff" && stops.slice(index).some((one) => one.kind === "pickup" && one.order_id === order_id));
    if (early) return [422, problem(422, "dropoff_before_pickup", { order_id: early.order_id })];
    Object.assign(plan, { version: plan.version + 1, stops, locked: locked ?? plan.locked });
    for (const order of this.fleet.ordersOf(courierId)) {
      order.seen_at = undefined;
      this.fleet.tell(order);
    }
    return [200, this.view(courierId)];
  }
}

function openStops({ id, status }) {
  if (DONE.includes(status)) return [];
  const stops = [{ order_id: id, kind: "dropoff" }];
  if (["assigned", "at_pickup"].includes(status)) stops.unshift({ order_id: id, kind: "pickup" });
  return stops;
}

function key({ order_id, kind }) {
  return order_id + kind;
}

function problem(status, code, details) {
  return { type: "about:blank", title: "Refused", status, code, details };
}

function iso(ms) {
  return new Date(ms).toISOString();
}

// Writes the fleet's feed in postcard, as far as a pretended server needs it: fields in order, varints, no names.

export class Writer {
  constructor() {
    this.parts = [];
  }

  number(value) {
    let rest = BigInt(value);
    const bytes = [];
    do {
      const low = Number(rest & 127n);
      rest >>= 7n;
      bytes.push(rest ? low | 128 : low);
    } while (rest);
    this.parts.push(Buffer.from(bytes));
    return this;
  }

  signed(value) {
    const wide = BigInt(value);
    return this.number(wide < 0n ? -wide * 2n - 1n : wide * 2n);
  }

  double(value) {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    this.parts.push(bytes);
    return this;
  }

  float(value) {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    this.parts.push(bytes);
    return this;
  }

  text(value) {
    const bytes = Buffer.from(value);
    this.number(bytes.length).parts.push(bytes);
    return this;
  }

  id(value) {
    this.number(16).parts.push(Buffer.from(value.replaceAll("-", ""), "hex"));
    return this;
  }

  option(value, write) {
    this.number(value === undefined ? 0 : 1);
    if (value !== undefined) write(value);
    return this;
  }

  list(values, write) {
    this.number(values.length);
    values.forEach(write);
    return this;
  }

  bytes() {
    return Buffer.concat(this.parts);
  }
}

const VEHICLES = ["foot", "bicycle", "scooter", "motorcycle", "car", "van"];
const STATES = ["tracking", "paused", "off_duty"];
const REASONS = ["screen_locked", "no_permission", "no_signal", "low_battery", "user"];
const STATUSES = ["created", "assigned", "at_pickup", "picked_up", "at_dropoff", "delivered", "failed", "returned", "cancelled"];

function position(to, { time_ms, lat, lon, speed_mps, heading_deg }) {
  to.signed(time_ms).double(lat).double(lon).option(undefined);
  to.option(speed_mps, (mps) => to.float(mps)).option(heading_deg, (deg) => to.float(deg));
}

function courier(to, { id, name, vehicle, position: at, battery, presence }) {
  to.id(id).text(name).number(VEHICLES.indexOf(vehicle));
  to.option(at, () => position(to, at)).option(battery, (charge) => to.float(charge));
  to.option(presence, ({ state, reason, since_ms }) => {
    to.number(STATES.indexOf(state)).option(reason, () => to.number(REASONS.indexOf(reason))).signed(since_ms);
  });
}

function order(to, { id, reference, status, status_at_ms, courier_id }) {
  to.id(id).text(reference).number(STATUSES.indexOf(status)).signed(status_at_ms);
  to.option(courier_id, (known) => to.id(known));
}

/** What an order gained since version 1 stands at the end of its message. */
function gained(to, { version, sequence, seen_at_ms }) {
  to.option(version, (known) => to.number(known)).option(sequence, (known) => to.number(known));
  to.option(seen_at_ms, (known) => to.signed(known));
}

export function snapshot(serverTimeMs, couriers, orders) {
  const to = new Writer().number(0).number(0).signed(serverTimeMs);
  to.list(couriers, (one) => courier(to, one)).list(orders, (one) => order(to, one));
  to.option(orders, () => to.list(orders, (one) => gained(to, one)));
  return to.bytes();
}

export function positions(seq, fixes) {
  const to = new Writer().number(1).number(seq);
  to.list(fixes, ({ courier_id, time_ms, lat, lon, speed_mps, heading_deg, battery }) => {
    to.id(courier_id).signed(time_ms).double(lat).double(lon);
    to.option(speed_mps, (mps) => to.float(mps)).option(heading_deg, (deg) => to.float(deg));
    to.option(battery, (charge) => to.float(charge));
  });
  return to.bytes();
}

export function orderChange(seq, changed) {
  const to = new Writer().number(3).number(seq);
  order(to, changed);
  to.option(changed, () => gained(to, changed));
  return to.bytes();
}

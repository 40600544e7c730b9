// A courier's phone with the web app on it: a browser context of its own, whose place, network and clock the test sets.

import { expect } from "@playwright/test";
import { until } from "./until.mjs";

/** How often the tests' phone gets a position when it drives. */
const STEP_MS = 1_000;

/** The phone's clock can be stopped this far ahead, whatever the machine is busy with. */
const STOP_WITHIN_MS = 5_000;

/** The courier's messages that begin with the server's clock, by their numbers: welcome, heartbeat, pong. */
const SAYS_THE_TIME = [0, 6, 7];

/**
 * To a phone whose time passes faster than the world's, or elsewhen, the server says what the phone's clock says: it is the
 * test that is wrong about the time and not the phone, which would correct itself.
 */
function liveByThePhonesClock(saysTheTime) {
  const { get } = Object.getOwnPropertyDescriptor(MessageEvent.prototype, "data");
  const varint = (number) => {
    const bytes = [];
    let rest = BigInt(number);
    for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
    return [...bytes, Number(rest)];
  };
  const retimed = (data) => {
    const bytes = new Uint8Array(data);
    if (!saysTheTime.includes(bytes[0])) return data;
    const end = bytes.findIndex((byte, index) => index > 0 && byte < 128) + 1;
    return new Uint8Array([bytes[0], ...varint(Date.now() * 2), ...bytes.subarray(end)]).buffer;
  };
  const own = new WeakMap();
  Object.defineProperty(MessageEvent.prototype, "data", {
    get() {
      const data = get.call(this);
      if (!(data instanceof ArrayBuffer) || !this.target?.url?.includes("/ws/courier")) return data;
      if (!own.has(this)) own.set(this, retimed(data));
      return own.get(this);
    },
  });
}

export class Phone {
  /** A phone that has never been here, somewhere near the door. */
  static async take(browser, doorstep, { permissions = ["geolocation"], at = [14.5062, 35.8968], clock, ...options } = {}) {
    const phone = new Phone();
    phone.doorstep = doorstep;
    phone.problems = [];
    phone.context = await browser.newContext({
      baseURL: doorstep.url,
      locale: "en-GB",
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
      permissions,
      geolocation: place(at),
      ...options,
    });
    // The position's time is the phone's: it must follow the clock that the test sets.
    await phone.context.addInitScript(() => {
      Object.defineProperty(GeolocationPosition.prototype, "timestamp", { get: () => Date.now() });
      // Counted, so that a test can wait until a position has arrived.
      const { watchPosition } = Geolocation.prototype;
      window.positions = 0;
      Geolocation.prototype.watchPosition = function (found, ...rest) {
        const count = (position) => {
          window.positions += 1;
          found(position);
        };
        return watchPosition.call(this, count, ...rest);
      };
    });
    if (clock) await phone.setClock(clock);
    await phone.open();
    return phone;
  }

  async setClock(time) {
    await this.context.clock.install({ time });
    // The numbers of its timers begin at 10^12; a program for browsers may count on 32 bits.
    await this.context.addInitScript(() => {
      const { setTimeout, clearTimeout } = window;
      const numbers = new Map();
      window.setTimeout = (...how) => {
        const number = numbers.size + 1;
        numbers.set(number, setTimeout(...how));
        return number;
      };
      window.clearTimeout = (number) => clearTimeout(numbers.get(number));
    });
    await this.context.addInitScript(liveByThePhonesClock, SAYS_THE_TIME);
  }

  /** A new tab. */
  async open() {
    const page = await this.context.newPage();
    page.on("pageerror", (error) => this.problems.push(`uncaught: ${error.message}`));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.problems.push(message.text());
    });
    // Chromium's offline switch leaves open sockets alone, so they pass through here, where a tunnel can cut them.
    await page.routeWebSocket(/\/ws\/courier/, (socket) => {
      if (this.isInTunnel) {
        socket.close();
        return;
      }
      this.sockets.add(socket);
      socket.connectToServer();
    });
    this.page = page;
    return page;
  }

  sockets = new Set();

  /** Signs in with a link as dispatch sends it. */
  async signIn(link) {
    await this.page.goto(link);
    await this.press("Sign in");
    await expect(this.page.getByRole("button", { name: "Go online" })).toBeVisible();
  }

  async goOnline() {
    await this.page.getByRole("button", { name: "Go online" }).click();
    await expect(this.page.getByRole("switch", { name: /online/i })).toHaveAttribute("aria-checked", "true");
  }

  moveTo(at) {
    return this.context.setGeolocation(place(at));
  }

  /** Moves along points, each second (or `stepMs`) of the phone's own clock, which runs as fast as it can. */
  async drive(points, stepMs = STEP_MS) {
    await this.haste(async (pass) => {
      for (const point of points) {
        const before = await this.positions();
        await this.moveTo(point);
        await until("the phone knows where it is", 5_000, async () => (await this.positions()) > before);
        await pass(stepMs);
      }
    });
  }

  positions() {
    return this.page.evaluate(() => window.positions);
  }

  /** Lets so much of the phone's own time pass at once. */
  pass(ms) {
    return this.haste((pass) => pass(ms));
  }

  /** Sleeps so long in a pocket: no timer runs, and whatever was due meanwhile happens once, at the end. */
  sleep(ms) {
    return this.haste(() => this.page.clock.fastForward(ms));
  }

  // While the clock runs by itself and by hand at once, timers may fire twice.
  async haste(work) {
    const { clock } = this.page;
    // Between the question and the stop the clock runs on, on a slow machine for long: it is never set back.
    const now = await this.page.evaluate(() => Date.now());
    await clock.pauseAt(now + STOP_WITHIN_MS);
    await work((ms) => clock.runFor(ms));
    await clock.resume();
  }

  async enterTunnel() {
    this.isInTunnel = true;
    await this.context.setOffline(true);
    for (const socket of this.sockets) await socket.close();
    this.sockets.clear();
  }

  async leaveTunnel() {
    this.isInTunnel = false;
    await this.context.setOffline(false);
  }

  /** How much the phone says that it keeps. */
  async saved() {
    const text = await this.page.getByText(/\d+ saved on phone/).textContent();
    return Number(/\d+/.exec(text)[0]);
  }

  /** The app can be opened without a network from now on. */
  async isInstalled() {
    await this.page.evaluate(() => navigator.serviceWorker.ready);
  }

  /** The courier looks at something else, or locks the phone: to a page that is the same. */
  hide() {
    return this.setVisibility("hidden");
  }

  show() {
    return this.setVisibility("visible");
  }

  setVisibility(state) {
    return this.page.evaluate((state) => {
      Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
      Object.defineProperty(document, "hidden", { configurable: true, get: () => state === "hidden" });
      document.dispatchEvent(new Event("visibilitychange"));
    }, state);
  }

  press(name) {
    return this.page.getByRole("button", { name }).click();
  }

  async throwAway() {
    await this.context.close();
  }
}

function place([longitude, latitude]) {
  return { longitude, latitude, accuracy: 5 };
}

/** A courier with a sign-in link instead of a phone that is connected. */
export async function invitedCourier(doorstep, name = "Ana") {
  const courier = await doorstep.call("POST", "/couriers", { name, vehicle: "scooter" });
  const device = await doorstep.call("POST", `/couriers/${courier.id}/devices`, { label: "phone" });
  return { id: courier.id, deviceId: device.id, token: device.token, link: device.sign_in_url };
}

/** An order for a courier, not yet picked up. */
export async function waitingOrder(doorstep, courier, details) {
  const order = await doorstep.order(details);
  await doorstep.assign(order, courier);
  return order;
}

/** Every fix of a courier that is stored, oldest first. */
export async function storedFixes(doorstep, courier) {
  const fixes = [];
  let cursor = "";
  do {
    const page = await doorstep.call("GET", `/couriers/${courier.id}/fixes?limit=1000${cursor}`);
    fixes.push(...page.items);
    cursor = page.next_cursor && `&cursor=${page.next_cursor}`;
  } while (cursor);
  return fixes;
}

/** An order that this courier fetched ten minutes ago. */
export async function pickedUpLongAgo(doorstep, courier, details) {
  const order = await waitingOrder(doorstep, courier, details);
  await doorstep.status(order, "picked_up");
  await doorstep.sql(
    `update orders set feed_from = now() - interval '10 min', leg_from = now() - interval '10 min' where id = '${order.id}'`,
  );
  // Whatever changes a courier's plan makes the server read all of it anew.
  const later = await waitingOrder(doorstep, courier);
  await doorstep.status(later, "cancelled");
  return order;
}

/** Points towards the door in bends, all of them so near that the server wants a fix every second. */
export function approach(count, stepM = 2.2) {
  const start = [14.5102, 35.8978];
  const step = stepM / 111_195;
  const bend = (index) => 0.00015 * Math.sin(index / 6);
  return Array.from({ length: count }, (_, index) => [
    Number((start[0] + index * step).toFixed(6)),
    Number((start[1] + index * step * 0.5 + bend(index)).toFixed(6)),
  ]);
}

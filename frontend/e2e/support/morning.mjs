// A morning of a dispatch office: one console, one courier's phone and two customers' pages open at once, all against one
// server, and what each of them says.

import { test as base } from "./desk.mjs";
import { Phone, invitedCourier } from "./phone.mjs";
import { expect } from "./test.mjs";
import { until } from "./until.mjs";

/** Where the courier rides: up and down in front of the kitchen, some metres with each step. */
const KITCHEN = [14.5005, 35.8935];
const STEP_DEG = 2e-4;

/** The browser itself reports each request that found no network, and each one that was refused. */
const EXPECTED =
  /net::ERR_INTERNET_DISCONNECTED|net::ERR_FAILED|WebSocket connection to|Failed to fetch|Worker failed to load|^Error$/;

export class Morning {
  static async begin(browser, doorstep, dispatcher) {
    const morning = new Morning();
    Object.assign(morning, { browser, doorstep, dispatcher, problems: [], customers: {}, orders: {}, steps: 0 });
    morning.courier = await invitedCourier(doorstep, "Ana Morning");
    morning.desk = await morning.page({ viewport: { width: 1440, height: 900 } });
    morning.phone = await Phone.take(browser, doorstep, { at: KITCHEN });
    return morning;
  }

  async page(options) {
    const context = await this.browser.newContext({ baseURL: this.doorstep.url, locale: "en-GB", ...options });
    const page = await context.newPage();
    page.on("pageerror", (error) => this.problems.push(`uncaught: ${error.message}`));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.problems.push(message.text());
    });
    return page;
  }

  /** A customer opens their link, on a phone. */
  async opens(name, path) {
    this.customers[name] ??= await this.page({ viewport: { width: 412, height: 860 } });
    await this.customers[name].goto(path);
    await expect(this.customers[name].locator(".track")).toHaveAttribute("data-map", "streets");
  }

  /** The order as the server has it. */
  stored({ id }) {
    return this.doorstep.call("GET", `/orders/${id}`);
  }

  /** The plan as the server has it, as words: `pickup Eve`. */
  async plan() {
    const { stops } = await this.doorstep.call("GET", `/couriers/${this.courier.id}/plan`);
    const name = (id) => Object.keys(this.orders).find((name) => this.orders[name].id === id);
    return stops.map(({ order_id, kind }) => `${kind} ${name(order_id)}`);
  }

  /** The courier moves on, and of all customers this one sees it, and nobody else; `undefined` is nobody. */
  async isSeenBy(name) {
    this.steps += 1;
    await this.phone.moveTo([KITCHEN[0] + STEP_DEG * (this.steps % 20), KITCHEN[1]]);
    for (const [customer, page] of Object.entries(this.customers)) {
      const shown = page.locator(".stage [data-marker=courier]").filter({ visible: true });
      await expect(shown, `${customer} sees the courier only if they are next`).toHaveCount(customer === name ? 1 : 0);
    }
    await until(`${name} alone is sent the courier's position`, 15_000, async () => {
      const seeing = [];
      for (const [customer, { token }] of Object.entries(this.orders)) {
        const answer = await fetch(`${this.doorstep.url}/api/v1/track/${token}`);
        if ((await answer.json()).position) seeing.push(customer);
      }
      return seeing.join() === (name ?? "");
    });
  }

  /** What a customer reads: the status of their order, and these words somewhere on the page. */
  async reads(name, status, ...words) {
    const track = this.customers[name].locator(".track");
    await expect(track, `what ${name} reads`).toHaveAttribute("data-status", status, { timeout: 30_000 });
    for (const text of words) await expect(track.getByText(text).first(), `what ${name} reads`).toBeVisible();
  }

  /** Photographs all pages, light and dark, the customers' and the console also in the other size. */
  async look(moment) {
    const { desk, phone, customers } = this;
    const pages = { desk, phone: phone.page, ...customers };
    for (const [name, page] of Object.entries(pages)) {
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.screenshot({ path: `e2e/test-results/looks/morning-${moment}-${name.toLowerCase()}-${colorScheme}.png` });
      }
      await page.emulateMedia({ colorScheme: "light", reducedMotion: "no-preference" });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overflow, `${name} is not wider than its screen`).toBeLessThanOrEqual(0);
    }
  }

  async end() {
    const contexts = [this.desk, ...Object.values(this.customers)].map((page) => page.context());
    await Promise.all([this.phone.throwAway(), ...contexts.map((context) => context.close())]);
    return [...this.problems, ...this.phone.problems].filter((problem) => !EXPECTED.test(problem));
  }
}

export const test = base.extend({
  /** One morning for all tests of a file, which go on where the one before ended. */
  morning: [
    async ({ browser, doorstep, dispatcher }, use) => {
      const morning = await Morning.begin(browser, doorstep, dispatcher);
      await use(morning);
      expect(await morning.end(), "what the consoles said").toEqual([]);
    },
    { scope: "worker", timeout: 120_000 },
  ],
});

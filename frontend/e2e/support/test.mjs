// What every test starts from: a server for the whole run, couriers that hang up by themselves, and a page whose console
// must stay quiet.

import { expect, test as base } from "@playwright/test";
import { road } from "./courier.mjs";
import { Doorstep } from "./doorstep.mjs";
import { until } from "./until.mjs";

export { expect };

export const test = base.extend({
  doorstep: [
    async ({}, use) => {
      const doorstep = await Doorstep.start();
      await use(doorstep);
      await doorstep.stop();
    },
    { scope: "worker", timeout: 90_000 },
  ],

  baseURL: async ({ doorstep }, use) => use(doorstep.url),

  /** What the console may say in this test: nothing. */
  expected: [/^$/, { option: true }],

  page: async ({ page, expected }, use) => {
    const problems = [];
    let refused = 0;
    let refusals = 0;
    page.on("response", (response) => {
      refused += response.request().isNavigationRequest() && response.status() >= 400 ? 1 : 0;
    });
    page.on("pageerror", (error) => problems.push(`uncaught: ${error.message}`));
    page.on("console", (message) => {
      if (!["error", "warning"].includes(message.type())) return;
      // The browser itself reports the status of a page that was refused, which some tests ask for on purpose.
      if (message.location().url === page.url()) refusals += 1;
      else problems.push(message.text());
    });
    await use(page);
    expect(refusals, "console messages about the page itself").toBeLessThanOrEqual(refused);
    expect(problems.filter((problem) => !expected.test(problem)), "what the console said").toEqual([]);
  },

  /** An order on its way, and its courier. */
  delivery: async ({ doorstep }, use) => {
    const delivery = await doorstep.delivery();
    await use(delivery);
    delivery.courier.hangUp();
  },
});

/** Sends a fix, and waits until the server has worked out the arrival from it. */
export async function arrivalIsKnown(doorstep, { courier, order }) {
  await courier.at(road(1)[0]);
  await until("the arrival is known", 10_000, async () => {
    const answer = await fetch(`${doorstep.url}/api/v1/track/${order.tracking_token}`);
    return (await answer.json()).eta !== undefined;
  });
}

/** Waits until the page is connected and the street map is drawn. */
export async function isLive(page) {
  const track = page.locator(".track");
  await expect(track).toHaveAttribute("data-link", "live");
  await expect(track).toHaveAttribute("data-map", "streets");
}

/** The courier's marker on the street map. */
export function marker(page) {
  return page.locator(".map [data-marker=courier]");
}

/** Records in the page where the marker was, and when, from now on. */
export async function record(page) {
  await marker(page).waitFor();
  await page.evaluate(() => {
    const element = document.querySelector(".map [data-marker=courier]");
    const take = () => {
      const { lon, lat, timeMs } = element.dataset;
      window.recorded.push({ lon: Number(lon), lat: Number(lat), timeMs: Number(timeMs) });
    };
    window.recorded = [];
    new MutationObserver(take).observe(element, { attributeFilter: ["data-time-ms"] });
  });
}

/** What was recorded so far. */
export function recorded(page) {
  return page.evaluate(() => window.recorded);
}

/** Waits until the marker has reached a fix. */
export function reaches(page, fix) {
  return expect(marker(page)).toHaveAttribute("data-time-ms", String(fix.time_ms), { timeout: 20_000 });
}

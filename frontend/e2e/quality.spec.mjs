// What must hold for every state of the page: nothing a checker for accessibility finds, nothing that moves by itself,
// and pictures for people to look at, in test-results/looks.

import AxeBuilder from "@axe-core/playwright";
import { road } from "./support/courier.mjs";
import { expect, isLive, test } from "./support/test.mjs";

const STATES = {
  "on-the-way": async ({ courier }) => courier.at(road(1)[0]),
  "at-the-door": async ({ doorstep, order, courier }) => {
    await courier.at(road(1)[0]);
    await doorstep.status(order, "at_dropoff");
  },
  delivered: async ({ doorstep, order }) => doorstep.status(order, "delivered", "left with the concierge"),
  failed: async ({ doorstep, order }) => doorstep.status(order, "failed", "Nobody answered the door"),
};

const SIZES = { phone: { width: 412, height: 860 }, desktop: { width: 1280, height: 800 }, narrow: { width: 320, height: 640 } };

for (const [state, bring] of Object.entries(STATES)) {
  for (const colorScheme of ["light", "dark"]) {
    test(`${state}, ${colorScheme}: accessible, whole at 320 pixels, and worth looking at`, async ({ page, doorstep, delivery }) => {
      await bring({ doorstep, ...delivery });
      await page.emulateMedia({ colorScheme });
      await page.goto(delivery.order.page);
      await expect(page.locator(".track")).toHaveAttribute("data-map", "streets");
      for (const [size, viewport] of Object.entries(SIZES)) {
        await page.setViewportSize(viewport);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overflow, `nothing is cut off at ${viewport.width} px`).toBeLessThanOrEqual(0);
        await page.screenshot({ path: `e2e/test-results/looks/${state}-${size}-${colorScheme}.png` });
      }
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`)).toEqual([]);
    });
  }
}

test("pages without an order are accessible too", async ({ page, doorstep }) => {
  await page.goto(`${doorstep.url}/t/AAAAAAAAAAAAAAAAAAAAAAAA`);
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
});

test("nothing moves while map, positions and news arrive", async ({ page, doorstep, delivery: { courier, order } }) => {
  await page.addInitScript(() => {
    window.shifted = 0;
    const add = (list) => list.getEntries().forEach((entry) => (window.shifted += entry.hadRecentInput ? 0 : entry.value));
    new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
  });
  await courier.at(road(1)[0]);
  await page.goto(order.page);
  await isLive(page);
  await courier.drive(road(4).slice(1));
  courier.presence("paused", "no_signal");
  await expect(page.locator(".bar")).toBeVisible();
  await doorstep.status(order, "at_dropoff");
  await expect(page.locator(".hero")).toContainText("Ana is outside");
  expect(await page.evaluate(() => window.shifted)).toBeLessThanOrEqual(0.02);
});

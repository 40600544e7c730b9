// Every screen of the console: accessible, nothing cut off, in three sizes, light and dark.

import AxeBuilder from "@axe-core/playwright";
import { road } from "./support/courier.mjs";
import { PATIENCE, drawer, expect, isLive, test } from "./support/desk.mjs";

test.describe.configure(PATIENCE);

const SIZES = { phone: { width: 390, height: 844 }, laptop: { width: 1024, height: 768 }, desktop: { width: 1440, height: 900 } };

const STATES = {
  inbox: () => "/dispatch",
  acknowledged: () => "/dispatch?inbox=all",
  order: ({ order }) => `/dispatch?order=${order.id}`,
  courier: ({ courier }) => `/dispatch?tab=couriers&courier=${courier.id}`,
  "new-order": () => "/dispatch?new=1",
  replay: ({ courier }) => `/dispatch?replay=${courier.id}`,
};

for (const [state, path] of Object.entries(STATES)) {
  test(`the console's ${state} is accessible and worth looking at`, async ({ desk, delivery }) => {
    delivery.courier.presence("tracking");
    await delivery.courier.at(road(1)[0]);
    await desk.goto(path(delivery));
    await isLive(desk);
    await expect(drawer(desk).getByRole("heading", { level: 2 }).first()).toBeVisible();
    for (const colorScheme of ["light", "dark"]) {
      await desk.emulateMedia({ colorScheme });
      for (const [size, viewport] of Object.entries(SIZES)) {
        await desk.setViewportSize(viewport);
        const overflow = await desk.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overflow, `nothing is cut off at ${viewport.width} px`).toBeLessThanOrEqual(0);
        await desk.screenshot({ path: `e2e/test-results/looks/dispatch-${state}-${size}-${colorScheme}.png` });
      }
      const { violations } = await new AxeBuilder({ page: desk }).analyze();
      expect(violations.map(({ id, nodes }) => `${colorScheme}: ${id}: ${nodes.map((node) => node.html).join(" ")}`)).toEqual([]);
    }
  });
}

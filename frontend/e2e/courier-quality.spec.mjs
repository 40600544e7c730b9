// What must hold for every screen of the couriers' app: nothing a checker for accessibility finds, nothing cut off on the
// smallest phone, and pictures for people to look at, in test-results/looks.

import AxeBuilder from "@axe-core/playwright";
import { test } from "./support/courier-test.mjs";
import { waitingOrder } from "./support/phone.mjs";
import { expect } from "./support/test.mjs";

const PHONE = { width: 390, height: 844 };
const NARROW = { width: 320, height: 640 };

async function look(page, name) {
  await page.setViewportSize(NARROW);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(overflow, `${name}: nothing is cut off at ${NARROW.width} px`).toBeLessThanOrEqual(0);
  await page.setViewportSize(PHONE);
  await page.screenshot({ path: `e2e/test-results/looks/courier-${name}.png` });
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
  expect(found, name).toEqual([]);
}

// The browser itself logs the 401 that a phone without a session gets.
test.use({ expected: /status of 401/ });

for (const colorScheme of ["light", "dark"]) {
  test(`every screen of a shift, ${colorScheme}: accessible, whole at 320 pixels, and worth looking at`, async ({
    doorstep,
    ana,
    takePhone,
  }) => {
    await waitingOrder(doorstep, ana, { proof: ["photo", "signature", "pin"] });
    const phone = await takePhone({ colorScheme, reducedMotion: "reduce" });
    const { page } = phone;
    await page.goto("/courier");
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await look(page, `door-${colorScheme}`);

    await phone.signIn(ana.link);
    await look(page, `off-duty-${colorScheme}`);

    await phone.goOnline();
    await expect(page.getByText(/^GPS/)).toBeVisible();
    await look(page, `to-the-pickup-${colorScheme}`);

    await page.getByRole("button", { name: "Could not pick up" }).click();
    await expect(page.getByRole("dialog")).toBeVisible();
    await look(page, `could-not-pick-up-${colorScheme}`);
    await page.keyboard.press("Escape");

    await page.getByRole("button", { name: "Account" }).click();
    await expect(page.getByRole("heading", { name: "Account" })).toBeVisible();
    await look(page, `account-${colorScheme}`);

    await page.getByRole("button", { name: "Set up" }).click();
    await expect(page.getByRole("heading", { name: "Background tracking" })).toBeVisible();
    await look(page, `trackers-${colorScheme}`);
    await page.getByRole("button", { name: /Traccar/ }).click();
    await expect(page.getByRole("img", { name: /QR code/ })).toBeVisible();
    await look(page, `tracker-settings-${colorScheme}`);
    await page.getByRole("button", { name: "Back" }).click();
    await page.getByRole("button", { name: "Back" }).click();

    for (const action of ["I have arrived", "Picked up", "I have arrived", /^Deliver$/]) await phone.press(action);
    await expect(page.getByRole("heading", { name: "Hand over" })).toBeVisible();
    await look(page, `hand-over-${colorScheme}`);
  });
}

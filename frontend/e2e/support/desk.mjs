// A dispatcher at their desk: signed in, with the console open.

import { expect, test as base } from "./test.mjs";
import { road } from "./courier.mjs";

export { expect };

export const test = base.extend({
  /** A user with the role of a dispatcher. */
  dispatcher: [async ({ doorstep }, use) => use(await doorstep.person("dispatcher")), { scope: "worker" }],

  /** The console, signed in and live. */
  desk: async ({ page, dispatcher }, use) => {
    await page.setViewportSize({ width: 1440, height: 900 });
    await signIn(page, dispatcher);
    await isLive(page);
    await use(page);
  },
});

/** Every test here opens a map of the whole fleet, drawn in software; a slow machine takes its time. */
export const PATIENCE = { timeout: 240_000 };

export async function signIn(page, { email, password }) {
  await page.goto("/dispatch");
  await expect(page).toHaveURL(/\/login\?next=%2Fdispatch/);
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/\/dispatch$/);
}

export async function isLive(page) {
  await expect(page.locator(".console")).toHaveAttribute("data-link", "live");
  await expect(page.locator(".console")).toHaveAttribute("data-known", "");
  await expect(page.locator(".stage")).toHaveAttribute("data-map", "open");
}

export const tab = (page, name) => page.getByRole("tab", { name });
export const row = (page, text) => page.getByRole("option").filter({ hasText: text });
export const drawer = (page) => page.getByRole("complementary", { name: "Details" });
export const title = (page) => drawer(page).getByRole("heading", { level: 2 });
export const search = (page) => page.getByRole("searchbox", { name: "Search orders, couriers, streets" });

/** The inbox's card with this text. */
export const card = (page, text) => drawer(page).locator(".alert").filter({ hasText: text });

/** A courier who is online at a place. */
export async function online(doorstep, name, at = road(1)[0]) {
  const courier = await doorstep.courier(name);
  courier.presence("tracking");
  await courier.at(at);
  return courier;
}

/** Presses Tab until `target` has the focus. */
export async function tabTo(page, target, key = "Tab") {
  for (let pressed = 0; pressed < 80; pressed++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`${key} does not lead to ${target}`);
}

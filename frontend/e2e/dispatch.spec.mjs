// A dispatcher's work, from signing in to the file of a courier's day; with the pointer, and by the keyboard alone.

import AxeBuilder from "@axe-core/playwright";
import { readFile } from "node:fs/promises";
import { expect, test as base } from "./support/test.mjs";
import { road } from "./support/courier.mjs";

// Every test here opens a map of the whole fleet, drawn in software; a slow machine takes its time.
base.describe.configure({ timeout: 180_000 });

const test = base.extend({
  /** Somebody who may dispatch. */
  dispatcher: [async ({ doorstep }, use) => use(await doorstep.person("dispatcher")), { scope: "worker" }],

  /** The console, signed in and live. */
  desk: async ({ page, dispatcher }, use) => {
    await page.setViewportSize({ width: 1440, height: 900 });
    await signIn(page, dispatcher);
    await isLive(page);
    await use(page);
  },
});

async function signIn(page, { email, password }) {
  await page.goto("/dispatch");
  await expect(page).toHaveURL(/\/login\?next=%2Fdispatch/);
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/\/dispatch$/);
}

async function isLive(page) {
  await expect(page.locator(".console")).toHaveAttribute("data-link", "live");
  await expect(page.locator(".console")).toHaveAttribute("data-known", "");
  await expect(page.locator(".stage")).toHaveAttribute("data-map", "open");
}

const tab = (page, name) => page.getByRole("tab", { name });
const row = (page, text) => page.getByRole("option").filter({ hasText: text });
const drawer = (page) => page.getByRole("complementary", { name: "Details" });

/** A courier who is online at a place. */
async function online(doorstep, name, at = road(1)[0]) {
  const courier = await doorstep.courier(name);
  courier.presence("tracking");
  await courier.at(at);
  return courier;
}

test("nobody gets in without signing in, and a wrong password says so", async ({ page, dispatcher }) => {
  await page.goto("/dispatch?tab=done");
  await expect(page).toHaveURL(/\/login\?next=%2Fdispatch%3Ftab%3Ddone/);
  await page.getByLabel("Email").fill(dispatcher.email);
  await page.getByLabel("Password").fill(dispatcher.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/\/dispatch\?tab=done$/);
  await expect(tab(page, "Done")).toHaveAttribute("aria-selected", "true");
});

test("an order is made by two clicks on the map, given by the menu, given on by dragging, and its customer sees it all", async ({
  desk,
  doorstep,
}) => {
  const ana = await online(doorstep, "Ana Menu");
  const joe = await online(doorstep, "Joe Drag", road(60)[59]);
  await desk.getByRole("button", { name: "New order" }).click();
  const map = desk.locator("#map canvas");
  await expect(desk.locator(".hint")).toHaveText("Click where the order is picked up");
  await map.click({ position: { x: 260, y: 380 } });
  await expect(desk.locator(".hint")).toHaveText("Click on the door");
  await map.click({ position: { x: 420, y: 300 } });
  const reference = `D-${Date.now() % 1_000_000}`;
  await desk.getByLabel("Reference").fill(reference);
  await desk.getByLabel("Pickup", { exact: true }).fill("Harbour Kitchen");
  await desk.getByLabel("Door", { exact: true }).fill("12 Triq il-Merkanti");
  await desk.getByLabel("Customer").fill("Eve");
  await desk.getByRole("button", { name: "Create order" }).click();

  await expect(drawer(desk)).toContainText(reference);
  await expect(row(desk, reference)).toBeVisible();
  await drawer(desk).getByLabel("Find a courier by name").fill("Ana Menu");
  await drawer(desk).getByRole("button", { name: "Assign to Ana Menu" }).click();
  await expect(drawer(desk).getByRole("heading", { level: 2 })).toHaveText(`${reference} · Ana Menu`);
  await tab(desk, "Active").click();
  await expect(row(desk, reference)).toContainText("Ana Menu");

  const id = new URL(desk.url()).searchParams.get("order");
  await ana.at(road(3)[2]);
  await doorstep.status({ id }, "picked_up");
  await expect(row(desk, reference)).toContainText("On the way");

  // To Joe, dropped on what the search for couriers found.
  await drawer(desk).getByRole("button", { name: "Reassign" }).click();
  await drawer(desk).getByLabel("Find a courier by name").fill("Joe Drag");
  await row(desk, reference).dragTo(drawer(desk).locator(".choice").filter({ hasText: "Joe Drag" }));
  await expect(drawer(desk).getByRole("heading", { level: 2 })).toHaveText(`${reference} · Joe Drag`);
  await joe.at(road(61)[60]);

  await expect(drawer(desk).locator(".timeline")).toContainText("Picked up");
  ana.hangUp();
  joe.hangUp();
});

test("the console and the customer's page see the courier move", async ({ desk, doorstep, delivery, browser }) => {
  const { courier, order } = delivery;
  courier.presence("tracking");
  await courier.at(road(1)[0]);
  const context = await browser.newContext({ baseURL: doorstep.url });
  const customer = await context.newPage();
  await customer.goto(order.page);
  await expect(customer.locator(".track")).toHaveAttribute("data-link", "live");
  await desk.goto(`/dispatch?order=${order.id}`);
  await isLive(desk);
  await expect(drawer(desk)).toContainText(order.reference);
  const last = await courier.at(road(40)[39]);
  await expect(customer.locator(".map [data-marker=courier]")).toHaveAttribute("data-time-ms", String(last.time_ms), { timeout: 20_000 });
  await expect(row(desk, order.reference)).toContainText("to go");
  await expect(drawer(desk)).toContainText(/now|\d s ago/);
  await context.close();
});

test("a day is played on a slider and saved as GPX", async ({ desk, delivery: { courier } }) => {
  const start = Date.now() - 60_000;
  const fixes = road(30, 20).map(([lon, lat], index) => ({ time_ms: start + index * 2_000, lat, lon, accuracy_m: 6, speed_mps: 8 }));
  await courier.send(...fixes);
  await desk.goto(`/dispatch?replay=${courier.id}`);
  await isLive(desk);
  const slider = desk.getByRole("slider", { name: "Time of day" });
  await expect(slider).toBeVisible();
  const before = await slider.inputValue();
  await desk.getByRole("button", { name: "30×" }).click();
  await desk.getByRole("button", { name: "Play" }).click();
  await expect.poll(() => slider.inputValue()).not.toBe(before);
  const download = desk.waitForEvent("download");
  await desk.getByRole("button", { name: "GPX" }).click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/^Ana-\d{4}-\d\d-\d\d\.gpx$/);
  const text = await readFile(await file.path(), "utf8");
  expect(text).toContain('<gpx version="1.1"');
  expect(text.match(/<trkpt /g).length).toBeGreaterThanOrEqual(30);
});

test("the keyboard alone finds an order, gives it away and cancels another", async ({ desk, doorstep }) => {
  const mia = await online(doorstep, "Mia Keys");
  const given = await doorstep.order();
  const called = await doorstep.order();
  const press = (key) => desk.keyboard.press(key);
  await press("/");
  await expect(desk.getByRole("searchbox", { name: "Search orders, couriers, streets" })).toBeFocused();
  await desk.keyboard.type(given.reference);
  await press("Escape");
  await press("1");
  await expect(tab(desk, "Unassigned")).toHaveAttribute("aria-selected", "true");
  await expect(row(desk, given.reference)).toBeVisible();
  await press("j");
  await expect(desk.locator("#list")).toBeFocused();
  await press("a");
  await expect(desk.getByLabel("Find a courier by name")).toBeFocused();
  await desk.keyboard.type("Mia Keys");
  await expect(desk.getByRole("button", { name: "Assign to Mia Keys" })).toBeVisible();
  await press("Tab");
  await press("Enter");
  await expect(drawer(desk).getByRole("heading", { level: 2 })).toHaveText(/· Mia Keys$/);
  await press("Escape");
  await press("?");
  await expect(desk.getByRole("dialog", { name: "Keys" })).toBeVisible();
  await press("Escape");
  await expect(desk.getByRole("dialog")).toHaveCount(0);
  await doorstep.status(called, "cancelled", "Entered twice");
  await expect(row(desk, called.reference)).toHaveCount(0);
  mia.hangUp();
});

test("search, list and what is open survive a reload, and the back button goes back", async ({ desk, doorstep }) => {
  const order = await doorstep.order();
  await tab(desk, "Unassigned").click();
  await desk.getByRole("searchbox", { name: "Search orders, couriers, streets" }).fill(order.reference);
  await row(desk, order.reference).click();
  await expect(desk).toHaveURL(new RegExp(`order=${order.id}`));
  await desk.reload();
  await isLive(desk);
  await expect(drawer(desk)).toContainText(order.reference);
  await expect(desk.getByRole("searchbox", { name: "Search orders, couriers, streets" })).toHaveValue(order.reference);
  await desk.getByRole("button", { name: "Close" }).click();
  await expect(desk).not.toHaveURL(/order=/);
  await desk.goBack();
  await expect(drawer(desk)).toContainText(order.reference);
});

test("a cut line is told, and comes back with what happened meanwhile", async ({ page, doorstep, dispatcher }) => {
  const sockets = [];
  let isCut = false;
  await page.routeWebSocket(/\/ws\/fleet/, (socket) => {
    if (isCut) {
      socket.close({ code: 4000, reason: "cut" });
      return;
    }
    socket.connectToServer();
    sockets.push(socket);
  });
  await page.setViewportSize({ width: 1440, height: 900 });
  await signIn(page, dispatcher);
  await isLive(page);
  isCut = true;
  await Promise.all(sockets.map((socket) => socket.close({ code: 4000, reason: "cut" })));
  await expect(page.locator(".bar")).toBeVisible();
  const order = await doorstep.order();
  isCut = false;
  await tab(page, "Unassigned").click();
  await expect(row(page, order.reference)).toBeVisible({ timeout: 45_000 });
  await expect(page.locator(".bar")).toBeHidden();
});

for (const colorScheme of ["light", "dark"]) {
  test(`every screen is accessible and worth looking at, ${colorScheme}`, async ({ desk, delivery: { courier, order } }) => {
    courier.presence("tracking");
    await courier.at(road(1)[0]);
    await desk.emulateMedia({ colorScheme });
    const states = {
      inbox: "/dispatch",
      order: `/dispatch?order=${order.id}`,
      courier: `/dispatch?tab=couriers&courier=${courier.id}`,
      "new-order": "/dispatch?new=1",
      replay: `/dispatch?replay=${courier.id}`,
    };
    const sizes = { desktop: { width: 1440, height: 900 }, laptop: { width: 1024, height: 768 }, phone: { width: 390, height: 844 } };
    for (const [state, path] of Object.entries(states)) {
      await desk.setViewportSize(sizes.desktop);
      await desk.goto(path);
      await isLive(desk);
      await expect(drawer(desk).getByRole("heading", { level: 2 }).first()).toBeVisible();
      for (const [size, viewport] of Object.entries(sizes)) {
        await desk.setViewportSize(viewport);
        const overflow = await desk.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overflow, `nothing is cut off at ${viewport.width} px`).toBeLessThanOrEqual(0);
        await desk.screenshot({ path: `e2e/test-results/looks/dispatch-${state}-${size}-${colorScheme}.png` });
      }
      await desk.setViewportSize(sizes.desktop);
      const { violations } = await new AxeBuilder({ page: desk }).analyze();
      expect(violations.map(({ id, nodes }) => `${state}: ${id}: ${nodes.map((node) => node.html).join(" ")}`)).toEqual([]);
    }
  });
}

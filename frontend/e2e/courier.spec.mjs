// The courier's app, from the link that dispatch sends to the door, through tunnels and closed tabs.

import { test } from "./support/courier-test.mjs";
import { DROPOFF, PICKUP } from "./support/doorstep.mjs";
import { approach, pickedUpLongAgo, storedFixes, waitingOrder } from "./support/phone.mjs";
import { expect, isLive, record, recorded } from "./support/test.mjs";
import { until } from "./support/until.mjs";

// The browser itself reports every request that found no network, and every one that was refused.
const WITHOUT_NETWORK =
  /net::ERR_INTERNET_DISCONNECTED|net::ERR_FAILED|WebSocket connection to|Failed to fetch|Worker failed to load|^Error$/;
const REFUSED = /status of 401|status of 410/;

// A final button can be taken back for eight seconds; the server hears of it after that.
const HELD = { timeout: 20_000 };

// Orders at one kitchen in a row are one stop: these are fetched elsewhere.
const BAKERY = { lat: 35.8951, lon: 14.5041, address: "Corner Bakery" };
const FLORIST = { lat: 35.8969, lon: 14.5079, address: "Strait Florist" };

test("a courier signs in by link, goes online and delivers, and the customer follows", async ({
  page,
  doorstep,
  ana,
  takePhone,
}) => {
  const order = await waitingOrder(doorstep, ana);
  const phone = await takePhone({ at: [PICKUP.lon, PICKUP.lat] });
  await phone.signIn(ana.link);
  await expect(phone.page).toHaveURL(/\/courier$/);
  await expect(phone.page.getByRole("heading", { name: PICKUP.address })).toBeVisible();
  await page.goto(order.page);
  await phone.goOnline();
  await phone.press("I have arrived");
  await phone.press("Picked up");
  await expect(phone.page.getByRole("heading", { name: DROPOFF.address })).toBeVisible();
  await expect(phone.page.getByText(DROPOFF.instructions)).toBeVisible();
  await expect(page.locator(".track")).toHaveAttribute("data-status", "picked_up");
  await isLive(page);
  await expect(phone.page.getByText("1 customer can see you now")).toBeVisible();
  await record(page);
  const begun = (await storedFixes(doorstep, ana)).length;
  const way = approach(90, 10);
  const left = Date.now();
  await until("fixes of the drive are stored", 60_000, async () => {
    const driven = Math.floor((Date.now() - left) / 1_000);
    await phone.moveTo(way[Math.min(driven, way.length - 1)]);
    return (await storedFixes(doorstep, ana)).length > begun + 2;
  });
  await until("the marker has moved", 10_000, async () => (await recorded(page)).length > 2);
  await phone.press("I have arrived");
  await expect(page.locator(".track")).toHaveAttribute("data-status", "at_dropoff");
  await phone.press("Delivered");
  await expect(page.locator(".track"), "it is held for a moment").toHaveAttribute("data-status", "delivered", HELD);
  await expect(phone.page.getByRole("heading", { name: "No more stops", level: 2 })).toBeVisible();
});

test("a stop that dispatch takes back while the courier says why it failed is not mistaken for the next one", async ({
  doorstep,
  ana,
  takePhone,
}) => {
  const order = await waitingOrder(doorstep, ana);
  const next = await waitingOrder(doorstep, ana, { pickup: BAKERY });
  const phone = await takePhone();
  await phone.signIn(ana.link);
  await phone.goOnline();
  await phone.press("Could not pick up");
  const sheet = phone.page.getByRole("dialog");
  await sheet.getByLabel("Closed").check();
  await doorstep.status(order, "cancelled", "The customer changed their mind");
  await expect(sheet).toBeHidden();
  await expect(phone.page.getByText(new RegExp(`^Order ${next.reference}`))).toBeVisible();
  expect((await doorstep.call("GET", `/orders/${next.id}`)).status).toBe("assigned");
});

test.describe("a sign-in link", () => {
  test.use({ expected: REFUSED });

  test("is not used up by what opens it and runs its scripts", async ({ ana, takePhone }) => {
    const scanner = await takePhone();
    const asked = [];
    scanner.page.on("request", (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`));
    await scanner.page.goto(ana.link, { waitUntil: "networkidle" });
    await expect(scanner.page.getByRole("heading", { name: "Sign in on this phone" })).toBeVisible();
    expect(asked.filter((request) => request.startsWith("POST"))).toEqual([]);
    await expect(scanner.page).toHaveURL(/\/courier$/);
    const phone = await takePhone();
    await phone.signIn(ana.link);
  });

  test("works once", async ({ ana, takePhone }) => {
    const first = await takePhone();
    await first.signIn(ana.link);
    const second = await takePhone();
    await second.page.goto(ana.link);
    await second.press("Sign in");
    await expect(second.page.getByRole("heading", { name: /link has ended/ })).toBeVisible();
    await expect(second.page.getByRole("button", { name: "Go online" })).toHaveCount(0);
    await first.page.reload();
    await expect(first.page.getByRole("button", { name: "Go online" })).toBeVisible();
  });
});

test.describe("without a network", () => {
  test.use({ expected: WITHOUT_NETWORK });

  test("three minutes in a tunnel: the newest position comes first, and every fix is stored once with its own time", async ({
    page,
    doorstep,
    ana,
    takePhone,
  }) => {
    test.setTimeout(120_000);
    const order = await pickedUpLongAgo(doorstep, ana);
    // In step with the world when the tunnel ends.
    const phone = await takePhone({ at: approach(1)[0], clock: Date.now() - 200_000 });
    await phone.signIn(ana.link);
    await page.goto(order.page);
    await phone.goOnline();
    await expect(page.locator(".track")).toHaveAttribute("data-map", "streets");
    await expect(phone.page.getByText("1 customer can see you now")).toBeVisible();
    const way = approach(190);
    await phone.drive(way.slice(0, 6));
    await until("the drive has begun", 15_000, async () => (await storedFixes(doorstep, ana)).length >= 4);

    await phone.enterTunnel();
    const begun = (await storedFixes(doorstep, ana)).at(-1).time_ms;
    await phone.drive(way.slice(6, 186));
    const saved = phone.page.getByText(/No network · \d+ saved on phone/);
    await expect(saved).toBeVisible();
    const kept = Number(/\d+/.exec(await saved.textContent())[0]);
    expect(kept).toBeGreaterThanOrEqual(180);
    await record(page);
    await phone.leaveTunnel();
    await until("everything is stored", 30_000, async () => (await storedFixes(doorstep, ana)).length >= kept + 4);

    const fixes = await storedFixes(doorstep, ana);
    const newest = fixes.at(-1);
    const inTunnel = fixes.filter(({ time_ms }) => time_ms > begun);
    expect(inTunnel.length).toBeGreaterThanOrEqual(180);
    expect(new Set(inTunnel.map(({ time_ms }) => time_ms)).size).toBe(inTunnel.length);
    const gaps = inTunnel.slice(1).map((fix, index) => fix.time_ms - inTunnel[index].time_ms);
    expect(Math.max(...gaps), "no second is missing").toBeLessThan(2_500);

    const moments = await recorded(page);
    const first = moments.find(({ timeMs }) => timeMs > begun + 20_000);
    expect(first.timeMs, "at once, not through the tunnel").toBeGreaterThan(newest.time_ms - 5_000);
    const back = moments.filter((moment, index) => index > 0 && moment.timeMs < moments[index - 1].timeMs);
    expect(back).toEqual([]);
    await until("the way through the tunnel is drawn", 10_000, async () => {
      const answer = await fetch(`${doorstep.url}/api/v1/track/${order.tracking_token}`);
      const { trail } = await answer.json();
      // The bends are in it; from before and after the tunnel alone it would be all but straight.
      return trail?.length > 8;
    });
  });

  test("a tab closed in a tunnel and opened again there has lost nothing", async ({ doorstep, ana, takePhone }) => {
    await pickedUpLongAgo(doorstep, ana);
    const phone = await takePhone({ at: approach(1)[0], clock: Date.now() - 500_000 });
    await phone.signIn(ana.link);
    await phone.isInstalled();
    await phone.goOnline();
    await until("the first fix is stored", 15_000, async () => (await storedFixes(doorstep, ana)).length >= 1);
    await phone.enterTunnel();
    // No customer or dispatcher looks, so the server asks for a fix every 30 s.
    await phone.drive(approach(14, 10).slice(1), 31_000);
    await phone.press("I have arrived");
    const kept = await phone.saved();
    expect(kept).toBeGreaterThanOrEqual(10);
    await phone.page.close();
    await phone.open();
    await phone.page.goto("/courier");
    await expect(phone.page.getByRole("heading", { name: DROPOFF.address })).toBeVisible();
    expect(await phone.saved()).toBeGreaterThanOrEqual(kept);
    await phone.leaveTunnel();
    await until("everything is stored", 30_000, async () => (await storedFixes(doorstep, ana)).length >= kept);
    await until("the arrival is known", 15_000, async () => {
      const { items } = await doorstep.call("GET", "/orders");
      return items.some((order) => order.courier_id === ana.id && order.status === "at_dropoff");
    });
  });

  test("what was pressed in a tunnel arrives in order, with the times at which it was pressed", async ({
    doorstep,
    ana,
    takePhone,
  }) => {
    const order = await waitingOrder(doorstep, ana);
    await doorstep.sql(`update orders set status_at = status_at - interval '10 min' where id = '${order.id}'`);
    const phone = await takePhone({ clock: Date.now() - 130_000 });
    await phone.signIn(ana.link);
    await phone.goOnline();
    await phone.enterTunnel();
    for (const action of ["I have arrived", "Picked up", "I have arrived", "Delivered"]) {
      await phone.press(action);
      await phone.pass(20_000);
    }
    await phone.leaveTunnel();
    await until("it is delivered", 30_000, async () => (await doorstep.call("GET", `/orders/${order.id}`)).status === "delivered");
    const { timeline } = await doorstep.call("GET", `/orders/${order.id}`);
    const pressed = timeline.filter(({ status }) => !["created", "assigned"].includes(status));
    expect(pressed.map(({ status }) => status)).toEqual(["at_pickup", "picked_up", "at_dropoff", "delivered"]);
    const times = pressed.map(({ at }) => Date.parse(at));
    const gaps = times.slice(1).map((time, index) => time - times[index]);
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(19_000);
  });

  test("orders taken away meanwhile are said in a sentence each, and nothing else is lost", async ({ doorstep, ana, takePhone }) => {
    const order = await waitingOrder(doorstep, ana);
    const untouched = await waitingOrder(doorstep, ana, { pickup: BAKERY });
    const other = await waitingOrder(doorstep, ana, { pickup: FLORIST });
    const phone = await takePhone();
    await phone.signIn(ana.link);
    await phone.goOnline();
    await phone.enterTunnel();
    await phone.press("I have arrived");
    await doorstep.status(order, "cancelled", "The customer changed their mind");
    await doorstep.status(untouched, "cancelled", "The customer changed their mind");
    await phone.leaveTunnel();
    const told = (order) => phone.page.locator("p").filter({ hasText: `Order ${order.reference}, ` });
    await expect(told(order)).toHaveText(/was already cancelled\. Your “I have arrived” was passed on to dispatch/);
    // One notice at a time; the next comes when the first was read.
    await phone.page.getByRole("button", { name: "Dismiss" }).click();
    await expect(told(untouched)).toHaveText(/was taken off your list/);
    await expect(phone.page.getByRole("heading", { name: FLORIST.address })).toBeVisible();
    await expect(phone.page.getByText(new RegExp(other.reference)).first()).toBeVisible();
  });
});

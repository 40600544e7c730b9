// A dispatcher's work, from signing in to the file of a trip; with the pointer, and by the keyboard alone.

import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { road } from "./support/courier.mjs";
import { PATIENCE, card, drawer, expect, isLive, online, row, search, signIn, tab, tabTo, test, title } from "./support/desk.mjs";
import { gpxProblems } from "./support/gpx.mjs";

test.describe.configure(PATIENCE);

/** Some kilometres from every door: a delivery here is one far from the door. */
const FAR = [14.47, 35.87];

const newReference = () => `D-${randomBytes(3).toString("hex")}`;
const marker = (page) => page.locator(".map [data-marker=courier]");
const far = (index) => [FAR[0] + index * 1e-4, FAR[1]];

/** The customer's page, in a browser of its own. */
async function customerPage(browser, doorstep, path) {
  const context = await browser.newContext({ baseURL: doorstep.url });
  const page = await context.newPage();
  await page.goto(path);
  await expect(page.locator(".track")).toHaveAttribute("data-link", "live");
  return page;
}

const reaches = (page, fix) => expect(marker(page)).toHaveAttribute("data-time-ms", String(fix.time_ms), { timeout: 30_000 });

test("nobody gets in without signing in, and a wrong password says so", async ({ page, dispatcher }) => {
  await page.goto("/dispatch?tab=done");
  await expect(page).toHaveURL(/\/login\?next=%2Fdispatch%3Ftab%3Ddone/);
  await page.getByLabel("Email").fill(dispatcher.email);
  await page.getByLabel("Password").fill("not this one");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await page.getByLabel("Email").fill(dispatcher.email);
  await page.getByLabel("Password").fill(dispatcher.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/\/dispatch\?tab=done$/);
  await expect(tab(page, "Done")).toHaveAttribute("aria-selected", "true");
});

test("an order's whole life: made on the map, given, given on, followed, delivered in the wrong place, acknowledged, replayed, saved", async ({
  desk,
  dispatcher,
  doorstep,
  browser,
}) => {
  const ana = await online(doorstep, "Ana Menu");
  const joe = await online(doorstep, "Joe Drag", FAR);
  const reference = newReference();

  await test.step("made by two clicks on the map", async () => {
    await desk.getByRole("button", { name: "New order" }).click();
    const map = desk.locator("#map canvas");
    await expect(desk.locator(".hint")).toHaveText("Click where the order is picked up");
    await map.click({ position: { x: 260, y: 380 } });
    await expect(desk.locator(".hint")).toHaveText("Click on the door");
    await map.click({ position: { x: 420, y: 300 } });
    await desk.getByLabel("Reference").fill(reference);
    await desk.getByLabel("Pickup", { exact: true }).fill("Harbour Kitchen");
    await desk.getByLabel("Door", { exact: true }).fill("12 Triq il-Merkanti");
    await desk.getByLabel("Customer").fill("Eve");
    await desk.getByRole("button", { name: "Create order" }).click();
    await expect(title(desk)).toHaveText(reference);
    await expect(row(desk, reference)).toBeVisible();
  });
  const id = new URL(desk.url()).searchParams.get("order");

  const customer = await test.step("its link opened by the customer", async () => {
    await drawer(desk).getByRole("button", { name: "Tracking link" }).click();
    const link = await desk.locator("#tracking-url").textContent();
    await expect(desk.getByRole("dialog").getByRole("img", { name: "QR code of the tracking link" })).toBeVisible();
    await desk.keyboard.press("Escape");
    await expect(desk.getByRole("dialog")).toHaveCount(0);
    return customerPage(browser, doorstep, new URL(link).pathname);
  });

  await test.step("given by the menu", async () => {
    await drawer(desk).getByLabel("Find a courier by name").fill("Ana Menu");
    await drawer(desk).getByRole("button", { name: "Assign to Ana Menu" }).click();
    await expect(title(desk)).toHaveText(`${reference} · Ana Menu`);
    await tab(desk, "Active").click();
    await expect(row(desk, reference)).toContainText("Ana Menu");
  });

  await test.step("followed, here and on the customer's page", async () => {
    await doorstep.status({ id }, "picked_up");
    await expect(row(desk, reference)).toContainText("On the way");
    await ana.at(road(3)[2]);
    const line = row(desk, reference).locator(".row-line");
    await expect(line).toContainText("to go");
    const before = await line.textContent();
    // Steps of at most 300 m: the server rejects greater leaps.
    const way = road(120);
    for (const point of [way[30], way[60], way[90]]) await ana.at(point);
    const fix = await ana.at(way[119]);
    await expect(line).not.toHaveText(before);
    await expect(line).toContainText("to go");
    await reaches(customer, fix);
  });

  await test.step("given on by dragging", async () => {
    await drawer(desk).getByRole("button", { name: "Reassign" }).click();
    await drawer(desk).getByLabel("Find a courier by name").fill("Joe Drag");
    await row(desk, reference).dragTo(drawer(desk).locator(".choice").filter({ hasText: "Joe Drag" }));
    await expect(title(desk)).toHaveText(`${reference} · Joe Drag`);
    let fix;
    for (let index = 1; index < 12; index++) fix = await joe.at(far(index));
    await reaches(customer, fix);
  });

  await test.step("delivered far from the door, which somebody takes care of", async () => {
    await drawer(desk).getByText("Change status").click();
    await drawer(desk).getByRole("button", { name: "Delivered", exact: true }).click();
    await expect(customer.locator("h1")).toContainText("Delivered");
    await desk.keyboard.press("i");
    const trouble = card(desk, reference);
    await expect(trouble).toContainText(/was delivered [\d.]+ k?m from its door/, { timeout: 30_000 });
    await trouble.getByRole("button", { name: /^Acknowledge: / }).click();
    await expect(trouble).toHaveCount(0);
    await drawer(desk).getByRole("button", { name: "All", exact: true }).click();
    await expect(trouble).toContainText(`Acknowledged by ${dispatcher.email}`);
  });

  await test.step("the ten minutes around it, replayed", async () => {
    await card(desk, reference).getByRole("button", { name: /^Replay 10 min/ }).click();
    await expect(desk).toHaveURL(/between=/);
    await expect(title(desk)).toHaveText("Joe Drag");
    await expect(desk.getByRole("slider", { name: "Time of day" })).toBeVisible();
  });

  await test.step("the trip, replayed and saved as GPX", async () => {
    await tab(desk, "Done").click();
    await row(desk, reference).click();
    await expect(title(desk)).toHaveText(`${reference} · Joe Drag`);
    await drawer(desk).getByRole("button", { name: "Replay", exact: true }).click();
    const slider = desk.getByRole("slider", { name: "Time of day" });
    await expect(slider).toBeVisible();
    const before = await slider.inputValue();
    await desk.getByRole("button", { name: "1×", exact: true }).click();
    await desk.getByRole("button", { name: "Play" }).click();
    await expect.poll(() => slider.inputValue()).not.toBe(before);
    const coming = desk.waitForEvent("download");
    await desk.getByRole("button", { name: "GPX" }).click();
    const file = await coming;
    expect(file.suggestedFilename()).toMatch(/^Joe-Drag-\d{4}-\d\d-\d\d\.gpx$/);
    const text = await readFile(await file.path(), "utf8");
    expect(await gpxProblems(desk, text)).toEqual([]);
    expect(text.match(/<trkpt /g).length).toBeGreaterThanOrEqual(11);
    expect(text).toContain("<name>Joe Drag</name>");
  });
  ana.hangUp();
  joe.hangUp();
});

test("a day with a gap is a file with a segment on each side of it, and what is no GPX is found out", async ({ desk, delivery: { courier } }) => {
  const start = Date.now() - 600_000;
  const fix = ([lon, lat], index) => ({ time_ms: start + index * 2_000, lat, lon, accuracy_m: 6, speed_mps: 8, heading_deg: 50, altitude_m: 12.5 });
  const later = ([lon, lat], index) => ({ ...fix([lon, lat], index), time_ms: start + 400_000 + index * 2_000 });
  await courier.send(...road(30, 20).map(fix), ...road(30, 20).map(later));
  await desk.goto(`/dispatch?replay=${courier.id}`);
  await isLive(desk);
  const coming = desk.waitForEvent("download");
  await desk.getByRole("button", { name: "GPX" }).click();
  const text = await readFile(await (await coming).path(), "utf8");
  expect(await gpxProblems(desk, text)).toEqual([]);
  expect(text.match(/<trkseg>/g)).toHaveLength(2);
  for (const [what, broken] of [
    ["time before ele", text.replace(/(<ele>[^<]*<\/ele>)(<time>[^<]*<\/time>)/, "$2$1")],
    ["no version", text.replace(' version="1.1"', "")],
    ["a longitude of 180", text.replace(/lon="[^"]*"/, 'lon="180"')],
    ["a time of day alone", text.replace(/<time>[^<]*/, "<time>12:00")],
    ["speed as in GPX 1.0", text.replace(/<extensions>.*?<\/extensions>/, "<speed>8</speed>")],
    ["a point outside its segment", text.replace("</trkseg>", '</trkseg><trkpt lat="1" lon="1"></trkpt>')],
    ["another namespace", text.replace("GPX/1/1", "GPX/1/0")],
    ["cut off", text.slice(0, -10)],
  ]) {
    expect(broken, what).not.toBe(text);
    expect(await gpxProblems(desk, broken), what).not.toEqual([]);
  }
});

test("the whole work by the keyboard alone", async ({ page, dispatcher, doorstep }) => {
  const [mia, sam] = [await online(doorstep, "Mia Keys", FAR), await online(doorstep, "Sam Keys", FAR)];
  const reference = newReference();
  const press = (key) => page.keyboard.press(key);
  const type = (text) => page.keyboard.type(text);
  await page.setViewportSize({ width: 1440, height: 900 });

  await test.step("signs in", async () => {
    await page.goto("/dispatch");
    await tabTo(page, page.getByLabel("Email"));
    await type(dispatcher.email);
    await press("Tab");
    await type(dispatcher.password);
    await press("Enter");
    await isLive(page);
  });

  await test.step("creates an order, with addresses from the search", async () => {
    await press("n");
    await expect(page.getByLabel("Reference")).toBeFocused();
    await type(reference);
    for (const label of ["Pickup", "Door"]) {
      await tabTo(page, page.getByLabel(label, { exact: true }));
      await type("Triq il-Merkanti");
      const found = page.getByRole("list", { name: "Addresses found" }).getByRole("button").first();
      await expect(found).toBeVisible();
      await tabTo(page, found);
      await press("Enter");
      await expect(page.getByLabel(label, { exact: true })).toHaveValue(/Merkanti/);
    }
    await tabTo(page, page.getByLabel("Customer"));
    await type("Eve");
    await press("Enter");
    await expect(title(page)).toHaveText(reference);
  });
  const id = new URL(page.url()).searchParams.get("order");

  await test.step("finds it, gives it, and gives it on", async () => {
    await press("Escape");
    await press("/");
    await expect(search(page)).toBeFocused();
    await type(reference);
    await expect(row(page, reference)).toBeVisible();
    await press("Escape");
    await press("1");
    await expect(tab(page, "Unassigned")).toHaveAttribute("aria-selected", "true");
    await press("/");
    const found = page.waitForResponse((response) => response.url().includes(`q=${reference}`));
    await type(reference);
    await found;
    await expect(page.locator("#list").getByRole("option")).toHaveCount(1);
    await tabTo(page, page.locator("#list"));
    await press("j");
    for (const name of ["Mia Keys", "Sam Keys"]) {
      await press("a");
      await expect(page.getByLabel("Find a courier by name")).toBeFocused();
      await type(name);
      await tabTo(page, page.getByRole("button", { name: `Assign to ${name}` }));
      await press("Enter");
      await expect(title(page)).toHaveText(`${reference} · ${name}`);
    }
  });

  await test.step("sets it delivered, and acknowledges with a note that it was elsewhere", async () => {
    await sam.at(far(1));
    await tabTo(page, drawer(page).locator("summary", { hasText: "Change status" }));
    await press("Enter");
    await tabTo(page, drawer(page).getByRole("button", { name: "Delivered", exact: true }));
    await press("Enter");
    await expect(drawer(page).locator(".open > .badge")).toHaveText("Delivered");
    await press("i");
    await expect(card(page, reference)).toBeVisible({ timeout: 30_000 });
    await tabTo(page, card(page, reference).getByRole("button", { name: /^Acknowledge with a note/ }));
    await press("Enter");
    await expect(page.getByLabel("What you did about it")).toBeFocused();
    await type("The customer met Sam at the office");
    await press("Enter");
    await expect(page.getByRole("dialog")).toHaveCount(0);
    await expect(card(page, reference)).toHaveCount(0);
    await tabTo(page, drawer(page).getByRole("button", { name: "All", exact: true }));
    await press("Enter");
    await expect(card(page, reference)).toContainText("The customer met Sam at the office");
  });

  await test.step("replays the minutes around it and saves them", async () => {
    await tabTo(page, card(page, reference).getByRole("button", { name: /^Replay 10 min/ }));
    await press("Enter");
    const slider = page.getByRole("slider", { name: "Time of day" });
    await expect(title(page)).toHaveText("Sam Keys");
    await expect(slider).toBeAttached();
    await tabTo(page, page.getByRole("button", { name: "GPX" }));
    const coming = page.waitForEvent("download");
    await press("Enter");
    const text = await readFile(await (await coming).path(), "utf8");
    expect(await gpxProblems(page, text)).toEqual([]);
  });

  await test.step("leaves, and looks up the keys", async () => {
    await press("Escape");
    await press("?");
    await expect(page.getByRole("dialog", { name: "Keys" })).toBeVisible();
    await press("Escape");
    await expect(page.getByRole("dialog")).toHaveCount(0);
  });
  expect(id).toBeTruthy();
  mia.hangUp();
  sam.hangUp();
});

test("search, list and what is open survive a reload, and the back button goes back", async ({ desk, doorstep }) => {
  const order = await doorstep.order();
  await tab(desk, "Unassigned").click();
  await search(desk).fill(order.reference);
  await row(desk, order.reference).click();
  await expect(desk).toHaveURL(new RegExp(`order=${order.id}`));
  await desk.reload();
  await isLive(desk);
  await expect(drawer(desk)).toContainText(order.reference);
  await expect(search(desk)).toHaveValue(order.reference);
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
  await expect(row(page, order.reference)).toBeVisible({ timeout: 60_000 });
  await expect(page.locator(".bar")).toBeHidden();
});

// A failure is not an end, and plans change: what the courier's phone and the customer's page say, and what becomes of it.

import { test } from "./support/courier-test.mjs";
import { DROPOFF, PICKUP } from "./support/doorstep.mjs";
import { waitingOrder } from "./support/phone.mjs";
import { expect } from "./support/test.mjs";
import { until } from "./support/until.mjs";

/** A final button is held for eight seconds; with time for a slow machine. */
const HELD_MS = 20_000;

async function online(ana, takePhone) {
  const phone = await takePhone({ at: [PICKUP.lon, PICKUP.lat] });
  await phone.signIn(ana.link);
  await phone.goOnline();
  return phone;
}

/** What the server says of an order, in the end. */
function becomes(doorstep, order, status) {
  return until(`it is ${status}`, HELD_MS, async () => (await doorstep.call("GET", `/orders/${order.id}`)).status === status);
}

/** Says at the stop in hand what happened, and what next. */
async function report(phone, button, reason, way) {
  await phone.press(button);
  const sheet = phone.page.getByRole("dialog");
  await sheet.getByLabel(reason, { exact: true }).check();
  await sheet.getByRole("button", { name: way }).click();
  await expect(sheet).toBeHidden();
}

async function change(doorstep, order, body) {
  const { version } = await doorstep.call("GET", `/orders/${order.id}`);
  const answer = await fetch(`${doorstep.url}/api/v1/orders/${order.id}`, {
    method: "PATCH",
    headers: {
      authorization: `Bearer ${doorstep.key}`,
      "content-type": "application/json",
      "if-match": `"${version}"`,
    },
    body: JSON.stringify(body),
  });
  expect(answer.status, await answer.text()).toBe(200);
}

test("not ready is waiting, and the order goes on", async ({ page, doorstep, ana, takePhone }) => {
  const order = await waitingOrder(doorstep, ana);
  const phone = await online(ana, takePhone);
  await page.goto(order.page);
  await report(phone, "Could not pick up", "Not ready", "Wait here");
  await expect(phone.page.getByText(/^Waiting since \d\d:\d\d/)).toBeVisible();
  await expect(page.locator(".track")).toHaveAttribute("data-status", "at_pickup");
  await phone.press("Picked up");
  await expect(page.locator(".track")).toHaveAttribute("data-status", "picked_up");
  await expect(phone.page.getByText(/^Waiting since/)).toBeHidden();
});

test("an order that is given back waits for another courier, and its customer reads that", async ({
  page,
  doorstep,
  ana,
  takePhone,
}) => {
  const order = await waitingOrder(doorstep, ana);
  const phone = await online(ana, takePhone);
  await page.goto(order.page);
  await report(phone, "Could not pick up", "Closed", "Give the order back");
  await expect(phone.page.getByRole("status").filter({ hasText: `${order.reference} given back` })).toBeVisible();
  await becomes(doorstep, order, "created");
  await expect(page.getByText("No courier yet")).toBeVisible();
  await expect(page.locator(".track")).toHaveAttribute("data-status", "created");
});

test("goods that were refused stay on the list until they are brought back", async ({ page, doorstep, ana, takePhone }) => {
  const order = await waitingOrder(doorstep, ana);
  const phone = await online(ana, takePhone);
  await page.goto(order.page);
  for (const action of ["I have arrived", "Picked up", "I have arrived"]) await phone.press(action);
  await report(phone, "Could not deliver", "Refused", "Report");
  await expect(phone.page.getByRole("heading", { name: `Bring back to ${PICKUP.address}` })).toBeVisible();
  await becomes(doorstep, order, "failed");
  await expect(page.getByText(/It is still with the courier/)).toBeVisible();
  await phone.press("Brought back");
  await becomes(doorstep, order, "returned");
  await expect(page.getByText(`Returned to ${PICKUP.address}`).first()).toBeVisible();
  await expect(phone.page.getByRole("heading", { name: "No more stops", level: 2 })).toBeVisible();
});

test("a changed address is told and marked until it is read", async ({ doorstep, ana, takePhone }) => {
  const order = await waitingOrder(doorstep, ana);
  await doorstep.status(order, "picked_up");
  const phone = await online(ana, takePhone);
  await expect(phone.page.getByRole("heading", { name: DROPOFF.address })).toBeVisible();
  await phone.press("Account");
  await change(doorstep, order, { dropoff: { address: "9 Old Bakery Street" } });
  await expect(phone.page.getByText(`Order ${order.reference}: address changed. Now: 9 Old Bakery Street.`)).toBeVisible();
  await phone.press("Back");
  const mark = phone.page.getByText("Address changed", { exact: true }).filter({ visible: true });
  await expect(mark).toBeVisible();
  await expect(phone.page.locator("s")).toHaveText(DROPOFF.address);
  await until("dispatch knows that it was seen", 10_000, async () => {
    const { seen_at } = await doorstep.call("GET", `/orders/${order.id}`);
    return Boolean(seen_at);
  });
  await phone.press("Got it");
  await expect(mark).toHaveCount(0);
});

test("the courier puts their stops in order by button and by dragging, and the plan follows", async ({
  doorstep,
  ana,
  takePhone,
}) => {
  const places = [
    { lat: 35.8951, lon: 14.5041, address: "1 Strait Street" },
    { lat: 35.8969, lon: 14.5079, address: "2 Strait Street" },
    { lat: 35.8989, lon: 14.5109, address: "3 Strait Street" },
  ];
  for (const dropoff of places) {
    const order = await waitingOrder(doorstep, ana, { dropoff });
    await doorstep.status(order, "picked_up");
  }
  const plan = async () => {
    const { stops } = await doorstep.call("GET", `/couriers/${ana.id}/plan`);
    const orders = await Promise.all(stops.map(({ order_id }) => doorstep.call("GET", `/orders/${order_id}`)));
    return orders.map(({ dropoff }) => dropoff.address.slice(0, 1)).join("");
  };
  const begun = await plan();
  const phone = await online(ana, takePhone);
  await phone.press("Whole tour");
  const [first, second, third] = begun;
  await phone.page.getByRole("button", { name: `Move ${first} Strait Street to the last place` }).click();
  await expect.poll(plan).toBe(second + third + first);
  const rows = phone.page.locator(".plan li");
  await expect(rows.locator(".place")).toHaveText([second, third, first].map((number) => `${number} Strait Street`));
  const [handle, target] = [rows.nth(2).locator(".handle"), rows.nth(0)];
  await handle.scrollIntoViewIfNeeded();
  await handle.hover();
  await phone.page.mouse.down();
  const { x, y } = await target.boundingBox();
  await phone.page.mouse.move(x + 60, y + 20, { steps: 5 });
  await phone.page.mouse.up();
  await expect.poll(plan).toBe(first + second + third);
  await expect(phone.page.getByText(/in another order/), "that was their own").toHaveCount(0);
});

test("orders at one kitchen are one stop", async ({ doorstep, ana, takePhone }) => {
  const orders = [];
  for (const lat of [35.9, 35.905]) {
    orders.push(await waitingOrder(doorstep, ana, { dropoff: { ...DROPOFF, lat, address: `Door ${lat}` } }));
  }
  const { version } = await doorstep.call("GET", `/couriers/${ana.id}/plan`);
  const stops = ["pickup", "dropoff"].flatMap((kind) => orders.map(({ id }) => ({ order_id: id, kind })));
  await doorstep.call("PUT", `/couriers/${ana.id}/plan`, { version, stops });
  const phone = await online(ana, takePhone);
  await phone.press("I have arrived");
  await phone.press("Picked up all (2)");
  await expect(phone.page.getByRole("status").filter({ hasText: "2 orders picked up" })).toBeVisible();
  for (const order of orders) await becomes(doorstep, order, "picked_up");
});

// Pages that the browser translates: what they say stays true, and what people wrote stays as it is.

import { test as courierTest } from "./support/courier-test.mjs";
import { PATIENCE, drawer, online, row, tab, test as deskTest } from "./support/desk.mjs";
import { road } from "./support/courier.mjs";
import { DROPOFF, PICKUP } from "./support/doorstep.mjs";
import { waitingOrder } from "./support/phone.mjs";
import { arrivalIsKnown, expect, isLive, test } from "./support/test.mjs";
import { translate, translated } from "./support/translator.mjs";

async function followsTheOrder(page, doorstep, order) {
  await expect(page.locator(".line")).toHaveText(/^ON THE WAY/);
  await doorstep.status(order, "at_dropoff");
  await expect(page.locator(".hero")).toHaveText(/ANA IS OUTSIDE$/);
  await expect(page.locator(".timeline li:visible").last()).toContainText("AT YOUR DOOR");
  await doorstep.status(order, "delivered", "left with the concierge");
  await expect(page.locator(".hero")).toHaveText(/^DELIVERED AT: \d\d:\d\d$/);
  await expect(page.locator(".timeline li:visible").last()).toContainText("DELIVERED");
  await expect(page.locator(".place").first()).toContainText(DROPOFF.address);
  await expect(translated(page.locator(".hero"))).not.toHaveCount(0);
}

test("the customer's page follows the order to its end", async ({ page, doorstep, delivery }) => {
  const { courier, order } = delivery;
  await courier.at(road(1)[0]);
  await arrivalIsKnown(doorstep, delivery);
  await page.goto(order.page);
  await isLive(page);
  await translate(page);
  await followsTheOrder(page, doorstep, order);
});

test("the customer's page starts although it was translated before its program came", async ({
  page,
  doorstep,
  delivery,
}) => {
  const { courier, order } = delivery;
  await courier.at(road(1)[0]);
  await arrivalIsKnown(doorstep, delivery);
  let translatedAll;
  const isTranslated = new Promise((resolve) => (translatedAll = resolve));
  await page.route(/\.wasm$/, async (route) => {
    await isTranslated;
    await route.continue();
  });
  await page.goto(order.page, { waitUntil: "domcontentloaded" });
  await translate(page);
  await expect(translated(page.locator(".hero"))).not.toHaveCount(0);
  translatedAll();
  await isLive(page);
  await followsTheOrder(page, doorstep, order);
});

courierTest("the courier's app follows the stops and the door", async ({ doorstep, ana, takePhone }) => {
  const order = await waitingOrder(doorstep, ana);
  const phone = await takePhone({ at: [PICKUP.lon, PICKUP.lat] });
  await phone.signIn(ana.link);
  await translate(phone.page);
  await phone.goOnline();
  const action = phone.page.locator("button.action:visible");
  await expect(action).toHaveText("I HAVE ARRIVED");
  await action.click();
  await expect(action).toHaveText("PICKED UP");
  await action.click();
  await expect(phone.page.locator("#stop-address")).toHaveText(DROPOFF.address);
  await expect(action).toHaveText("I HAVE ARRIVED");
  await doorstep.status(order, "cancelled", "The customer changed their mind");
  await expect(phone.page.locator(".notice")).toContainText(/CANCELLED/);
  await doorstep.call("DELETE", `/couriers/${ana.id}/devices/${ana.deviceId}`);
  await expect(phone.page.getByRole("heading", { level: 1 })).toHaveText(/SIGNED OUT/);
  await expect(phone.page.getByRole("button", { name: "Go online" })).toHaveCount(0);
});

deskTest.describe(() => {
  deskTest.describe.configure(PATIENCE);

  deskTest("the console follows orders in their rows and in the drawer", async ({ desk, doorstep }) => {
    const courier = await online(doorstep, "Ana Translated");
    // Due soon: at the top of the list, however long it is.
    const soon = { promised_until: new Date(Date.now() + 9 * 60_000).toISOString() };
    const [first, second] = [await doorstep.order(soon), await doorstep.order(soon)];
    await tab(desk, "Unassigned").click();
    await translate(desk);
    await expect(row(desk, first.reference)).toBeVisible();
    const unassigned = tab(desk, "Unassigned").locator(".count");
    const before = Number(await unassigned.textContent());
    for (const order of [first, second]) await doorstep.assign(order, courier);
    await expect(unassigned).toHaveText(String(before - 2));
    await tab(desk, "Active").click();
    await doorstep.status(first, "picked_up");
    await expect(row(desk, first.reference).locator(".badge")).toContainText("ON THE WAY");
    await row(desk, first.reference).click();
    const badge = drawer(desk).locator(".badge").first();
    await expect(badge).toContainText("ON THE WAY");
    await doorstep.status(first, "at_dropoff");
    await expect(badge).not.toContainText("ON THE WAY");
    await row(desk, second.reference).click();
    await expect(drawer(desk).getByRole("heading", { level: 2 })).toContainText(second.reference, { ignoreCase: true });
    await doorstep.status(second, "cancelled");
    await expect(badge).toContainText("CANCELLED");
    courier.hangUp();
  });
});

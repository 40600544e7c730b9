// Every silence has a reason that the courier, the customer and dispatch can read.

import { Fleet } from "./support/fleet.mjs";
import { Phone, approach, invitedCourier, waitingOrder } from "./support/phone.mjs";
import { expect, test as base } from "./support/test.mjs";
import { until } from "./support/until.mjs";

/** Ana with an order on its way, its customer's page, and dispatch looking on. */
const test = base.extend({
  scene: async ({ page, doorstep, browser }, use) => {
    const ana = await invitedCourier(doorstep);
    const order = await waitingOrder(doorstep, ana);
    await doorstep.status(order, "picked_up");
    const fleet = await Fleet.watch(doorstep);
    const phones = [];
    const takePhone = async (options) => {
      const phone = await Phone.take(browser, doorstep, { at: approach(1)[0], ...options });
      phones.push(phone);
      return phone;
    };
    await page.goto(order.page);
    await use({ ana, order, fleet, takePhone, customer: page });
    fleet.hangUp();
    for (const phone of phones) await phone.throwAway();
  },
});

async function online({ ana, takePhone, customer }, options) {
  const phone = await takePhone(options);
  await phone.signIn(ana.link);
  await phone.goOnline();
  await expect(customer.locator(".track")).toHaveAttribute("data-map", "streets");
  await expect(phone.page.getByText(/^GPS/)).toBeVisible();
  return phone;
}

function dispatchReads(fleet, ana, presence) {
  return until(`dispatch reads ${presence}, not ${fleet.presence(ana)}`, 10_000, () => fleet.presence(ana) === presence);
}

test("going online and offline is known at once", async ({ scene }) => {
  const phone = await online(scene);
  await dispatchReads(scene.fleet, scene.ana, "tracking");
  await phone.page.getByRole("switch", { name: /online/i }).click();
  await dispatchReads(scene.fleet, scene.ana, "off_duty user");
  await expect(phone.page.getByRole("button", { name: "Go online" })).toBeVisible();
});

test("a denied permission", async ({ scene }) => {
  const phone = await scene.takePhone({ permissions: [] });
  await phone.signIn(scene.ana.link);
  await phone.page.getByRole("button", { name: "Go online" }).click();
  await expect(phone.page.getByRole("switch", { name: /online/i })).not.toBeChecked();
  await expect(phone.page.getByText(/location/i).filter({ hasText: /allow|settings/i }).first()).toBeVisible();
  await dispatchReads(scene.fleet, scene.ana, "paused no_permission");
  await expect(scene.customer.getByText("Ana’s phone does not give its position.")).toBeVisible();
  await phone.press("Go offline");
  await dispatchReads(scene.fleet, scene.ana, "off_duty user");
});

test("a permission lost on the way, and given back", async ({ scene }) => {
  const phone = await online(scene);
  const onOff = phone.page.getByRole("switch", { name: /online/i });
  await expect(onOff).toBeChecked();
  await phone.context.clearPermissions();
  await expect(phone.page.getByText("No GPS")).toBeVisible();
  await expect(onOff, "nothing is shared").not.toBeChecked();
  await dispatchReads(scene.fleet, scene.ana, "paused no_permission");
  await expect(scene.customer.getByText("Ana’s phone does not give its position.")).toBeVisible();
  await phone.context.grantPermissions(["geolocation"]);
  await phone.moveTo(approach(2)[1]);
  await dispatchReads(scene.fleet, scene.ana, "tracking");
  await expect(onOff).toBeChecked();
  await expect(scene.customer.getByText("Ana’s phone does not give its position.")).toBeHidden();
});

test("a page in the background", async ({ scene }) => {
  const phone = await online(scene, { clock: Date.now() - 250_000 });
  await phone.hide();
  await dispatchReads(scene.fleet, scene.ana, "paused screen_locked");
  await expect(scene.customer.getByText("Ana’s phone was locked, so no position comes.")).toBeVisible();
  await phone.sleep(4 * 60_000);
  await phone.show();
  await phone.moveTo(approach(2)[1]);
  await expect(phone.page.getByText(/Sharing paused 4 min .* in the background/)).toBeVisible();
  await dispatchReads(scene.fleet, scene.ana, "tracking");
});

test("a device that dispatch revokes", async ({ scene, doorstep }) => {
  const phone = await online(scene);
  await doorstep.call("DELETE", `/couriers/${scene.ana.id}/devices/${scene.ana.deviceId}`);
  await expect(phone.page.getByRole("heading", { name: /signed out/i })).toBeVisible();
  await dispatchReads(scene.fleet, scene.ana, "paused no_permission");
  await expect(scene.customer.getByText("Ana’s phone does not give its position.")).toBeVisible();
  await phone.page.reload();
  await expect(phone.page.getByRole("button", { name: "Go online" })).toHaveCount(0);
});

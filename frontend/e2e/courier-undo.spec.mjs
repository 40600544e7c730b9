// A final button of the courier's app can be taken back for eight seconds: nothing leaves the phone before.

import { test } from "./support/courier-test.mjs";
import { PICKUP } from "./support/doorstep.mjs";
import { waitingOrder } from "./support/phone.mjs";
import { expect } from "./support/test.mjs";
import { until } from "./support/until.mjs";

/** Of eight seconds, with time for a slow machine. */
const UNDO_MS = 12_000;

const WITHOUT_NETWORK =
  /net::ERR_INTERNET_DISCONNECTED|net::ERR_FAILED|WebSocket connection to|Failed to fetch|Worker failed to load|^Error$/;

/** Ana stands at the door. */
async function atTheDoor({ doorstep, ana, takePhone }, options) {
  const order = await waitingOrder(doorstep, ana);
  for (const status of ["picked_up", "at_dropoff"]) await doorstep.status(order, status);
  const phone = await takePhone({ at: [PICKUP.lon, PICKUP.lat], ...options });
  await phone.signIn(ana.link);
  await phone.goOnline();
  await expect(phone.page.getByRole("button", { name: "Delivered" })).toBeVisible();
  return { order, phone, status: async () => (await doorstep.call("GET", `/orders/${order.id}`)).status };
}

test("a delivery that is taken back never happened, by keyboard too", async ({ doorstep, ana, takePhone }) => {
  const { order, phone, status } = await atTheDoor({ doorstep, ana, takePhone });
  await phone.press("Delivered");
  await expect(phone.page.getByRole("status").filter({ hasText: `${order.reference} delivered` })).toBeVisible();
  await expect(phone.page.getByRole("heading", { name: "No more stops", level: 2 }), "the next stop shows at once").toBeVisible();
  const undo = phone.page.getByRole("button", { name: "Undo" });
  const { height } = await undo.boundingBox();
  expect(height).toBeGreaterThanOrEqual(44);
  await undo.focus();
  await phone.page.keyboard.press("Enter");
  await expect(phone.page.getByRole("button", { name: "Delivered" })).toBeVisible();
  await expect(undo).toBeHidden();
  expect(await status()).toBe("at_dropoff");
  await phone.press("Delivered");
  await until("it is delivered in the end", UNDO_MS, async () => (await status()) === "delivered");
  await expect(undo).toBeHidden();
});

test.describe("without a network", () => {
  test.use({ expected: WITHOUT_NETWORK });

  test("what was pressed before the page was closed is sent by the page that is opened later", async ({
    doorstep,
    ana,
    takePhone,
  }) => {
    const { phone, status } = await atTheDoor({ doorstep, ana, takePhone });
    await phone.isInstalled();
    await phone.enterTunnel();
    await phone.press("Delivered");
    await expect(phone.page.getByRole("button", { name: "Undo" })).toBeVisible();
    await phone.page.close();
    await phone.leaveTunnel();
    expect(await status()).toBe("at_dropoff");
    await phone.open();
    await phone.page.goto("/courier");
    await until("it is delivered", UNDO_MS, async () => (await status()) === "delivered");
  });
});

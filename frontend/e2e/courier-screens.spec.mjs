// What a courier sees at a glance: notices that are true and cover nothing, a PIN that counts when the server says so,
// the stop in sight however the phone is held, and what is said once the courier is there.

import { test } from "./support/courier-test.mjs";
import { DROPOFF, PICKUP } from "./support/doorstep.mjs";
import { storedFixes, waitingOrder } from "./support/phone.mjs";
import { expect } from "./support/test.mjs";
import { until } from "./support/until.mjs";

// The browser itself reports every request that was refused: a wrong PIN is.
test.use({ expected: /status of 4\d\d/ });

// A final button can be taken back for eight seconds; the server hears of it after that.
const HELD = { timeout: 20_000 };

/** Where an element is on the screen: how far from its upper edge it begins and ends. */
async function edges(locator) {
  const { y, height } = await locator.boundingBox();
  return { top: y, bottom: y + height };
}

test("a wrong PIN: the note is kept, the notice goes when it is corrected, and done is what the server says", async ({
  doorstep,
  ana,
  takePhone,
}) => {
  const order = await waitingOrder(doorstep, ana, { proof: ["pin"] });
  for (const status of ["picked_up", "at_dropoff"]) await doorstep.status(order, status);
  const phone = await takePhone({ at: [DROPOFF.lon, DROPOFF.lat] });
  const { page } = phone;
  await phone.signIn(ana.link);
  await phone.goOnline();
  await page.locator("button.action:visible").filter({ hasText: /^Deliver$/ }).click();
  const pin = page.locator("[data-proof=pin]");
  const wrong = order.delivery_pin === "0000" ? "0001" : "0000";
  await pin.getByLabel("4-digit PIN").fill(wrong);
  await expect(pin.locator(".chip")).toHaveText("Entered");
  await page.getByLabel("Note for the customer").fill("Left with the neighbour");
  await page.locator("main.page button.action").click();
  const notice = page.locator(".notice").filter({ hasText: "the PIN was not the right one" });
  await expect(notice).toBeVisible(HELD);
  await page.locator("button.action:visible").filter({ hasText: /^Deliver$/ }).click();
  await expect(page.getByLabel("Note for the customer")).toHaveValue("Left with the neighbour");
  await pin.getByLabel("4-digit PIN").fill(order.delivery_pin);
  await expect(notice).toBeHidden();
  await expect(pin.locator(".chip")).toHaveText("Entered");
  await page.locator("main.page button.action").click();
  await expect
    .poll(async () => (await doorstep.call("GET", `/orders/${order.id}`)).status, HELD)
    .toBe("delivered");
  await expect(page.locator(".notice")).toHaveCount(0);
});

test("held sideways the stop is in sight, and a long notice leaves the button free", async ({ doorstep, ana, takePhone }) => {
  await waitingOrder(doorstep, ana);
  const phone = await takePhone({ at: [PICKUP.lon, PICKUP.lat], viewport: { width: 740, height: 340 } });
  const { page } = phone;
  await phone.signIn(ana.link);
  await phone.goOnline();
  await expect(page.getByText(/^GPS/)).toBeVisible();
  const action = page.locator("button.action:visible");
  await expect(action).toHaveText("I have arrived");
  await page.evaluate(() => scrollTo(0, 0));
  const [address, button] = [await edges(page.locator("#stop-address")), await edges(action)];
  expect(address.top).toBeGreaterThanOrEqual(0);
  expect(address.bottom, "above the bar").toBeLessThanOrEqual(button.top);
  expect(button.bottom).toBeLessThanOrEqual(340);
  await page.screenshot({ path: "e2e/test-results/looks/courier-landscape.png" });

  const far = "Apartment 7, second staircase, the house behind the church with the green gate, ".repeat(3).slice(0, 190);
  await waitingOrder(doorstep, ana, { pickup: { lat: 35.9011, lon: 14.5133, address: far } });
  const notice = page.locator(".notice");
  await expect(notice).toContainText("New on your list");
  expect((await edges(notice)).bottom).toBeLessThanOrEqual((await edges(action)).top);
  await expect(notice).toHaveCount(1);
  await action.click();
});

test("a notice of a stop that was taken back goes when it comes back", async ({ doorstep, ana, takePhone }) => {
  const order = await waitingOrder(doorstep, ana);
  const phone = await takePhone();
  await phone.signIn(ana.link);
  await phone.goOnline();
  await doorstep.call("POST", `/orders/${order.id}/unassign`, {});
  const gone = phone.page.locator(".notice").filter({ hasText: "was taken off your list" });
  await expect(gone).toBeVisible();
  await doorstep.assign(order, ana);
  await expect(gone).toBeHidden();
  await expect(phone.page.locator(".notice")).toContainText("New on your list");
  await phone.press("I have arrived");
  await expect(phone.page.locator(".notice")).toHaveCount(0);
});

test("who has arrived reads no arrival and no distance, and whom a button calls", async ({ doorstep, ana, takePhone }) => {
  const phone = await takePhone({ at: [PICKUP.lon + 0.004, PICKUP.lat] });
  const { page } = phone;
  await phone.signIn(ana.link);
  await phone.goOnline();
  // An arrival is told from where the courier is.
  await until("the server knows where she is", 20_000, async () => (await storedFixes(doorstep, ana)).length > 0);
  await waitingOrder(doorstep, ana, {
    pickup: { ...PICKUP, phone: "+356 2124 0001" },
    customer: { name: "Kim", phone: "+356 2124 0000" },
  });
  const [arrival, detail] = [page.locator(".over span").nth(1), page.locator(".stop .detail").first()];
  await expect(arrival).toHaveText(/\d\d:\d\d/);
  await expect(detail).toContainText(/\d+\sm$/);
  const before = await detail.textContent();
  await phone.moveTo([PICKUP.lon + 0.002, PICKUP.lat]);
  await expect(detail, "it is of now").not.toHaveText(before);
  await expect(page.getByRole("link", { name: "Call pickup" })).toBeVisible();
  await phone.press("I have arrived");
  await expect(arrival).toHaveText("");
  await expect(detail).not.toContainText(/\d+\sm$/);
  await phone.press("Picked up");
  await expect(page.getByRole("link", { name: "Call Kim" })).toBeVisible();
});

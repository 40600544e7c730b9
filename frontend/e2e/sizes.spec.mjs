// Sizes that people choose and need: texts twice as large, links that a finger hits, paper, and an arrow where it belongs.

import { test as courierTest } from "./support/courier-test.mjs";
import { PATIENCE, expect, tab, test as deskTest } from "./support/desk.mjs";
import { PICKUP } from "./support/doorstep.mjs";
import { road } from "./support/courier.mjs";
import { waitingOrder } from "./support/phone.mjs";
import { isLive, marker, test } from "./support/test.mjs";

/** Texts twice as large as browsers have them. The policy of the pages forbids style sheets, and not this. */
function enlarge(page) {
  return page.evaluate(() => {
    document.documentElement.style.fontSize = "200%";
    dispatchEvent(new Event("resize"));
  });
}

/** How far the page is wider than the screen. */
const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

/** The size of an element's letters, in pixels. */
const letters = (locator) => locator.evaluate((element) => parseFloat(getComputedStyle(element).fontSize));

/** Elements whose own text is cut off: it is larger than they are, and they hide or clip the rest. */
function cutOff(page) {
  return page.evaluate(() => {
    const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const isCut = (element) => {
      const { overflowY, textOverflow, clipPath } = getComputedStyle(element);
      if (textOverflow === "ellipsis" || clipPath !== "none" || !element.checkVisibility()) return false;
      return ["hidden", "clip"].includes(overflowY) && element.scrollHeight > element.clientHeight + 1;
    };
    return [...document.body.querySelectorAll("*")].filter((element) => hasText(element) && isCut(element)).map((element) => element.outerHTML);
  });
}

const middle = ({ x, y, width, height }) => [x + width / 2, y + height / 2];

test("the customer's page with texts twice as large", async ({ page, delivery: { courier, order } }) => {
  await courier.at(road(1)[0]);
  await page.goto(order.page);
  await isLive(page);
  const before = await letters(page.locator(".hero"));
  await enlarge(page);
  // Twice as large, or as wide as a phone is.
  const widest = (await page.evaluate(() => innerWidth)) * 0.12;
  expect(await letters(page.locator(".hero"))).toBeCloseTo(Math.min(before * 2, widest), 1);
  expect(await letters(page.locator(".line"))).toBeGreaterThanOrEqual(28);
  expect(await overflow(page), "nothing is cut off").toBeLessThanOrEqual(0);
  expect(await cutOff(page)).toEqual([]);
  await page.screenshot({ path: "e2e/test-results/looks/customer-twice.png" });
});

test("who made the map is named by links that a finger hits", async ({ page, delivery: { order } }) => {
  await page.goto(order.page);
  await isLive(page);
  const links = page.locator(".maplibregl-ctrl-attrib a");
  await expect(links.first()).toBeVisible();
  for (const link of await links.all()) {
    const { width, height } = await link.boundingBox();
    expect(Math.min(width, height), await link.textContent()).toBeGreaterThanOrEqual(24);
  }
});

test("the arrow of the heading stands at the marker", async ({ page, delivery: { courier, order } }) => {
  const way = road(6);
  await courier.at(way[0]);
  await page.goto(order.page);
  await isLive(page);
  await courier.drive(way.slice(1));
  const [pin, arrow] = [marker(page), marker(page).locator(".notch")];
  await expect(arrow).toBeVisible();
  await expect
    .poll(async () => {
      const [disc, notch] = [middle(await pin.boundingBox()), middle(await arrow.boundingBox())];
      return Math.hypot(disc[0] - notch[0], disc[1] - notch[1]);
    })
    .toBeLessThan(2);
});

test("on paper the words fill the page", async ({ page, doorstep, delivery: { order } }) => {
  await doorstep.status(order, "delivered");
  await page.setViewportSize({ width: 1000, height: 1400 });
  await page.goto(order.page);
  await page.emulateMedia({ media: "print" });
  await expect(page.locator(".stage")).toBeHidden();
  const { x, width } = await page.locator(".sheet").boundingBox();
  expect([x, width]).toEqual([0, 1000]);
});

test("the customer reads the courier's first name", async ({ page, doorstep }) => {
  const courier = await doorstep.courier("Marco Galea");
  const order = await doorstep.order();
  await doorstep.assign(order, courier);
  await page.goto(order.page);
  await expect(page.locator(".card")).toContainText("Marco");
  await expect(page.locator("body")).not.toContainText("Galea");
  courier.hangUp();
});

courierTest("the courier's screens with texts twice as large", async ({ doorstep, ana, takePhone }) => {
  await waitingOrder(doorstep, ana);
  const phone = await takePhone({ at: [PICKUP.lon, PICKUP.lat] });
  await phone.signIn(ana.link);
  await phone.goOnline();
  const action = phone.page.locator("button.action:visible");
  const before = await letters(action);
  await enlarge(phone.page);
  expect(await letters(action)).toBe(before * 2);
  expect(await overflow(phone.page)).toBeLessThanOrEqual(0);
  expect(await cutOff(phone.page)).toEqual([]);
  await phone.page.screenshot({ path: "e2e/test-results/looks/courier-twice.png" });
});

deskTest.describe(() => {
  deskTest.describe.configure(PATIENCE);

  deskTest("the console's rows grow with their texts, and every row is found by scrolling", async ({ desk, doorstep }) => {
    const orders = [];
    for (let index = 0; index < 20; index++) orders.push(await doorstep.order());
    await tab(desk, "Unassigned").click();
    const first = desk.locator("#list").getByRole("option").first();
    await expect.poll(async () => Number(await first.getAttribute("aria-setsize"))).toBeGreaterThanOrEqual(20);
    const before = (await first.boundingBox()).height;
    await enlarge(desk);
    expect((await first.boundingBox()).height).toBe(before * 2);
    const list = desk.locator("#list");
    const total = Number(await first.getAttribute("aria-setsize"));
    await list.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    const last = desk.locator(`[role=option][aria-posinset="${total}"]`);
    await expect(last).toBeVisible();
    const [end, box] = [await last.boundingBox(), await list.boundingBox()];
    expect(Math.abs(end.y + end.height - (box.y + box.height)), "it ends where the list ends").toBeLessThan(2);
    for (const order of orders) await doorstep.status(order, "cancelled");
  });
});

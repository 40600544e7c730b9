// The handover on the customer's page: the PIN before, the courier's proofs of delivery after.

import { randomUUID } from "node:crypto";
import AxeBuilder from "@axe-core/playwright";
import { expect, isLive, test } from "./support/test.mjs";

/** An order on its way that asks for a photo, a signature and the PIN, and the phone that brings it. */
async function asked(doorstep) {
  const delivery = await doorstep.delivery({ proof: ["photo", "signature", "pin"] });
  const bring = async (query, type, body) => {
    const url = `${doorstep.url}/api/v1/courier/orders/${delivery.order.id}/proofs/${randomUUID()}${query}`;
    const headers = { authorization: `Bearer ${delivery.courier.token}`, "content-type": type };
    const answer = await fetch(url, { method: "PUT", headers, body });
    if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  return { ...delivery, bring };
}

/** Brings everything back from the door; the photo is a picture of the page. */
async function prove({ order, bring }, page) {
  const taken_ms = Date.now();
  const strokes = [[[0.1, 0.7], [0.3, 0.2], [0.5, 0.8], [0.9, 0.4]]];
  const photo = await page.screenshot({ type: "jpeg", clip: { x: 0, y: 0, width: 300, height: 400 } });
  await bring(`?taken_ms=${taken_ms}`, "image/jpeg", photo);
  await bring("", "application/json", JSON.stringify({ kind: "signature", name: "Kim", strokes, taken_ms }));
  await bring("", "application/json", JSON.stringify({ kind: "pin", pin: order.delivery_pin, taken_ms }));
}

/** Checks the page as it is in both themes, and that nothing is cut off on the narrowest phone. */
async function isAccessible(page) {
  const viewport = page.viewportSize();
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width: 320, height: 640 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await page.setViewportSize(viewport);
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`)).toEqual([]);
  }
}

test("the PIN is on the page while the order is on its way, and what was brought back follows by itself", async ({ page, doorstep }) => {
  const delivery = await asked(doorstep);
  const { order, courier } = delivery;
  expect(order.delivery_pin).toMatch(/^\d{4}$/);
  await page.goto(order.page);
  await isLive(page);
  await expect(page.locator(".digits > [aria-hidden]")).toHaveText(order.delivery_pin);
  await expect(page.getByText("Tell it to Ana at the door")).toBeVisible();
  await isAccessible(page);
  await doorstep.status(order, "at_dropoff");
  await expect(page.getByRole("status")).toHaveText(`Ana is outside. Your PIN is ${[...order.delivery_pin].join(" ")}.`);
  await prove(delivery, page);
  await expect(page.locator("img[src]"), "nothing is shown before the order is handed over").toHaveCount(0);
  await doorstep.status(order, "delivered");
  await expect(page.getByText("PIN confirmed")).toBeVisible();
  await expect(page.locator(".digits")).toBeHidden();
  await expect(page.getByText("Signed by Kim")).toBeVisible();
  const pictures = page.locator("img[src]");
  await expect(pictures).toHaveCount(2);
  for (const picture of await pictures.all()) {
    await expect.poll(() => picture.evaluate((image) => image.naturalWidth), "the picture has loaded").toBeGreaterThan(0);
  }
  await isAccessible(page);
  courier.hangUp();
});

test.describe("without scripts", () => {
  test.use({ javaScriptEnabled: false });

  test("the PIN shows, and later the photo, which opens larger", async ({ page, doorstep }) => {
    const delivery = await asked(doorstep);
    const { order, courier } = delivery;
    await page.goto(order.page);
    await expect(page.locator(".digits > [aria-hidden]")).toHaveText(order.delivery_pin);
    await prove(delivery, page);
    await doorstep.status(order, "delivered");
    await page.goto(order.page);
    await expect(page.getByText(/^Photo by Ana at \d\d:\d\d$/)).toBeVisible();
    const link = page.getByRole("link", { name: /^Photo from the door/ });
    // In a tab of its own: the browser says there that the picture's policy lets no script run, not even the test's.
    const alone = await page.context().newPage();
    const answer = await alone.goto(await link.getAttribute("href"));
    expect(answer.status()).toBe(200);
    expect(answer.headers()).toMatchObject({ "content-type": "image/jpeg", "cache-control": "private, no-store" });
    courier.hangUp();
  });
});

test("the box of a photo has its size before the photo is there", async ({ page, doorstep }) => {
  const delivery = await asked(doorstep);
  const { order, courier } = delivery;
  await page.goto(order.page);
  await isLive(page);
  await prove(delivery, page);
  await doorstep.status(order, "delivered");
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route("**/proofs/*/image", async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(order.page, { waitUntil: "domcontentloaded" });
  const height = () => page.locator(".sheet").evaluate((sheet) => sheet.scrollHeight);
  await expect(page.locator(".track")).toHaveAttribute("data-map", "streets");
  const before = await height();
  release();
  await expect.poll(() => page.locator(".picture img[src]").evaluate((image) => image.naturalWidth)).toBeGreaterThan(0);
  expect(await height()).toBe(before);
  courier.hangUp();
});

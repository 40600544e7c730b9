// The page as text: what is there before any script, without any, and for links that lead nowhere.

import AxeBuilder from "@axe-core/playwright";
import { road } from "./support/courier.mjs";
import { arrivalIsKnown, expect, isLive, test } from "./support/test.mjs";

const CLOCK_RANGE = /^\d\d:\d\d(–\d\d:\d\d)?$/;

test.describe("without scripts", () => {
  test.use({ javaScriptEnabled: false });

  test("status and arrival are in the page", async ({ page, doorstep, delivery }) => {
    const { order } = delivery;
    await arrivalIsKnown(doorstep, delivery);
    const answer = await page.goto(order.page);
    expect(answer.status()).toBe(200);
    expect(answer.headers()["cache-control"]).toContain("no-store");
    expect(answer.headers()["referrer-policy"]).toBe("same-origin");
    await expect(page.locator(".hero")).toHaveText(/Arriving: \d\d:\d\d–\d\d:\d\d/);
    await expect(page.locator(".line")).toHaveText(/^On the way · .+ to your door$/);
    await expect(page.locator(".pill")).toHaveText(/^Updated /);
    await expect(page.locator(".steps [aria-current=step]")).toHaveText(/^On the way/);
    await expect(page.locator(".steps li")).toHaveCount(4);
    await expect(page.locator(".sketch")).toBeVisible();
    await expect(page.locator(".card")).toContainText("Ana");
    await expect(page.locator(".places")).toContainText("12 Triq il-Merkanti, Valletta");
    await expect(page.locator(".timeline li:visible")).toHaveText([/Order received$/, /Ana took the order$/, /Picked up$/]);
    // No button that would do nothing.
    await expect(page.locator("button:visible")).toHaveCount(0);
    const refresh = page.locator("noscript meta[http-equiv=refresh], head > meta[http-equiv=refresh]");
    await expect(refresh).toHaveAttribute("content", "30");
  });

  test("an order that waits says so", async ({ page, doorstep }) => {
    const order = await doorstep.order();
    await page.goto(order.page);
    await expect(page.locator(".hero")).toContainText("Order received");
    await expect(page.locator(".card")).toContainText("No courier yet");
    await expect(page.locator(".steps [aria-current=step]")).toHaveText(/^Received/);
  });
});

test.describe("the server's own address", () => {
  // The browser itself logs the 401 that a phone without a session gets.
  test.use({ expected: /status of 401/ });

  test("says what this is and where to go", async ({ page, doorstep }) => {
    const answer = await page.goto(doorstep.url);
    expect(answer.status()).toBe(200);
    await expect(page.getByRole("heading", { name: "Live delivery tracking" })).toBeVisible();
    await expect(page.getByText("Open the link in the message from the shop.")).toBeVisible();
    await expect(page.locator("script")).toHaveCount(0);
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id }) => id)).toEqual([]);
    await page.getByRole("link", { name: "Dispatch", exact: true }).click();
    await expect(page).toHaveURL(/\/login\?next=%2Fdispatch$/);
    await page.goto(doorstep.url);
    await page.getByRole("link", { name: "Couriers" }).click();
    await expect(page).toHaveURL(/\/courier$/);
  });
});

test("an unknown link says what helps", async ({ page, doorstep }) => {
  const answer = await page.goto(`${doorstep.url}/t/AAAAAAAAAAAAAAAAAAAAAAAA`);
  expect(answer.status()).toBe(404);
  await expect(page.getByRole("heading", { name: "We do not know this link" })).toBeVisible();
  await expect(page.locator("script")).toHaveCount(0);
});

test("an ended link shows how it ended", async ({ page, doorstep, delivery: { order } }) => {
  await doorstep.status(order, "delivered", "left with the concierge");
  const answer = await page.goto(order.page);
  expect(answer.status(), "until the outcome is not shown any more").toBe(200);
  await expect(page.locator(".track")).toHaveAttribute("data-link", "ended");
  await expect(page.locator(".hero")).toHaveText(/^Delivered at: \d\d:\d\d$/);
  await expect(page.locator(".places")).toContainText("Note: left with the concierge");
  await expect(page.locator(".track")).toHaveAttribute("data-map", "streets");
});

test("a failed delivery says why and what follows", async ({ page, doorstep, delivery: { order } }) => {
  await doorstep.status(order, "failed", "Nobody answered the door");
  await page.goto(order.page);
  await expect(page.locator(".hero")).toContainText("We could not deliver");
  await expect(page.locator(".line")).toHaveText(/^Nobody answered the door\. It is still with the courier\. /);
});

test("link previews learn the state and nothing else", async ({ page, delivery: { order } }) => {
  await page.goto(order.page);
  const metas = await page.locator("head").evaluate((head) => head.innerHTML);
  expect(metas).toContain('property="og:title" content="On the way"');
  for (const secret of ["Ana", "Merkanti", "Harbour", order.reference]) expect(metas).not.toContain(secret);
  await expect(page.locator("meta[name=robots]")).toHaveAttribute("content", /noindex/);
});

test("what people wrote stays text", async ({ page, doorstep }) => {
  const probe = `</script><img src=x onerror="window.broken=1"><script>window.broken=1</script>"'&`;
  const courier = await doorstep.courier(probe.slice(0, 60), "van");
  const order = await doorstep.order({
    pickup: { lat: 35.8935, lon: 14.5005, address: probe },
    dropoff: { lat: 35.9, lon: 14.5142, address: probe, instructions: probe },
  });
  await doorstep.assign(order, courier);
  await courier.at(road(1)[0]);
  await page.goto(order.page);
  await isLive(page);
  await expect(page.locator(".place").first()).toContainText(probe);
  expect(await page.evaluate(() => window.broken)).toBeUndefined();
  await expect(page.locator("img[src]")).toHaveCount(0);
  courier.hangUp();
});

test("the arrival reads as clock times of the reader's habit", async ({ browser, doorstep, delivery }) => {
  const { order } = delivery;
  await arrivalIsKnown(doorstep, delivery);
  for (const [locale, pattern] of [
    ["en-GB", CLOCK_RANGE],
    ["en-US", /^\d?\d:\d\d(.[ap]m)?–\d?\d:\d\d.[ap]m$/],
  ]) {
    const context = await browser.newContext({ locale, javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(doorstep.url + order.page);
    const hero = await page.locator(".hero").innerText();
    expect(hero.replace(/^Arriving:\s*/, "")).toMatch(pattern);
    await context.close();
  }
});

// The feed: the marker follows the courier, through every kind of interruption, until the order is over.

import { besideM } from "./support/geometry.mjs";
import { road } from "./support/courier.mjs";
import { expect, isLive, marker, reaches, record, recorded, test } from "./support/test.mjs";
import { until } from "./support/until.mjs";

/** No recorded moment lies before the one ahead of it. */
function expectNoStepBack(moments) {
  const back = moments.filter((moment, index) => index > 0 && moment.timeMs < moments[index - 1].timeMs);
  expect(back).toEqual([]);
}

test("the marker moves as the courier drives, along the points they sent", async ({ page, delivery: { courier, order } }) => {
  const [start, ...points] = road(7);
  await courier.at(start);
  await page.goto(order.page);
  await isLive(page);
  await expect(page.locator(".track")).toHaveAttribute("data-feed", "websocket");
  await record(page);
  const fixes = await courier.drive(points);
  await reaches(page, fixes.at(-1));
  const moments = await recorded(page);
  expectNoStepBack(moments);
  expect(moments.length).toBeGreaterThan(points.length);
  const line = [start, ...points];
  expect(Math.max(...moments.map((moment) => besideM(moment, line)))).toBeLessThan(2);
  const between = moments.filter(({ timeMs }) => !fixes.some((fix) => fix.time_ms === timeMs));
  expect(between.length, "it glides between the fixes").toBeGreaterThan(3);
  await expect(page.locator(".pill")).toHaveText(/^Live · /);
});

test("a marker never runs ahead of the newest fix", async ({ page, delivery: { courier, order } }) => {
  const points = road(3, 12);
  const first = await courier.at(points[0]);
  await page.goto(order.page);
  await isLive(page);
  await reaches(page, first);
  await record(page);
  const fixes = await courier.drive(points.slice(1));
  await reaches(page, fixes.at(-1));
  const newest = Math.max(...(await recorded(page)).map((moment) => moment.timeMs));
  expect(newest).toBe(fixes.at(-1).time_ms);
});

test.describe("with less motion", () => {
  test.use({ contextOptions: { reducedMotion: "reduce" } });

  test("the marker steps from fix to fix", async ({ page, delivery: { courier, order } }) => {
    const [start, ...points] = road(4);
    await courier.at(start);
    await page.goto(order.page);
    await isLive(page);
    await record(page);
    const fixes = await courier.drive(points);
    await reaches(page, fixes.at(-1));
    const times = new Set(fixes.map((fix) => fix.time_ms));
    const between = (await recorded(page)).filter(({ timeMs }) => !times.has(timeMs));
    expect(between.filter(({ timeMs }) => timeMs > fixes[0].time_ms)).toEqual([]);
  });
});

test.describe("after an outage", () => {
  // The browser reports what was cut.
  test.use({ expected: /^Failed to load resource: net::ERR_FAILED$/ });

  test("a dropped socket comes back and catches up without a jump back", async ({ page, delivery: { courier, order } }) => {
    const sockets = [];
    let isCut = false;
    await page.routeWebSocket(/\/ws\/track\//, (socket) => {
      if (isCut) {
        socket.close({ code: 4000, reason: "cut" });
        return;
      }
      socket.connectToServer();
      sockets.push(socket);
    });
    const points = road(9);
    await courier.at(points[0]);
    await page.goto(order.page);
    await isLive(page);
    await record(page);
    await reaches(page, (await courier.drive(points.slice(1, 3))).at(-1));
    // Nothing comes through while the courier drives on.
    isCut = true;
    await page.route("**/api/v1/track/**", (route) => route.abort());
    await sockets[0].close({ code: 4000, reason: "cut" });
    await courier.drive(points.slice(3, 7));
    await expect(page.locator(".track")).toHaveAttribute("data-link", "reconnecting");
    await expect(page.locator(".bar")).toContainText("Reconnecting…");
    isCut = false;
    await page.unroute("**/api/v1/track/**");
    const fixes = await courier.drive(points.slice(7));
    await expect(page.locator(".track")).toHaveAttribute("data-link", "live", { timeout: 35_000 });
    await reaches(page, fixes.at(-1));
    const moments = await recorded(page);
    expectNoStepBack(moments);
    expect(Math.max(...moments.map((moment) => besideM(moment, points)))).toBeLessThan(2);
    expect(sockets.length).toBe(2);
    expect(new URL(sockets[1].url()).searchParams.get("since_ms")).toMatch(/^\d{13}$/);
  });
});

test("a delivered order ends the feed for good and shows the outcome", async ({ page, doorstep, delivery: { courier, order } }) => {
  const closed = [];
  let opened = 0;
  await page.routeWebSocket(/\/ws\/track\//, (socket) => {
    opened += 1;
    const server = socket.connectToServer();
    server.onClose((code) => {
      closed.push(code);
      socket.close({ code });
    });
  });
  await courier.at(road(1)[0]);
  await page.goto(order.page);
  await isLive(page);
  await doorstep.status(order, "delivered", "left with the concierge");
  await expect(page.locator(".track")).toHaveAttribute("data-status", "delivered");
  await expect(page.locator(".track")).toHaveAttribute("data-link", "ended");
  await expect(page.locator(".hero")).toHaveText(/^Delivered at: \d\d:\d\d$/);
  await expect(page.getByRole("status")).toHaveText(/^Delivered at \d\d:\d\d\.$/);
  await expect(page.locator(".places")).toContainText("Note: left with the concierge");
  await expect(marker(page)).toHaveCount(0);
  await expect(page).toHaveTitle("Delivered · Doorstep");
  await until("the server closes the socket", 10_000, () => closed.length === 1);
  expect(closed).toEqual([4502]);
  // Coming back to the page, or into the network, opens nothing either.
  await page.evaluate(() => window.dispatchEvent(new Event("online")));
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await expect(page.locator(".track")).toHaveAttribute("data-link", "ended");
  expect(opened).toBe(1);
});

test("every step of an order is shown as it happens", async ({ page, doorstep }) => {
  const order = await doorstep.order();
  await page.goto(order.page);
  await expect(page.locator(".track")).toHaveAttribute("data-link", "live");
  await expect(page.locator(".hero")).toContainText("Order received");
  const courier = await doorstep.courier("Ana", "bicycle");
  await doorstep.assign(order, courier);
  await expect(page.locator(".track")).toHaveAttribute("data-status", "assigned");
  await expect(page.locator(".card")).toContainText("Ana");
  await expect(page.locator(".card")).toContainText("by bicycle · you are next");
  await expect(page.locator(".headline")).toContainText("Ana is heading to Harbour Kitchen");
  await doorstep.status(order, "at_pickup");
  await expect(page.locator(".headline")).toContainText("Ana is picking up your order");
  await doorstep.status(order, "picked_up");
  await expect(page.locator(".headline")).toContainText("On the way");
  await courier.at(road(1)[0]);
  await expect(page.locator(".line")).toContainText("to your door");
  await doorstep.status(order, "at_dropoff");
  await expect(page.locator(".hero")).toContainText("Ana is outside");
  await doorstep.status(order, "failed", "Nobody answered the door");
  await expect(page.locator(".line")).toHaveText(/^Nobody answered the door\. /);
  await doorstep.status(order, "returned");
  await expect(page.locator(".track")).toHaveAttribute("data-link", "ended");
  await expect(page.locator(".hero")).toContainText("Returned to Harbour Kitchen");
  courier.hangUp();
});

test("a pause has its reason in words", async ({ page, delivery: { courier, order } }) => {
  await courier.at(road(1)[0]);
  await page.goto(order.page);
  await isLive(page);
  courier.presence("paused", "screen_locked");
  await expect(page.locator(".bar")).toContainText("Ana’s phone was locked, so no position comes.");
  await expect(page.locator(".pill")).toHaveText(/^Paused /);
  courier.presence("tracking");
  await expect(page.locator(".bar")).toBeHidden();
});

test("a customer behind other stops sees how many, and nobody on the map", async ({ page, doorstep, delivery: { courier, order } }) => {
  const second = await doorstep.order();
  await doorstep.assign(second, courier);
  await courier.at(road(1)[0]);
  await page.goto(second.page);
  await expect(page.locator(".track")).toHaveAttribute("data-map", "streets");
  await expect(page.locator(".card")).toContainText("1 stop before you");
  await expect(marker(page)).toHaveCount(0);
  await doorstep.status(order, "delivered");
  await expect(page.locator(".card")).toContainText("you are next");
  await courier.at(road(2)[1]);
  await expect(marker(page)).toBeVisible();
});

test.describe("where WebSockets are blocked", () => {
  // The browser reports what was blocked.
  test.use({ expected: /WebSocket|^Failed to load resource: net::ERR_FAILED$/ });

  test.beforeEach(async ({ page }) => {
    await page.routeWebSocket(/\/ws\/track\//, (socket) => socket.close());
  });

  test("events bring the news", async ({ page, doorstep, delivery: { courier, order } }) => {
    await courier.at(road(1)[0]);
    await page.goto(order.page);
    await expect(page.locator(".track")).toHaveAttribute("data-feed", "events");
    await isLive(page);
    const fixes = await courier.drive(road(3).slice(1));
    await reaches(page, fixes.at(-1));
    await doorstep.status(order, "delivered");
    await expect(page.locator(".hero")).toContainText("Delivered at");
    await expect(page.locator(".track")).toHaveAttribute("data-link", "ended");
  });

  test("and events too, the page asks every ten seconds", async ({ page, delivery: { courier, order } }) => {
    await page.route("**/events?**", (route) => route.abort());
    await courier.at(road(1)[0]);
    await page.goto(order.page);
    await expect(page.locator(".track")).toHaveAttribute("data-feed", "polling");
    await isLive(page);
    const fix = await courier.at(road(2)[1]);
    await reaches(page, fix);
  });
});

test("a courier who falls silent turns grey, and is gone after five minutes", async ({ page, delivery: { courier, order } }) => {
  await courier.at(road(1)[0]);
  await page.goto(order.page);
  await isLive(page);
  await expect(marker(page)).toHaveAttribute("data-tone", "ok");
  // Only the clock on the wall moves: the connection stays as it is.
  await advanceClock(page, 125_000);
  await expect(page.locator(".track")).toHaveAttribute("data-link", "stale");
  await expect(page.locator(".pill")).toHaveText("Last seen 2 min ago");
  await expect(marker(page)).toHaveAttribute("data-tone", "warn");
  await advanceClock(page, 180_000);
  await expect(marker(page)).toHaveCount(0);
  await expect(page.locator(".bar")).toContainText("No position from Ana since");
});

function advanceClock(page, byMs) {
  return page.evaluate((byMs) => {
    const now = Date.now;
    Date.now = () => now() + byMs;
  }, byMs);
}

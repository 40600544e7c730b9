// What lies under the pins: when it does not come, when the browser stops drawing, and beyond the area.

import { road } from "./support/courier.mjs";
import { test as courierTest } from "./support/courier-test.mjs";
import { PATIENCE, drawer, isLive as isDeskLive, online, signIn, test as deskTest } from "./support/desk.mjs";
import { DROPOFF } from "./support/doorstep.mjs";
import { waitingOrder } from "./support/phone.mjs";
import { expect, isLive, marker, test } from "./support/test.mjs";

const TILES = /\.pmtiles/;

// The browser itself reports every request that is refused.
const REFUSED = /Failed to load resource|net::ERR_FAILED|status of 404/;

const ONLINE = () => dispatchEvent(new Event("online"));

test.describe("without the streets", () => {
  test.use({ expected: REFUSED });

  test("the customer's pins are drawn all the same, words say what is missing, and the streets come later", async ({
    page,
    delivery: { courier, order },
  }) => {
    await page.route(TILES, (route) => route.abort());
    await courier.at(road(1)[0]);
    await page.goto(order.page);
    await isLive(page);
    const map = page.locator(".map");
    await expect(map).toHaveAttribute("data-base", "plain");
    const note = page.getByText("Street map not available");
    await expect(note).toBeVisible();
    for (const name of ["courier", "door"]) await expect(page.locator(`.map [data-marker=${name}]`)).toBeInViewport();
    const before = await marker(page).getAttribute("data-time-ms");
    await courier.at(road(2, 200)[1]);
    await expect(marker(page)).not.toHaveAttribute("data-time-ms", before);
    await page.screenshot({ path: "e2e/test-results/looks/track-plain.png" });
    await page.unroute(TILES);
    await page.evaluate(ONLINE);
    await expect(map).toHaveAttribute("data-base", "streets");
    await expect(note).toBeHidden();
  });

  test("tiles that are lost on the way are asked for again", async ({ page, delivery: { courier, order } }) => {
    // Header and directory come, what lies behind does not.
    const isTile = (request) => Number(/bytes=(\d+)/.exec(request.headers().range ?? "")?.[1] ?? 0) > 0;
    await page.route(TILES, (route) => (isTile(route.request()) ? route.abort() : route.fallback()));
    await courier.at(road(1)[0]);
    await page.goto(order.page);
    await isLive(page);
    const map = page.locator(".map");
    await expect(map).toHaveAttribute("data-base", "partial");
    await expect(page.getByText("Parts of the street map are missing")).toBeVisible();
    // Before they can come: the page asks again by itself, too, and only once when that succeeds.
    const asked = page.waitForResponse((response) => TILES.test(response.url()) && isTile(response.request()));
    await page.unroute(TILES);
    await page.evaluate(ONLINE);
    expect((await asked).status()).toBe(206);
    await expect(map).toHaveAttribute("data-base", "streets");
  });
});

test("when the browser stops drawing, the sketch is back until it draws again", async ({ page, delivery: { courier, order } }) => {
  await courier.at(road(1)[0]);
  await page.goto(order.page);
  await isLive(page);
  await page.evaluate(() => {
    const gl = document.querySelector(".map canvas").getContext("webgl2");
    window.drawing = gl.getExtension("WEBGL_lose_context");
    window.drawing.loseContext();
  });
  const track = page.locator(".track");
  await expect(track).toHaveAttribute("data-map", "sketch");
  await expect(page.getByRole("img", { name: "Sketch of the delivery, without streets" })).toBeVisible();
  await page.evaluate(() => window.drawing.restoreContext());
  await expect(track).toHaveAttribute("data-map", "streets");
});

test("an order beyond the area is a sketch that says so, and no empty sea", async ({ page, doorstep }) => {
  const away = { lat: 53.557, lon: 13.261, address: "Turmstraße 1, Neubrandenburg" };
  const { courier, order } = await doorstep.delivery({ pickup: { ...away, lat: 53.55 }, dropoff: away });
  const requests = [];
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(order.page);
  await expect(page.locator(".track")).toHaveAttribute("data-link", "live");
  await expect(page.locator(".sketch figcaption")).toHaveText("No street map here");
  await expect(page.locator(".track")).toHaveAttribute("data-map", "sketch");
  await page.waitForTimeout(1_000);
  expect(requests.filter((url) => url.includes("maplibre"))).toEqual([]);
  courier.hangUp();
});

deskTest.describe("the console without the streets", () => {
  deskTest.use({ expected: REFUSED });
  deskTest.describe.configure(PATIENCE);

  deskTest("shows couriers that can be clicked, and says what is missing", async ({ page, doorstep, dispatcher }) => {
    const courier = await online(doorstep, "Zoe");
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.route(TILES, (route) => route.abort());
    await signIn(page, dispatcher);
    await isDeskLive(page);
    await expect(page.locator(".stage").getByText("Street map not available")).toBeVisible();
    await page.getByRole("tab", { name: "Couriers" }).click();
    await page.getByRole("option").filter({ hasText: "Zoe" }).first().click();
    await expect(drawer(page).getByRole("heading", { level: 2 })).toContainText("Zoe");
    await page.screenshot({ path: "e2e/test-results/looks/dispatch-plain.png" });
    // The map looks at her now; a click in its middle leads back to her.
    await page.keyboard.press("Escape");
    await expect(drawer(page).getByRole("heading", { level: 2 })).not.toContainText("Zoe");
    await page.waitForTimeout(1_000);
    const { x, y, width, height } = await page.locator("#map").boundingBox();
    await page.mouse.click(x + width / 2, y + height / 2);
    await expect(drawer(page).getByRole("heading", { level: 2 })).toContainText("Zoe");
    await page.unroute(TILES);
    await page.evaluate(ONLINE);
    await expect(page.locator("#map")).toHaveAttribute("data-base", "streets");
    courier.hangUp();
  });

  deskTest("marks an order beyond the streets, in the list and beside the map", async ({ desk, doorstep }) => {
    const away = { lat: 53.557, lon: 13.261, address: "Turmstraße 1, Neubrandenburg" };
    const order = await doorstep.order({ pickup: { ...away, lat: 53.55 }, dropoff: away });
    await desk.goto(`/dispatch?tab=unassigned&order=${order.id}`);
    await isDeskLive(desk);
    await expect(drawer(desk).getByText(/^No streets here: /)).toBeVisible();
    await expect(desk.getByRole("option").filter({ hasText: order.reference })).toContainText("No streets here");
  });
});

courierTest.describe("the courier's app without the streets", () => {
  // Without the worker, whose requests a test cannot refuse.
  courierTest.use({ expected: /Failed to load resource|net::ERR_FAILED|Service Worker registration blocked/ });

  courierTest("draws the way to the stop all the same, and says what is missing", async ({ doorstep, ana, takePhone }) => {
    await waitingOrder(doorstep, ana);
    const phone = await takePhone({ at: [DROPOFF.lon, DROPOFF.lat], serviceWorkers: "block" });
    await phone.context.route(TILES, (route) => route.abort());
    await phone.signIn(ana.link);
    await phone.goOnline();
    const stage = phone.page.locator(".stage");
    await expect(stage).toHaveAttribute("data-map", "streets");
    await expect(stage.getByText("Street map not available")).toBeVisible();
    await expect(stage.locator(".map [data-marker=courier]")).toBeVisible();
    await expect(stage.locator(".map [data-marker=pickup]")).toBeVisible();
    await phone.context.unroute(TILES);
    await phone.page.evaluate(ONLINE);
    await expect(stage.locator(".map")).toHaveAttribute("data-base", "streets");
  });
});

courierTest.describe("without a network", () => {
  // The browser itself reports every request that found none.
  courierTest.use({ expected: /net::ERR_INTERNET_DISCONNECTED|net::ERR_FAILED|WebSocket connection to|Failed to fetch|^Error$/ });

  courierTest("the streets around the day's stops are drawn in a tunnel, too", async ({ doorstep, ana, takePhone }) => {
    await waitingOrder(doorstep, ana);
    const phone = await takePhone({ at: [DROPOFF.lon, DROPOFF.lat] });
    await phone.signIn(ana.link);
    await phone.isInstalled();
    await phone.page.reload();
    await phone.goOnline();
    const map = phone.page.locator(".map");
    await expect(map).toHaveAttribute("data-base", "streets");
    const kept = () =>
      phone.page.evaluate(async () => {
        const names = (await caches.keys()).filter((name) => name.startsWith("doorstep-area-"));
        const keys = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
        return keys.flat().filter(({ url }) => url.includes("map.pmtiles?")).length;
      });
    await expect.poll(kept, { timeout: 30_000 }).toBeGreaterThan(20);
    let before = -1;
    await expect.poll(async () => before === (before = await kept()), { intervals: [1_500], timeout: 60_000 }).toBe(true);
    await phone.enterTunnel();
    await phone.page.reload();
    await expect(map).toHaveAttribute("data-base", "streets");
    await phone.page.waitForTimeout(2_000);
    await expect(map, "no tile is missing").toHaveAttribute("data-base", "streets");
    await phone.page.screenshot({ path: "e2e/test-results/looks/courier-tunnel.png" });
  });
});

// The street map, and the page without one.

import { road } from "./support/courier.mjs";
import { expect, isLive, test } from "./support/test.mjs";

test("a browser without WebGL2 shows the sketch, and the page is live all the same", async ({ page, delivery: { courier, order } }) => {
  await page.addInitScript(() => {
    const { getContext } = HTMLCanvasElement.prototype;
    HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
      return kind === "webgl2" ? null : getContext.call(this, kind, ...rest);
    };
  });
  const requests = [];
  page.on("request", (request) => requests.push(request.url()));
  await courier.at(road(1)[0]);
  await page.goto(order.page);
  await expect(page.locator(".track")).toHaveAttribute("data-link", "live");
  await expect(page.locator(".track")).toHaveAttribute("data-map", "sketch");
  const sketch = page.getByRole("img", { name: "Sketch of the delivery, without streets" });
  await expect(sketch).toBeVisible();
  await expect(page.locator(".line")).toContainText("to your door");
  const courierMark = page.locator(".sketch [data-marker=courier]");
  const before = await courierMark.getAttribute("transform");
  await courier.at(road(2, 200)[1]);
  await expect(courierMark).not.toHaveAttribute("transform", before);
  expect(requests.filter((url) => url.includes("maplibre"))).toEqual([]);
});

test("dragging leaves the courier, and Recenter comes back to them", async ({ page, delivery: { courier, order } }) => {
  await courier.at(road(1)[0]);
  await page.goto(order.page);
  await isLive(page);
  const recenter = page.getByRole("button", { name: "Recenter" });
  await expect(recenter).toBeHidden();
  await page.mouse.move(200, 250);
  await page.mouse.down();
  await page.mouse.move(60, 120, { steps: 5 });
  await page.mouse.up();
  await expect(recenter).toBeVisible();
  await recenter.click();
  await expect(recenter).toBeHidden();
  for (const name of ["courier", "door"]) {
    await expect(page.locator(`.map [data-marker=${name}]`)).toBeInViewport();
  }
});

test("the handle makes the map larger by dragging, by pressing and by keyboard", async ({ page, delivery: { courier, order } }) => {
  await courier.at(road(1)[0]);
  await page.goto(order.page);
  await isLive(page);
  const track = page.locator(".track");
  const handle = page.locator(".handle button");
  await expect(handle).toHaveAccessibleName("Larger map");
  await handle.click();
  await expect(track).toHaveAttribute("data-size", "large");
  await expect(handle).toHaveAccessibleName("Smaller map");
  await handle.press("Enter");
  await expect(track).toHaveAttribute("data-size", "half");
  const box = await handle.boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x, y + 150, { steps: 3 });
  await page.mouse.up();
  await expect(track).toHaveAttribute("data-size", "large");
});

test("the map says whose data it shows", async ({ page, delivery: { order } }) => {
  await page.goto(order.page);
  await isLive(page);
  await expect(page.locator(".maplibregl-ctrl-attrib")).toContainText("© OpenStreetMap contributors");
});

test("the road ahead is asked for once there is a position", async ({ page, delivery: { courier, order } }) => {
  const asked = page.waitForResponse((response) => response.url().endsWith("/route"));
  await courier.at(road(1)[0]);
  await page.goto(order.page);
  const answer = await asked;
  expect([200, 204]).toContain(answer.status());
});

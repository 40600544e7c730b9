// The scripts of the maps by themselves: what is drawn when the base comes, stays away, has gaps, or becomes another one.

import { expect, test as base } from "@playwright/test";
import { MapBench, openFleetMap, openStreetMap, pageArea } from "./support/map-bench.mjs";

const test = base.extend({
  bench: async ({}, use) => {
    const bench = await new MapBench().start();
    await use(bench);
    bench.stop();
  },
});

const TILES = `/area/${pageArea().id}/map.pmtiles`;

const told = (page) => page.evaluate(() => window.told.at(-1));
const tells = (page, state) => expect.poll(() => told(page), { timeout: 20_000 }).toBe(state);
const sources = (page) => page.evaluate(() => Object.keys(window.map.map.getStyle().sources));
const networkIsBack = (page) => page.evaluate(() => dispatchEvent(new Event("online")));

/** Whether a line of this source is drawn. */
const isDrawn = (page, source) =>
  expect
    .poll(() => page.evaluate((source) => window.map.map.queryRenderedFeatures({ layers: [source] }).length, source), { timeout: 20_000 })
    .toBeGreaterThan(0);

test("pins and route are drawn over a plain sheet when there are no tiles, and over streets once there are", async ({ page, bench }) => {
  bench.answers[TILES] = [503, "busy"];
  await page.goto(bench.url);
  await openStreetMap(page);
  await tells(page, "plain");
  await expect(page.locator(".map [data-marker=courier]")).toBeInViewport();
  await isDrawn(page, "route");
  expect(await sources(page)).not.toContain("base-tiles");
  delete bench.answers[TILES];
  await networkIsBack(page);
  await tells(page, "streets");
  expect(await sources(page)).toContain("base-tiles");
  await isDrawn(page, "route");
  await isDrawn(page, "main");
  await expect(page.locator(".maplibregl-ctrl-attrib")).toContainText("© OpenStreetMap contributors");
});

test("couriers are drawn and can be clicked when the online style does not come", async ({ page, bench }) => {
  bench.area = pageArea({ basemap_style: `${bench.url}/style.json` });
  bench.answers["/style.json"] = [404, "none"];
  await page.goto(bench.url);
  await openFleetMap(page);
  await tells(page, "plain");
  await isDrawn(page, "fleet");
  const { width, height } = page.viewportSize();
  await page.mouse.click(width / 2, height / 2);
  expect(await page.evaluate(() => window.clicks)).toEqual([7]);
});

test("an online style is drawn with its attribution, and none of its names takes the place of ours", async ({ page, bench }) => {
  const points = { type: "geojson", data: { type: "Point", coordinates: [14.5, 35.9] }, attribution: "© Someone's map" };
  const layers = ["route", "fleet"].map((id) => ({ id, type: "circle", source: "route", paint: { "circle-radius": 40 } }));
  const style = { version: 8, sources: { route: points }, layers };
  bench.area = pageArea({ basemap_style: `${bench.url}/style.json` });
  bench.answers["/style.json"] = [200, JSON.stringify(style)];
  await page.goto(bench.url);
  await openStreetMap(page);
  await tells(page, "streets");
  await isDrawn(page, "base-route");
  await isDrawn(page, "route");
  await expect(page.locator(".maplibregl-ctrl-attrib")).toContainText("© Someone's map");
  await expect(page.locator(".maplibregl-ctrl-attrib")).toContainText("© OpenStreetMap contributors");
});

test("what is no style is none", async ({ page, bench }) => {
  bench.area = pageArea({ basemap_style: `${bench.url}/style.json` });
  bench.answers["/style.json"] = [200, JSON.stringify({ version: 8, layers: "none" })];
  await page.goto(bench.url);
  await openStreetMap(page);
  await tells(page, "plain");
});

test("tiles that are slow keep no pin waiting", async ({ page, bench }) => {
  const answer = bench.hold(TILES);
  await page.goto(bench.url);
  await openStreetMap(page);
  await tells(page, "plain");
  await expect(page.locator(".map [data-marker=door]")).toBeInViewport();
  answer();
  await tells(page, "streets");
  await isDrawn(page, "main");
});

for (const [name, open, line] of [["customer's", openStreetMap, "route"], ["console's", openFleetMap, "fleet"]]) {
  test(`another area takes the place of the ${name} without moving the view`, async ({ page, bench }) => {
    await page.goto(bench.url);
    await open(page);
    await tells(page, "streets");
    await isDrawn(page, line);
    const view = () => page.evaluate(() => [window.map.map.getZoom(), ...window.map.map.getCenter().toArray()]);
    const before = await view();
    bench.area = pageArea({ id: "elsewhere-0a1b2c3d", attribution: "© <b>Others</b>" });
    await page.evaluate(() => window.renewArea());
    await expect(page.locator("#map")).toHaveAttribute("data-area", "elsewhere-0a1b2c3d");
    await tells(page, "streets");
    await isDrawn(page, line);
    await isDrawn(page, "main");
    expect(await view()).toEqual(before);
    expect(bench.asked).toContain("/area/elsewhere-0a1b2c3d/map.pmtiles");
    await expect(page.locator(".maplibregl-ctrl-attrib")).toContainText("© <b>Others</b>");
  });

  test(`a ${name} map whose browser stops drawing says so and is whole afterwards`, async ({ page, bench }) => {
    const problems = [];
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(bench.url);
    await open(page);
    await tells(page, "streets");
    await isDrawn(page, line);
    await page.evaluate(() => {
      window.drawing = window.map.map.getCanvas().getContext("webgl2").getExtension("WEBGL_lose_context");
      window.drawing.loseContext();
    });
    await tells(page, "lost");
    // The programs go on telling the map where everybody is, and people switch between light and dark.
    await page.evaluate(() => {
      document.documentElement.dataset.theme = "dark";
      window.map.line("ahead" in window.map.lines ? "ahead" : "route", [14.5, 35.89, 14.51, 35.9], [2]);
      window.map.move?.(Float64Array.from([7, 14.501, 35.9, 45, 1]));
    });
    await page.evaluate(() => window.drawing.restoreContext());
    await tells(page, "streets");
    await isDrawn(page, line);
    await isDrawn(page, "main");
    expect(problems).toEqual([]);
  });
}

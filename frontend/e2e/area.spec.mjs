// Another area by an admin in the console, while customers, couriers and the console itself look on.

import AxeBuilder from "@axe-core/playwright";
import { road } from "./support/courier.mjs";
import { PATIENCE, isLive as isDeskLive, signIn } from "./support/desk.mjs";
import { Doorstep } from "./support/doorstep.mjs";
import { extract } from "./support/extract.mjs";
import { Phone, invitedCourier, waitingOrder } from "./support/phone.mjs";
import { expect, isLive, test as base } from "./support/test.mjs";

// Its area changes: no other test may stand on it.
const test = base.extend({
  town: async ({}, use) => {
    const town = await Doorstep.start();
    await use(town);
    await town.stop();
  },

  baseURL: async ({ town }, use) => use(town.url),

  /** The console of an admin, with the dialog of areas open. */
  admin: async ({ page, town }, use) => {
    await page.setViewportSize({ width: 1440, height: 900 });
    await signIn(page, await town.person("admin"));
    await isDeskLive(page);
    await openAreas(page);
    await use(page);
  },
});

test.describe.configure(PATIENCE);

const TOWN = { lat: 53.557, lon: 13.261, name: "Testow" };

async function openAreas(page) {
  await page.locator(".menu summary").click();
  await page.getByRole("button", { name: "Area", exact: true }).click();
  await expect(dialog(page).getByRole("listitem")).not.toHaveCount(0);
}

const dialog = (page) => page.getByRole("dialog", { name: "Area" });
const area = (page, name) => dialog(page).getByRole("listitem").filter({ hasText: name });

async function upload(page, name, buffer) {
  await page.locator("#area-file").setInputFiles({ name, mimeType: "application/octet-stream", buffer });
  await dialog(page).getByRole("button", { name: "Upload and import" }).click();
}

test("an uploaded extract becomes the area, and every open page shows it without being loaded anew", async ({
  admin,
  town,
  browser,
}) => {
  const { courier, order } = await town.delivery();
  await courier.at(road(1)[0]);
  const customer = await (await browser.newContext({ baseURL: town.url, locale: "en-GB" })).newPage();
  await customer.goto(order.page);
  await isLive(customer);
  const ana = await invitedCourier(town);
  await waitingOrder(town, ana);
  const phone = await Phone.take(browser, town);
  await phone.signIn(ana.link);
  await phone.goOnline();
  const maps = [admin.locator("#map"), customer.locator(".map"), phone.page.locator(".map")];
  await expect(maps[2]).toHaveAttribute("data-base", "streets");
  for (const page of [admin, customer, phone.page]) await page.evaluate(() => (window.isStill = true));
  await upload(admin, "testow.osm.pbf", extract(TOWN));
  await expect(area(admin, "Testow")).toContainText("In use");
  for (const map of maps) await expect(map).toHaveAttribute("data-area", /^testow-/);
  for (const page of [admin, customer, phone.page]) expect(await page.evaluate(() => window.isStill)).toBe(true);
  // Their orders lie elsewhere now, and the pages say so.
  for (const page of [customer, phone.page]) await expect(page.getByText("No street map here").filter({ visible: true })).toBeVisible();
  const track = customer.locator(".track");
  await expect(track).toHaveAttribute("data-link", "live");
  const before = await customer.locator(".sketch [data-marker=courier]").getAttribute("transform");
  await courier.at(road(2, 200)[1]);
  await expect(customer.locator(".sketch [data-marker=courier]")).not.toHaveAttribute("transform", before);
  await area(admin, "Malta").getByRole("button", { name: "Use" }).click();
  await expect(area(admin, "Malta")).toContainText("In use");
  for (const map of maps) await expect(map).toHaveAttribute("data-area", /^malta-/);
  await isLive(customer);
  await area(admin, "Testow").getByRole("button", { name: "Remove" }).click();
  await area(admin, "Testow").getByRole("button", { name: "Really remove" }).click();
  await expect(area(admin, "Testow")).toHaveCount(0);
  courier.hangUp();
  await phone.throwAway();
});

test("a file that is no extract is refused in words, and the area in use stays", async ({ admin }) => {
  await upload(admin, "holiday.osm.pbf", Buffer.from("this is a picture of a beach".repeat(1_000)));
  await expect(dialog(admin).getByText(/no usable OpenStreetMap extract/)).toBeVisible();
  await expect(area(admin, "Malta")).toContainText("In use");
  await expect(dialog(admin).getByRole("button", { name: "Upload and import" })).toBeEnabled();
});

test("the dialog of areas is accessible and worth looking at", async ({ admin }) => {
  for (const colorScheme of ["light", "dark"]) {
    await admin.emulateMedia({ colorScheme });
    for (const [size, width] of Object.entries({ desktop: 1440, phone: 390, narrow: 320 })) {
      await admin.setViewportSize({ width, height: 844 });
      expect(await admin.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      await admin.screenshot({ path: `e2e/test-results/looks/areas-${size}-${colorScheme}.png` });
    }
    const { violations } = await new AxeBuilder({ page: admin }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`)).toEqual([]);
  }
});

test("dispatchers have no button for areas", async ({ page, town }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await signIn(page, await town.person("dispatcher"));
  await isDeskLive(page);
  await page.locator(".menu summary").click();
  await expect(page.getByRole("button", { name: "Keys" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Area", exact: true })).toBeHidden();
});

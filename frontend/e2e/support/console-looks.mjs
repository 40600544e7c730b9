// Photographs the console's screens with a pretended fleet behind them: full and empty, light and dark, in three sizes.
// Each is checked for accessibility, for text that is cut off, and for warnings and errors of the browser.
//
//   cargo xtask site && cargo run -p doorstep-frontend --features ssr --example preview -- target/preview
//   node frontend/e2e/support/console-looks.mjs target/preview [name, size or theme…]

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "@playwright/test";
import config from "../../playwright.config.mjs";
import { serveConsole } from "./console-preview.mjs";
import { PretendFleet } from "./pretend-fleet.mjs";

const [folder = "target/preview", ...wanted] = process.argv.slice(2);
const SIZES = { desktop: [1440, 900], laptop: [1024, 768], phone: [390, 844], narrow: [320, 640] };
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const full = new PretendFleet();
const busy = new PretendFleet({ couriers: 12, active: 45, unassigned: 9, plans: 5 });
const empty = new PretendFleet({ couriers: 0, active: 0, unassigned: 0, done: 0 });
const active = [...full.orders.values()].find(({ status }) => status === "picked_up");
const unassigned = [...full.orders.values()].find(({ status }) => status === "created");
const assigned = [...full.orders.values()].find(({ status }) => status === "assigned");
const done = [...full.orders.values()].find(({ status }) => status === "delivered");
const failed = [...full.orders.values()].find(({ status }) => status === "failed");
const [ana] = full.couriers;
const [planned] = busy.couriers;
const plan = `/dispatch?tab=couriers&courier=${planned.id}`;
const handle = (page, index) => page.locator(".stop-handle").nth(index);
/** Holds a stop over a place two and a half rows further down. */
const drag = async (page, index) => {
  await handle(page, index).scrollIntoViewIfNeeded();
  const { x, y, width, height } = await handle(page, index).boundingBox();
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width / 2, y + height * 3, { steps: 5 });
};
const press = (name) => (page) => page.getByRole("button", { name, exact: true }).click();
const onMap = (page) => page.locator(".screens").getByRole("button", { name: "Map" }).click();
const key = (name) => (page) => page.keyboard.press(name);
const then = (...steps) => async (page) => {
  for (const step of steps) await step(page);
};
const conflict = async (page) => {
  full.desk.contested.add(active.id);
  await page.keyboard.press("e");
  await page.getByLabel("Note for the courier, door").fill("Ring twice");
  await page.getByLabel("Phone", { exact: true }).fill("12");
  await page.keyboard.press("Enter");
  await page.getByText("ben@example.org").first().waitFor();
  await page.evaluate(() => document.querySelector(".drawer").scrollTo(0, 0));
};
const openImport = async (page) => {
  await page.getByRole("button", { name: "More" }).or(page.locator(".menu summary")).first().click();
  const inMenu = page.getByRole("button", { name: "Import orders" });
  if (await inMenu.isVisible()) await inMenu.click();
  else await page.getByRole("button", { name: "Import", exact: true }).click();
};
const mapping = async (page) => {
  await openImport(page);
  await page.locator("#import-file").setInputFiles({ name: "orders.csv", mimeType: "text/csv", buffer: Buffer.from("Order no;Shop\nA-2001;Harbour Kitchen") });
  await page.getByText("What does each column hold?").waitFor();
};
const openAreas = async (page) => {
  await page.locator(".menu summary").click();
  await page.getByRole("button", { name: "Area" }).click();
  await page.locator("#dialog").waitFor();
};
const openArrivals = async (page) => {
  await page.locator(".menu summary").click();
  await page.getByRole("button", { name: "Arrivals" }).click();
  await page.getByText("Where couriers wait").waitFor();
};
const openPinned = async (page) => {
  await page.locator(".menu summary").click();
  await page.getByRole("button", { name: "Pinned addresses" }).click();
  await page.getByText("The boathouse, Marsaxlokk").waitFor();
};
/** The dialog while the server says otherwise. */
const areas = (change) => async (page) => {
  const { areas } = full.desk;
  const before = { import: areas.import, fails: areas.fails };
  Object.assign(areas, change);
  await openAreas(page);
  await page.waitForTimeout(300);
  Object.assign(areas, before);
};
const select = async (page) => {
  for (const row of [0, 2, 3]) await page.locator(".row .pick").nth(row).click();
};
const details = async (page) => {
  const button = page.locator(".screens").getByRole("button", { name: "Details" });
  if (await button.isVisible()) await button.click();
};

// Where each screen is, and what to press there.
const STATES = {
  areas: ["/dispatch", areas({})],
  "areas-importing": ["/dispatch", areas({ import: { state: "importing", stage: "streets", share: 0.42 } })],
  "areas-failed": ["/dispatch", areas({ import: { state: "failed", stage: "map", share: 0.1, error: "the disk is full" } })],
  "areas-removing": ["/dispatch", then(areas({}), (page) => page.getByRole("button", { name: /^Remove / }).first().click())],
  "areas-refused": ["/dispatch", areas({ fails: 409 })],
  arrivals: ["/dispatch", openArrivals],
  pinned: ["/dispatch", openPinned],
  "pinned-removing": ["/dispatch", then(openPinned, (page) => page.getByRole("button", { name: /^Remove / }).first().click())],
  inbox: ["/dispatch", details],
  all: ["/dispatch?inbox=all", details],
  list: ["/dispatch"],
  map: ["/dispatch", async (page) => (await page.locator(".screens").isVisible()) && onMap(page)],
  unassigned: [`/dispatch?tab=unassigned&order=${unassigned.id}`],
  order: [`/dispatch?order=${active.id}`],
  done: [`/dispatch?tab=done&order=${done.id}`],
  couriers: ["/dispatch?tab=couriers"],
  courier: [`/dispatch?tab=couriers&courier=${ana.id}`],
  "new-order": ["/dispatch?new=1"],
  wrong: ["/dispatch?new=1", press("Create order")],
  replay: [`/dispatch?replay=${ana.id}`],
  missing: ["/dispatch?order=01900000-0000-7000-8009-000000000000"],
  nothing: ["/dispatch?q=zzzz"],
  help: ["/dispatch", (page) => page.keyboard.press("?")],
  import: ["/dispatch", openImport],
  mapping: ["/dispatch", mapping],
  edit: [`/dispatch?order=${active.id}`, key("e")],
  "edit-more": [`/dispatch?order=${failed.id}`, then(key("e"), (page) => page.evaluate(() => document.querySelector(".drawer").scrollTo(0, 9999)))],
  conflict: [`/dispatch?order=${active.id}`, conflict],
  failed: [`/dispatch?order=${failed.id}`],
  history: [`/dispatch?order=${failed.id}`, (page) => page.evaluate(() => document.querySelector(".timeline").scrollIntoView())],
  attempt: [`/dispatch?order=${failed.id}`, key("t")],
  unassign: [`/dispatch?order=${assigned.id}`, key("u")],
  reopen: [`/dispatch?tab=done&order=${done.id}`, key("r")],
  selected: ["/dispatch", select],
  move: ["/dispatch", then(select, key("m"))],
  cancel: ["/dispatch", then(select, key("c"))],
  days: ["/dispatch?tab=done&days=week"],
  "courier-form": [`/dispatch?tab=couriers&courier=${ana.id}`, press("Edit")],
  archive: [`/dispatch?tab=couriers&courier=${ana.id}`, press("Archive")],
  archived: ["/dispatch?tab=couriers", press("Archived")],
  pickups: ["/dispatch?new=1", press("Save or remove…")],
  link: [`/dispatch?order=${active.id}`, press("Tracking link")],
  invite: [`/dispatch?tab=couriers&courier=${ana.id}`, press("Invite a phone")],
  plan: [plan, (page) => page.locator(".plan").scrollIntoViewIfNeeded(), busy],
  "plan-foot": [plan, (page) => page.locator(".plan-sum").scrollIntoViewIfNeeded(), busy],
  "plan-drag": [plan, (page) => drag(page, 0), busy],
  "plan-lock": [
    plan,
    async (page) => {
      await page.locator(".lock-handle").press(" ");
      for (const key of ["ArrowDown", "ArrowDown", "Enter"]) await page.locator(".lock-handle").press(key);
    },
    busy,
  ],
  "plan-keyboard": [
    plan,
    async (page) => {
      await handle(page, 1).press(" ");
      for (const key of ["ArrowDown", "ArrowDown"]) await handle(page, 1).press(key);
    },
    busy,
  ],
  "plan-conflict": [
    plan,
    async (page) => {
      busy.plans.rival = "ben@example.org";
      await page.locator(".stop-button").nth(4 + 3).click();
      await page.locator(".refused").scrollIntoViewIfNeeded();
    },
    busy,
  ],
  "plan-map": [plan, async (page) => (await page.locator(".screens").isVisible()) && onMap(page), busy],
  "all-orders": [
    "/dispatch",
    async (page) => {
      if (await page.locator(".screens").isVisible()) await onMap(page);
      await page.getByRole("button", { name: "Show all" }).click();
    },
    busy,
  ],
  "near-orders": [
    "/dispatch",
    async (page) => {
      if (await page.locator(".screens").isVisible()) await onMap(page);
      for (let step = 0; step < 2; step++) {
        await page.getByRole("button", { name: "Zoom in" }).click();
        await page.waitForTimeout(600);
      }
    },
    busy,
  ],
  empty: ["/dispatch", details, empty],
  "empty-couriers": ["/dispatch?tab=couriers", undefined, empty],
};

const servers = new Map();
for (const fleet of [full, busy, empty]) servers.set(fleet, await serveConsole({ folder, fleet }));
const browser = await chromium.launch(config.use.launchOptions);
let findings = 0;

function found(place, text) {
  findings += 1;
  console.log(`${place}: ${text}`);
}

async function photograph(name, size, colorScheme) {
  const [path, act, fleet = full] = STATES[name];
  const [width, height] = SIZES[size];
  const place = `console-${name}-${size}-${colorScheme}`;
  const page = await browser.newPage({ colorScheme, viewport: { width, height }, reducedMotion: "reduce", locale: "en-GB" });
  page.on("pageerror", (error) => found(place, `uncaught: ${error.message}`));
  page.on("console", (message) => {
    const isMissing = (name === "missing" && message.text().includes("404")) || (name === "conflict" && message.text().includes("412"));
    if (["error", "warning"].includes(message.type()) && !isMissing) found(place, message.text());
  });
  await page.goto(`http://127.0.0.1:${servers.get(fleet).address().port}${path}`);
  await page.waitForSelector('.console[data-known]');
  await page.waitForSelector('.stage[data-map="open"]', { state: "attached" });
  await page.waitForLoadState("networkidle").catch(() => undefined);
  await act?.(page);
  // The map's tiles are drawn in software here.
  await page.waitForTimeout(1_500);
  await page.screenshot({ path: join(folder, `${place}.png`) });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (overflow > 0) found(place, `${overflow} px wider than the screen`);
  const cut = await page.evaluate(() =>
    [...document.querySelectorAll("button, h1, h2, h3, dd, .badge, .pill, .note")]
      .filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest(".unseen"))
      .filter((element) => element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0)
      .map((element) => element.outerHTML.slice(0, 120)),
  );
  cut.forEach((html) => found(place, `cut off: ${html}`));
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  for (const { id, nodes } of violations) nodes.forEach(({ html, failureSummary }) => found(place, `${id}: ${html.slice(0, 200)} ${failureSummary.slice(0, 300)}`));
  await page.close();
}

/** The names that were asked for: all, when none is named. */
function chosen(names) {
  const named = names.filter((name) => wanted.includes(name));
  return named.length > 0 ? named : names;
}

for (const name of chosen(Object.keys(STATES))) {
  for (const colorScheme of chosen(["light", "dark"])) {
    for (const size of chosen(Object.keys(SIZES))) {
      await photograph(name, size, colorScheme).catch((error) => found(`${name}-${size}-${colorScheme}`, error.message));
    }
  }
}
await browser.close();
console.log(findings === 0 ? "nothing found" : `${findings} findings`);
process.exit(findings === 0 ? 0 : 1);

// Photographs the screens that `examples/courier_preview.rs` wrote, light and dark, in three sizes, and has each checked
// for accessibility and for things that are cut off.
//
//   node frontend/e2e/support/courier-looks.mjs target/courier-preview [name…]

import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "@playwright/test";
import config from "../../playwright.config.mjs";

const [folder = "target/courier-preview", ...wanted] = process.argv.slice(2);
const SIZES = { phone: [390, 844], narrow: [320, 640], desktop: [1280, 800] };
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// Sheets are closed until a button is pressed; without the program this script opens them.
const SHEETS = { "at-door": "#fail-heading", waiting: "#fail-heading", pickup: "#fail-heading", "account-offline": "#sign-out-heading" };

const browser = await chromium.launch(config.use.launchOptions);
let findings = 0;

function found(place, text) {
  findings += 1;
  console.log(`${place}: ${text}`);
}

async function check(page, name, place) {
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (overflow > 0) found(place, `${overflow} px wider than the screen`);
  const small = await page.evaluate(() =>
    [...document.querySelectorAll("button, a[href], summary, label:has(input)")]
      .filter((element) => element.checkVisibility({ visibilityProperty: true }))
      .map((element) => [element.outerHTML.slice(0, 80), element.getBoundingClientRect()])
      .filter(([, { width, height }]) => width < 43.5 || height < 43.5)
      .map(([html, { width, height }]) => `${Math.round(width)}×${Math.round(height)} ${html}`),
  );
  small.forEach((text) => found(place, `smaller than 44 px: ${text}`));
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  for (const { id, nodes } of violations) nodes.forEach(({ html, failureSummary }) => found(place, `${id}: ${html.slice(0, 200)} ${failureSummary.slice(0, 300)}`));
}

for (const file of readdirSync(folder).filter((file) => file.endsWith(".html"))) {
  const name = file.replace(".html", "");
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const colorScheme of ["light", "dark"]) {
    for (const [size, [width, height]] of Object.entries(SIZES)) {
      const page = await browser.newPage({ colorScheme, viewport: { width, height }, reducedMotion: "reduce" });
      await page.goto(pathToFileURL(resolve(folder, file)).href);
      const place = `${name}-${size}-${colorScheme}`;
      await page.screenshot({ path: join(folder, `${place}.png`) });
      await check(page, name, place);
      if (size === "phone") await page.screenshot({ path: join(folder, `${name}-full-${colorScheme}.png`), fullPage: true });
      if (SHEETS[name]) {
        await page.locator(SHEETS[name]).evaluate((heading) => heading.closest("dialog").showModal());
        await page.screenshot({ path: join(folder, `${name}-sheet-${size}-${colorScheme}.png`) });
        await check(page, name, `${place} with its sheet`);
      }
      await page.close();
    }
  }
}
await browser.close();
console.log(findings === 0 ? "nothing found" : `${findings} findings`);
process.exitCode = findings === 0 ? 0 : 1;

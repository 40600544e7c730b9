// What the couriers' service worker does when a new build is deployed: with the real worker, in a real browser, over two
// small builds that can be told apart.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { expect, test as base } from "@playwright/test";

const WORKER = await readFile(new URL("../../static/courier/sw.js", import.meta.url), "utf8");

/** A server that has the files of one build, as the real one does, and 404 for those of any other. */
class Site {
  async start() {
    this.server = createServer((request, response) => this.answer(new URL(request.url, this.url).pathname, response));
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  deploy(build) {
    const shell = {
      version: build,
      page: "/courier",
      files: [`/assets/app.${build}.js`, `/assets/later.${build}.js`],
    };
    const page = `<!doctype html><title>${build}</title><script src="/assets/app.${build}.js"></script>`;
    this.files = {
      "/courier": ["text/html", page],
      "/courier/sw.js": ["text/javascript", `const SHELL = ${JSON.stringify(shell)};\n${WORKER}`],
      [`/assets/app.${build}.js`]: ["text/javascript", `window.build = "${build}"; navigator.serviceWorker.register("/courier/sw.js", { scope: "/courier" });`],
      [`/assets/later.${build}.js`]: ["text/javascript", `export const build = "${build}";`],
    };
  }

  answer(path, response) {
    const [type, body] = this.files[path] ?? [];
    const headers = { "Service-Worker-Allowed": "/courier", "Cache-Control": "no-store" };
    response.writeHead(body ? 200 : 404, body ? { ...headers, "Content-Type": type } : headers).end(body);
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

const test = base.extend({
  context: async ({ context }, use) => {
    await context.addInitScript(() => {
      window.takeovers = 0;
      navigator.serviceWorker.addEventListener("controllerchange", () => (window.takeovers += 1));
    });
    await use(context);
  },

  site: async ({}, use) => {
    const site = await new Site().start();
    site.deploy("one");
    await use(site);
    site.stop();
  },
});

const build = (page) => page.evaluate(() => window.build);

/** Waits until another worker than at the opening answers for this page. */
async function isTakenOver(page) {
  await page.waitForFunction(() => window.takeovers > 0);
}

async function open(page, site) {
  await page.goto(`${site.url}/courier`);
  return build(page);
}

test("a new build takes over at the next opening, and the one after that too", async ({ page, site, context }) => {
  expect(await open(page, site)).toBe("one");
  await isTakenOver(page);
  for (const [before, next] of [
    ["one", "two"],
    ["two", "three"],
  ]) {
    site.deploy(next);
    expect(await open(page, site), "the kept page opens at once").toBe(before);
    await isTakenOver(page);
    expect(await open(page, site)).toBe(next);
  }
  await context.setOffline(true);
  expect(await open(page, site), "also without a network").toBe("three");
});

test("a tab that is still open on the build before finds its files, which the server has no more", async ({ page, site, context }) => {
  await open(page, site);
  await isTakenOver(page);
  await open(page, site);
  site.deploy("two");
  const other = await context.newPage();
  await open(other, site);
  await isTakenOver(other);
  expect(await page.evaluate(async () => (await import("/assets/later.one.js")).build)).toBe("one");
});

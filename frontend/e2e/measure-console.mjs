// Measures what a large fleet costs the console: 5 000 couriers, each reporting once in 5 s, for as many minutes as asked;
// or, with `plans`, two thousand open orders in a hundred plans, with one of them open.
//
//   cargo xtask site
//   cargo run -p doorstep-frontend --features ssr --example preview -- target/preview
//   npm --prefix frontend run measure:console -- [minutes, default 15] [couriers, default 5000]
//   npm --prefix frontend run measure:console -- [minutes, default 5] plans [orders, default 2000] [plans, default 100]
//
// An update is everything that the main thread does because of one message of the feed: decoding it, applying it, handing
// it to the map. It is measured from the message to the end of the work that it started, in wall time; frames of the map
// are measured apart. All that the main thread computed, divided by the number of updates, is in CPU time, which other work
// on the machine does not change. The heap is JavaScript's after a collection, with the browser's own objects and the
// program's memory. The feed is pretended, so that only the browser is measured: couriers move four times a second in
// turns, and every second one order takes its next status; a delivered one is replaced by a new one. With plans, every order
// behind a stop that is done gets another number, as the server tells it, and every five seconds somebody puts the open plan in
// another order. At the end a list of ten thousand orders is scrolled, for at most a minute and whether its map has come or
// not. The load of the machine stands beside the result, because wall time grows with it.

import { loadavg } from "node:os";
import { chromium } from "@playwright/test";
import { serveConsole } from "./support/console-preview.mjs";
import { PretendFleet } from "./support/pretend-fleet.mjs";
import { scroll } from "./support/scroll.mjs";

const [, , given, second, ...counts] = process.argv;
const isPlans = second === "plans";
const [orders = 2_000, plans = 100] = counts.map(Number);
const minutes = given ?? (isPlans ? "5" : "15");
const couriers = isPlans ? plans : (second ?? "5000");
const UPDATE_LIMIT_MS = 50;
const HEAP_LIMIT_MB = 10;

process.chdir(new URL("../..", import.meta.url).pathname);
const fleet = new PretendFleet(
  isPlans
    ? { couriers: plans, plans, active: orders - 50, unassigned: 50, lively: true }
    : { couriers: Number(couriers), active: 400, unassigned: 20, lively: true },
);
const server = await serveConsole({ folder: "target/preview", fleet });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_BIN ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--enable-precise-memory-info"],
});
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
await page.addInitScript(measure);
const [first] = fleet.couriers;
await page.goto(`http://127.0.0.1:${server.address().port}/dispatch${isPlans ? `?courier=${first.id}` : ""}`);
await page.waitForSelector(".console[data-known]");
await page.waitForSelector('.stage[data-map="open"]', { state: "attached" });
const session = await page.context().newCDPSession(page);
await session.send("Performance.enable", { timeDomain: "threadTicks" });
await heapMb();
await new Promise((resolve) => setTimeout(resolve, 10_000));
await page.evaluate(() => window.measured.reset());

const heaps = [await heapMb()];
const busyBefore = await busyMs();
const rearranging = isPlans && setInterval(() => fleet.rearrange(first.id), 5_000);
console.log(`${couriers} couriers${isPlans ? ` with ${orders} orders` : ""}, ${minutes} min; heap at the start ${heaps[0].toFixed(1)} MB`);
for (let minute = 1; minute <= Number(minutes); minute++) {
  await new Promise((resolve) => setTimeout(resolve, 60_000));
  heaps.push(await heapMb());
  const { updates, frames, longest } = await page.evaluate(() => window.measured.summary());
  console.log(`min ${minute}: updates ${line(updates)}; frames ${line(frames)}; longest task ${longest.toFixed(0)} ms; heap ${heaps.at(-1).toFixed(1)} MB`);
}
const { updates, longTasks } = await page.evaluate(() => window.measured.summary());
const growth = heaps.at(-1) - heaps[Math.min(1, heaps.length - 1)];
const busy = (await busyMs()) - busyBefore;
console.log(`main thread per update, everything included: ${(busy / updates.all).toFixed(1)} ms of CPU on average; ${longTasks} tasks of 50 ms or more`);
console.log(`load of the machine in the last 5 min: ${loadavg()[1].toFixed(1)}`);
console.log(`main thread per update, p95: ${updates.p95.toFixed(1)} ms (at most ${UPDATE_LIMIT_MS})`);
console.log(`heap after the first minute: ${growth >= 0 ? "+" : ""}${growth.toFixed(1)} MB (at most +${HEAP_LIMIT_MB})`);
// The map of this page is drawn in software, with every core that there is: beside it each frame of another page takes seconds.
clearInterval(rearranging);
clearInterval(server.timer);
await page.close();
await measureScrolling();
await browser.close();
server.close();
process.exitCode = updates.p95 <= UPDATE_LIMIT_MS && growth <= HEAP_LIMIT_MB ? 0 : 1;
process.exit();

/** Scrolls through ten thousand unassigned orders, in a console of their own. */
async function measureScrolling() {
  const many = new PretendFleet({ couriers: 50, active: 100, unassigned: 10_000, done: 0 });
  const crowded = await serveConsole({ folder: "target/preview", fleet: many });
  const list = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await list.goto(`http://127.0.0.1:${crowded.address().port}/dispatch?tab=unassigned`);
  await list.waitForFunction(() => document.querySelector("[role=option][aria-setsize='10000']"), null, { timeout: 120_000 });
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const { steps, longest, p50, p95, most } = await list.evaluate(scroll);
  console.log(`scrolling, main thread per step of ${steps}: p50 ${p50.toFixed(1)}, p95 ${p95.toFixed(1)}, longest ${longest.toFixed(1)} ms; at most ${most} rows in the page`);
  clearInterval(crowded.timer);
  crowded.close();
}

async function heapMb() {
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize, embedderHeapUsedSize = 0, backingStorageSize = 0 } = await session.send("Runtime.getHeapUsage");
  return (usedSize + embedderHeapUsedSize + backingStorageSize) / 1e6;
}

async function busyMs() {
  const { metrics } = await session.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === "TaskDuration").value * 1_000;
}

function line({ count, p50, p95, max }) {
  return `${count}: p50 ${p50.toFixed(1)}, p95 ${p95.toFixed(1)}, max ${max.toFixed(1)} ms`;
}

/** Runs in the page, before anything else. */
function measure() {
  const updates = [];
  const frames = [];
  let longest = 0;
  let longTasks = 0;
  let all = 0;
  const keep = (list, ms) => {
    // Bounded, so that the measurement itself does not grow the heap.
    if (list.length >= 20_000) list.splice(0, 10_000);
    list.push(ms);
  };
  const { addEventListener } = WebSocket.prototype;
  WebSocket.prototype.addEventListener = function (kind, listener, ...rest) {
    if (kind !== "message") return addEventListener.call(this, kind, listener, ...rest);
    const timed = (event) => {
      const began = performance.now();
      listener.call(this, event);
      // The console works in microtasks; the next task runs after all of them.
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        keep(updates, performance.now() - began);
        all += 1;
      };
      port2.postMessage(undefined);
    };
    return addEventListener.call(this, kind, timed, ...rest);
  };
  const { requestAnimationFrame } = window;
  window.requestAnimationFrame = (callback) =>
    requestAnimationFrame((time) => {
      const began = performance.now();
      callback(time);
      keep(frames, performance.now() - began);
    });
  const note = ({ duration }) => {
    longest = Math.max(longest, duration);
    longTasks += 1;
  };
  new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type: "longtask" });
  const summary = (list) => {
    const sorted = [...list].sort((a, b) => a - b);
    const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return { count: sorted.length, p50: at(0.5), p95: at(0.95), max: sorted.at(-1) ?? 0 };
  };
  window.measured = {
    reset() {
      updates.length = 0;
      frames.length = 0;
      [longest, longTasks, all] = [0, 0, 0];
    },
    summary: () => ({ updates: { ...summary(updates), all }, frames: summary(frames), longest, longTasks }),
  };
}

// Storage that never answers, as WebKit's at times: the courier's app goes on in memory and says what that means.

import { test } from "./support/courier-test.mjs";
import { approach, storedFixes } from "./support/phone.mjs";
import { expect } from "./support/test.mjs";
import { until } from "./support/until.mjs";

/** The app waits for an answer, gives up, and tries again. */
const PATIENCE_MS = 45_000;

async function isStored(doorstep, ana, count) {
  await until("the server has the position", PATIENCE_MS, async () => (await storedFixes(doorstep, ana)).length >= count);
}

test("storage that does not open: the shift begins all the same", async ({ doorstep, ana, takePhone }) => {
  const phone = await takePhone({ at: approach(1)[0] });
  await phone.context.addInitScript(() => {
    IDBFactory.prototype.open = () => ({});
  });
  await phone.signIn(ana.link);
  await expect(phone.page.locator(".notice")).toContainText("storage does not answer, so positions are not kept");
  await phone.goOnline();
  await isStored(doorstep, ana, 1);
});

test("storage that falls silent during the shift: the courier reads it, and positions are sent", async ({
  doorstep,
  ana,
  takePhone,
}) => {
  test.setTimeout(180_000);
  const phone = await takePhone({ at: approach(1)[0] });
  await phone.context.addInitScript(() => {
    const { transaction } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = function (...how) {
      const begun = transaction.apply(this, how);
      if (window.isStorageSilent) {
        for (const end of ["oncomplete", "onabort"]) Object.defineProperty(begun, end, { set() {} });
      }
      return begun;
    };
  });
  await phone.signIn(ana.link);
  await phone.goOnline();
  await isStored(doorstep, ana, 1);
  await phone.page.evaluate(() => (window.isStorageSilent = true));
  await phone.moveTo(approach(20).at(-1));
  const notice = phone.page.locator(".notice").filter({ hasText: "This phone could not save" });
  await expect(notice).toBeVisible({ timeout: PATIENCE_MS });
  await isStored(doorstep, ana, 2);
});

// What a test of the couriers' app starts from: Ana with her sign-in link, and phones whose consoles must stay quiet.

import { Phone, invitedCourier } from "./phone.mjs";
import { expect, test as base } from "./test.mjs";

export const test = base.extend({
  ana: async ({ doorstep }, use) => use(await invitedCourier(doorstep)),

  /** A new phone, whose console must have stayed quiet. Call it with the phone's clock and the like. */
  takePhone: async ({ browser, doorstep, expected }, use) => {
    const phones = [];
    await use(async (options) => {
      const phone = await Phone.take(browser, doorstep, options);
      phones.push(phone);
      return phone;
    });
    for (const phone of phones) await phone.throwAway();
    const problems = phones.flatMap((phone) => phone.problems);
    expect(problems.filter((problem) => !expected.test(problem)), "what the phones' consoles said").toEqual([]);
  },
});

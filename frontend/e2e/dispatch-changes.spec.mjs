// Orders that change after they were made, against the server.

import { PATIENCE, drawer, expect, online, test, title } from "./support/desk.mjs";

test.describe.configure(PATIENCE);
// The browser itself reports the refusal that the test is about.
test.use({ expected: /status of 412/ });

const stored = (doorstep, order) => doorstep.call("GET", `/orders/${order.id}`);

test("a dispatcher corrects an order, and learns who changed it meanwhile", async ({ desk, doorstep }) => {
  const ana = await online(doorstep, "Ana Change");
  const order = await doorstep.order();
  await desk.goto(`/dispatch?order=${order.id}`);
  await expect(title(desk)).toHaveText(order.reference);

  await desk.keyboard.press("e");
  await drawer(desk).getByLabel("Customer", { exact: true }).fill("Eva Borg");
  await drawer(desk).getByRole("button", { name: "Save", exact: true }).click();
  await expect(drawer(desk).getByLabel("Customer", { exact: true })).toHaveCount(0);
  await expect.poll(async () => (await stored(doorstep, order)).customer.name).toBe("Eva Borg");

  await test.step("what another one did is said, and what was typed is kept", async () => {
    let isGiven = false;
    await desk.route(`**/api/v1/orders/${order.id}`, async (route) => {
      const isFirst = route.request().method() === "PATCH" && !isGiven;
      if (isFirst) {
        isGiven = true;
        await doorstep.assign(order, ana);
      }
      await route.continue();
    });
    await desk.keyboard.press("e");
    await drawer(desk).getByLabel("Customer", { exact: true }).fill("Eva Camilleri");
    await drawer(desk).getByRole("button", { name: "Save", exact: true }).click();
    await expect(drawer(desk)).toContainText("Ana Change was given this by e2e");
    await expect(drawer(desk).getByLabel("Customer", { exact: true })).toHaveValue("Eva Camilleri");
    await drawer(desk).getByRole("button", { name: "Save", exact: true }).click();
    await expect.poll(async () => (await stored(doorstep, order)).customer.name).toBe("Eva Camilleri");
  });
  expect((await stored(doorstep, order)).courier_id).toBe(ana.id);
});

// Orders that change after they were made, against the server.

import { PATIENCE, drawer, expect, isLive, online, signIn, test, title } from "./support/desk.mjs";

test.describe.configure(PATIENCE);
// The browser itself reports the refusals that the tests are about.
test.use({ expected: /status of (409|412)/ });

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

/** Another dispatcher at a desk of their own, with this order open. */
async function colleague(browser, doorstep, order) {
  const person = await doorstep.person("dispatcher");
  const context = await browser.newContext({ baseURL: doorstep.url, locale: "en-GB", viewport: { width: 1440, height: 900 } });
  const desk = await context.newPage();
  await signIn(desk, person);
  await desk.goto(`/dispatch?order=${order.id}`);
  await isLive(desk);
  return { ...person, desk };
}

const give = async (desk, name) => {
  await drawer(desk).getByLabel("Find a courier by name").fill(name);
  await drawer(desk).getByRole("button", { name: `Assign to ${name}` }).click();
};

test("of two dispatchers who give one order away within a second, the slower is told, and both see one courier", async ({
  browser,
  desk,
  dispatcher,
  doorstep,
}) => {
  await Promise.all(["Marija Fast", "Paul Slow"].map((name) => online(doorstep, name)));
  const order = await doorstep.order();
  const other = await colleague(browser, doorstep, order);
  await desk.goto(`/dispatch?order=${order.id}`);
  await isLive(desk);

  // The colleague's wish leaves their console before the answer to the other one's.
  let isFirst = true;
  await other.desk.route(`**/orders/${order.id}/assign`, async (route) => {
    if (isFirst) {
      isFirst = false;
      await give(desk, "Marija Fast");
      await expect(title(desk)).toHaveText(`${order.reference} · Marija Fast`);
    }
    await route.continue();
  });
  await give(other.desk, "Paul Slow");
  await expect(drawer(other.desk)).toContainText(new RegExp(`Marija Fast was given this by ${dispatcher.email} (now|\\d+ s ago)`));
  for (const one of [desk, other.desk]) await expect(title(one)).toHaveText(`${order.reference} · Marija Fast`);

  await test.step("whoever insists is named at the other desk", async () => {
    if (!(await drawer(other.desk).getByLabel("Find a courier by name").isVisible())) {
      await drawer(other.desk).getByRole("button", { name: "Reassign" }).click();
    }
    await give(other.desk, "Paul Slow");
    for (const one of [desk, other.desk]) await expect(title(one)).toHaveText(`${order.reference} · Paul Slow`);
    await expect(drawer(desk).locator(".timeline")).toContainText(other.email);
  });
  await other.desk.context().close();
});

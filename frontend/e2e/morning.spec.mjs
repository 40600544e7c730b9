// A dispatcher's morning with the courier's phone and two customers' pages beside the console: after each step every page
// tells the same story, and of the customers exactly the next one sees the courier.

import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { PATIENCE, card, drawer, expect, isLive, online, row, search, signIn, tab, title } from "./support/desk.mjs";
import { test } from "./support/morning.mjs";

test.describe.configure({ mode: "serial", ...PATIENCE });

/** A final button of the phone can be taken back for eight seconds; the server hears of it after that. */
const HELD = { timeout: 30_000 };

/** Unique, so that one search finds this morning's orders and no others. */
const PREFIX = `M${randomBytes(3).toString("hex")}`;
const KITCHEN = "Harbour Kitchen";

/** A file from another system, whose headings nobody here knows. Doors lie one behind the other on the way. */
const FILE = `Beleg;Laden;Laden N;Laden E;Ziel;Ziel N;Ziel E;Gast
${PREFIX}-1;${KITCHEN};35.8935;14.5005;1 Strait Street;35.8955;14.5060;Eve Borg
${PREFIX}-2;${KITCHEN};35.8935;14.5005;2 Merchants Street;35.8975;14.5100;Sam Vella
${PREFIX}-3;${KITCHEN};35.8935;14.5005;3 Republic Street;35.9000;14.5142;Kim Zammit
`;
const MAPPING = {
  Beleg: "reference",
  Laden: "pickup_address",
  "Laden N": "pickup_lat",
  "Laden E": "pickup_lon",
  Ziel: "dropoff_address",
  "Ziel N": "dropoff_lat",
  "Ziel E": "dropoff_lon",
  Gast: "customer_name",
};

const DOORS = { Eve: "1 Strait Street", Sam: "2 Merchants Street", Kim: "3 Republic Street" };
const PICKUPS = ["pickup Eve", "pickup Sam", "pickup Kim"];

const stopTitles = (desk) => drawer(desk).locator(".stop .stop-title");
const handles = (desk) => drawer(desk).locator(".stop-handle");
const inHand = (phone, name) => phone.page.getByRole("heading", { name, level: 2 });
/** The phone tells something that dispatch did. */
const notice = (phone, text) => phone.page.locator(".notice").filter({ hasText: text });

/** The courier reads all that was told. */
async function readNotices({ page }) {
  const dismiss = page.locator(".notice button[aria-label]");
  while (await dismiss.count()) await dismiss.first().click();
}

/** The console's plan, the phone's and the server's have these doors in this order. */
async function doorsAre(morning, ...names) {
  const doors = async () => (await morning.plan()).filter((stop) => stop.startsWith("dropoff"));
  await expect.poll(doors, "the server's plan").toEqual(names.map((name) => `dropoff ${name}`));
  const desk = stopTitles(morning.desk).filter({ hasText: "Drop off" });
  const references = names.map((name) => `${morning.orders[name].reference} · Drop off`);
  await expect(desk, "the console's plan").toHaveText(references);
  const addresses = Object.values(DOORS);
  const phone = async () => {
    const places = await morning.phone.page.locator("#stop-address, .later .place").allTextContents();
    return places.filter((place) => addresses.includes(place));
  };
  await expect.poll(phone, "the phone's plan").toEqual(names.map((name) => DOORS[name]));
}

async function openPlan(morning) {
  const { desk } = morning;
  await tab(desk, "Couriers").click();
  await search(desk).fill("Ana Morning");
  await row(desk, "Ana Morning").click();
  await expect(title(desk)).toHaveText("Ana Morning");
  await expect(handles(desk).first()).toBeVisible();
}

async function openOrder({ desk, orders }, name) {
  await search(desk).fill(orders[name].reference);
  for (const list of ["Active", "Unassigned", "Done"]) {
    await tab(desk, list).click();
    const found = row(desk, orders[name].reference);
    const isHere = await found.waitFor({ timeout: 3_000 }).then(() => true, () => false);
    if (!isHere) continue;
    await found.click();
    await expect(title(desk)).toContainText(orders[name].reference);
    return;
  }
  throw new Error(`${orders[name].reference} is in no list`);
}

/** The courier takes a stop of the list in hand. */
async function take(phone, place) {
  if (await inHand(phone, place).isVisible()) return;
  await phone.page.locator(".later-stop").filter({ hasText: place }).click();
  await expect(inHand(phone, place)).toBeVisible();
}

/** Says at the stop in hand what happened, and what next. */
async function report(phone, button, reason, way) {
  await phone.press(button);
  const sheet = phone.page.getByRole("dialog");
  await sheet.getByLabel(reason, { exact: true }).check();
  await sheet.getByRole("button", { name: way }).click();
  await expect(sheet).toBeHidden();
}

test("orders come from a file with unknown headings, and each customer opens their link", async ({ morning }) => {
  const { desk, phone, courier, dispatcher } = morning;
  await signIn(desk, dispatcher);
  await isLive(desk);
  await phone.signIn(courier.link);
  await phone.goOnline();
  await expect(inHand(phone, "No stops yet")).toBeVisible();

  await desk.getByRole("button", { name: "Import", exact: true }).click();
  const dialog = desk.getByRole("dialog");
  await dialog.locator("#import-file").setInputFiles({ name: "orders.csv", mimeType: "text/csv", buffer: Buffer.from(FILE) });
  await expect(dialog).toContainText("What does each column hold?");
  await expect(dialog).toContainText("Still missing: Reference, Pickup address, Delivery address, Customer name");
  for (const [heading, column] of Object.entries(MAPPING)) {
    await dialog.getByLabel(`What “${heading}” holds`).selectOption(column);
  }
  await morning.look("mapping");
  await dialog.getByRole("button", { name: "Show the rows" }).click();
  await expect(dialog).toContainText("All 3 rows are fine.");
  await dialog.getByRole("button", { name: "Create 3 orders" }).click();
  await expect(dialog).toContainText("3 orders created.");
  const coming = desk.waitForEvent("download");
  await dialog.getByRole("button", { name: "Download the links" }).click();
  const links = await readFile(await (await coming).path(), "utf8");
  await dialog.getByRole("button", { name: "Close" }).first().click();

  const { items } = await morning.doorstep.call("GET", `/orders?q=${PREFIX}`);
  for (const [index, name] of ["Eve", "Sam", "Kim"].entries()) {
    const reference = `${PREFIX}-${index + 1}`;
    const token = new RegExp(`"${reference}","[^"]*/t/([^"]+)"`).exec(links)[1];
    morning.orders[name] = { reference, token, id: items.find((order) => order.reference === reference).id };
  }
  for (const name of ["Eve", "Sam"]) {
    await morning.opens(name, `/t/${morning.orders[name].token}`);
    await morning.reads(name, "created", "Order received", "No courier yet", DOORS[name]);
  }
  await tab(desk, "Unassigned").click();
  await search(desk).fill(PREFIX);
  await expect(desk.locator("#list").getByRole("option")).toHaveCount(3);
  await morning.isSeenBy(undefined);
});

test("all are selected and assigned at once, by keyboard, and lie on the way", async ({ morning }) => {
  const { desk, phone } = morning;
  await desk.locator("#list").focus();
  await desk.keyboard.press("Control+a");
  await expect(desk.getByRole("region", { name: "Selected orders" })).toContainText("3 orders selected");
  await desk.keyboard.press("a");
  const dialog = desk.getByRole("dialog", { name: "Assign 3 orders" });
  await expect(dialog.getByLabel("Find a courier by name")).toBeFocused();
  await desk.keyboard.type("Ana Morning");
  await expect(dialog.getByRole("button", { name: "Choose Ana Morning" })).toBeVisible();
  await desk.keyboard.press("Enter");
  await expect(dialog.getByRole("button", { name: "Assign to Ana Morning" })).toBeVisible();
  await desk.keyboard.press("Enter");
  await expect(desk.getByRole("region", { name: "Selected orders" })).toContainText("3 assigned.");
  await expect.poll(async () => (await morning.plan()).slice(0, 3).sort(), "one visit to the kitchen").toEqual([...PICKUPS].sort());

  await expect(inHand(phone, KITCHEN)).toBeVisible();
  await openPlan(morning);
  await doorsAre(morning, "Eve", "Sam", "Kim");
  await morning.look("assigned");
  const [first] = await morning.plan();
  await morning.isSeenBy(first.replace("pickup ", ""));
  await readNotices(phone);
});

test("the plan is put in order by dragging and by keyboard, and everybody follows", async ({ morning }) => {
  const { desk, phone } = morning;
  await handles(desk).nth(5).scrollIntoViewIfNeeded();
  const { height } = await drawer(desk).locator(".stop").nth(5).boundingBox();
  const { x, y } = await handles(desk).nth(5).boundingBox();
  await desk.mouse.move(x + 10, y + 10);
  await desk.mouse.down();
  await desk.mouse.move(x + 10, y + 10 - 2 * height, { steps: 8 });
  await expect(drawer(desk).locator(".stop[data-state~=held]")).toHaveCount(1);
  await morning.look("dragging");
  await desk.mouse.up();
  await doorsAre(morning, "Kim", "Eve", "Sam");
  await expect(notice(phone, "Dispatch put your stops in another order.")).toHaveCount(1);

  await handles(desk).nth(5).focus();
  for (const key of ["Space", "ArrowUp", "ArrowUp", "Enter"]) await desk.keyboard.press(key);
  await expect(handles(desk).nth(3), "the focus stays with what was moved").toBeFocused();
  await doorsAre(morning, "Sam", "Kim", "Eve");
  await expect(notice(phone, "Dispatch put your stops in another order."), "it is not told twice").toHaveCount(1);
  await readNotices(phone);
});

test("the goods are collected together, and the first door's customer alone sees the courier", async ({ morning }) => {
  const { desk, phone } = morning;
  await phone.press("I have arrived");
  for (const name of ["Eve", "Sam"]) await morning.reads(name, "at_pickup");
  await phone.press("Picked up all (3)");
  await expect(phone.page.getByRole("status").filter({ hasText: "3 orders picked up" })).toBeVisible();
  await expect(inHand(phone, DOORS.Sam), "the next stop shows at once").toBeVisible();
  await morning.reads("Sam", "picked_up", "you are next");
  await morning.reads("Eve", "picked_up", "2 stops before you");
  await doorsAre(morning, "Sam", "Kim", "Eve");
  await morning.isSeenBy("Sam");
  await expect(phone.page.getByText("1 customer and 1 dispatcher can see you now")).toBeVisible();
  await expect(stopTitles(desk)).toHaveCount(3);
  await morning.look("collected");
});

test("an address changes under way: the phone marks it until it is read, and the customer sees the new one", async ({ morning }) => {
  const { desk, phone, orders } = morning;
  await openOrder(morning, "Eve");
  await desk.keyboard.press("e");
  await drawer(desk).getByLabel("Door", { exact: true }).fill("9 Old Bakery Street");
  await drawer(desk).getByRole("button", { name: "Save", exact: true }).click();
  await expect(drawer(desk).getByLabel("Door", { exact: true })).toHaveCount(0);
  DOORS.Eve = "9 Old Bakery Street";
  await expect(notice(phone, `Order ${orders.Eve.reference}: address changed. Now: ${DOORS.Eve}.`)).toBeVisible();
  await expect(phone.page.locator(".later-stop").filter({ hasText: DOORS.Eve })).toContainText("Address changed");
  await morning.reads("Eve", "picked_up", DOORS.Eve);
  await expect(drawer(desk)).toContainText("1 Strait Street → 9 Old Bakery Street");
  await expect.poll(async () => Boolean((await morning.stored(orders.Eve)).seen_at), "dispatch knows that it was seen").toBe(true);
  await morning.look("edited");
  await readNotices(phone);
  await openPlan(morning);
  await doorsAre(morning, "Sam", "Kim", "Eve");
  await morning.isSeenBy("Sam");
});

test("a delivery that is taken back never happened, and one that is done by mistake is reopened", async ({ morning }) => {
  const { desk, phone, orders } = morning;
  await phone.press("I have arrived");
  await morning.reads("Sam", "at_dropoff", "Ana is outside");
  await phone.press("Delivered");
  await phone.press("Undo");
  await expect(inHand(phone, DOORS.Sam)).toBeVisible();
  expect((await morning.stored(orders.Sam)).status, "nothing left the phone").toBe("at_dropoff");
  await phone.press("Delivered");
  await expect(inHand(phone, DOORS.Kim)).toBeVisible();
  await expect(morning.customers.Sam.locator(".track")).toHaveAttribute("data-status", "delivered", HELD);
  await morning.reads("Sam", "delivered", /Delivered at/);
  await morning.isSeenBy("Kim");

  await openOrder(morning, "Sam");
  await expect(drawer(desk).locator(".open > .badge")).toHaveText("Delivered");
  await desk.keyboard.press("r");
  const dialog = desk.getByRole("dialog");
  await dialog.getByRole("button", { name: "Closed by mistake" }).click();
  await dialog.getByRole("button", { name: "Reopen" }).click();
  await expect(drawer(desk).locator(".open > .badge")).toHaveText("At the door");
  await expect(drawer(desk)).toContainText("Closed by mistake");
  await expect(phone.page.locator(".stop, .later").filter({ hasText: DOORS.Sam }).first()).toBeVisible();
  await morning.opens("Sam", `/t/${orders.Sam.token}`);
  await morning.reads("Sam", "at_dropoff", "Ana is outside", "At your door");
  await expect(morning.customers.Sam.locator(".timeline li:visible").filter({ hasText: "Delivered" })).toHaveCount(0);
  await morning.look("reopened");

  await take(phone, DOORS.Sam);
  await phone.press("Delivered");
  await morning.reads("Sam", "delivered");
  await readNotices(phone);
  await openPlan(morning);
  await doorsAre(morning, "Kim", "Eve");
});

test("the courier takes another stop first, cannot deliver, tries again, and brings it back", async ({ morning }) => {
  const { desk, phone, orders } = morning;
  await test.step("another stop first: its customer sees the courier at once", async () => {
    await take(phone, DOORS.Eve);
    await phone.press("I have arrived");
    await morning.reads("Eve", "at_dropoff", "Ana is outside");
    await doorsAre(morning, "Eve", "Kim");
    await morning.isSeenBy("Eve");
  });

  await test.step("could not deliver", async () => {
    await report(phone, "Could not deliver", "Nobody answered", "Report");
    await expect(phone.page.getByRole("button", { name: "Undo" })).toBeVisible();
    await morning.reads("Eve", "failed", "We could not deliver", /Nobody answered.*still with the courier/);
    await expect(phone.page.getByText(`Bring back to ${KITCHEN}`).first()).toBeVisible();
    await expect(stopTitles(desk).filter({ hasText: "Bring back" })).toHaveCount(1);
    await morning.isSeenBy("Kim");
    await morning.look("failed");
  });

  await test.step("a second attempt", async () => {
    await openOrder(morning, "Eve");
    await desk.keyboard.press("t");
    await desk.getByRole("dialog").getByRole("button", { name: "Try again with Ana Morning" }).click();
    await expect(desk.getByRole("dialog")).toHaveCount(0);
    await expect(drawer(desk).locator(".timeline")).toContainText("Another attempt with Ana Morning");
    await expect(notice(phone, `Try order ${orders.Eve.reference} again: ${DOORS.Eve}.`)).toBeVisible();
    await morning.reads("Eve", "assigned", "Ana will try again");
    await expect(phone.page.getByText(`Bring back to ${KITCHEN}`)).toHaveCount(0);
    await morning.look("second-attempt");
    await readNotices(phone);
  });

  await test.step("refused, and brought back", async () => {
    await take(phone, DOORS.Eve);
    await expect(phone.page.locator("article.stop")).toContainText("2nd attempt");
    await phone.press("I have arrived");
    await morning.reads("Eve", "at_dropoff");
    await report(phone, "Could not deliver", "Refused", "Report");
    await morning.reads("Eve", "failed", "We could not deliver");
    await take(phone, `Bring back to ${KITCHEN}`);
    await morning.look("return");
    await phone.press("Brought back");
    await morning.reads("Eve", "returned", `Returned to ${KITCHEN}`);
    await openPlan(morning);
    await doorsAre(morning, "Kim");
    await morning.isSeenBy("Kim");
  });
});

test("not ready is waiting, then giving back, and what dispatch takes away is told", async ({ morning }) => {
  const { desk, phone, orders, doorstep } = morning;
  const again = await doorstep.order({ dropoff: { lat: 35.8975, lon: 14.51, address: DOORS.Sam }, customer: { name: "Sam Vella" } });
  orders.Sam = { reference: again.reference, token: again.tracking_token, id: again.id };
  await morning.opens("Sam", again.page);
  const assign = async () => {
    await openOrder(morning, "Sam");
    await desk.keyboard.press("a");
    await drawer(desk).getByLabel("Find a courier by name").fill("Ana Morning");
    await drawer(desk).getByRole("button", { name: "Assign to Ana Morning" }).click();
    await expect(title(desk)).toHaveText(`${again.reference} · Ana Morning`);
    await expect(notice(phone, `order ${again.reference}`)).toBeVisible();
    await morning.reads("Sam", "assigned", "Ana");
    await readNotices(phone);
  };

  await test.step("waiting", async () => {
    await assign();
    await take(phone, KITCHEN);
    await phone.press("I have arrived");
    await morning.reads("Sam", "at_pickup", "Ana is picking up your order");
    await report(phone, "Could not pick up", "Not ready", "Wait here");
    await expect(phone.page.getByText(/^Waiting since \d\d:\d\d/)).toBeVisible();
    await expect(drawer(desk).locator(".timeline"), "an open console hears of it").toContainText("Not ready at the pickup");
    await morning.isSeenBy("Sam");
    await morning.look("waiting");
  });

  await test.step("giving back", async () => {
    await phone.press("Give the order back");
    await expect(phone.page.getByRole("status").filter({ hasText: `${again.reference} given back` })).toBeVisible();
    await morning.reads("Sam", "created", "Another courier is being found");
    await expect(drawer(desk).locator(".open > .badge")).toHaveText("Unassigned");
    await desk.keyboard.press("i");
    await expect(card(desk, `Ana Morning gave ${again.reference} back`)).toBeVisible(HELD);
    await morning.look("given-back");
    await morning.isSeenBy("Kim");
  });

  await test.step("taken away by dispatch", async () => {
    await assign();
    await desk.keyboard.press("u");
    const dialog = desk.getByRole("dialog");
    await dialog.getByRole("button", { name: "Another courier is nearer" }).click();
    await dialog.getByRole("button", { name: "Unassign" }).click();
    await expect(drawer(desk).locator(".open > .badge")).toHaveText("Unassigned");
    await expect(notice(phone, `Order ${again.reference}, ${KITCHEN}, was taken off your list.`)).toBeVisible();
    await morning.reads("Sam", "created", "Another courier is being found");
    await readNotices(phone);
    await morning.isSeenBy("Kim");
  });
});

test("what was pressed without a network about an order that another courier has ends in one result on both screens", async ({
  morning,
}) => {
  const { desk, phone, orders, doorstep } = morning;
  const { reference } = orders.Sam;
  const ben = await online(doorstep, "Ben Morning", [14.5095, 35.897]);
  await doorstep.assign(orders.Sam, morning.courier);
  await take(phone, KITCHEN);
  for (const action of ["I have arrived", "Picked up"]) await phone.press(action);
  await morning.reads("Sam", "picked_up");
  await readNotices(phone);
  await take(phone, DOORS.Sam);

  await test.step("pressed in a tunnel, while dispatch gives the order to Ben", async () => {
    await phone.enterTunnel();
    for (const action of ["I have arrived", "Delivered"]) await phone.press(action);
    await expect(phone.page.getByText(/No network/).first()).toBeVisible();
    await openOrder(morning, "Sam");
    await drawer(desk).getByRole("button", { name: "Reassign" }).click();
    await drawer(desk).getByLabel("Find a courier by name").fill("Ben Morning");
    await drawer(desk).getByRole("button", { name: "Assign to Ben Morning" }).click();
    await expect(title(desk)).toHaveText(`${reference} · Ben Morning`);
    await morning.reads("Sam", "picked_up", "Ben");
    await expect(phone.page.getByRole("button", { name: "Undo" }), "it cannot be taken back any more").toBeHidden(HELD);
    await morning.look("offline");
  });

  await test.step("told once, on both screens", async () => {
    await phone.leaveTunnel();
    const result = `Order ${reference}, ${DOORS.Sam}, was given to Ben Morning. Your “Delivered” was passed on to dispatch.`;
    await expect(notice(phone, result)).toHaveCount(1, HELD);
    await expect(notice(phone, reference), "one result for all that was pressed").toHaveCount(1);
    await expect(inHand(phone, DOORS.Kim)).toBeVisible();
    await desk.keyboard.press("i");
    await expect(card(desk, `Ana Morning reported ${reference} as delivered, too late`)).toBeVisible(HELD);
    await expect(card(desk, `Ana Morning reported ${reference}`), "one for all that was pressed").toHaveCount(1);
    await morning.reads("Sam", "picked_up", "Ben");
    expect((await morning.stored(orders.Sam)).courier_id).toBe(ben.id);
    await morning.look("late-report");
  });
  ben.hangUp();
});

// A server of our own: the built binary on a free port with a database of its own, and its public API.

import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Courier } from "./courier.mjs";
import { until } from "./until.mjs";

const run = promisify(execFile);
const built = fileURLToPath(new URL("../../../target/debug/doorstep", import.meta.url));
const binary = process.env.DOORSTEP_BIN ?? built;
const adminUrl = process.env.DOORSTEP_TEST_DATABASE_URL;

/** Where the examples happen: a kitchen in Floriana, a door in Valletta. */
export const PICKUP = { lat: 35.8935, lon: 14.5005, address: "Harbour Kitchen" };
export const DROPOFF = {
  lat: 35.9,
  lon: 14.5142,
  address: "12 Triq il-Merkanti, Valletta",
  instructions: "Ring twice, second floor",
};

export class Doorstep {
  static async start() {
    const server = new Doorstep();
    server.folder = await mkdtemp(join(tmpdir(), "doorstep-e2e-"));
    server.database = adminUrl && (await createDatabase());
    server.url = `http://127.0.0.1:${await freePort()}`;
    server.serve();
    await server.ready();
    const { stdout } = await run(binary, ["api-key", "create", "--name", "e2e"], server.options());
    server.key = stdout.trim();
    return server;
  }

  /** A person with an account. */
  async person(role) {
    const [email, password] = [`${role}-${randomBytes(3).toString("hex")}@example.org`, randomBytes(12).toString("hex")];
    const { env, ...options } = this.options();
    const settings = { ...options, env: { ...env, DOORSTEP_PASSWORD: password } };
    await run(binary, ["user", "create", "--email", email, "--role", role], settings);
    return { email, password };
  }

  options() {
    const settings = {
      DOORSTEP_BIND: new URL(this.url).host,
      DOORSTEP_PUBLIC_URL: this.url,
      DOORSTEP_DATA_DIR: join(this.folder, "data"),
      DOORSTEP_TIME_ZONE: "Europe/Malta",
    };
    if (this.database) settings.DATABASE_URL = this.database;
    return { cwd: this.folder, env: { ...process.env, ...settings } };
  }

  serve() {
    this.log = "";
    this.process = spawn(binary, ["serve"], this.options());
    this.process.stdout.on("data", (text) => (this.log += text));
    this.process.stderr.on("data", (text) => (this.log += text));
    this.exited = new Promise((resolve) => this.process.once("exit", resolve));
  }

  async ready() {
    await until(`the server is ready; it said:\n${this.log}`, 60_000, async () => {
      const answer = await fetch(`${this.url}/health/ready`).catch(() => undefined);
      return answer?.ok;
    });
  }

  async stop() {
    this.process.kill("SIGTERM");
    await this.exited;
    if (this.database) await dropDatabase(this.database);
    await rm(this.folder, { recursive: true, force: true });
  }

  async call(method, path, body) {
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.key}`, "content-type": "application/json" },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  }

  /** Changes the database behind the server's back, for what would take too long to happen. */
  async sql(statement) {
    await run("psql", [this.database, "--quiet", "--set", "ON_ERROR_STOP=1", "--command", statement]);
  }

  /** An order without a courier. */
  async order(details = {}) {
    const reference = `A-${randomBytes(3).toString("hex")}`;
    const order = await this.call("POST", "/orders", {
      reference,
      pickup: PICKUP,
      dropoff: DROPOFF,
      customer: { name: "Eve" },
      ...details,
    });
    return { ...order, reference, page: new URL(order.tracking_url).pathname };
  }

  /** A courier with a phone that is connected. */
  async courier(name = "Ana", vehicle = "scooter") {
    const courier = await this.call("POST", "/couriers", { name, vehicle });
    const device = await this.call("POST", `/couriers/${courier.id}/devices`, { label: "phone" });
    return Courier.connect(this.url, courier.id, device.token);
  }

  /** An order on its way: `courier` has picked it up. */
  async delivery(details) {
    const courier = await this.courier();
    const order = await this.order(details);
    await this.assign(order, courier);
    await this.status(order, "picked_up");
    return { courier, order };
  }

  assign(order, courier) {
    return this.call("POST", `/orders/${order.id}/assign`, { courier_id: courier.id });
  }

  status(order, status, note) {
    return this.call("POST", `/orders/${order.id}/status`, { status, note });
  }
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function createDatabase() {
  const name = `e2e_${randomBytes(6).toString("hex")}`;
  await run("psql", [adminUrl, "--quiet", "--command", `create database ${name}`]);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function dropDatabase(url) {
  const name = new URL(url).pathname.slice(1);
  await run("psql", [adminUrl, "--quiet", "--command", `drop database ${name} with (force)`]);
}

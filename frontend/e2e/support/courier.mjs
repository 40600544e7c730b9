// A courier's phone, as far as the tests need one: it speaks the public protocol.

import WebSocket from "ws";
import { until } from "./until.mjs";

export class Courier {
  static async connect(url, id, token) {
    const courier = new Courier();
    courier.id = id;
    courier.token = token;
    courier.acks = new Map();
    courier.next = 1;
    courier.socket = new WebSocket(`${url.replace("http", "ws")}/ws/courier`, "doorstep.v1.json", {
      headers: { authorization: `Bearer ${token}` },
    });
    courier.socket.on("message", (data) => courier.take(JSON.parse(data)));
    await new Promise((resolve, reject) => courier.socket.once("open", resolve).once("error", reject));
    return courier;
  }

  take(message) {
    if (message.type === "ack" || message.type === "error") this.acks.set(message.id, message);
  }

  /** Sends fixes and answers once they are stored. */
  async send(...fixes) {
    const id = this.next++;
    this.socket.send(JSON.stringify({ type: "fixes", id, fixes }));
    await until("the fixes are acked", 10_000, () => this.acks.has(id));
    const ack = this.acks.get(id);
    if (ack.type !== "ack" || ack.rejected?.length) throw new Error(`not stored: ${JSON.stringify(ack)}`);
  }

  /** One fix at a place, now. */
  at([lon, lat], more = {}) {
    const fix = { time_ms: Date.now(), lat, lon, accuracy_m: 6, speed_mps: 8, ...more };
    return this.send(fix).then(() => fix);
  }

  /** Drives along points at their pace, one fix each; answers the fixes. */
  async drive(points, everyMs = 1_000) {
    const fixes = [];
    for (const point of points) {
      fixes.push(await this.at(point));
      await pause(everyMs);
    }
    return fixes;
  }

  presence(state, reason) {
    this.socket.send(JSON.stringify({ type: "presence", state, reason, time_ms: Date.now() }));
  }

  hangUp() {
    this.socket.close();
  }
}

/** Points on a straight line from the middle of the way, `stepM` metres apart. */
export function road(count, stepM = 8) {
  const start = [14.5062, 35.8968];
  const step = stepM / 111_195;
  return Array.from({ length: count }, (_, index) => [
    Number((start[0] + index * step).toFixed(6)),
    Number((start[1] + index * step * 0.5).toFixed(6)),
  ]);
}

// A courier takes time to drive; nothing is awaited with this.
function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

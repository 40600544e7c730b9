// A small client of the fleet feed: it follows the whole fleet with an API key, as far as the tests need.

import WebSocket from "ws";
import { until } from "./until.mjs";

export class Fleet {
  static async watch(doorstep) {
    const fleet = new Fleet();
    fleet.couriers = new Map();
    fleet.orders = new Map();
    fleet.socket = new WebSocket(`${doorstep.url.replace("http", "ws")}/ws/fleet`, "doorstep.v1.json", {
      headers: { authorization: `Bearer ${doorstep.key}` },
    });
    fleet.socket.on("message", (data) => fleet.take(JSON.parse(data)));
    await until("the fleet's snapshot is there", 10_000, () => fleet.seq !== undefined);
    return fleet;
  }

  take(message) {
    if (message.seq !== undefined) this.seq = message.seq;
    if (message.type === "snapshot") {
      for (const courier of message.couriers) this.couriers.set(courier.id, courier);
      for (const order of message.orders) this.orders.set(order.id, order);
    }
    if (message.type === "courier") this.couriers.set(message.courier.id, message.courier);
    if (message.type === "order") this.orders.set(message.order.id, message.order);
  }

  /** What dispatchers read about a courier: `paused screen_locked`, `tracking`. */
  presence({ id }) {
    const presence = this.couriers.get(id)?.presence;
    return presence && [presence.state, presence.reason].filter(Boolean).join(" ");
  }

  hangUp() {
    this.socket.close();
  }
}

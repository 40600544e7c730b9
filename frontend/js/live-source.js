// Features of a map that change all the time, handed over without falling behind.
//
// What changed waits until MapLibre has taken the last write, so a slow machine draws less often instead of queueing: a
// diff when little changed, everything when most did. A hidden page writes nothing.

export class LiveSource {
  /** Writes to the map's source `name`, `everyMs` apart at least. */
  constructor(map, name, everyMs) {
    this.map = map;
    this.name = name;
    this.everyMs = everyMs;
    this.features = new Map();
    this.known = new Set();
    this.changed = new Set();
    this.gone = new Set();
  }

  /** Adds a feature with an id, or puts it in place of the one with this id. */
  set(feature) {
    this.gone.delete(feature.id);
    this.features.set(feature.id, feature);
    this.changed.add(feature.id);
  }

  remove(id) {
    if (this.features.delete(id)) this.gone.add(id);
    this.changed.delete(id);
  }

  /** The source is a new one, or its style is: everything is written again. */
  renew() {
    this.fresh = undefined;
    for (const id of this.features.keys()) this.changed.add(id);
    this.flush();
  }

  /** Hands over what changed, one write after the other. */
  async flush() {
    if (this.writing || document.hidden) return;
    this.writing = true;
    while ((this.changed.size || this.gone.size) && !document.hidden) {
      const began = performance.now();
      await this.write();
      this.took = performance.now() - began;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, this.everyMs - this.took)));
    }
    this.writing = false;
  }

  write() {
    const source = this.map.getSource(this.name);
    const { changed, gone } = this;
    [this.changed, this.gone] = [new Set(), new Set()];
    if (!source) return undefined;
    if (this.fresh !== source || changed.size * 2 > this.features.size) {
      this.fresh = source;
      return source.setData(this.collection());
    }
    const diff = { add: [], update: [], remove: Array.from(gone) };
    for (const id of changed) {
      const feature = this.features.get(id);
      if (this.known.has(id)) diff.update.push(update(feature));
      else diff.add.push(feature);
      this.known.add(id);
    }
    for (const id of gone) this.known.delete(id);
    return source.updateData(diff);
  }

  collection() {
    this.known = new Set(this.features.keys());
    return { type: "FeatureCollection", features: Array.from(this.features.values()) };
  }
}

function update({ id, geometry, properties }) {
  const addOrUpdateProperties = Object.entries(properties).map(([key, value]) => ({ key, value }));
  return { id, newGeometry: geometry, addOrUpdateProperties };
}

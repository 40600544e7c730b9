"""Compares ways with Valhalla's, and checks them against the extract that they were planned on.

Usage: routes.py EXTRACT FOLDER < trips.jsonl > answers.jsonl

Each line of the input is a trip: its profile, both ends and our way, if there is one. Each line of the output says how
long Valhalla's way is and what ours does that it may not. Nothing here knows our graph: the extract is read anew, by
osmium, and a way is followed from node to node by where its points lie.
"""

import json
import pathlib
import subprocess
import sys
import time

import osmium
import valhalla

COSTINGS = {"foot": "pedestrian", "bicycle": "bicycle", "scooter": "motor_scooter", "motorcycle": "motorcycle", "car": "auto"}
MOTORS = {"scooter", "motorcycle", "car"}
OWN_KEYS = {
    "foot": ["foot"],
    "bicycle": ["bicycle", "vehicle"],
    "scooter": ["moped", "motor_vehicle", "vehicle"],
    "motorcycle": ["motorcycle", "motor_vehicle", "vehicle"],
    "car": ["motorcar", "motor_vehicle", "vehicle"],
}
CLOSED = {"no", "private", "agricultural", "forestry", "military"}
WALKED = {"footway", "steps", "path", "pedestrian", "cycleway", "bridleway", "corridor", "platform"}
# What no motor vehicle passes, unless a tag says that it may.
BLOCKS = {"bollard", "block", "cycle_barrier", "motorcycle_barrier", "jersey_barrier", "kissing_gate", "stile", "turnstile", "log"}


def decisive(tags, profile):
    """The value of the most specific access tag."""
    for key in OWN_KEYS[profile] + ["access"]:
        if key in tags:
            return tags[key]
    return None


class Extract:
    """Ways, barriers and turn restrictions, by the places of their nodes."""

    def __init__(self, path):
        self.ways, self.nodes_at, self.barriers, self.rules = {}, {}, {}, []
        wanted, places = set(), {}
        for way in osmium.FileProcessor(path, osmium.osm.WAY).with_filter(osmium.filter.KeyFilter("highway", "route")):
            if "highway" in way.tags or way.tags.get("route") == "ferry":
                refs = [node.ref for node in way.nodes]
                self.ways[way.id] = (dict(way.tags), refs)
                wanted.update(refs)
        for node in osmium.FileProcessor(path, osmium.osm.NODE):
            if node.id in wanted:
                places[node.id] = (round(node.lat * 1e6), round(node.lon * 1e6))
                self.nodes_at.setdefault(places[node.id], []).append(node.id)
                if "barrier" in node.tags:
                    self.barriers[node.id] = dict(node.tags)
        for relation in osmium.FileProcessor(path, osmium.osm.RELATION):
            if relation.tags.get("type", "").startswith("restriction"):
                members = [(member.role, member.type, member.ref) for member in relation.members]
                self.rules.append((relation.id, dict(relation.tags), members))
        self.along = {}
        for number, (tags, refs) in self.ways.items():
            for a, b in zip(refs, refs[1:]):
                self.along.setdefault((a, b), []).append((number, True))
                self.along.setdefault((b, a), []).append((number, False))

    def follow(self, line):
        """The nodes of a line, and for each step the ways that it may be on; the ends lie between nodes.

        Several nodes may lie at one place: the line goes through those that ways join. Of two nodes of a way that lie
        at one place the line has one.
        """
        layers = []
        for lat, lon in line[1:-1]:
            here = self.near(round(lat * 1e6), round(lon * 1e6))
            joined = self.joined(layers[-1], here) if layers else dict.fromkeys(here, ())
            if not joined:
                break
            layers.append(joined)
        nodes = [next(iter(layers[-1]))] if layers else []
        for layer in reversed(layers[1:]):
            nodes.extend(layer[nodes[-1]])
        nodes.reverse()
        return len(layers) == len(line) - 2, nodes, [self.along[pair] for pair in zip(nodes, nodes[1:])]

    def joined(self, before, here):
        """For each node here that a way leads to, how it got there, backwards."""
        found = {b: (a,) for b in here for a in before if (a, b) in self.along}
        waiting = list(found)
        while waiting:
            b = waiting.pop()
            for c in here:
                if c not in found and (b, c) in self.along:
                    found[c] = (b, *found[b])
                    waiting.append(c)
        return found

    def near(self, lat, lon):
        exact = self.nodes_at.get((lat, lon), [])
        # A place was rounded twice.
        return exact + [
            node
            for dy in (-1, 0, 1)
            for dx in (-1, 0, 1)
            if dy or dx
            for node in self.nodes_at.get((lat + dy, lon + dx), [])
        ]

    def faults(self, profile, line):
        """What a way does that it may not."""
        is_whole, nodes, steps = self.follow(line)
        found = [] if is_whole else ["lost"]
        for step in steps:
            if all(self.closed(profile, *on) for on in step):
                number = step[0][0]
                found.append(f"closed way {number} {self.ways[number][0].get('highway')}")
        for before, node, after in zip(nodes, nodes[1:], nodes[2:]):
            # Before a barrier one may turn round.
            if before != after and node in self.barriers and self.stops(profile, node):
                found.append(f"barrier {node}")
        if profile != "foot":
            found += self.forbidden_turns(profile, nodes, steps)
        return sorted(set(found))

    def closed(self, profile, number, forward):
        tags = self.ways[number][0]
        kind, said = tags.get("highway"), decisive(tags, profile)
        if kind == "motorway" and profile in ("foot", "bicycle", "scooter"):
            return True
        if tags.get("motorroad") == "yes" and profile in ("foot", "bicycle", "scooter") and said != "yes":
            return True
        if said in CLOSED:
            return True
        if profile in MOTORS and kind in WALKED and not any(key in tags for key in OWN_KEYS[profile]):
            return True
        if profile == "bicycle" and kind == "steps":
            return True
        if profile in MOTORS:
            one_way = tags.get("oneway", "yes" if tags.get("junction") in ("roundabout", "circular") else "no")
            own = any(f"oneway:{key}" in tags for key in OWN_KEYS[profile])
            own = own or any(f"{key}:{way}" in tags for key in OWN_KEYS[profile] for way in ("forward", "backward"))
            return not own and ((one_way == "yes" and not forward) or (one_way == "-1" and forward))
        return False

    def stops(self, profile, node):
        tags = self.barriers[node]
        own = next((tags[key] for key in OWN_KEYS[profile] if key in tags), None)
        if own is not None:
            return own in CLOSED
        if tags.get("access") in CLOSED:
            return True
        return profile in MOTORS and tags["barrier"] in BLOCKS

    def forbidden_turns(self, profile, nodes, steps):
        """Rules that the way breaks. Only what is always forbidden counts."""
        if not hasattr(self, "by_via"):
            self.by_via = {}
            for rule in self.rules:
                for role, kind, ref in rule[2]:
                    if role == "via":
                        key = ref if kind == "n" else None
                        for via in [key] if key else self.ways.get(ref, ({}, []))[1]:
                            self.by_via.setdefault(via, []).append(rule)
        found = []
        for index in range(1, len(nodes) - 1):
            for number, tags, members in self.by_via.get(nodes[index], []):
                if self.breaks(profile, tags, members, nodes, steps, index):
                    found.append(f"forbidden turn {number}")
        return found

    def breaks(self, profile, tags, members, nodes, steps, index):
        own = {"bicycle": "bicycle", "scooter": "moped", "motorcycle": "motorcycle", "car": "motorcar"}[profile]
        kind = tags.get(f"restriction:{own}") or tags.get("restriction")
        if not kind or own in tags.get("except", "").split(";"):
            return False
        of = lambda role, sort: {ref for its, kind, ref in members if its == role and kind == sort}
        on = lambda step: {number for number, _ in steps[step]}
        if not on(index - 1) <= of("from", "w"):
            return False
        if of("via", "n"):
            goes = on(index)
            if kind.startswith("no_"):
                turns_back = nodes[index - 1] == nodes[index + 1]
                return goes <= of("to", "w") and (of("from", "w") != of("to", "w") or turns_back)
            return kind.startswith("only_") and not goes & of("to", "w")
        if not kind.startswith("no_"):
            return False
        after = index
        while after < len(steps) and on(after) <= of("via", "w"):
            after += 1
        whole = set().union(*(on(step) for step in range(index, after))) == of("via", "w") if after > index else False
        return whole and after < len(steps) and on(after) <= of("to", "w")


def tiles(extract, folder):
    """Builds Valhalla's graph of the extract, once."""
    config, done, graph = folder / "valhalla.json", folder / "done", folder / "tiles"
    if not done.exists():
        graph.mkdir(parents=True, exist_ok=True)
        settings = valhalla.get_config(tile_extract=str(graph), tile_dir=str(graph), verbose=False)
        settings["mjolnir"].pop("tile_extract", None)
        settings["mjolnir"]["concurrency"] = 1
        config.write_text(json.dumps(settings))
        program = pathlib.Path(valhalla.__file__).parent / "bin" / "valhalla_build_tiles"
        with open(folder / "build.log", "w") as log:
            subprocess.run([program, "-c", config, extract], check=True, stdout=log, stderr=log)
        done.touch()
    return config


def ask(actor, trip):
    """Valhalla's way, and how long ours takes by its clock."""
    ends = [{"lat": lat, "lon": lon} for lat, lon in (trip["from"], trip["to"])]
    costing = COSTINGS[trip["profile"]]
    began = time.perf_counter()
    try:
        legs = actor.route({"locations": ends, "costing": costing, "units": "kilometers"})["trip"]["legs"]
    except RuntimeError:
        return {"way": None}
    answer = {"ms": (time.perf_counter() - began) * 1e3}
    answer["way"] = {"length_m": sum(leg["summary"]["length"] for leg in legs) * 1e3, "duration_s": sum(leg["summary"]["time"] for leg in legs)}
    answer["shape"] = legs[0]["shape"]
    if trip["way"]:
        shape = [{"lat": lat, "lon": lon} for lat, lon in trip["way"]["line"]]
        try:
            traced = actor.trace_route({"shape": shape, "costing": costing, "shape_match": "map_snap"})
            answer["ours_s"] = sum(leg["summary"]["time"] for leg in traced["trip"]["legs"])
        except RuntimeError:
            pass
    return answer


def main():
    path, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    extract = Extract(path)
    actor = valhalla.Actor(str(tiles(path, folder)))
    for line in sys.stdin:
        trip = json.loads(line)
        answer = ask(actor, trip)
        answer["faults"] = extract.faults(trip["profile"], trip["way"]["line"]) if trip["way"] else []
        print(json.dumps(answer))


if __name__ == "__main__":
    main()

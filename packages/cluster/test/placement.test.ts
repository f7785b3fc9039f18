import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { place, type PlacementNode, rank } from "../src/placement-policy.ts";

const node = (name: string, weight = 1, labels: Record<string, string> = {}): PlacementNode => ({
  node: name,
  weight,
  labels,
});
const child = (id: string, count = 1, placement = {}) => ({ id, count, placement });
const ids = Array.from({ length: 4_000 }, (_, index) => `child-${index}`);

const share = (nodes: readonly PlacementNode[], name: string): number =>
  ids.filter((id) => place(child(id), nodes)[0] === name).length / ids.length;

describe("placement", () => {
  test("spreads evenly, by weight, and gives nothing to a weight of 0", () => {
    const nodes = [node("a"), node("b"), node("c", 2), node("d", 0)];
    expect(share(nodes, "a")).toBeCloseTo(0.25, 1);
    expect(share(nodes, "b")).toBeCloseTo(0.25, 1);
    expect(share(nodes, "c")).toBeCloseTo(0.5, 1);
    expect(share(nodes, "d")).toBe(0);
  });

  test("a node that joins or leaves moves its own share and nothing else", () => {
    const before = [node("a"), node("b"), node("c")];
    const after = [...before, node("d")];
    const moved = ids.filter((id) => place(child(id), before)[0] !== place(child(id), after)[0]);
    for (const id of moved) expect(place(child(id), after)).toEqual(["d"]);
    expect(moved.length / ids.length).toBeCloseTo(0.25, 1);
  });

  test("replicas go to different nodes, and to different zones while there are such", () => {
    const zones = ["north", "south", "east"];
    const nodes = zones.flatMap((zone) => [
      node(`${zone}-1`, 1, { zone }),
      node(`${zone}-2`, 1, { zone }),
    ]);
    for (const id of ids.slice(0, 200)) {
      const three = place(child(id, 3, { spread: "zone" }), nodes);
      expect(new Set(three.map((each) => each!.split("-")[0])).size).toBe(3);
      expect(new Set(place(child(id, 6), nodes)).size).toBe(6);
      expect(place(child(id, 7), nodes)).not.toContain(undefined);
    }
  });

  test("labels must all be there; where none fits, nothing is placed", () => {
    const nodes = [node("a", 1, { gpu: "yes", zone: "north" }), node("b", 1, { gpu: "yes" })];
    const labels = { gpu: "yes", zone: "north" };
    for (const id of ids.slice(0, 50)) {
      expect(place(child(id, 1, { labels }), nodes)).toEqual(["a"]);
      expect(place(child(id, 2, { labels: { gpu: "no" } }), nodes)).toEqual([undefined, undefined]);
    }
    expect(place(child("x"), [])).toEqual([undefined]);
  });

  test("a child near another goes where that one does, from any set of nodes", () => {
    for (const id of ids.slice(0, 200)) {
      const nodes = [node("a"), node("b"), node("c")].slice(0, 1 + (id.length % 3));
      expect(place(child("near", 1, { near: id }), nodes)).toEqual(place(child(id), nodes));
      expect(rank(id, nodes)[0]).toBe(place(child(id), nodes)[0]);
    }
  });

  test("the order in which nodes are known does not matter", () => {
    const nodes = fc.uniqueArray(
      fc.record({
        node: fc.string(),
        weight: fc.integer({ min: 0, max: 3 }),
        labels: fc.constant({}),
      }),
      { selector: (each) => each.node, maxLength: 6 },
    );
    fc.assert(
      fc.property(nodes, fc.string(), fc.integer({ min: 1, max: 4 }), (some, id, count) => {
        expect(place(child(id, count), some.toReversed())).toEqual(place(child(id, count), some));
      }),
    );
  });
});

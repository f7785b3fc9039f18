import { AlreadyTrackedError, NotTrackedError, PresenceDiff } from "@coppice/cluster";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type PresenceRow, PresenceState } from "../src/presence-state.ts";
import { type Diff, ReplicaState, type Row, type SnapshotPiece } from "../src/replica-state.ts";
import { listen, simulatedCluster } from "./simulated.ts";

async function two() {
  const cluster = simulatedCluster();
  const a = await cluster.start("a");
  const b = await cluster.start("b");
  await cluster.advance(500);
  return { ...cluster, a, b };
}

describe("presence", () => {
  test("tracks, updates and untracks; the list is the same on every node", async () => {
    const { a, b, advance } = await two();
    const [tab, phone] = [listen(a), listen(b)];
    const first = a.presence.track("room", "ann", tab.pid, { status: "here" });
    const second = b.presence.track("room", "ann", phone.pid);
    await advance(10);
    for (const { presence } of [a, b])
      expect(
        presence
          .get("room", "ann")
          .map(({ ref }) => ref)
          .sort(),
      ).toEqual([first, second].sort());
    expect(() => a.presence.track("room", "ann", tab.pid)).toThrow(AlreadyTrackedError);
    const third = a.presence.update("room", "ann", tab.pid, { status: "away" });
    b.presence.untrack("room", "ann", phone.pid);
    await advance(10);
    const meta = { ref: third, previousRef: first, meta: { status: "away" } };
    for (const { presence } of [a, b])
      expect([...presence.list("room")]).toEqual([["ann", [meta]]]);
    expect(() => b.presence.update("room", "ann", phone.pid, {})).toThrow(NotTrackedError);
    b.presence.untrack("room", "ann", phone.pid);
  });

  test("D-125: joins and leaves are told on each node, also when the process dies", async () => {
    const { a, b, advance } = await two();
    const [member, here, there] = [listen(a), listen(a), listen(b)];
    expect([...a.presence.subscribe("room", here.pid)]).toEqual([]);
    b.presence.subscribe("room", there.pid);
    const ref = a.presence.track("room", "ann", member.pid, 1);
    await advance(10);
    const before = { ref, meta: 1 };
    const next = a.presence.update("room", "ann", member.pid, 2);
    await advance(10);
    member.stop();
    await advance(10);
    const after = { ref: next, previousRef: ref, meta: 2 };
    const change = (joins: unknown, leaves: unknown): unknown =>
      expect.objectContaining({ topic: "room", joins, leaves });
    const ann = (meta: unknown): unknown => new Map([["ann", [meta]]]);
    const none = new Map();
    const expected = [
      change(ann(before), none),
      change(ann(after), ann(before)),
      change(none, ann(after)),
    ];
    for (const { messages } of [here, there]) {
      expect(messages).toEqual(expected);
      expect(messages[0]).toBeInstanceOf(PresenceDiff);
    }
  });

  test("is correct on both sides of a split, and after it has healed", async () => {
    const { a, b, advance } = await two();
    const [ann, bob, cid] = [listen(a), listen(b), listen(b)];
    a.presence.track("room", "ann", ann.pid);
    b.presence.track("room", "bob", bob.pid);
    await advance(10);
    b.cutOff();
    await advance(3_000);
    expect([...a.presence.list("room").keys()]).toEqual(["ann"]);
    bob.stop();
    b.presence.track("room", "cid", cid.pid);
    b.reconnect();
    await advance(3_000);
    for (const { presence } of [a, b])
      expect([...presence.list("room").keys()].sort()).toEqual(["ann", "cid"]);
  });

  test("D-121, D-123: a restarted node has none of its old presences, and is told the others'", async () => {
    const { a, b, start, advance } = await two();
    a.presence.track("room", "ann", listen(a).pid);
    b.presence.track("room", "bob", listen(b).pid);
    await advance(10);
    b.crash();
    const again = await start("b");
    await advance(500);
    for (const { presence } of [a, again])
      expect([...presence.list("room").keys()]).toEqual(["ann"]);
  });

  test("what is said must be plain and small", async () => {
    const { a } = await two();
    const { pid } = listen(a);
    expect(() => a.presence.track("room", "ann", pid, () => 1)).toThrow(/is a function/);
    expect(() => a.presence.track("room", "ann", pid, "x".repeat(20_000))).toThrow(RangeError);
    expect(a.presence.list("room").size).toBe(0);
  });
});

type Step =
  | { readonly type: "write"; readonly key: string; readonly value: number | undefined }
  | { readonly type: "lose" | "down" | "pulse" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    type: fc.constant("write" as const),
    key: fc.constantFrom("a", "b", "c"),
    value: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
  }),
  fc.constantFrom<Step>({ type: "lose" }, { type: "down" }, { type: "pulse" }),
);

test("T1: whatever is lost, a copy follows the writer, and its changes add up to it", () => {
  const from = { node: "a", incarnation: "1" };
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const own = new Map<string, number>();
      const seen = new Map<string, number>();
      const copies = new ReplicaState<number>();
      let version = 0;
      let isLost = false;
      const apply = (diff: Diff<number> | undefined): void => {
        for (const [key] of diff?.removed ?? []) expect(seen.delete(key)).toBe(true);
        for (const [key, value] of diff?.added ?? []) seen.set(key, value);
      };
      const snapshot = (): SnapshotPiece<number> => {
        const rows: readonly Row<number>[] = [...own];
        return { version, index: 0, count: 1, rows };
      };
      const catchUp = (): void => {
        apply(copies.up(from).diff);
        if (copies.heardVersion(from, version).behind === true)
          apply(copies.snapshot(from, snapshot()).diff);
      };
      for (const each of steps) {
        if (each.type === "lose") isLost = true;
        if (each.type === "down") apply(copies.down(from).diff);
        if (each.type === "pulse") catchUp();
        if (each.type !== "write") continue;
        version += 1;
        const { key, value } = each;
        if (value === undefined) own.delete(key);
        else own.set(key, value);
        if (!isLost) {
          const added: readonly Row<number>[] = value === undefined ? [] : [[key, value]];
          const removed = value === undefined ? [key] : [];
          const { diff, behind } = copies.delta(from, { version, removed, added });
          apply(diff);
          if (behind === true) apply(copies.snapshot(from, snapshot()).diff);
        }
        isLost = false;
      }
      catchUp();
      expect(seen).toEqual(own);
      expect(new Map([...copies.rows()].map(([, key, value]) => [key, value]))).toEqual(own);
    }),
  );
});

test("presences of any order of joins and leaves are those that joined and did not leave", () => {
  const nodes = fc.constantFrom("a", "b");
  const change = fc.record({ node: nodes, row: fc.constantFrom("1", "2"), isJoin: fc.boolean() });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const state = new PresenceState();
      const present = new Map<string, string>();
      for (const [index, { node, row, isJoin }] of changes.entries()) {
        const id = `${node}${row}`;
        const value = (ref: string): PresenceRow => ({ topic: "t", key: "k", ref, meta: null });
        const old = present.get(id);
        const removed: Row<PresenceRow>[] = old === undefined ? [] : [[row, value(old)]];
        const added: Row<PresenceRow>[] = isJoin ? [[row, value(`${index}`)]] : [];
        present.delete(id);
        if (isJoin) present.set(id, `${index}`);
        const diff = { from: { node, incarnation: "1" }, removed, added };
        const told = state.apply(diff).get("t");
        expect(told?.joins.size ?? 0).toBe(isJoin ? 1 : 0);
        expect(told?.leaves.size ?? 0).toBe(old === undefined ? 0 : 1);
      }
      expect(state.get("t", "k").map(({ ref }) => ref)).toEqual([...present.values()]);
      expect([...state.topics()]).toEqual(present.size > 0 ? ["t"] : []);
    }),
  );
});

import { Pid } from "@coppice/kernel";
import fc from "fast-check";
import { expect, test } from "vitest";
import { keyId } from "../src/registry-key.ts";
import { type Entry, RegistryState } from "../src/registry-state.ts";

const pids = [1, 2, 3].map((serial) => new Pid("a", "1", serial));
const pid = fc.constantFrom(...pids);
const key = fc.constantFrom("a", "b", 1);
const step = fc.oneof(
  fc.record({ do: fc.constant("add" as const), key, pid }),
  fc.record({ do: fc.constant("remove" as const), key, pid }),
  fc.record({ do: fc.constant("end" as const), pid }),
);

for (const unique of [true, false])
  test(`R1, R2: a table of ${unique ? "unique" : "duplicate"} keys is what a plain list of entries is`, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const state = new RegistryState<string | number, number>(unique);
        let model: Entry<string | number, number>[] = [];
        for (const [value, each] of steps.entries()) {
          if (each.do === "add") {
            const entry = { key: each.key, id: keyId(each.key), pid: each.pid, value };
            const holder = unique ? model.find(({ key }) => key === each.key) : undefined;
            expect(state.add(entry, () => true)).toBe(holder);
            if (holder === undefined) model.push(entry);
          } else if (each.do === "remove") {
            const isOwn = (entry: Entry<string | number, number>): boolean =>
              entry.key === each.key && entry.pid === each.pid;
            const own = state.own(keyId(each.key), each.pid);
            expect(own).toEqual(model.filter(isOwn));
            for (const entry of own) state.remove(entry);
            model = model.filter((entry) => !isOwn(entry));
          } else {
            for (const entry of state.ownedBy(each.pid)) state.remove(entry);
            model = model.filter((entry) => entry.pid !== each.pid);
          }
          for (const id of ["a", "b", 1])
            expect([...state.at(id)]).toEqual(model.filter((entry) => entry.key === id));
          for (const owner of pids) {
            const owned = model.filter((entry) => entry.pid === owner);
            expect([...state.ownedBy(owner)]).toEqual(owned);
            expect(state.hasOwner(owner)).toBe(owned.length > 0);
          }
          expect(state.size).toBe(model.length);
          expect([...state.all()]).toHaveLength(model.length);
        }
      }),
    );
  });

test("two keys have one id when they are equal, part by part, and only then", () => {
  const part = fc.oneof(
    fc.constantFrom(0, -0, 1, 1n, true, null, undefined, Number.NaN),
    fc.string({ unit: fc.constantFrom("a", ",", '"', "]", ":", "\u0000", "1"), maxLength: 4 }),
    fc.constantFrom(new Date(1), new Uint8Array([1]), new Uint8Array([]), ...pids),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      part,
      tie("list"),
      tie("record"),
    ),
    list: fc.array(tie("value"), { maxLength: 3 }),
    record: fc.dictionary(fc.constantFrom("a", "b", ","), tie("value"), { noNullPrototype: true }),
  }));
  fc.assert(
    fc.property(value, value, (a, b) => {
      expect(keyId(a) === keyId(b)).toBe(isEqual(a, b));
    }),
    { numRuns: 2_000 },
  );
});

function isEqual(a: unknown, b: unknown): boolean {
  try {
    expect(normal(a)).toStrictEqual(normal(b));
    return true;
  } catch {
    return false;
  }
}

/** With -0 as 0: a registry takes them for one key, and `toStrictEqual` does not. */
function normal(value: unknown): unknown {
  if (value === 0) return 0;
  if (Array.isArray(value)) return value.map(normal);
  if (
    typeof value !== "object" ||
    value === null ||
    Object.getPrototypeOf(value) !== Object.prototype
  )
    return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, normal(item)]));
}

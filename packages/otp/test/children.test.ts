import { Pid } from "@coppice/kernel";
import { expect, test } from "vitest";
import { Children } from "../src/children.ts";

const start = async () => ({ type: "ignored" }) as const;
const pid = (serial: number): Pid => new Pid("a", "1", serial);

test("children are found by id and, while they run, by process", () => {
  const children = new Children([{ id: "a", start }]);
  const added = children.add({ id: "b", start });
  expect([...children].map(({ spec }) => spec.id)).toEqual(["a", "b"]);
  expect(children.withId("b")).toBe(added);
  expect(children.withId(undefined)).toBeUndefined();
  added.pid = pid(1);
  children.started(added, pid(1));
  expect(children.runningAs(pid(1))).toBe(added);
  expect(children.runningAs(pid(2))).toBeUndefined();
});

test("of a child that has ended or was dropped nothing is kept", () => {
  const children = new Children([{ id: "a", start }]);
  const child = children.withId("a")!;
  child.pid = pid(1);
  children.started(child, pid(1));
  children.ended(child);
  expect([children.runningAs(pid(1)), child.pid]).toEqual([undefined, undefined]);
  children.ended(child); // Twice does nothing.
  children.drop(child);
  expect([children.withId("a"), [...children]]).toEqual([undefined, []]);
});

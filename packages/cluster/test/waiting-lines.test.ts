import { Pid } from "@coppice/kernel";
import { expect, test } from "vitest";
import { WaitingLines } from "../src/waiting-lines.ts";

const name = "counter";
const old = new Pid("a", "1", 1);
const next = new Pid("b", "1", 1);
const waiting = { hasReturned: false, nowMs: 0 };
const returned = { hasReturned: true, nowMs: 0 };

/** Calls that are under way to a process, by ticket. */
function underWay(count: number, pid: Pid) {
  const lines = new WaitingLines();
  const tickets = Array.from({ length: count }, () => lines.takeTicket());
  for (const ticket of tickets) lines.went(name, ticket, pid);
  return { lines, tickets };
}

test("WL1: who comes back goes before those who were made later, in whatever order they come back", () => {
  const { lines, tickets } = underWay(3, old);
  const [first, second, third] = tickets as [number, number, number];
  const late = lines.create(name, lines.takeTicket(), waiting);
  late.enter();
  const places = [third, first, second].map((ticket) => {
    const place = lines.create(name, ticket, returned);
    place.enter();
    lines.settled(name, ticket, false);
    return place;
  });
  const order: number[] = [];
  for (let round = 0; round < 4; round += 1) {
    const turn = [...places, late].find((place) => place.isFirst())!;
    order.push(turn.ticket);
    turn.leave();
  }
  expect(order).toEqual([first, second, third, late.ticket]);
  expect(lines.isEmpty(name)).toBe(true);
});

test("WL2: a call that came back is overtaken once a later one may have run, and not by an earlier one", () => {
  const { lines, tickets } = underWay(3, old);
  const [first, second, third] = tickets as [number, number, number];
  lines.create(name, second, returned).enter();
  lines.settled(name, second, false);
  lines.settled(name, first, true);
  expect(lines.isOvertaken(name, second)).toBe(false);
  lines.settled(name, third, true);
  expect(lines.isOvertaken(name, second)).toBe(true);
});

test("WL2: a later one that did not run either overtakes nobody", () => {
  const { lines, tickets } = underWay(2, old);
  const [first, second] = tickets as [number, number];
  lines.create(name, first, returned).enter();
  lines.settled(name, first, false);
  expect(lines.isFollowed(name, first)).toBe(true);
  lines.settled(name, second, false);
  expect(lines.isFollowed(name, first)).toBe(false);
  expect(lines.isOvertaken(name, first)).toBe(false);
});

test("WL3: a call waits for those under way to another process, and not for those to the same one", () => {
  const { lines, tickets } = underWay(1, old);
  expect(lines.mayGo(name, old, undefined)).toBe(true);
  expect(lines.mayGo(name, next, undefined)).toBe(false);
  lines.settled(name, tickets[0]!, true);
  expect(lines.mayGo(name, next, undefined)).toBe(true);
});

test("WL3: who waits first is told when nothing is under way any more", () => {
  const { lines, tickets } = underWay(2, old);
  const place = lines.create(name, lines.takeTicket(), waiting);
  let told = 0;
  place.onFirst = () => {
    told += 1;
  };
  place.enter();
  lines.settled(name, tickets[0]!, true);
  expect(told).toBe(0);
  lines.settled(name, tickets[1]!, true);
  expect(told).toBe(1);
});

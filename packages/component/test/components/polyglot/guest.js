/** The guest in JavaScript, for StarlingMonkey. */
import { default as say } from "say";

let total = 0n;

export function add(amount) {
  total += BigInt(amount);
  return total;
}

export function greet(name) {
  say(`greeting ${name}`);
  return `Hello, ${name}!`;
}

export function fail() {
  throw new Error("on purpose");
}

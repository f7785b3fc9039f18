/** The guest in JavaScript, for QuickJS: there imported functions are globals, and 64-bit integers are numbers. */
let total = 0;

export function add(amount) {
  total += amount;
  return total;
}

export function greet(name) {
  globalThis.say(`greeting ${name}`);
  return `Hello, ${name}!`;
}

export function fail() {
  throw new Error("on purpose");
}

/**
 * In which order applications start: a pure decision. They stop in the reverse order.
 *
 * @module
 */
import { ApplicationCycleError, UnknownApplicationError } from "./application-errors.ts";

/**
 * The wanted applications and all they depend on, every one after those it depends on, otherwise in the order given.
 *
 * @throws {UnknownApplicationError} if one is missing.
 * @throws {ApplicationCycleError} if they depend on each other in a circle.
 */
export function startOrder(
  dependencies: ReadonlyMap<string, readonly string[]>,
  wanted: Iterable<string>,
): string[] {
  const order = new Set<string>();
  const path: string[] = [];
  const visit = (name: string): void => {
    if (order.has(name)) return;
    const start = path.indexOf(name);
    if (start >= 0) throw new ApplicationCycleError([...path.slice(start), name]);
    const needed = dependencies.get(name);
    if (needed === undefined) throw new UnknownApplicationError(name, path.at(-1));
    path.push(name);
    for (const each of needed) visit(each);
    path.pop();
    order.add(name);
  };
  for (const name of wanted) visit(name);
  return [...order];
}

/**
 * A kernel for tests, on the machine's clock.
 *
 * @module
 */
import { Kernel, seededRandom, silentLogger, systemClock } from "@coppice/kernel";

export function newKernel(logger = silentLogger): Kernel {
  const options = { node: "a", incarnation: "1", clock: systemClock, logger };
  return new Kernel({ ...options, random: seededRandom(1) });
}

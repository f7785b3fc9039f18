/**
 * Loaded first into a node that is to take all the memory it can get, on SIGUSR2.
 *
 * @module
 */
const chunkBytes = 16 << 20;

process.once("SIGUSR2", () => {
  const taken: Buffer[] = [];
  for (;;) taken.push(Buffer.alloc(chunkBytes, 1)); // Filled, so that it is memory and not a promise of it.
});

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        // A busy machine may be slow; a test that hangs still ends.
        test: {
          name: "packages",
          include: ["packages/*/test/**/*.test.ts"],
          testTimeout: 30_000,
          hookTimeout: 240_000,
        },
      },
      {
        // The whole product with real parts: one file at a time, with nothing beside it.
        test: {
          name: "end-to-end",
          include: ["test/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 240_000,
        },
      },
    ],
  },
});

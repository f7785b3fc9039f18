import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/*/test/**/*.test.ts", "test/**/*.test.ts"],
    reporters: process.env["CI"] === undefined ? ["default"] : ["verbose"],
  },
});

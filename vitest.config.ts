import { defineConfig } from "vitest/config";

/** Tests run on the sources: the `statespace-source` export condition resolves every workspace package to its `src`. */
export default defineConfig({
  resolve: { conditions: ["statespace-source"] },
  ssr: { resolve: { conditions: ["statespace-source"] } },
  test: {
    projects: ["packages/*/vitest.config.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
  },
});

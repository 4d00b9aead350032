import { defineProject } from "vitest/config";

/** End-to-end tests: Node drives a real browser through the built site. One page at a time, since they measure and train. */
export default defineProject({
  resolve: { conditions: ["statespace-source"] },
  ssr: { resolve: { conditions: ["statespace-source"] } },
  test: {
    name: "playground e2e",
    include: ["test/e2e/**/*.test.ts"],
    globalSetup: ["test/support/globalSetup.ts"],
    testTimeout: 240_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});

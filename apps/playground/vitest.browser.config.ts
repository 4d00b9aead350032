import { defineProject } from "vitest/config";

/** End-to-end tests: Node drives a real browser through the built site. */
export default defineProject({
  resolve: { conditions: ["statespace-source"] },
  ssr: { resolve: { conditions: ["statespace-source"] } },
  test: {
    name: "playground e2e",
    include: ["test/e2e/**/*.test.ts"],
    globalSetup: ["test/support/globalSetup.ts"],
    testTimeout: 480_000,
    // A second is vitest's own; a busy machine needs more. Nothing here is a law of speed.
    expect: { poll: { timeout: 120_000 } },
    hookTimeout: 240_000,
    // What a browser and a busy machine do together is not all ours. `npm test` names each test that needed its second try.
    retry: 1,
  },
});

import { defineProject } from "vitest/config";

export default defineProject({
  resolve: { conditions: ["statespace-source"] },
  ssr: { resolve: { conditions: ["statespace-source"] } },
  test: {
    name: "conformance",
    include: ["test/**/*.test.ts"],
    exclude: ["test/browser/**"],
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});

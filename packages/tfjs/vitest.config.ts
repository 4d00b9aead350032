import { defineProject } from "vitest/config";

// tfjs's Node builds are CommonJS, one copy each and without gradients: its ES modules, one for all, take their place.
export default defineProject({
  resolve: { conditions: ["statespace-source"], mainFields: ["module"] },
  ssr: { resolve: { conditions: ["statespace-source"], mainFields: ["module"] } },
  test: {
    name: "tfjs",
    include: ["test/**/*.test.ts"],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    server: { deps: { inline: [/@tensorflow\//] } },
  },
});

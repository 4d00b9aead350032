import { defineProject } from "vitest/config";
import { compileBinaries } from "./scripts/compile.ts";

// Tests run on the sources, of which the embedded binaries are made: bring them up to date before any project's tests start.
await compileBinaries();

export default defineProject({
  resolve: { conditions: ["statespace-source"] },
  ssr: { resolve: { conditions: ["statespace-source"] } },
  test: { name: "backend-wasm", include: ["test/*.test.ts"], testTimeout: 240_000, hookTimeout: 240_000 },
});

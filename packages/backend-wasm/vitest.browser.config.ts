import { playwright } from "@vitest/browser-playwright";
import { defineProject } from "vitest/config";
import { compileBinaries } from "./scripts/compile.ts";

await compileBinaries();

const executablePath = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";

/** The backend in a real page that may share memory with workers. */
export default defineProject({
  resolve: { conditions: ["statespace-source"] },
  server: { headers: { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" } },
  test: {
    name: "backend-wasm browser",
    include: ["test/browser/**/*.test.ts"],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath, args: ["--no-sandbox"] } }),
      instances: [{ browser: "chromium" }],
    },
  },
});

import { playwright } from "@vitest/browser-playwright";
import { defineProject } from "vitest/config";

const executablePath = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";

/** What only a real page has: its private file system, and bundling without Node's modules. */
export default defineProject({
  resolve: { conditions: ["statespace-source"] },
  test: {
    name: "files browser",
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

import { playwright } from "@vitest/browser-playwright";
import { defineProject } from "vitest/config";

const executablePath = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";

/** The common face in a real page, and the examples that are pages. */
export default defineProject({
  resolve: { conditions: ["statespace-source"] },
  test: {
    name: "statespace browser",
    include: ["test/browser/**/*.test.ts", "../../examples/**/*.browser.test.ts"],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath, args: ["--no-sandbox"] } }),
      instances: [{ browser: "chromium" }],
    },
  },
});

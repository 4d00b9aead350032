import { defineProject } from "vitest/config";

const scripts: string = new URL("../../scripts/browser.mjs", import.meta.url).href;
const { findVulkan } = (await import(scripts)) as { findVulkan(): { env: Record<string, string> } };

/** On a machine without a GPU, the software device beside the browser; it must be known before Dawn starts. */
export default defineProject({
  resolve: { conditions: ["statespace-source"] },
  ssr: { resolve: { conditions: ["statespace-source"] } },
  test: {
    name: "backend-webgpu",
    include: ["test/**/*.test.ts"],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    env: findVulkan().env,
  },
});

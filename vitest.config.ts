import { defineConfig } from "vitest/config";

/** `vitest.config.ts` of a folder holds its Node tests, `vitest.browser.config.ts` those that run in a browser or start one. */
const projects = {
  node: ["{packages,apps}/*/vitest.config.ts", "{scripts,examples}/vitest.config.ts"],
  browser: ["{packages,apps}/*/vitest.browser.config.ts"],
};
/** `npm test` runs the two kinds apart, since a software WebGPU device for Node must be out of sight of the browser. */
const kind = process.env["STATESPACE_TESTS"];

/** Tests run on the sources: the `statespace-source` export condition resolves every workspace package to its `src`. */
export default defineConfig({
  resolve: { conditions: ["statespace-source"] },
  ssr: { resolve: { conditions: ["statespace-source"] } },
  test: {
    projects: kind === "node" || kind === "browser" ? projects[kind] : [...projects.node, ...projects.browser],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
  },
});

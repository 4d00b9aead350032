import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The files that take longest start first, or one would run on alone at the end: a fresh clone knows no durations. */
const longest = [
  /e2e\/kit/,
  /e2e\/practice/,
  /conformance\/test\/webgpu/,
  /conformance\/test\/browser\/webgpu/,
  /e2e\/(ownModel|story|handling|pages)/,
  /docs\/test\/(blocks|search)/,
  /examples\.test/,
  /statespace\/test\/(lost|cliWords|cli|convert)/,
  /e2e\/(offline|webgpu|figures|heap|ways)/,
  /conformance\/test\/(packedNeighbours|exactness|cpu|generated|wasm|loadPeak|refusals)/,
  /unit\/reading/,
  /backend-webgpu\/test\/training/,
  /browser\/worker/,
  /backend-wasm\/test\/native/,
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = longest.findIndex((pattern) => pattern.test(moduleId));
      return index < 0 ? longest.length : index;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

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
    sequence: { sequencer: LongestFirst },
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});

import { webGpuBackend } from "@statespace/backend-webgpu";
import { conformanceSuite } from "../src/harness/suite.ts";

/**
 * Every op case. The golden vectors, too, unless the browser's tests compare them, as in `npm test` (browser/webgpu.test.ts): where both
 * run on the same software device, twice the same is twice the time. CONFORMANCE_CASES=all runs all in both.
 */
const { CHROMIUM_PATH, CONFORMANCE_CASES } = process.env;
const golden = CHROMIUM_PATH === undefined || CONFORMANCE_CASES === "all";

await conformanceSuite(webGpuBackend(), { golden });

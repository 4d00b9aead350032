import { webGpuBackend } from "@statespace/backend-webgpu";
import { conformanceSuite } from "../src/harness/suite.ts";

/** Every op case; the golden vectors are a file of their own (webgpuGolden.test.ts), which another worker takes. */
await conformanceSuite(webGpuBackend(), { golden: false });

import { webGpuBackend } from "@statespace/backend-webgpu";
import { goldenSuite } from "../src/harness/suite.ts";

await goldenSuite(webGpuBackend());

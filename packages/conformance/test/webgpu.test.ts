import { webGpuBackend } from "@statespace/backend-webgpu";
import { conformanceSuite } from "../src/harness/suite.ts";

await conformanceSuite(webGpuBackend());

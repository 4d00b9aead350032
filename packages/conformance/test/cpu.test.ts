import { cpuBackend } from "@statespace/backend-cpu";
import { conformanceSuite } from "../src/harness/suite.ts";

await conformanceSuite(cpuBackend());

import { wasmBackend } from "@statespace/backend-wasm";
import { conformanceSuite } from "../src/harness/suite.ts";

await conformanceSuite(wasmBackend());

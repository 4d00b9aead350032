import { wasmBackend } from "@statespace/backend-wasm";
import { conformanceSuite } from "../src/harness/suite.ts";

// Every launch on all threads, however small: three do not divide what two do.
await conformanceSuite(wasmBackend({ threads: 3, parallelWork: 0 }));

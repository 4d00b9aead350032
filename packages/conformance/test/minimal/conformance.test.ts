import { conformanceSuite } from "../../src/harness/suite.ts";
import { minimalBackend } from "./definition.ts";

// A composition rounds at every part of what a kernel rounds once, and where parts cancel (a softplus near 0, a norm) as many times over.
await conformanceSuite(minimalBackend(), { golden: false, composed: 16, elements: 400 });

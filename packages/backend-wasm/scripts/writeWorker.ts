// The workers' program as a file of its own in the built package, for pages that may not start workers from text (`workerUrl`).
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { workerProgram } from "../src/runtime/workerProgram.ts";

const dist = (name: string): string => fileURLToPath(new URL(`../dist/${name}`, import.meta.url));
writeFileSync(dist("worker.js"), workerProgram);
writeFileSync(dist("worker.d.ts"), "// A program for `new Worker`; it exports nothing.\nexport {};\n");

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Plugin } from "vite";
import { shippedFiles } from "./shippedFiles.ts";

const folder = resolve(import.meta.dirname, "../../../packages/conformance/golden");

/** Small files of every group that a backend has part in; of each group the first is the one a quick check takes. */
const files = [
  "selective-scan/plain.safetensors",
  "selective-scan/no-gate.safetensors",
  "causal-conv1d/basic.safetensors",
  "causal-conv1d/k2-init.safetensors",
  "ssd/limit.safetensors",
  "ssd/init.safetensors",
  "mamba3-siso/gqa.safetensors",
  "mamba3-siso/basic.safetensors",
  "s4/diag-diag-lin.safetensors",
  "s4/dplr-legs.safetensors",
  "s5/zoh.safetensors",
  "s5/bilinear-blocks.safetensors",
];

/** Reference values of the official implementations, for page 10. @throws when one is missing: the page's table would shrink unnoticed. */
export function goldenVectors(): Plugin {
  const missing = files.filter((file) => !existsSync(join(folder, file)));
  if (missing.length > 0) throw new Error(`golden vectors are missing: ${missing.join(", ")}`);
  return shippedFiles({ name: "golden-vectors", folder, files });
}

import { resolve } from "node:path";
import type { Plugin } from "vite";
import { shippedFiles } from "./shippedFiles.ts";

/** The checkpoint that the `statespace` package ships, for page 9. */
export function bundledCheckpoint(): Plugin {
  return shippedFiles({
    name: "bundled-checkpoint",
    folder: resolve(import.meta.dirname, "../../../packages/statespace/checkpoint"),
    files: ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"],
  });
}

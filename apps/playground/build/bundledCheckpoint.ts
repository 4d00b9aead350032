import { resolve } from "node:path";
import type { Plugin } from "vite";
import { shippedFiles } from "./shippedFiles.ts";

const files = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "model.safetensors",
] as const;

const at = (folder: string): string => resolve(import.meta.dirname, "..", folder);

/** The models that the pages use until the visitor has another one: that of the `statespace` package, and a small one that writes Chinese. */
export function bundledCheckpoints(): Plugin[] {
  return [
    shippedFiles({ name: "bundled-checkpoint", folder: at("../../packages/statespace/checkpoint"), files }),
    shippedFiles({ name: "chinese-checkpoint", folder: at("models/chinese"), files }),
  ];
}

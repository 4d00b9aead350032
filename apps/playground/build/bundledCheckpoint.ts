import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Plugin } from "vite";

/** The checkpoint that the `statespace` package ships. */
const folder = resolve(import.meta.dirname, "../../../packages/statespace/checkpoint");
const files = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"];
const virtualId = "virtual:bundled-checkpoint";

/**
 * Copies the checkpoint into the site under a name that changes with its contents, so that a visitor's cache never mixes two, and tells
 * the app that name. It is fetched when page 9 asks for it, never with the app.
 */
export function bundledCheckpoint(): Plugin {
  const present = files.filter((file) => existsSync(join(folder, file)));
  const hash = createHash("sha256");
  for (const file of present) hash.update(readFileSync(join(folder, file)));
  const path = `checkpoint-${hash.digest("hex").slice(0, 12)}/`;
  return {
    name: "bundled-checkpoint",
    resolveId: (id) => (id === virtualId ? `\0${virtualId}` : undefined),
    load: (id) => (id === `\0${virtualId}` ? `export const path = ${JSON.stringify(path)};` : undefined),
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const file = present.find((name) => request.url?.endsWith(`/${path}${name}`));
        if (file === undefined) return next();
        response.end(readFileSync(join(folder, file)));
      });
    },
    generateBundle() {
      for (const file of present) this.emitFile({ type: "asset", fileName: `${path}${file}`, source: readFileSync(join(folder, file)) });
    },
  };
}

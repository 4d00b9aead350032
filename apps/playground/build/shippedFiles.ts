import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

export interface ShippedFiles {
  /** Folder of the site, and `virtual:NAME` of the module that tells the app where it is. */
  readonly name: string;
  readonly folder: string;
  /** Relative to the folder; one that is not there is left out. */
  readonly files: readonly string[];
}

/**
 * Copies files into the site under a name that changes with their contents, so that a visitor's cache never mixes two versions, and tells
 * the app that name (`path`) and what lies there (`files`). They are fetched when a page asks for them, never with the app.
 */
export function shippedFiles({ name, folder, files }: ShippedFiles): Plugin {
  const virtualId = `virtual:${name}`;
  const present = files.filter((file) => existsSync(join(folder, file)));
  const hash = createHash("sha256");
  for (const file of present) hash.update(readFileSync(join(folder, file)));
  const path = `${name}-${hash.digest("hex").slice(0, 12)}/`;
  return {
    name,
    resolveId: (id) => (id === virtualId ? `\0${virtualId}` : undefined),
    load: (id) =>
      id === `\0${virtualId}`
        ? `export const path = ${JSON.stringify(path)}; export const files = ${JSON.stringify(present)};`
        : undefined,
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const file = present.find((each) => request.url?.endsWith(`/${path}${each}`));
        if (file === undefined) return next();
        response.end(readFileSync(join(folder, file)));
      });
    },
    generateBundle() {
      for (const file of present)
        this.emitFile({ type: "asset", fileName: `${path}${file}`, source: readFileSync(join(folder, file)) });
    },
  };
}

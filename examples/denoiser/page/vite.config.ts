import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

/** The packages as they are in this repository, without a build. */
export default defineConfig({
  resolve: { conditions: ["statespace-source", "module", "browser", "development|production"] },
  server: { fs: { allow: [fileURLToPath(new URL("../../..", import.meta.url))] } },
});

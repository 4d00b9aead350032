import { fileURLToPath } from "node:url";
import { defineConfig, type UserConfig } from "vite";

/** The bench's page; the packages are read from their sources. */
const config: UserConfig = defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  resolve: { conditions: ["statespace-source"] },
  // Node's WebGPU is not for browsers.
  optimizeDeps: { exclude: ["webgpu"] },
});
export default config;

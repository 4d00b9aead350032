import { defineConfig } from "vite";
import solid from "vite-plugin-solid";
import { bundledCheckpoints } from "./build/bundledCheckpoint.ts";
import { formulas } from "./build/formulas.ts";
import { goldenVectors } from "./build/goldenVectors.ts";
import { serviceWorker } from "./build/serviceWorker.ts";

/** Shared memory, and with it threads, need these two; without them the app runs on one thread. */
const isolation = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

export default defineConfig({
  base: "./",
  plugins: [formulas(), ...bundledCheckpoints(), goldenVectors(), solid(), serviceWorker()],
  // The packages are read from their sources, so that what a page does not use is not sent.
  resolve: { conditions: ["statespace-source"] },
  server: { headers: isolation },
  preview: { headers: isolation },
  worker: { format: "es" },
  build: { target: "es2023", modulePreload: { polyfill: false }, chunkSizeWarningLimit: 700 },
});

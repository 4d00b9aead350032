import { resolve } from "node:path";
import { build, preview, type PreviewServer } from "vite";

const root = resolve(import.meta.dirname, "../..");

/** Builds the app as a visitor gets it. */
export async function buildSite(): Promise<void> {
  await build({ root, configFile: resolve(root, "vite.config.ts"), logLevel: "error" });
}

/** Serves the built app; `isolated` sends the headers that shared memory needs, otherwise it is as on a plain static host. */
export async function serveSite(isolated: boolean): Promise<{ url: string; close(): Promise<void> }> {
  const server: PreviewServer = await preview({
    root,
    configFile: resolve(root, "vite.config.ts"),
    logLevel: "error",
    preview: { port: 0, host: "127.0.0.1", headers: isolated ? { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" } : {} },
  });
  const address = server.httpServer.address();
  if (address === null || typeof address === "string") throw new Error("the preview server has no port");
  return { url: `http://127.0.0.1:${address.port}/`, close: () => server.close() };
}

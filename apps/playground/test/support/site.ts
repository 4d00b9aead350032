import { resolve } from "node:path";
import { build, preview, type PreviewServer } from "vite";
import { serveFolder } from "./staticHost.ts";

const root = resolve(import.meta.dirname, "../..");
const configFile = resolve(root, "vite.config.ts");

export interface Site {
  readonly url: string;
  close(): Promise<void>;
}

/** Builds the app as a visitor gets it. */
export async function buildSite(): Promise<void> {
  const before = process.env["NODE_ENV"];
  process.env["NODE_ENV"] = "production"; // the test runner says "test", which would build what developers see
  try {
    await build({ root, configFile, mode: "production", logLevel: "error" });
  } finally {
    process.env["NODE_ENV"] = before;
  }
}

/** Serves the built app as `pnpm playground` does, with the headers that shared memory needs. */
export async function serveIsolated(): Promise<Site> {
  const server: PreviewServer = await preview({
    root,
    configFile,
    logLevel: "error",
    preview: { port: 0, host: "127.0.0.1" },
  });
  const address = server.httpServer.address();
  if (address === null || typeof address === "string") throw new Error("the preview server has no port");
  return { url: `http://127.0.0.1:${address.port}/`, close: () => server.close() };
}

/** Serves the built app from a sub-path of a host that knows nothing of it. */
export function servePlain(): Promise<Site> {
  return serveFolder(resolve(root, "dist"), "/some/where/");
}

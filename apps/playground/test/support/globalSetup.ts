import type { TestProject } from "vitest/node";
import { buildSite, serveIsolated, servePlain } from "./site.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** The built site with the isolation headers, and without them. */
    isolatedUrl: string;
    plainUrl: string;
  }
}

/** Vitest calls this by its name. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (process.env["PLAYGROUND_BUILT"] === undefined) await buildSite(); // `npm test` has built it
  const isolated = await serveIsolated();
  const plain = await servePlain();
  project.provide("isolatedUrl", isolated.url);
  project.provide("plainUrl", plain.url);
  return async () => {
    await isolated.close();
    await plain.close();
  };
}

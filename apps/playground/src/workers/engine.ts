import type { Parts } from "./engine.worker.ts";
import { Remote } from "./rpc.ts";

/** A part of the app that computes, in a worker of its own. */
export function engine<K extends keyof Parts>(part: K): Remote<Parts[K]> {
  return new Remote<Parts[K]>(
    part,
    () => new Worker(new URL("./engine.worker.ts", import.meta.url), { type: "module" }),
  );
}

import type { WebGpuBackend } from "../backend.ts";
import type { Part } from "./part.ts";

/** A check of what a device offers, made when it is opened: there are drivers that compute wrongly. */
export interface SelfTest {
  /** What it checks, and what the backend goes on without if that is wrong. */
  readonly part: Part;
  /** Whether there is anything to check. */
  applies(backend: WebGpuBackend): boolean;
  /** What is wrong, in a line; nothing where all is right. */
  run(backend: WebGpuBackend): Promise<string | undefined>;
}

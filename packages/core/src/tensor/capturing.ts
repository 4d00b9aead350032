import type { AnyBackend } from "../backend/registry.ts";
import { BackendError } from "../errors.ts";

/** The capture under way: its backend is that of the first thing it does. */
let capturing: { backend: AnyBackend | undefined } | undefined;

/** The capture under way. */
export function captureUnderWay(): { readonly backend: AnyBackend | undefined } | undefined {
  return capturing;
}

/** Told before anything happens on a backend: starts its recording, if a capture waits for it. */
export function enterCapture(what: string, backend: AnyBackend): void {
  if (capturing === undefined || capturing.backend === backend) return;
  if (capturing.backend !== undefined)
    throw new BackendError(
      `capture: one capture is of one backend; it began on ${capturing.backend.name}, and ${what} runs on ${backend.name}`,
    );
  backend.beginCapture();
  capturing.backend = backend;
}

/** Runs a function under capture and ends it: `keep` as in `endCapture`. */
export function whileCapturing<T>(fn: () => T): { result: T; backend: AnyBackend | undefined } {
  const state: { backend: AnyBackend | undefined } = { backend: undefined };
  capturing = state;
  try {
    return { result: fn(), backend: state.backend };
  } catch (error) {
    state.backend?.endCapture(false);
    throw error;
  } finally {
    capturing = undefined;
  }
}

import { currentBackend } from "../backend/current.ts";
import { BackendError } from "../errors.ts";
import { captureUnderWay, whileCapturing } from "./capturing.ts";
import { keep, tidy } from "./scope.ts";
import { isRecording } from "./tape.ts";
import { newestId, Tensor } from "./tensor.ts";

/** Tensors, or arrays and records of them. */
export type Tensors = Tensor | readonly Tensor[] | { readonly [name: string]: Tensor };

/** A function's launches, ready to run again on the same buffers. */
export interface Captured<T extends Tensors> {
  /** The outputs; every replay overwrites them where they lie. */
  readonly result: T;
  /** Kernel launches in one replay. */
  readonly launches: number;
  /** Bytes of the buffers that belong to the graph. */
  readonly bytes: number;
  /** Runs every launch again, where they were captured. Nothing in JavaScript of the captured function runs. @throws BackendError after `dispose`. */
  replay(): void;
  /** Frees the graph and the outputs it made; tensors from outside that `fn` handed back stay. */
  dispose(): void;
}

/**
 * Runs `fn` once and records its kernel launches; `replay` then repeats them without the engine.
 * Inputs are tensors made before, refilled with `writeInto`; state is updated in place by the step ops; outputs are read
 * where they lie. `fn` must not branch on values. Tensors that the launches read stay allocated until `dispose`.
 * The graph is of the backend that `fn` works on, whatever the default is.
 * @throws BackendError inside another capture, under a tape, or for a function that works on two backends.
 */
export function capture<T extends Tensors>(fn: () => T): Captured<T> {
  if (isRecording()) throw new BackendError("capture: not while gradients are being recorded");
  const outside = captureUnderWay();
  if (outside !== undefined)
    throw new BackendError(`${(outside.backend ?? currentBackend()).label}: capture inside capture`);
  const newest = newestId();
  const made = (tensors: Tensors): Tensor[] => listed(tensors).filter(({ id }) => id > newest);
  const { result, backend } = whileCapturing(() => {
    const tensors = tidy(fn);
    for (const t of made(tensors)) keep(t);
    return tensors;
  });
  const recording = backend?.endCapture(true);
  let alive = true;
  return {
    result,
    launches: recording?.launches ?? 0,
    bytes: recording?.bytes ?? 0,
    replay(): void {
      if (!alive) throw new BackendError("capture: replay after dispose");
      recording?.replay();
    },
    dispose(): void {
      if (!alive) return;
      alive = false;
      for (const t of made(result)) t.dispose();
      recording?.dispose();
    },
  };
}

function listed(tensors: Tensors): readonly Tensor[] {
  if (tensors instanceof Tensor) return [tensors];
  return Array.isArray(tensors) ? tensors : Object.values(tensors);
}

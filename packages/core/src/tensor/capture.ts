import { BackendError } from "../errors.ts";
import { engine } from "./engine.ts";
import { currentBackend } from "./registry.ts";
import type { Tensor } from "./types.ts";

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
  /** Runs every launch again. Nothing in JavaScript of the captured function runs. @throws BackendError under another backend. */
  replay(): void;
  /** Frees the graph and the outputs it made; tensors from outside that `fn` handed back stay. */
  dispose(): void;
}

/**
 * Runs `fn` once and records its kernel launches; `replay` then repeats them without the engine.
 * Inputs are tensors made before, refilled with `writeInto`; state is updated in place by the step ops; outputs are read
 * where they lie. `fn` must not branch on values. Tensors that the launches read stay allocated until `dispose`.
 * @throws BackendError inside another capture or under a tape.
 */
export function capture<T extends Tensors>(fn: () => T): Captured<T> {
  const e = engine();
  if (e.state.gradientDepth > 0) throw new BackendError("capture: not while gradients are being recorded");
  const backend = currentBackend();
  backend.beginCapture();
  const firstId = e.nextTensorId();
  let result: T | undefined;
  try {
    result = e.tidy(fn);
    for (const t of listed(result)) if (t.id > firstId) e.keep(t);
  } catch (error) {
    backend.endCapture(false);
    throw error;
  }
  const recording = backend.endCapture(true)!;
  const outputs = result;
  let alive = true;
  return {
    result: outputs,
    launches: recording.launches,
    bytes: recording.bytes,
    replay(): void {
      if (!alive) throw new BackendError("capture: replay after dispose");
      if (currentBackend() !== backend)
        throw new BackendError(`capture: recorded on ${backend.label}, but ${currentBackend().label} is set`);
      recording.replay();
    },
    dispose(): void {
      if (!alive) return;
      alive = false;
      for (const t of listed(outputs)) if (t.id > firstId) t.dispose();
      recording.dispose();
    },
  };
}

function listed(tensors: Tensors): readonly Tensor[] {
  if (Array.isArray(tensors)) return tensors as readonly Tensor[];
  if ("dataId" in tensors && "shape" in tensors) return [tensors as Tensor];
  return Object.values(tensors as Record<string, Tensor>);
}

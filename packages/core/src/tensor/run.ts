import { BackendError } from "../errors.ts";
import { engine, isRecording, type Backward } from "./engine.ts";
import { currentBackend, hasKernel } from "./registry.ts";
import type { Tensor } from "./types.ts";

/** A second handle on a tensor's storage that outlives the scopes the first one is in. */
function hold(t: Tensor): Tensor {
  currentBackend().incRef(t.dataId);
  return engine().keep(engine().makeTensorFromTensorInfo(t));
}

/** What an op tells the tape: which tensors it needs later, and how to go back with them. */
export interface GradientRule {
  readonly save: readonly Tensor[];
  backward(dys: readonly (Tensor | null)[], saved: readonly Tensor[]): Readonly<Record<string, Tensor>>;
}

/**
 * Runs a kernel on the backend that is set and records its gradient rule if a tape is on.
 * `rule` sees the outputs, so that an op may save those instead of inputs.
 * @throws BackendError when no backend is set or it lacks the kernel.
 */
export function runKernel(
  name: string,
  inputs: Readonly<Record<string, Tensor>>,
  attrs: Readonly<Record<string, unknown>> = {},
  rule?: (outputs: readonly Tensor[]) => GradientRule,
): Tensor[] {
  const backend = currentBackend();
  if (!hasKernel(name)) throw new BackendError(`${name}: the ${backend.label} backend has no such kernel`);
  const recording = isRecording();
  const result = engine().runKernel(name, inputs as Record<string, unknown>, attrs as Record<string, unknown>);
  const outputs = Array.isArray(result) ? result : [result];
  if (recording && rule !== undefined) {
    const { save, backward } = rule(outputs);
    const kept = save.map(hold);
    const node = engine().state.activeTape!.at(-1)!;
    node.kept = kept;
    node.backward = ((dys) => backward(dys, kept)) satisfies Backward;
  }
  return outputs;
}

/**
 * Runs a function with the tape off and records one node for all of it: a gradient rule of its own for what it composes.
 * Inputs are named so that the rule can answer for each.
 */
export function runComposite(
  name: string,
  inputs: Readonly<Record<string, Tensor>>,
  forward: () => Tensor[],
  rule: (outputs: readonly Tensor[]) => GradientRule,
): Tensor[] {
  if (!isRecording()) return forward();
  const { state } = engine();
  const depth = state.gradientDepth;
  state.gradientDepth = 0;
  let outputs: Tensor[];
  try {
    outputs = forward();
  } finally {
    state.gradientDepth = depth;
  }
  const { save, backward } = rule(outputs);
  const kept = save.map(hold);
  state.activeTape!.push({ kernelName: name, inputs, outputs, kept, backward: (dys) => backward(dys, kept) });
  return outputs;
}

import { ArgumentError, BackendError } from "../errors.ts";
import { engine, type TapeNode } from "./engine.ts";
import { currentBackend } from "./registry.ts";
import { runKernel } from "./run.ts";
import type { Tensor } from "./types.ts";

/** Turns the tape off for a function: nothing inside it gets a gradient. */
export function noGrad<T>(fn: () => T): T {
  const { state } = engine();
  const depth = state.gradientDepth;
  state.gradientDepth = 0;
  try {
    return fn();
  } finally {
    state.gradientDepth = depth;
  }
}

/**
 * Value of a scalar function and its gradients.
 *
 * `fn` runs under the tape; then the tape is walked once from the end. A gradient is freed as soon as it was used and
 * saved tensors as soon as their node is done, so memory peaks at the end of the forward pass.
 * @param fn returns a scalar tensor (any shape when `dy` is given).
 * @param xs float32 tensors; one gradient each, `null` where the value does not depend on it. The caller disposes them.
 * @param dy upstream gradient, 1 by default; it stays the caller's.
 * @throws ArgumentError when the value is no scalar and no dy is given; BackendError inside another tape, or for an op without a gradient.
 */
export function valueAndGrads(
  fn: () => Tensor,
  xs: readonly Tensor[],
  dy?: Tensor,
): { value: Tensor; grads: (Tensor | null)[] } {
  const e = engine();
  // A tape under way shows also inside noGrad, where the depth is 0.
  if (e.state.activeTape)
    throw new BackendError("valueAndGrads: no gradients inside gradients (the ops have first derivatives only)");
  let tape: TapeNode[] = [];
  let value: Tensor | undefined;
  e.startTape();
  try {
    value = e.tidy(fn);
  } finally {
    e.endTape();
    tape = e.state.activeTape ?? [];
    e.state.activeTape = null;
    if (value === undefined) for (const node of tape) drop(node);
  }
  if (dy === undefined && value.size !== 1) {
    for (const node of tape) drop(node);
    throw new ArgumentError(
      `valueAndGrads: the function must return a scalar, got [${value.shape.join(", ")}]; or pass dy`,
    );
  }
  const loss = value;
  try {
    const grads = e.tidy(() => walkBack(tape, loss, xs, dy ?? onesLike(loss)));
    return { value: loss, grads };
  } finally {
    for (const node of tape) drop(node);
  }
}

function onesLike(t: Tensor): Tensor {
  return runKernel("full", {}, { shape: t.shape, value: 1, dtype: "float32" })[0]!;
}

function drop(node: TapeNode): void {
  for (const t of node.kept ?? []) t.dispose();
  node.kept = [];
}

/** Marks every tensor that depends on one of `xs`. */
function reachedFrom(xs: readonly Tensor[], tape: readonly TapeNode[]): Set<number> {
  const reached = new Set(xs.map((x) => x.id));
  for (const node of tape) {
    if (Object.values(node.inputs).some((input) => reached.has(input.id))) {
      for (const output of node.outputs) reached.add(output.id);
    }
  }
  return reached;
}

function walkBack(tape: readonly TapeNode[], y: Tensor, xs: readonly Tensor[], dy: Tensor): (Tensor | null)[] {
  const reached = reachedFrom(xs, tape);
  const wanted = new Set(xs.map((x) => x.id));
  const grads = new Map<number, Tensor>([[y.id, clone(dy)]]);
  for (let i = tape.length - 1; i >= 0; i--) {
    const node = tape[i]!;
    const dys = node.outputs.map((output) => grads.get(output.id) ?? null);
    const needed = Object.entries(node.inputs).filter(([, input]) => reached.has(input.id));
    if (needed.length > 0 && dys.some((d) => d !== null)) backThrough(node, dys, needed, grads);
    drop(node);
    for (const output of node.outputs) {
      if (wanted.has(output.id)) continue;
      grads.get(output.id)?.dispose();
      grads.delete(output.id);
    }
  }
  return xs.map((x) => grads.get(x.id) ?? null);
}

function backThrough(
  node: TapeNode,
  dys: readonly (Tensor | null)[],
  needed: readonly [string, Tensor][],
  grads: Map<number, Tensor>,
): void {
  const { backward } = node;
  if (backward === undefined) throw new BackendError(`${node.kernelName} has no gradient`);
  const own = new Set(dys);
  // A rule may hand its upstream gradient through, or one tensor to two inputs: each use becomes a handle of its own.
  const dxs = engine().tidy(() => {
    const all = backward(dys);
    return needed.map(([name]) => {
      const dx = all[name];
      if (dx === undefined) return null;
      if (!own.has(dx)) {
        own.add(dx);
        return dx;
      }
      return clone(dx);
    });
  });
  needed.forEach(([, input], i) => {
    const dx = dxs[i]!;
    if (dx === null) return;
    const sum = grads.get(input.id);
    if (sum === undefined) {
      grads.set(input.id, dx);
      return;
    }
    grads.set(input.id, runKernel("add", { a: sum, b: dx })[0]!);
    sum.dispose();
    dx.dispose();
  });
}

/** Another handle on the same storage. */
export function clone(t: Tensor): Tensor {
  currentBackend().incRef(t.dataId);
  return engine().makeTensorFromTensorInfo(t);
}

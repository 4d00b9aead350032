import { ArgumentError, BackendError } from "../errors.ts";
import { ones } from "./create.ts";
import { runKernel } from "./run.ts";
import { tidy, wrap } from "./scope.ts";
import { drop, endTape, hasTape, startTape, type TapeNode } from "./tape.ts";
import { newestId, type Tensor } from "./tensor.ts";

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
  if (hasTape())
    throw new BackendError("valueAndGrads: no gradients inside gradients (the ops have first derivatives only)");
  const newest = newestId();
  let nodes: readonly TapeNode[] = [];
  let value: Tensor | undefined;
  try {
    const serial = startTape(xs);
    try {
      value = tidy(fn);
    } finally {
      nodes = endTape();
    }
    if (dy === undefined && value.size !== 1)
      throw new ArgumentError(
        `valueAndGrads: the function must return a scalar, got [${value.shape.join(", ")}]; or pass dy`,
      );
    const loss = value;
    return { value: loss, grads: tidy(() => walkBack(nodes, serial, loss, xs, dy)) };
  } catch (error) {
    if (value !== undefined && value.id > newest) value.dispose();
    throw error;
  } finally {
    for (const node of nodes) drop(node);
  }
}

/** Another handle on the same storage, in the scope that is open and on no tape. */
function again(t: Tensor): Tensor {
  t.backend.incRef(t.dataId);
  return wrap(t, t.backend);
}

function walkBack(
  nodes: readonly TapeNode[],
  serial: number,
  y: Tensor,
  xs: readonly Tensor[],
  dy: Tensor | undefined,
): (Tensor | null)[] {
  const wanted = new Set<number>();
  for (const x of xs) wanted.add(x.id);
  const grads = new Map<number, Tensor>([[y.id, dy === undefined ? ones(y.shape, { backend: y.backend }) : again(dy)]]);
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    const dys: (Tensor | null)[] = [];
    let reached = false;
    for (const { id } of node.outputs) {
      const dy = grads.get(id) ?? null;
      dys.push(dy);
      reached ||= dy !== null;
    }
    if (reached) backThrough(node, serial, dys, grads);
    drop(node);
    for (const { id } of node.outputs) {
      if (wanted.has(id)) continue;
      grads.get(id)?.dispose();
      grads.delete(id);
    }
  }
  return xs.map(({ id }) => grads.get(id) ?? null);
}

function backThrough(
  { name: op, inputs, rule, kept }: TapeNode,
  serial: number,
  dys: readonly (Tensor | null)[],
  grads: Map<number, Tensor>,
): void {
  if (rule === undefined) throw new BackendError(`${op} has no gradient`);
  const needed: number[] = [];
  // A rule may hand its upstream gradient through, or one tensor to two inputs: each use becomes a handle of its own.
  const dxs = tidy(() => {
    const all = rule.backward(dys, kept, (name) => inputs[name]?.onTape === serial);
    const own: Tensor[] = [];
    for (const name in inputs) {
      const input = inputs[name]!;
      if (input.onTape !== serial) continue;
      const dx = all[name];
      if (dx === undefined) continue;
      needed.push(input.id);
      own.push(dys.includes(dx) || own.includes(dx) || kept.includes(dx) ? again(dx) : dx);
    }
    return own;
  });
  dxs.forEach((dx, i) => {
    const id = needed[i]!;
    const sum = grads.get(id);
    if (sum === undefined) {
      grads.set(id, dx);
      return;
    }
    grads.set(id, runKernel("add", { a: sum, b: dx })[0]!);
    sum.dispose();
    dx.dispose();
  });
}

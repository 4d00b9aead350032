import { ArgumentError } from "../errors.ts";
import { valueAndGrads } from "../tensor/gradients.ts";
import { tidy } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add, mul } from "./binary.ts";
import type { AnyOp } from "./declaration.ts";
import { gradientKernelName, ruleOf, usesGradientKernel } from "./defineOp.ts";
import { conditionOf } from "./shapes.ts";
import { sum } from "./sum.ts";

type Tensors = Readonly<Record<string, Tensor>>;

/** Names of the outputs an op gives at some attributes, in kernel order. */
export function outputNamesOf({ spec }: AnyOp, attrs: Readonly<Record<string, unknown>> = {}): string[] {
  const all: Readonly<Record<string, unknown>> = { ...spec.attrs, ...attrs };
  return Object.keys(spec.outputs).filter((name) => {
    const shape: unknown = spec.outputs[name];
    const condition = typeof shape === "string" ? conditionOf(shape) : undefined;
    return condition === undefined || Boolean(all[condition]);
  });
}

/** Names of the outputs that an op's gradient needs; the others need not be kept. */
export function savedOutputsOf({ spec }: AnyOp): readonly string[] {
  if (spec.gradient === undefined) return spec.saveOutputs ?? [];
  return spec.gradient.save.filter((name) => spec.inputs[name] === undefined);
}

/**
 * Gradients of an op's inputs by name, outside any tape: for whoever keeps a tape of their own.
 * @param inputs those the op was called with
 * @param outputs those of `savedOutputsOf`, at least
 * @param dys upstream gradients by output; one that is left out does not reach the loss
 * @throws ArgumentError for an op without a gradient
 */
export function gradientOf(
  op: AnyOp,
  inputs: Tensors,
  outputs: Tensors,
  dys: Tensors,
  attrs: Readonly<Record<string, unknown>> = {},
): Tensors {
  const { spec } = op;
  const names = outputNamesOf(op, attrs);
  const all = { ...spec.attrs, ...attrs };
  const rule = ruleOf(spec, inputs, all, names);
  if (rule === undefined || spec.flat) throw new ArgumentError(`${spec.name}: has no gradient`);
  const { kernels } = Object.values(inputs)[0]!.backend;
  const lacking = usesGradientKernel(spec) && kernels[gradientKernelName(spec.name)] === undefined;
  if (lacking) return composedGradient(op, inputs, dys, attrs);
  return tidy(() => {
    const { save, backward } = rule(names.map((name) => outputs[name]!));
    return backward(
      names.map((name) => dys[name] ?? null),
      save,
    );
  });
}

/** Where the gradient is that of the composition: its tape, run anew. */
function composedGradient(
  op: AnyOp,
  inputs: Tensors,
  dys: Tensors,
  attrs: Readonly<Record<string, unknown>>,
): Record<string, Tensor> {
  const wanted: string[] = op.spec.differentiable.filter((name) => inputs[name] !== undefined);
  return tidy(() => {
    const { grads } = valueAndGrads(
      () => {
        const outputs: Tensors = op.run(inputs, attrs);
        return Object.entries(dys)
          .map(([name, dy]) => sum(mul(outputs[name]!, dy)))
          .reduce((a, b) => add(a, b));
      },
      wanted.map((name) => inputs[name]!),
    );
    return Object.fromEntries(wanted.flatMap((name, i) => (grads[i] ? [[name, grads[i]]] : [])));
  });
}

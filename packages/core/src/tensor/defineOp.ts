import type { NdArray } from "../math/ndarray.ts";
import { BackendError, ShapeError } from "../errors.ts";
import { isRecording } from "./engine.ts";
import { currentBackend } from "./registry.ts";
import { runKernel, type GradientRule } from "./run.ts";
import { bindDims, parseSpec, type BoundDims } from "./shapeSpec.ts";
import type { Tensor } from "./types.ts";

/** What an op costs at given extents: the numerator of every rate in the benches. */
export interface Cost {
  readonly flops: number;
  /** Bytes that must move at least: every input read once, every output written once. */
  readonly bytes: number;
  /** Exponentials, where they are the bound (selective scan). */
  readonly exps?: number;
}

/** Float64 arrays by name. */
export type NdArrays = Readonly<Record<string, NdArray>>;

/** Everything one op is: its name, arguments, reference, gradient and cost. Backends add kernels by the same name. */
export interface OpSpec<Attrs extends object> {
  /** Kernel name; the gradient kernel is `nameGrad`. */
  readonly name: string;
  /** Symbolic shapes of the arguments, in an order in which symbols get known (see `parseSpec`). */
  readonly inputs: Readonly<Record<string, string>>;
  /** Attributes with their defaults. */
  readonly attrs: Required<Attrs>;
  /** Output shapes by name, in kernel order; an output that the attributes switch off is left out. */
  outputs(
    bound: BoundDims,
    attrs: Required<Attrs>,
    present: ReadonlySet<string>,
  ): Readonly<Record<string, readonly number[]>>;
  /** Inputs that get a gradient, in the order the gradient kernel returns them (absent ones left out). Empty: no gradient. */
  readonly differentiable: readonly string[];
  /** Outputs the gradient kernel needs beside the inputs. */
  readonly saveOutputs?: readonly string[];
  /** Inputs that the kernel changes; such an op has no gradient. */
  readonly inPlace?: readonly string[];
  /** Checks that shapes alone cannot tell. @throws ShapeError or ArgumentError */
  check?(bound: BoundDims, attrs: Required<Attrs>, present: ReadonlySet<string>): void;
  /**
   * The definition, in float64 loops: outputs by name. For in-place ops also the changed inputs by their names.
   * Slow on purpose; it is the oracle, and central differences of it are the gradient's oracle.
   */
  reference(inputs: NdArrays, attrs: Required<Attrs>): NdArrays;
  cost(bound: BoundDims, attrs: Required<Attrs>): Cost;
}

/** An op: call it, or look at its `spec`. */
export interface Op<Inputs extends object, Attrs extends object, Outputs extends object> {
  (inputs: Inputs, attrs?: Attrs): Outputs;
  readonly spec: OpSpec<Attrs>;
}

/** Name of an op's gradient kernel. */
export function gradientKernelName(name: string): string {
  return `${name}Grad`;
}

/** Name under which a gradient kernel gets the upstream gradient of an output: `y` -> `dY`. */
export function upstreamName(output: string): string {
  return `d${output[0]!.toUpperCase()}${output.slice(1)}`;
}

/**
 * Makes an op of a spec: checks shapes and dtypes, runs the kernel, names the outputs, and records the gradient kernel.
 * Outputs that do not reach the loss are passed to the gradient kernel as absent, not as zeros.
 */
export function defineOp<Inputs extends object, Attrs extends object, Outputs extends object>(
  spec: OpSpec<Attrs>,
): Op<Inputs, Attrs, Outputs> {
  const specs = Object.entries(spec.inputs).map(([name, text]) => parseSpec(name, text));
  const run = (inputs: Inputs, attrs?: Attrs): Outputs => {
    const given = inputs as Readonly<Record<string, Tensor | undefined>>;
    const bound = bindDims(spec.name, specs, given);
    const present = presentInputs(spec, given);
    const names = new Set(Object.keys(present));
    const all = withDefaults(spec.attrs, attrs);
    spec.check?.(bound, all, names);
    if (spec.inPlace && isRecording())
      throw new BackendError(
        `${spec.name}: changes ${spec.inPlace.join(", ")} in place and has no gradient; use the op that returns a new state`,
      );
    refusePacked(spec.name, present);
    const outputNames = Object.keys(spec.outputs(bound, all, names));
    const rule = spec.differentiable.length > 0 ? gradientRule(spec, present, all, outputNames) : undefined;
    const outputs = runKernel(spec.name, present, all as Record<string, unknown>, rule);
    return Object.fromEntries(outputNames.map((name, i) => [name, outputs[i]])) as Outputs;
  };
  return Object.assign(run, { spec });
}

function presentInputs<Attrs extends object>(
  spec: OpSpec<Attrs>,
  given: Readonly<Record<string, Tensor | undefined>>,
): Record<string, Tensor> {
  for (const name of Object.keys(given)) {
    if (spec.inputs[name] === undefined)
      throw new ShapeError(`${spec.name}: has no argument ${name} (it has ${Object.keys(spec.inputs).join(", ")})`);
  }
  return Object.fromEntries(Object.entries(given).filter((entry): entry is [string, Tensor] => entry[1] !== undefined));
}

function withDefaults<Attrs extends object>(defaults: Required<Attrs>, attrs: Attrs | undefined): Required<Attrs> {
  if (attrs === undefined) return defaults;
  return { ...defaults, ...Object.fromEntries(Object.entries(attrs).filter(([, value]) => value !== undefined)) };
}

/** Packed weights have no gradient: better told here than as a wrong number. */
function refusePacked(op: string, inputs: Readonly<Record<string, Tensor>>): void {
  if (!isRecording()) return;
  const backend = currentBackend();
  for (const [name, input] of Object.entries(inputs)) {
    const format = backend.formatOf(input);
    if (format !== "f32" && format !== "i32")
      throw new BackendError(`${op}: ${name} is packed as ${format} and cannot be trained through`);
  }
}

function gradientRule<Attrs extends object>(
  spec: OpSpec<Attrs>,
  present: Readonly<Record<string, Tensor>>,
  attrs: Required<Attrs>,
  outputNames: readonly string[],
): (outputs: readonly Tensor[]) => GradientRule {
  const inputNames = Object.keys(present);
  const savedOutputs = spec.saveOutputs ?? [];
  return (outputs) => ({
    save: [
      ...inputNames.map((name) => present[name]!),
      ...savedOutputs.map((name) => outputs[outputNames.indexOf(name)]!),
    ],
    backward: (dys, saved) => {
      const inputs: Record<string, Tensor> = Object.fromEntries(
        [...inputNames, ...savedOutputs].map((name, i) => [name, saved[i]!]),
      );
      dys.forEach((dy, i) => {
        if (dy !== null) inputs[upstreamName(outputNames[i]!)] = dy;
      });
      const names = spec.differentiable.filter((name) => present[name] !== undefined);
      const grads = runKernel(gradientKernelName(spec.name), inputs, attrs as Record<string, unknown>);
      return Object.fromEntries(names.map((name, i) => [name, grads[i]!]));
    },
  });
}

import { ArgumentError, BackendError, ShapeError } from "../errors.ts";
import { currentBackend } from "../backend/current.ts";
import type { AnyBackend } from "../backend/registry.ts";
import { runComposite, runKernel } from "../tensor/run.ts";
import { tidy } from "../tensor/scope.ts";
import { isRecording, type GradientRule } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { AnyOp, InputShapes, InputsOf, Op, OpDeclaration, OutputShapes, OutputsOf } from "./declaration.ts";
import { bindDims, conditionOf, parseSpec, type ArgumentSpec } from "./shapes.ts";

/** Name of an op's gradient kernel. */
export function gradientKernelName(name: string): string {
  return `${name}Grad`;
}

/** Name under which a gradient kernel gets the upstream gradient of an output: `y` -> `dY`. */
export function upstreamName(output: string): string {
  return `d${output[0]!.toUpperCase()}${output.slice(1)}`;
}

type Tensors = Readonly<Record<string, Tensor>>;
type Rule = (outputs: readonly Tensor[]) => GradientRule;

const defined: Record<string, AnyOp> = {};

/** Every op by name, base or fused: declaring one puts it here. */
export const opTable: Readonly<Record<string, AnyOp>> = defined;

/** Runs an op by its name: only where importing it would close a circle, as a gather may be part of a sum's gradient and a sum of a gather's. */
export function apply(name: string, inputs: Tensors, attrs?: object): Tensor {
  return Object.values(defined[name]!.run(inputs, attrs) as Tensors)[0]!;
}

/**
 * Makes an op of its declaration: checks shapes, dtypes and attributes, runs the kernel, names the outputs, and records the gradient.
 * Outputs that do not reach the loss are passed to a gradient kernel as absent, not as zeros. Where the backend lacks the kernel, or
 * the gradient's while gradients are recorded, the op runs as its composition, if it has one.
 */
export function defineOp<Inputs extends InputShapes, Attrs extends object, Outputs extends OutputShapes>(
  spec: OpDeclaration<Inputs, Attrs, Outputs>,
): Op<Inputs, Attrs, Outputs> {
  const erased = spec as unknown as OpDeclaration;
  const specs = Object.entries(spec.inputs)
    .filter(([name]) => name !== "...")
    .map(([name, text]) => parseSpec(name, text));
  const outputs = Object.entries(erased.outputs).map(([name, shape]) => ({
    name,
    condition: typeof shape === "string" ? conditionOf(shape) : undefined,
  }));
  const always = outputs.some(({ condition }) => condition) ? undefined : outputs.map(({ name }) => name);
  const run = (inputs: InputsOf<Inputs>, attrs?: object): OutputsOf<Outputs> => {
    const all = withDefaults(erased, attrs);
    const present = presentInputs(erased, inputs as Readonly<Record<string, Tensor | undefined>>);
    check(erased, specs, present, all);
    const names = always ?? outputs.filter(({ condition }) => !condition || all[condition]).map(({ name }) => name);
    return named(names, perform(erased, present, all, names)) as OutputsOf<Outputs>;
  };
  const op = Object.assign(run, { spec, run });
  if (defined[spec.name]) throw new BackendError(`${spec.name}: two ops of one name`);
  defined[spec.name] = op;
  return op;
}

function named(names: readonly string[], tensors: readonly Tensor[]): Record<string, Tensor> {
  const result: Record<string, Tensor> = {};
  for (let i = 0; i < names.length; i++) result[names[i]!] = tensors[i]!;
  return result;
}

/** The inputs that are there; the caller's own record where all of them are. */
function presentInputs(spec: OpDeclaration, given: Readonly<Record<string, Tensor | undefined>>): Tensors {
  let absent = false;
  for (const name in given) {
    if (spec.inputs[name] === undefined && !spec.inputs["..."])
      throw new ShapeError(`${spec.name}: has no argument ${name} (it has ${Object.keys(spec.inputs).join(", ")})`);
    absent ||= given[name] === undefined;
  }
  if (!absent) return given as Tensors;
  const present: Record<string, Tensor> = {};
  for (const name in given) {
    const input = given[name];
    if (input !== undefined) present[name] = input;
  }
  return present;
}

function withDefaults({ name, attrs: defaults }: OpDeclaration, attrs: object | undefined): Record<string, unknown> {
  if (attrs === undefined) return defaults;
  const all: Record<string, unknown> = { ...defaults };
  for (const attribute in attrs) {
    const value = (attrs as Readonly<Record<string, unknown>>)[attribute];
    if (!(attribute in defaults))
      throw new ArgumentError(
        `${name}: has no attribute ${attribute} (it has ${Object.keys(defaults).join(", ") || "none"})`,
      );
    if (value !== undefined) all[attribute] = value;
  }
  return all;
}

function check(
  spec: OpDeclaration,
  specs: readonly ArgumentSpec[],
  present: Tensors,
  attrs: Readonly<Record<string, unknown>>,
): void {
  const bound = bindDims(spec.name, specs, present);
  spec.check?.(bound, attrs, present);
  if (!isRecording()) return;
  if (spec.inPlace)
    throw new BackendError(
      `${spec.name}: changes ${spec.inPlace.join(", ")} in place and has no gradient; use the op that returns a new state`,
    );
  refusePacked(spec.name, present);
}

/** Packed weights have no gradient: better told here than as a wrong number. */
function refusePacked(op: string, inputs: Tensors): void {
  for (const name in inputs) {
    const input = inputs[name]!;
    const format = input.backend.formatOf(input);
    if (format !== "f32" && format !== "i32")
      throw new BackendError(`${op}: ${name} is packed as ${format} and cannot be trained through`);
  }
}

/** Where an op runs: where its inputs are. */
function backendOf(present: Tensors): AnyBackend {
  for (const name in present) return present[name]!.backend;
  return currentBackend();
}

/** Runs the kernel, or what stands in for it. */
function perform(
  spec: OpDeclaration,
  present: Tensors,
  attrs: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Tensor[] {
  const rule = isRecording() ? ruleOf(spec, present, attrs, names) : undefined;
  const { kernels } = backendOf(present);
  const lacking =
    kernels[spec.name] === undefined ||
    (isRecording() && usesGradientKernel(spec) && kernels[gradientKernelName(spec.name)] === undefined);
  if (!lacking || spec.compose === undefined) return runKernel(spec.name, present, attrs, rule);
  const composed = (): Tensor[] =>
    tidy(() => {
      const results = spec.compose!(present, attrs) as Tensors;
      return names.map((name) => results[name]!);
    });
  // With a gradient made of ops the composition is one node of the tape; else its parts are recorded.
  return rule !== undefined && !usesGradientKernel(spec)
    ? runComposite(spec.name, present, composed, rule)
    : composed();
}

/** True where the gradient is a kernel of the backend. */
export function usesGradientKernel({ differentiable, gradient }: OpDeclaration): boolean {
  return differentiable.length > 0 && gradient === undefined;
}

const NO_GRADIENT: GradientRule = { save: [], backward: () => ({}) };

/** How an op goes back: undefined where it has no gradient. */
export function ruleOf(
  spec: OpDeclaration,
  present: Tensors,
  attrs: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Rule | undefined {
  if (spec.flat) return () => NO_GRADIENT;
  if (spec.gradient !== undefined) return composedRule(spec, present, attrs, names);
  return spec.differentiable.length > 0 ? kernelRule(spec, present, attrs, names) : undefined;
}

function composedRule(
  { gradient }: OpDeclaration,
  present: Tensors,
  attrs: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Rule {
  const { save, backward } = gradient!;
  return (outputs) => ({
    save: save.map((name) => present[name] ?? outputs[names.indexOf(name)]!),
    backward: ([dy], kept) => {
      const shapes: Record<string, readonly number[]> = {};
      for (const name in present) shapes[name] = present[name]!.shape;
      return backward({ saved: named(save, kept), dy: dy!, shapes, attrs });
    },
  });
}

function kernelRule(
  spec: OpDeclaration,
  present: Tensors,
  attrs: Readonly<Record<string, unknown>>,
  outputNames: readonly string[],
): Rule {
  return (outputs) => {
    const savedNames = Object.keys(present);
    const save = Object.values(present);
    for (const name of spec.saveOutputs ?? []) {
      savedNames.push(name);
      save.push(outputs[outputNames.indexOf(name)]!);
    }
    return {
      save,
      backward: (dys, saved) => {
        const inputs = named(savedNames, saved);
        dys.forEach((dy, i) => {
          if (dy !== null) inputs[upstreamName(outputNames[i]!)] = dy;
        });
        const wanted = spec.differentiable.filter((name) => present[name] !== undefined);
        return named(wanted, runKernel(gradientKernelName(spec.name), inputs, attrs));
      },
    };
  };
}

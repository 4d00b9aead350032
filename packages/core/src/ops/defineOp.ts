import { BackendError, ShapeError } from "../errors.ts";
import { currentBackend } from "../backend/current.ts";
import type { AnyBackend } from "../backend/registry.ts";
import { runComposite, runKernel, runListed } from "../tensor/run.ts";
import { tidy } from "../tensor/scope.ts";
import { isRecording, type GradientRule } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { forgetIds } from "../tensor/idRange.ts";
import { withDefaults } from "./attributes.ts";
import type { AnyOp, InputShapes, InputsOf, Op, OpDeclaration, OutputShapes, OutputsOf } from "./declaration.ts";
import {
  attributesDecide,
  bindsNothing,
  changesNothing,
  emptyOutputs,
  outputShapes,
  zeroGradients,
} from "./emptyExtents.ts";
import { checkIds } from "./idGate.ts";
import { bindList, conditionOf, parseSpec, type BoundDims } from "./shapes.ts";

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
  const decided = attributesDecide(erased);
  const always = outputs.some(({ condition }) => condition) ? undefined : outputs.map(({ name }) => name);
  const run = (inputs: InputsOf<Inputs>, attrs?: object): OutputsOf<Outputs> => {
    const all = withDefaults(erased, attrs);
    const given = inputs as Readonly<Record<string, Tensor | undefined>>;
    // The inputs are looked up by name once: this is the path of every op.
    let list: (Tensor | undefined)[] = [];
    let found = 0;
    let empty = false;
    for (const { name } of specs) {
      const input = given[name];
      if (input !== undefined) {
        found++;
        if (input.size === 0) empty = true;
      }
      list.push(input);
    }
    const present =
      found === Object.keys(given).length && found > 0 ? (given as Tensors) : presentInputs(erased, given);
    const bound = bindList(spec.name, specs, list);
    if (specs.length === 0) list = Object.values(present);
    erased.check?.(bound, all, present);
    if (erased.ids !== undefined) checkIds(erased, bound, all, present);
    if (isRecording()) checkRecording(erased, present, list);
    const names = always ?? outputs.filter(({ condition }) => !condition || all[condition]).map(({ name }) => name);
    const call: Call = { spec: erased, bound, present, list, attrs: all, names };
    const results = empty || decided || specs.length === 0 ? performOrNothing(call) : perform(call);
    return named(names, results) as OutputsOf<Outputs>;
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

/** The inputs that are there. @throws ShapeError for one that the op does not have. */
function presentInputs(spec: OpDeclaration, given: Readonly<Record<string, Tensor | undefined>>): Tensors {
  const present: Record<string, Tensor> = {};
  for (const name in given) {
    if (spec.inputs[name] === undefined && !spec.inputs["..."])
      throw new ShapeError(`${spec.name}: has no argument ${name} (it has ${Object.keys(spec.inputs).join(", ")})`);
    const input = given[name];
    if (input !== undefined) present[name] = input;
  }
  return present;
}

/** What holds while gradients are recorded: nothing changes in place, and packed weights, which have no gradient, take no part. */
function checkRecording(spec: OpDeclaration, present: Tensors, list: readonly (Tensor | undefined)[]): void {
  if (spec.inPlace)
    throw new BackendError(
      `${spec.name}: changes ${spec.inPlace.join(", ")} in place and has no gradient; use the op that returns a new state`,
    );
  for (const input of list) {
    if (input === undefined) continue;
    const format = input.backend.formatOf(input);
    if (format === "f32" || format === "i32") continue;
    const name = Object.keys(present).find((key) => present[key] === input);
    throw new BackendError(`${spec.name}: ${name} is packed as ${format} and cannot be trained through`);
  }
}

/** Where an op runs: where its inputs are. */
function backendOf(list: readonly (Tensor | undefined)[]): AnyBackend {
  for (const input of list) if (input !== undefined) return input.backend;
  return currentBackend();
}

/** One call of an op, its arguments checked. */
interface Call {
  readonly spec: OpDeclaration;
  readonly bound: BoundDims;
  readonly present: Tensors;
  readonly list: readonly (Tensor | undefined)[];
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly names: readonly string[];
}

/** Runs the kernel, or what stands in for it. */
function perform({ spec, present, list, attrs, names }: Call): Tensor[] {
  const rule = isRecording() ? ruleOf(spec, present, attrs, names) : undefined;
  const { kernels } = backendOf(list);
  const lacking =
    kernels[spec.name] === undefined ||
    (isRecording() && usesGradientKernel(spec) && kernels[gradientKernelName(spec.name)] === undefined);
  if (lacking && spec.compose !== undefined)
    return made(spec, present, names, rule, () => spec.compose!(present, attrs) as Tensors);
  const results = runListed(spec.name, present, list, attrs, rule);
  for (const name of spec.inPlace ?? []) if (present[name]?.dtype === "int32") forgetIds(present[name]);
  return results;
}

/** As `perform`, where an extent may be 0: kernels are spared that. */
function performOrNothing(call: Call): Tensor[] {
  const { spec, bound, present, attrs, names } = call;
  const shapes = outputShapes(spec, bound, present, attrs, names);
  if (changesNothing(spec, present, shapes)) {
    if (spec.inPlace !== undefined && names.length === 0) return [];
    const nothing = (): Tensor[] => emptyOutputs(spec, present, attrs, shapes);
    const rule = spec.differentiable.length > 0 ? zeroGradients(spec, present) : ruleOf(spec, present, attrs, names);
    return rule === undefined ? nothing() : runComposite(spec.name, present, nothing, rule);
  }
  const instead = spec.empty ?? spec.compose;
  if (instead === undefined || !bindsNothing(spec, bound, present)) return perform(call);
  const rule = isRecording() ? ruleOf(spec, present, attrs, names) : undefined;
  return made(spec, present, names, rule, () => instead(present, attrs, shapes) as Tensors);
}

/** Runs what an op is made of. With a gradient made of ops it is one node of the tape; else its parts are recorded. */
function made(
  spec: OpDeclaration,
  present: Tensors,
  names: readonly string[],
  rule: Rule | undefined,
  make: () => Tensors,
): Tensor[] {
  const parts = (): Tensor[] =>
    tidy(() => {
      const results = make();
      return names.map((name) => results[name]!);
    });
  return rule !== undefined && !usesGradientKernel(spec) ? runComposite(spec.name, present, parts, rule) : parts();
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
      backward: (dys, saved, isWanted) => {
        const inputs = named(savedNames, saved);
        dys.forEach((dy, i) => {
          if (dy !== null) inputs[upstreamName(outputNames[i]!)] = dy;
        });
        const all = spec.differentiable.filter((name) => present[name] !== undefined);
        // A frozen weight's gradient may be left uncomputed: a kernel then gives anything in its place.
        const unwanted = isWanted === undefined ? [] : all.filter((name) => !isWanted(name));
        const told = unwanted.length === 0 ? attrs : { ...attrs, unwanted };
        return named(all, runKernel(gradientKernelName(spec.name), inputs, told));
      },
    };
  };
}

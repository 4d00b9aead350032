import { ndclone, type NdArray } from "../math/ndarray.ts";
import { zeros } from "../tensor/create.ts";
import { reshape, same } from "./movement.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type {
  Arguments,
  Cost,
  DimsOf,
  InputShapes,
  InputsOf,
  NdArrays,
  Op,
  OpDeclaration,
  OutputShapes,
  OutputsOf,
} from "./declaration.ts";
import { apply, defineOp } from "./defineOp.ts";
import type { BoundDims } from "./shapes.ts";

/** What a recurrence carries from token to token, by its name in the step, which changes it in place. */
export interface Carried {
  readonly [name: string]: {
    readonly shape: string;
    /** Its name as an input of the scan: its value before the first token, zero where absent. */
    readonly initial: string;
    /** Its name as an output of the scan, given with `returnLastState`. */
    readonly last?: string;
    /** Where the scan does not give it: the input whose token it becomes. */
    readonly next?: string;
  };
}

/** Inputs of a scan: those of its tokens, what is carried in, and where sequences begin. */
export type ScanInputs<Tokens extends InputShapes, State extends Carried> = Tokens & {
  readonly [K in keyof State as State[K]["initial"]]: `${State[K]["shape"]}?`;
} & {
  /** Where it changes along l another sequence starts (packed sequences). */
  readonly seqIdx: "int32 b l?";
};
/** Outputs of a scan. */
export type ScanOutputs<Outputs extends OutputShapes, State extends Carried> = Outputs & {
  readonly [
    K in keyof State as State[K] extends { readonly last: infer Last extends string } ? Last : never
  ]: `${State[K]["shape"]} if returnLastState`;
};
/** Attributes of a scan. */
export type ScanAttrs<Attrs extends object, Own extends object> = Attrs & Own & { readonly returnLastState: boolean };
/** Inputs of a step: one token of each row, and what it changes in place. */
export type StepInputs<Tokens extends InputShapes, State extends Carried> = Tokens & {
  readonly [K in keyof State]: State[K]["shape"];
};

/** The op that runs a recurrence over whole sequences. */
export type ScanOp<
  Tokens extends InputShapes,
  State extends Carried,
  Attrs extends object,
  Outputs extends OutputShapes,
  Own extends object = Record<never, never>,
> = Op<ScanInputs<Tokens, State>, ScanAttrs<Attrs, Own>, ScanOutputs<Outputs, State>>;
/** The op that advances it by one token, in place. */
export type StepOp<
  Tokens extends InputShapes,
  State extends Carried,
  Attrs extends object,
  Outputs extends OutputShapes,
> = Op<StepInputs<Tokens, State>, Attrs, Outputs>;

/** What a recurrence along l is: its scan, the scan's gradient kernel and its step in place all follow from it. */
export interface ScanDeclaration<
  Tokens extends InputShapes,
  State extends Carried,
  Attrs extends object,
  Outputs extends OutputShapes,
  Own extends object,
> {
  /** The kernels are `name`, `nameGrad` and `nameStep`. */
  readonly name: string;
  /** Shapes of whole sequences; the step's are those without l. */
  readonly inputs: Tokens;
  readonly carried: State;
  /** Attributes of scan and step. */
  readonly attrs: Attrs;
  /** Attributes of the scan alone, beside `returnLastState`. */
  readonly scanAttrs?: Own;
  readonly outputs: Outputs;
  readonly cut?: "b";
  readonly cutGradient?: (bound: BoundDims<DimsOf<ScanInputs<Tokens, State>>>) => number;
  /** Checks that shapes alone cannot tell, of the op with that name. @throws ShapeError or ArgumentError */
  check?(name: string, bound: BoundDims<DimsOf<Tokens>>, attrs: Attrs & Partial<Own>): void;
  reference(inputs: Arguments<ScanInputs<Tokens, State>, NdArray>, attrs: ScanAttrs<Attrs, Own>): NdArrays;
  compose?(
    inputs: InputsOf<ScanInputs<Tokens, State>>,
    attrs: ScanAttrs<Attrs, Own>,
  ): OutputsOf<ScanOutputs<Outputs, State>>;
  cost(bound: BoundDims<DimsOf<Tokens>>, attrs: ScanAttrs<Attrs, Own>): Cost;
  stepCost(bound: BoundDims<DimsOf<Tokens>>, attrs: Attrs): Cost;
}

/** The axis of all sequences along which a recurrence runs. */
const TIME = 1;

const alongTime = (text: string): boolean => /(^| )l( |\?|$)/.test(text);
const withoutTime = (text: string): string => text.replaceAll(/ l(?= |\?|$)/g, "");
const asSequence = (shape: readonly number[]): number[] => [...shape.slice(0, TIME), 1, ...shape.slice(TIME)];
const asToken = (shape: readonly number[]): number[] => [...shape.slice(0, TIME), ...shape.slice(TIME + 1)];

/** Makes the scan and the step of one recurrence. The step's definition is the scan's at l = 1. */
export function scan<
  Tokens extends InputShapes,
  State extends Carried,
  Attrs extends object,
  Outputs extends OutputShapes,
  Own extends object = Record<never, never>,
>(
  declaration: ScanDeclaration<Tokens, State, Attrs, Outputs, Own>,
): {
  scan: ScanOp<Tokens, State, Attrs, Outputs, Own>;
  step: StepOp<Tokens, State, Attrs, Outputs>;
} {
  const erased = declaration as unknown as ErasedScan;
  return {
    scan: defineOp(scanOf(erased)) as unknown as ScanOp<Tokens, State, Attrs, Outputs, Own>,
    step: defineOp(stepOf(erased)) as unknown as StepOp<Tokens, State, Attrs, Outputs>,
  };
}

type Tensors = Readonly<Record<string, Tensor>>;
type ErasedAttrs = Readonly<Record<string, unknown>>;
type ErasedScan = ScanDeclaration<InputShapes, Carried, ErasedAttrs, OutputShapes, ErasedAttrs>;

function scanOf(scan: ErasedScan): OpDeclaration {
  const { carried, scanAttrs, check } = scan;
  const states = Object.values(carried);
  const initial = Object.fromEntries(states.map(({ shape, initial: name }) => [name, `${shape}?`]));
  return {
    ...scan,
    inputs: { ...scan.inputs, ...initial, seqIdx: "int32 b l?" },
    attrs: { ...scan.attrs, ...scanAttrs, returnLastState: false },
    outputs: {
      ...scan.outputs,
      ...Object.fromEntries(states.flatMap(({ shape, last }) => (last ? [[last, `${shape} if returnLastState`]] : []))),
    },
    differentiable: [...Object.keys(scan.inputs), ...Object.keys(initial)],
    ...(scan.compose ? { empty: (inputs, attrs, shapes) => ofNothing(scan, inputs, attrs, shapes) } : {}),
    ...(check ? { check: (bound, attrs) => check(scan.name, bound as never, attrs) } : {}),
  } as OpDeclaration;
}

/** A scan with an extent of 0: without tokens the state goes through; else it is what the scan is made of. */
function ofNothing(
  scan: ErasedScan,
  inputs: Tensors,
  attrs: ErasedAttrs,
  shapes: Readonly<Record<string, readonly number[]>>,
): Tensors {
  const timed = Object.keys(scan.inputs).find((name) => scan.inputs[name]!.startsWith("b l"))!;
  const { shape, backend } = inputs[timed]!;
  if (shape[TIME] !== 0) return scan.compose!(inputs as never, attrs as never) as Tensors;
  const initial = new Map(Object.values(scan.carried).map((state) => [state.last, inputs[state.initial]]));
  return Object.fromEntries(
    Object.entries(shapes).map(([name, extents]) => {
      const before = initial.get(name);
      return [name, before ? same(before) : zeros(extents, { backend })];
    }),
  );
}

function stepOf(scan: ErasedScan): OpDeclaration {
  const name = `${scan.name}Step`;
  const timed = Object.keys(scan.inputs).filter((input) => alongTime(scan.inputs[input]!));
  const shapes = Object.entries(scan.inputs).map(([input, text]) => [input, withoutTime(text)]);
  const states = Object.entries(scan.carried);
  return {
    name,
    room: scan.name,
    inputs: {
      ...Object.fromEntries(shapes),
      ...Object.fromEntries(states.map(([state, { shape }]) => [state, shape])),
    },
    attrs: scan.attrs,
    outputs: Object.fromEntries(
      Object.entries(scan.outputs).map(([output, text]) => [output, withoutTime(text as string)]),
    ),
    differentiable: [],
    inPlace: states.map(([state]) => state),
    ...(scan.check ? { check: (bound, attrs) => scan.check!(name, bound as never, attrs) } : {}),
    reference: (inputs, attrs) => {
      const whole = sequences(inputs, scan, timed, ({ shape, data }) => ({ shape: asSequence(shape), data }));
      const results = scan.reference(whole as never, ofOneToken(scan, attrs));
      return {
        ...fromOutputs(scan, results, ({ shape, data }) => ({ shape: asToken(shape), data })),
        ...Object.fromEntries(states.map(([state, at]) => [state, ndclone(nextOf(at, results, inputs as NdArrays))])),
      };
    },
    ...(scan.compose
      ? {
          compose: (inputs, attrs) => {
            const whole = sequences(inputs, scan, timed, (x) => reshape(x, asSequence(x.shape)));
            const results = scan.compose!(whole as never, ofOneToken(scan, attrs)) as Readonly<Record<string, Tensor>>;
            for (const [state, at] of states)
              apply("copy", { destination: inputs[state]!, source: nextOf(at, results, inputs) });
            return fromOutputs(scan, results, (x) => reshape(x, asToken(x.shape)));
          },
        }
      : {}),
    cost: (bound, attrs) => scan.stepCost(bound as never, attrs),
  } as OpDeclaration;
}

const ofOneToken = (scan: ErasedScan, attrs: ErasedAttrs): ErasedAttrs & { readonly returnLastState: boolean } => ({
  ...attrs,
  ...scan.scanAttrs,
  returnLastState: true,
});

/** A step's inputs as those of a scan of one token. */
function sequences<T>(
  inputs: Readonly<Record<string, T | undefined>>,
  { carried }: ErasedScan,
  timed: readonly string[],
  widen: (x: T) => T,
): Record<string, T> {
  const whole: Record<string, T> = {};
  for (const [name, input] of Object.entries(inputs)) {
    if (input === undefined) continue;
    const state = carried[name];
    whole[state ? state.initial : name] = timed.includes(name) ? widen(input) : input;
  }
  return whole;
}

/** A scan's outputs of one token as a step's. */
function fromOutputs<T>(
  { outputs }: ErasedScan,
  results: Readonly<Record<string, T>>,
  narrow: (x: T) => T,
): Record<string, T> {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, text]) => [
      name,
      alongTime(text as string) ? narrow(results[name]!) : results[name]!,
    ]),
  );
}

/** What is carried on: what the scan gives last, or the token that was read. */
function nextOf<T>(
  { last, next }: Carried[string],
  results: Readonly<Record<string, T>>,
  inputs: Readonly<Record<string, T | undefined>>,
): T {
  return last === undefined ? inputs[next!]! : results[last]!;
}

import type { DType } from "../backend/types.ts";
import type { NdArray } from "../math/ndarray.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { BoundDims, Dims, Shaped } from "./shapes.ts";

/** Symbolic shapes by argument; see `parseSpec`. The argument `...` stands for any number of them, named 0, 1, ... */
export interface InputShapes {
  readonly [argument: string]: string;
}

/** Symbolic shapes by output, `"b d n if returnLastState"` where an attribute switches it on; a function where symbols cannot tell it. */
export interface OutputShapes {
  readonly [output: string]: string | ((inputs: never, attrs: never) => readonly number[]);
}

/** No attributes, or no outputs. */
export type NoAttrs = Record<never, never>;
/** One output, y. */
export type OneOutput = { readonly y: string };

type Optional<Text> = Text extends `${string}?` ? true : false;
type Conditional<Text> = Text extends `${string} if ${string}` ? true : false;
type Flat<T> = { [K in keyof T]: T[K] };

/** The arguments of an op as values of one type: what ends in `?` may be absent. */
export type Arguments<Inputs extends InputShapes, Value> = Flat<
  { -readonly [K in keyof Inputs as Optional<Inputs[K]> extends true ? never : K]: Value } & {
    -readonly [K in keyof Inputs as Optional<Inputs[K]> extends true ? K : never]?: Value | undefined;
  }
>;

/** Tensors an op takes. */
export type InputsOf<Inputs extends InputShapes> = Arguments<Inputs, Tensor>;

/** Tensors an op gives; one that an attribute switches on may be absent. */
export type OutputsOf<Outputs extends OutputShapes> = Flat<
  { -readonly [K in keyof Outputs as Conditional<Outputs[K]> extends true ? never : K]: Tensor } & {
    -readonly [K in keyof Outputs as Conditional<Outputs[K]> extends true ? K : never]?: Tensor;
  }
>;

type Unmarked<Text extends string> = Text extends `${infer Body}?` ? Body : Text;
type Words<Text extends string> = Text extends `${infer Word} ${infer Rest}` ? Word | Words<Rest> : Text;

/** Extents by the symbols that occur in the shapes. */
export type DimsOf<Inputs extends InputShapes> = {
  readonly [K in Words<Unmarked<Inputs[keyof Inputs]>>]: number;
} & Dims;

/** Float64 arrays by name. */
export type NdArrays = Readonly<Record<string, NdArray>>;

/** What an op costs at given extents: the numerator of every rate in the benches. */
export interface Cost {
  readonly flops: number;
  /** Bytes that must move at least: every input read once, every output written once. */
  readonly bytes: number;
  /** Exponentials, where they are the bound (selective scan). */
  readonly exps?: number;
}

/** How a kernel's operands can be cut into parts that are run apart. */
export interface Cut {
  /** Leading extents, joined, along which it is cut. */
  readonly lead: readonly number[];
  /** Inputs that have these extents; the others go whole to every part. */
  readonly inputs: readonly string[];
  /** Elements a row of the widest output. */
  readonly width: number;
  /** What becomes of each output of a part: put one after the other (also where nothing is said), or added up. */
  readonly outputs?: readonly ("joined" | "summed")[];
}

/** Ids of an input: whole numbers from 0 on, below a bound; one more may stand for none. */
export interface IdRule<Inputs extends InputShapes, Attrs> {
  readonly below: (bound: BoundDims<DimsOf<Inputs>>, attrs: Attrs, inputs: Readonly<Record<string, Shaped>>) => number;
  readonly besides?: (attrs: Attrs) => number;
}

/** What a gradient that is composed of ops may use: what it asked to save, the upstream gradients, shapes of the inputs, attributes. */
export interface BackwardContext<Attrs> {
  readonly saved: Readonly<Record<string, Tensor>>;
  /** Upstream gradient of the first output. */
  readonly dy: Tensor;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly attrs: Attrs;
}

/** A gradient that is composed of ops. */
export interface ComposedGradient<Attrs> {
  /** Inputs and outputs it needs later. */
  readonly save: readonly string[];
  /** Gradients by input; what is left out has none. */
  backward(context: BackwardContext<Attrs>): Readonly<Record<string, Tensor>>;
}

/**
 * Everything one op is. What is said here is said nowhere else: types of its arguments, checks, errors, gradient, oracle, support table,
 * how a device that binds too little cuts it, and what a backend without its kernel runs instead follow from it.
 */
export interface OpDeclaration<
  Inputs extends InputShapes = InputShapes,
  Attrs extends object = Readonly<Record<string, unknown>>,
  Outputs extends OutputShapes = OutputShapes,
> {
  /** Kernel name; a gradient kernel is `nameGrad`. */
  readonly name: string;
  /** Folder of its kernels in every backend; its name unless said. `contract`: the backend contract brings it. */
  readonly room?: string;
  /** Symbolic shapes of the arguments, in an order in which symbols get known (see `parseSpec`). */
  readonly inputs: Inputs;
  /** Attributes with their defaults. */
  readonly attrs: Attrs;
  /** Outputs in kernel order. */
  readonly outputs: Outputs;
  /** Inputs that get a gradient, in the order a gradient kernel returns them (absent ones left out). Empty: no gradient. */
  readonly differentiable: readonly (string & keyof Inputs)[];
  /** The gradient as ops; a kernel `nameGrad` unless given. */
  readonly gradient?: ComposedGradient<Attrs>;
  /** The derivative is zero wherever it exists (comparisons, rounding): nothing flows back, and that is no error. */
  readonly flat?: boolean;
  /** Outputs the gradient kernel needs beside the inputs. */
  readonly saveOutputs?: readonly (string & keyof Outputs)[];
  /** Inputs that the kernel changes; such an op has no gradient. */
  readonly inPlace?: readonly (string & keyof Inputs)[];
  /** Attributes that are whole numbers, or lists of them, which may be negative only where the op says so itself. */
  readonly whole?: readonly (string & keyof Attrs)[];
  /** Inputs that number what they pick: an id outside of it is refused where it can be known without waiting for a device (see `checkIds`). */
  readonly ids?: Readonly<Partial<Record<string & keyof Inputs, IdRule<Inputs, Attrs>>>>;
  /** Dtype of the outputs whose shape is a function, or written without one, where it is not that of the first input. */
  outputType?(attrs: Attrs): DType;
  /** Checks that shapes alone cannot tell. @throws ShapeError or ArgumentError */
  check?(bound: BoundDims<DimsOf<Inputs>>, attrs: Attrs, inputs: Readonly<Record<string, Shaped>>): void;
  /**
   * The definition, in float64 loops: outputs by name. For in-place ops also the changed inputs by their names.
   * Slow on purpose; it is the oracle, and central differences of it are the gradient's oracle.
   */
  reference(inputs: Arguments<Inputs, NdArray>, attrs: Attrs): NdArrays;
  /** The same from other ops, for backends without the kernel: outputs by name; for an in-place op, which changes its inputs by `copy`, too. */
  compose?(inputs: InputsOf<Inputs>, attrs: Attrs): OutputsOf<Outputs>;
  /**
   * What it gives where an extent is 0 and a result is not: no kernel runs then. Unless told it is what `compose` makes; results without
   * elements and their gradients, zeros, need nothing to be said.
   */
  empty?(
    inputs: InputsOf<Inputs>,
    attrs: Attrs,
    shapes: Readonly<Record<string, readonly number[]>>,
  ): OutputsOf<Outputs>;
  /** A symbol along which parts can be run apart, or a rule; absent where it cannot be cut. */
  readonly cut?: string | ((inputs: Readonly<Record<string, Shaped>>, attrs: Attrs) => Cut | undefined);
  /** Whether the gradient kernel is cut likewise, which it is unless told; or the elements a row of its widest array. */
  readonly cutGradient?: false | ((bound: BoundDims<DimsOf<Inputs>>) => number);
  cost(bound: BoundDims<DimsOf<Inputs>>, attrs: Attrs): Cost;
}

/** An op of the table, whatever its public face. */
export interface TableOp<Inputs extends InputShapes, Attrs extends object, Outputs extends OutputShapes> {
  readonly spec: OpDeclaration<Inputs, Attrs, Outputs>;
  /** Runs it on arguments by name. */
  run(inputs: InputsOf<Inputs>, attrs?: { readonly [K in keyof Attrs]?: Attrs[K] | undefined }): OutputsOf<Outputs>;
}

/** An op that is called with its arguments by name. */
export interface Op<
  Inputs extends InputShapes,
  Attrs extends object = NoAttrs,
  Outputs extends OutputShapes = OneOutput,
> extends TableOp<Inputs, Attrs, Outputs> {
  (inputs: InputsOf<Inputs>, attrs?: { readonly [K in keyof Attrs]?: Attrs[K] | undefined }): OutputsOf<Outputs>;
}

/* eslint-disable @typescript-eslint/no-explicit-any */
/** Any op, its types erased: what conformance, the support table and the API reference walk over. */
export interface AnyOp {
  readonly spec: OpDeclaration<any, any, any>;
  run(inputs: any, attrs?: any): any;
}
/* eslint-enable @typescript-eslint/no-explicit-any */

/** Arguments of an op: `OpInputs<typeof selectiveScan>`. */
export type OpInputs<T extends AnyOp> = Parameters<T["run"]>[0];
/** Attributes of an op, each with a default. */
export type OpAttrs<T extends AnyOp> = NonNullable<Parameters<T["run"]>[1]>;
/** Results of an op. */
export type OpOutputs<T extends AnyOp> = ReturnType<T["run"]>;

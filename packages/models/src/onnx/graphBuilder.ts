import type { Parameter } from "@statespace/core";
import type { OnnxAttribute, OnnxConstant, OnnxGraph, OnnxNode, OnnxValue } from "@statespace/files";
import type { RowSource } from "../families/rows.ts";
import { PLAIN, type Dialect } from "./dialect.ts";

/** The name of a value of a graph. */
export type Value = string;

/** Names that all graphs of one model share. */
export interface Names {
  count: number;
}

/** A matrix [n, k] in blocks of 32: whole numbers [n, k / 32, bytes of a block], and a scale each [n, k / 32]. */
export interface PackedMatrix {
  readonly quants: Value;
  readonly scales: Value;
  readonly n: number;
  readonly k: number;
  /** How many matrices of the weight stand side by side in it; others stand one under the other. */
  readonly beside: number;
}

/** A constant that is computed of weights, whose rows are asked for. */
export interface DerivedConstant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: (rows: RowSource) => Promise<Float32Array>;
}

/** Puts a graph together, an operation at a time; each returns the name of what it gives. */
export class GraphBuilder {
  readonly dialect: Dialect;
  readonly nodes: OnnxNode[] = [];
  readonly constants: OnnxConstant[] = [];
  readonly inputs: OnnxValue[] = [];
  readonly outputs: OnnxValue[] = [];
  /** Weights that were asked for, by the name that the graph has for them. */
  readonly weights: Map<string, Parameter> = new Map();
  /** Those of them that are kept in blocks. */
  readonly packed: Map<string, PackedMatrix> = new Map();
  /** Constants that no operator could make of the weights. */
  readonly derived: DerivedConstant[] = [];
  readonly #names: Names;
  readonly #made = new Map<string, Value>();

  constructor(dialect: Dialect = PLAIN, names: Names = { count: 0 }) {
    this.dialect = dialect;
    this.#names = names;
  }

  /** A graph inside this one, which sees what this one has. */
  inner(): GraphBuilder {
    return new GraphBuilder(this.dialect, this.#names);
  }

  op(
    op: string,
    inputs: readonly Value[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
    domain?: string,
  ): Value {
    return this.ops(op, inputs, 1, attributes, domain)[0]!;
  }

  /** An operation that gives several. */
  ops(
    op: string,
    inputs: readonly Value[],
    count: number,
    attributes?: Readonly<Record<string, OnnxAttribute>>,
    domain?: string,
  ): readonly Value[] {
    const outputs = Array.from({ length: count }, () => this.fresh());
    const known = attributes === undefined ? {} : { attributes };
    this.nodes.push({ op, inputs, outputs, ...known, ...(domain === undefined || domain === "" ? {} : { domain }) });
    return outputs;
  }

  /** A constant that is computed of weights. */
  derive(name: string, shape: readonly number[], values: DerivedConstant["values"]): Value {
    this.derived.push({ name, shape, values });
    return name;
  }

  fresh(): Value {
    return `v${this.#names.count++}`;
  }

  weight(parameter: Parameter): Value {
    this.weights.set(parameter.name, parameter);
    return parameter.name;
  }

  /** A matrix in blocks, or several as one. */
  packedWeight(parameter: Parameter, beside = 1): PackedMatrix {
    const { name, size, shape } = parameter;
    const k = shape.at(-1)! * beside;
    const made = { quants: `${name}.quants`, scales: `${name}.scales`, n: size / k, k, beside };
    const known = this.packed.get(name) ?? made;
    this.weights.set(name, parameter);
    this.packed.set(name, known);
    return known;
  }

  float(value: number): Value {
    return this.#constant(`f${value}`, "float32", [], new Uint8Array(Float32Array.of(value).buffer));
  }

  floats(values: readonly number[], shape: readonly number[] = [values.length]): Value {
    return this.#constant(
      `f${shape.join()}:${values.join()}`,
      "float32",
      shape,
      new Uint8Array(Float32Array.from(values).buffer),
    );
  }

  ints(values: readonly number[]): Value {
    const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.#constant(`i${values.join()}`, "int64", [values.length], bytes);
  }

  int(value: number): Value {
    return this.#constant(`s${value}`, "int64", [], new Uint8Array(BigInt64Array.of(BigInt(value)).buffer));
  }

  #constant(key: string, type: "float32" | "int64", shape: readonly number[], data: Uint8Array): Value {
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const name = `c${this.#names.count++}`;
    this.#made.set(key, name);
    this.constants.push({ name, type, shape, data });
    return name;
  }

  add = (a: Value, b: Value): Value => this.op("Add", [a, b]);
  sub = (a: Value, b: Value): Value => this.op("Sub", [a, b]);
  mul = (a: Value, b: Value): Value => this.op("Mul", [a, b]);
  times = (a: Value, factor: number): Value => (factor === 1 ? a : this.mul(a, this.float(factor)));
  sigmoid = (x: Value): Value => this.op("Sigmoid", [x]);
  silu = (x: Value): Value => this.mul(x, this.sigmoid(x));
  softplus = (x: Value): Value => this.op("Softplus", [x]);
  reshape = (x: Value, shape: readonly number[]): Value => this.op("Reshape", [x, this.ints(shape)]);
  transpose = (x: Value, perm: readonly number[]): Value => this.op("Transpose", [x], { perm });
  unsqueeze = (x: Value, ...axes: readonly number[]): Value => this.op("Unsqueeze", [x, this.ints(axes)]);
  concat = (parts: readonly Value[], axis: number): Value => this.op("Concat", parts, { axis });
  split = (x: Value, sizes: readonly number[], axis = -1): readonly Value[] =>
    sizes.length === 1 ? [x] : this.ops("Split", [x, this.ints(sizes)], sizes.length, { axis });
  sum = (x: Value, axis: number): Value => this.op("ReduceSum", [x, this.ints([axis])], { keepdims: 0 });
  /** From `from` on along an axis. */
  last = (x: Value, from: number, axis: number): Value =>
    this.op("Slice", [x, this.ints([from]), this.ints([2 ** 53 - 1]), this.ints([axis])]);

  graph(name: string, constants: readonly OnnxConstant[] = []): OnnxGraph {
    return {
      name,
      inputs: this.inputs,
      outputs: this.outputs,
      nodes: this.nodes,
      constants: [...this.constants, ...constants],
    };
  }
}

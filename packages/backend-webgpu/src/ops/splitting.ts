import {
  OutOfMemoryError,
  type Kernel,
  type KernelAttrs,
  type KernelInputs,
  type KernelTable,
  type TensorInfo,
} from "@statespace/core";
import type { WebGpuBackend } from "../backend.ts";
import { sizeOf } from "./shared/sizeOf.ts";

/*
 * A device binds at most so many bytes of a tensor to a shader (128 MiB unless it offers more). A kernel whose operands pass that is
 * run on parts along its leading axes, where its rows do not depend on one another; what cannot be cut is told before anything runs.
 */

/** How a kernel can be cut. */
interface Cut {
  /** Leading extents, joined, along which it is cut. */
  readonly lead: readonly number[];
  /** Inputs that have these extents; the others go whole to every part. */
  readonly inputs: readonly string[];
  /** Elements a row of the widest output. */
  readonly width: number;
  /** What becomes of each output of a part: put one after the other, or added up. */
  readonly outputs?: readonly ("joined" | "summed")[];
}

type Rule = (inputs: KernelInputs, attrs: KernelAttrs) => Cut | undefined;

/** Parts begin at multiples of so many rows where they can: any device binds there. */
const rowUnit = 64;

const elementwise =
  (...names: string[]): Rule =>
  (inputs) => ({ lead: inputs[names[0]!]!.shape, inputs: names, width: 1 });

/** By all axes but the last; `width` elements a row, the last axis of the first input unless told. */
const byRows =
  (names: readonly string[], width?: (inputs: KernelInputs) => number): Rule =>
  (inputs) => {
    const { shape } = inputs[names[0]!]!;
    return { lead: shape.slice(0, -1), inputs: names, width: width ? width(inputs) : shape.at(-1)! };
  };

/** By the first axis. */
const byFirst =
  (names: readonly string[], width: (inputs: KernelInputs) => number = (inputs) => rowSize(inputs[names[0]!]!)): Rule =>
  (inputs) => ({
    lead: inputs[names[0]!]!.shape.slice(0, 1),
    inputs: names,
    width: width(inputs),
  });

/** A gradient's outputs are those of the inputs present, in order: what was cut is joined, what went whole is summed. */
const gradient =
  (rule: Rule, names: readonly string[]): Rule =>
  (inputs, attrs) => {
    const cut = rule(inputs, attrs);
    return (
      cut && {
        ...cut,
        outputs: names.filter((name) => inputs[name]).map((name) => (cut.inputs.includes(name) ? "joined" : "summed")),
      }
    );
  };

const rowSize = ({ shape }: TensorInfo): number => sizeOf(shape.slice(1));

/** Two operands: alike, or one that is repeated along all of the leading axes. */
const binary: Rule = ({ a, b }) => {
  const [large, small] =
    a!.shape.length >= b!.shape.length && sizeOf(a!.shape) >= sizeOf(b!.shape) ? [a!, b!] : [b!, a!];
  if (large.shape.join() === small.shape.join()) return { lead: large.shape, inputs: ["a", "b"], width: 1 };
  const own = small.shape.findIndex((extent) => extent !== 1);
  const trailing = own < 0 ? 0 : small.shape.length - own;
  const lead = large.shape.slice(0, large.shape.length - trailing);
  return { lead, inputs: [large === a ? "a" : "b"], width: sizeOf(large.shape) / sizeOf(lead) };
};

/** A fold: by the first axis, which it keeps, or whose sums are added up. */
const fold =
  (additive: boolean): Rule =>
  (inputs, attrs) => {
    const first = !(attrs.axes as number[]).includes(0);
    if (!first && !additive) return undefined;
    return { ...byFirst(["x"])(inputs, attrs)!, outputs: [first ? "joined" : "summed"] };
  };

const matMul: Rule = ({ a, b }, { transposeA, transposeB }) => {
  const batch = Math.max(a!.shape[0]!, b!.shape[0]!);
  const [m, n] = [a!.shape[transposeA ? 2 : 1]!, b!.shape[transposeB ? 1 : 2]!];
  return { lead: [batch], inputs: ["a", "b"].filter((name) => ({ a, b })[name]!.shape[0] === batch), width: m * n };
};

const sequence = {
  conv: ["x", "initialState", "seqIdx", "dY", "dLastState"],
  scan: ["u", "delta", "B", "C", "z", "initialState", "seqIdx", "dY", "dLastState"],
};
const unary = [
  "neg",
  "abs",
  "exp",
  "expm1",
  "log",
  "log1p",
  "sqrt",
  "rsqrt",
  "square",
  "reciprocal",
  "sigmoid",
  "tanh",
  "softplus",
  "relu",
  "silu",
  "gelu",
  "sin",
  "cos",
  "erf",
  "sign",
  "floor",
  "round",
  "clip",
  "logicalNot",
  "cast",
];
const binaries = [
  "add",
  "sub",
  "mul",
  "div",
  "maximum",
  "minimum",
  "pow",
  "equal",
  "notEqual",
  "less",
  "lessEqual",
  "greater",
  "greaterEqual",
  "logicalAnd",
];

const rules: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(unary.map((name) => [name, elementwise("x")])),
  ...Object.fromEntries(binaries.map((name) => [name, binary])),
  where: elementwise("t", "e", "condition"),
  softmax: byRows(["x"]),
  sum: fold(true),
  max: fold(false),
  min: fold(false),
  argMax: (inputs, attrs) => (attrs.axis === 0 ? undefined : byFirst(["x"])(inputs, attrs)),
  cumsum: (inputs, attrs) => (attrs.axis === 0 ? undefined : byFirst(["x"])(inputs, attrs)),
  matMul: matMul,
  gather: (inputs, attrs) =>
    attrs.axis === 0 ? { lead: inputs.indices!.shape, inputs: ["indices"], width: rowSize(inputs.x!) } : undefined,
  oneHot: (inputs, attrs) => ({ lead: inputs.indices!.shape, inputs: ["indices"], width: attrs.depth as number }),
  linear: byRows(["x"], ({ x, weight }) => Math.max(x!.shape.at(-1)!, weight!.shape[0]!)),
  linearGrad: gradient(
    byRows(["x", "dY"], ({ x, weight }) => Math.max(x!.shape.at(-1)!, weight!.shape[0]!)),
    ["x", "weight", "bias"],
  ),
  embedding: (inputs) => ({ lead: inputs.ids!.shape, inputs: ["ids"], width: inputs.weight!.shape[1]! }),
  rmsNorm: byRows(["x", "z"]),
  rmsNormGrad: gradient(byRows(["x", "z", "dY"]), ["x", "weight", "z"]),
  layerNorm: byRows(["x"]),
  layerNormGrad: gradient(byRows(["x", "dY"]), ["x", "weight", "bias"]),
  crossEntropy: (inputs) => ({
    lead: inputs.targets!.shape,
    inputs: ["logits", "targets"],
    width: inputs.logits!.shape.at(-1)!,
  }),
  crossEntropyGrad: (inputs) => ({
    lead: inputs.targets!.shape,
    inputs: ["logits", "targets", "dLosses"],
    width: inputs.logits!.shape.at(-1)!,
  }),
  causalConv1d: byFirst(sequence.conv),
  causalConv1dGrad: gradient(byFirst(sequence.conv), ["x", "weight", "bias", "initialState"]),
  selectiveScan: byFirst(sequence.scan),
  // Three gradients share a buffer; the states that are kept take as much at most where n <= 24.
  selectiveScanGrad: gradient(
    byFirst(sequence.scan, ({ u, A }) => rowSize(u!) * Math.max(3, A!.shape[1]! / 8)),
    ["u", "delta", "A", "B", "C", "D", "z", "deltaBias", "initialState"],
  ),
  adamW: elementwise("param", "m", "v", "grad"),
  sumSquares: (inputs) => ({ lead: inputs.x!.shape, inputs: ["x"], width: 1, outputs: ["summed"] }),
};

/** Inputs that a kernel reads without binding the whole of them, or binds in parts of its own. */
const cutsItself: Readonly<Record<string, readonly string[]>> = {
  identity: ["x"],
  reshape: ["x"],
  copy: ["destination", "source"],
  linear: ["weight"],
  linearGrad: ["weight"],
  embedding: ["weight"],
  embeddingGrad: ["weight"],
};

/** The kernels of a table, on parts where operands are too large for one binding. */
export function splitting(table: KernelTable<WebGpuBackend>): KernelTable<WebGpuBackend> {
  const add = splitKernel("add", table.add!, table.add!);
  return Object.fromEntries(Object.entries(table).map(([name, kernel]) => [name, splitKernel(name, kernel, add)]));
}

function splitKernel(name: string, kernel: Kernel<WebGpuBackend>, add: Kernel<WebGpuBackend>): Kernel<WebGpuBackend> {
  const rule = rules[name];
  return (backend, inputs, attrs) => {
    const most = backend.traits.maxBinding;
    const cut = rule?.(inputs, attrs);
    const total = cut ? sizeOf(cut.lead) : 1;
    const present = (cut?.inputs ?? []).filter((input) => inputs[input]);
    const largest = Math.max(cut ? total * cut.width : 0, ...present.map((input) => sizeOf(inputs[input]!.shape)));
    for (const input in inputs) {
      if (present.includes(input) || cutsItself[name]?.includes(input) || backend.boundBytes(inputs[input]!) <= most)
        continue;
      throw new OutOfMemoryError(
        `${name}: ${input} [${inputs[input]!.shape.join(", ")}] has ${backend.boundBytes(inputs[input]!)} bytes, this device binds at most ${most}`,
      );
    }
    if (!cut || 4 * largest <= most || total === 0) return kernel(backend, inputs, attrs);
    const rows = Math.floor((most * total) / (4 * largest));
    if (rows === 0)
      throw new OutOfMemoryError(
        `${name}: a row of ${largest / total} elements has ${(4 * largest) / total} bytes, this device binds at most ${most}`,
      );
    return runParts(backend, kernel, add, {
      inputs,
      attrs,
      cut,
      present,
      total,
      rows: rows > rowUnit ? rows - (rows % rowUnit) : rows,
    });
  };
}

interface Parts {
  readonly inputs: KernelInputs;
  readonly attrs: KernelAttrs;
  readonly cut: Cut;
  readonly present: readonly string[];
  /** Rows in all, and of a part. */
  readonly total: number;
  readonly rows: number;
}

function runParts(
  backend: WebGpuBackend,
  kernel: Kernel<WebGpuBackend>,
  add: Kernel<WebGpuBackend>,
  { inputs, attrs, cut, present, total, rows }: Parts,
): TensorInfo[] {
  const results: TensorInfo[] = [];
  for (let first = 0; first < total; first += rows) {
    const count = Math.min(rows, total - first);
    const views = Object.fromEntries(
      present.map((name) => {
        const { shape } = inputs[name]!;
        const rest = shape.slice(cut.lead.length);
        return [name, backend.view(inputs[name]!, [count, ...rest], first * sizeOf(rest))] as const;
      }),
    );
    const outputs = [kernel(backend, { ...inputs, ...views }, attrs)].flat() as TensorInfo[];
    backend.release(...Object.values(views));
    outputs.forEach((output, i) => {
      if (cut.outputs?.[i] === "summed") {
        const before = results[i];
        results[i] = before ? ([add(backend, { a: before, b: output }, {})].flat()[0] as TensorInfo) : output;
        if (before) backend.release(before, output);
        return;
      }
      const rest = output.shape.slice(1);
      results[i] ??= backend.output([...cut.lead, ...rest], output.dtype as "float32");
      backend.copyInto(results[i]!, first * sizeOf(rest), output);
      backend.release(output);
    });
  }
  return results;
}

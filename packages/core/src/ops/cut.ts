import { sizeOf } from "../math/ndarray.ts";
import type { Cut, OpDeclaration } from "./declaration.ts";
import { gradientKernelName, opTable, upstreamName } from "./defineOp.ts";
import { bindOperands } from "./operands.ts";
import { conditionOf, parseSpec, shapeOf, type BoundDims, type Shaped } from "./shapes.ts";

type Operands = Readonly<Record<string, Shaped>>;

/** How a kernel can be cut into parts along its leading axes; undefined where its op does not say so. */
export function cutOf(kernel: string, operands: Operands, attrs: Readonly<Record<string, unknown>>): Cut | undefined {
  const forward = opTable[kernel];
  if (forward !== undefined) {
    const spec = forward.spec as OpDeclaration;
    if (typeof spec.cut === "function") return spec.cut(operands, attrs);
    return spec.cut === undefined ? undefined : alongSymbol(spec, spec.cut, operands, attrs);
  }
  const spec = opTable[kernel.replace(/Grad$/, "")]?.spec as OpDeclaration | undefined;
  if (spec === undefined || kernel !== gradientKernelName(spec.name) || spec.cutGradient === false) return undefined;
  return typeof spec.cut === "string" ? gradientAlong(spec, spec.cut, operands, attrs) : undefined;
}

/** True where a symbolic shape begins with the symbol. */
function leads(text: string, symbol: string): boolean {
  const { alternatives } = parseSpec("", text);
  if (!alternatives.startsWith(symbol)) return false;
  const next = alternatives[symbol.length];
  return next === undefined || next === " " || next === "|";
}

const rowsOf = (shape: readonly number[], lead: readonly number[]): number => sizeOf(shape.slice(lead.length));

interface Along {
  readonly bound: BoundDims;
  readonly lead: readonly number[];
  readonly inputs: readonly string[];
  /** Outputs that are there, their texts and shapes. */
  readonly outputs: readonly { readonly name: string; readonly cut: boolean; readonly row: number }[];
}

function along(
  spec: OpDeclaration,
  symbol: string,
  operands: Operands,
  attrs: Readonly<Record<string, unknown>>,
): Along {
  const bound = bindOperands(spec, operands);
  const lead = symbol === "..." ? bound.lead : [bound.dims[symbol]!];
  const outputs = Object.entries(spec.outputs).flatMap(([name, text]) => {
    if (typeof text !== "string") return [];
    const condition = conditionOf(text);
    if (condition !== undefined && !attrs[condition]) return [];
    const cut = leads(text, symbol);
    const shape = shapeOf(text, bound, attrs);
    return [{ name, cut, row: cut ? rowsOf(shape, lead) : sizeOf(shape) }];
  });
  return { bound, lead, outputs, inputs: Object.keys(spec.inputs).filter((name) => leads(spec.inputs[name]!, symbol)) };
}

/** Outputs without the symbol are sums over it. */
function alongSymbol(
  spec: OpDeclaration,
  symbol: string,
  operands: Operands,
  attrs: Readonly<Record<string, unknown>>,
): Cut {
  const { lead, inputs, outputs } = along(spec, symbol, operands, attrs);
  return {
    lead,
    inputs,
    width: Math.max(1, ...outputs.filter(({ cut }) => cut).map(({ row }) => row)),
    outputs: outputs.map(({ cut }) => (cut ? "joined" : "summed")),
  };
}

/** A gradient's outputs are those of the inputs present, in order: what was cut is joined, what went whole is summed. */
function gradientAlong(
  spec: OpDeclaration,
  symbol: string,
  operands: Operands,
  attrs: Readonly<Record<string, unknown>>,
): Cut {
  const { bound, lead, inputs, outputs } = along(spec, symbol, operands, attrs);
  const upstream = outputs.filter(({ cut }) => cut).map(({ name }) => upstreamName(name));
  const wanted = spec.differentiable.filter((name) => operands[name]);
  const rows = wanted.filter((name) => inputs.includes(name)).map((name) => rowsOf(operands[name]!.shape, lead));
  return {
    lead,
    inputs: [...inputs, ...upstream],
    width: spec.cutGradient ? spec.cutGradient(bound) : Math.max(1, ...rows),
    outputs: wanted.map((name) => (inputs.includes(name) ? "joined" : "summed")),
  };
}

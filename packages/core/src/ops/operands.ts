import type { AnyOp, Cost, OpDeclaration } from "./declaration.ts";
import { bindDims, parseSpec, type ArgumentSpec, type BoundDims, type Shaped } from "./shapes.ts";

const known = new WeakMap<OpDeclaration, readonly ArgumentSpec[]>();

/** An op's named arguments, read once. */
function specsOf(spec: OpDeclaration): readonly ArgumentSpec[] {
  let specs = known.get(spec);
  if (specs === undefined) {
    const named = Object.entries(spec.inputs).filter(([name]) => name !== "...");
    known.set(spec, (specs = named.map(([name, text]) => parseSpec(name, text))));
  }
  return specs;
}

/** Checks an op's operands against its declaration and binds the symbols, as running it would. @throws ShapeError or DTypeError */
export function bindOperands(spec: OpDeclaration, operands: Readonly<Record<string, Shaped>>): BoundDims {
  return bindDims(spec.name, specsOf(spec), operands);
}

/** What an op costs on operands of these shapes. @throws ShapeError or DTypeError where they do not fit */
export function costOf(
  { spec }: AnyOp,
  operands: Readonly<Record<string, Shaped>>,
  attrs: Readonly<Record<string, unknown>> = {},
): Cost {
  return (spec as OpDeclaration).cost(bindOperands(spec, operands), { ...spec.attrs, ...attrs });
}

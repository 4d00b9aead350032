import type { AnyOp, Cost, OpDeclaration } from "./declaration.ts";
import { bindDims, parseSpec, type BoundDims, type Shaped } from "./shapes.ts";

/** Checks an op's operands against its declaration and binds the symbols, as running it would. @throws ShapeError or DTypeError */
export function bindOperands(spec: OpDeclaration, operands: Readonly<Record<string, Shaped>>): BoundDims {
  const specs = Object.entries(spec.inputs).map(([name, text]) => parseSpec(name, text));
  return bindDims(
    spec.name,
    specs.filter(({ name }) => name !== "..."),
    operands,
  );
}

/** What an op costs on operands of these shapes. @throws ShapeError or DTypeError where they do not fit */
export function costOf(
  { spec }: AnyOp,
  operands: Readonly<Record<string, Shaped>>,
  attrs: Readonly<Record<string, unknown>> = {},
): Cost {
  return (spec as OpDeclaration).cost(bindOperands(spec, operands), { ...spec.attrs, ...attrs });
}

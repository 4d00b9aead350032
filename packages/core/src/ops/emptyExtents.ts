import type { DType } from "../backend/types.ts";
import { ShapeError } from "../errors.ts";
import { sizeOf } from "../math/ndarray.ts";
import { zeros } from "../tensor/create.ts";
import type { GradientRule } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { OpDeclaration } from "./declaration.ts";
import { parseSpec, shapeOf, type BoundDims, type Shaped } from "./shapes.ts";
import { show } from "./axes.ts";

type Attrs = Readonly<Record<string, unknown>>;
type Shapes = Readonly<Record<string, readonly number[]>>;

/** True where a result may have no elements although every input has some: its extents come from attributes. */
export function attributesDecide({ inputs, outputs }: OpDeclaration): boolean {
  const symbols = new Set(Object.values(inputs).flatMap((text) => text.split(/[^\w.~-]+/)));
  return Object.values(outputs).some(
    (text) => typeof text !== "string" || placesOf(text).some((place) => !symbols.has(place) && !/^\d+$/.test(place)),
  );
}

const placesOf = (text: string): string[] =>
  parseSpec("", text.replace(/ if \w+$/, ""))
    .alternatives.split(" ")
    .filter((place) => place !== "");

/** Shapes of the outputs that are given. @throws ShapeError for an extent that is no whole number from 0 on */
export function outputShapes(
  { name, outputs }: OpDeclaration,
  bound: BoundDims,
  inputs: Readonly<Record<string, Shaped>>,
  attrs: Attrs,
  names: readonly string[],
): Shapes {
  const shapes: Record<string, readonly number[]> = {};
  for (const output of names) {
    const text = outputs[output]!;
    const shape = typeof text === "string" ? shapeOf(text, bound, attrs) : text(inputs as never, attrs as never);
    for (const extent of shape) {
      if (!Number.isSafeInteger(extent) || extent < 0)
        throw new ShapeError(`${name}: extents must be integers >= 0, got ${show(shape)}`);
    }
    shapes[output] = shape;
  }
  return shapes;
}

/** True where a symbol stands for nothing. An input may be without elements and no symbol 0: the state of a convolution of one tap. */
export function bindsNothing(
  spec: OpDeclaration,
  { dims, lead, broadcast }: BoundDims,
  inputs: Readonly<Record<string, Tensor>>,
): boolean {
  for (const symbol in dims) if (dims[symbol] === 0) return true;
  if (lead.includes(0) || broadcast?.includes(0)) return true;
  return spec.inputs["..."] !== undefined && Object.values(inputs).some(({ size }) => size === 0);
}

/** True where every result, and every input that the op changes, has no elements: then there is nothing to do. */
export function changesNothing(spec: OpDeclaration, inputs: Readonly<Record<string, Tensor>>, shapes: Shapes): boolean {
  for (const name in shapes) if (sizeOf(shapes[name]!) !== 0) return false;
  return (spec.inPlace ?? []).every((name) => (inputs[name]?.size ?? 0) === 0);
}

/** Results without elements. */
export function emptyOutputs(
  spec: OpDeclaration,
  inputs: Readonly<Record<string, Tensor>>,
  attrs: Attrs,
  shapes: Shapes,
): Tensor[] {
  const backend = Object.values(inputs)[0]?.backend;
  return Object.entries(shapes).map(([name, shape]) =>
    zeros(shape, { dtype: typeOf(spec, name, inputs, attrs), backend }),
  );
}

function typeOf(
  spec: OpDeclaration,
  output: string,
  inputs: Readonly<Record<string, Tensor>>,
  attrs: Attrs,
): DType | undefined {
  if (spec.outputType !== undefined) return spec.outputType(attrs);
  const text: unknown = spec.outputs[output];
  const { dtypes, dtypeText } = parseSpec("", typeof text === "string" ? text : "float32|int32");
  if (dtypes.length === 1) return dtypes[0];
  const named = Object.keys(inputs).find((name) => parseSpec(name, spec.inputs[name] ?? "").dtypeText === dtypeText);
  return (named === undefined ? Object.values(inputs)[0] : inputs[named])?.dtype;
}

/** How results without elements go back: what nothing depends on has a gradient of zeros. */
export function zeroGradients(spec: OpDeclaration, inputs: Readonly<Record<string, Tensor>>): () => GradientRule {
  return () => ({
    save: [],
    backward: () => {
      const gradients: Record<string, Tensor> = {};
      for (const name in inputs) {
        const input = inputs[name]!;
        if (input.dtype !== "float32" || !(spec.differentiable.includes(name) || spec.inputs["..."] !== undefined))
          continue;
        gradients[name] = zeros(input.shape, { backend: input.backend });
      }
      return gradients;
    },
  });
}

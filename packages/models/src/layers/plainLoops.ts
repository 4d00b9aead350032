/** Weights of one layer by name, as its parameters hold them; the last axis of complex ones is (re, im). */
export type LayerWeights = ReadonlyMap<string, { readonly values: ArrayLike<number> }>;
/** An array of tokens, each one number a channel: what the plain-loop blocks (`minimal.ts`) take and give. */
export type PlainSequence = readonly Float64Array[];

/** A weight of that name. @throws when the layer has none. */
export function plainWeight(weights: LayerWeights, name: string): Float64Array {
  const found = weights.get(name);
  if (found === undefined) throw new RangeError(`there is no weight ${name}`);
  return Float64Array.from(found.values);
}

/** Weights under a prefix, without it. */
export function weightsUnder(weights: LayerWeights, prefix: string): LayerWeights {
  const own = [...weights].filter(([name]) => name.startsWith(prefix));
  return new Map(own.map(([name, weight]) => [name.slice(prefix.length), weight]));
}

export function plainSigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** The error function by Kummer's series, whose terms are all positive: nothing cancels. */
function plainErf(x: number): number {
  let [term, total] = [x, x];
  for (let k = 1; term !== 0 && Math.abs(term) > 1e-18 * Math.abs(total); k++)
    total += term *= (2 * x * x) / (2 * k + 1);
  return Math.abs(x) > 6 ? Math.sign(x) : (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

/** x Phi(x). */
export function plainGelu(x: number): number {
  return 0.5 * x * (1 + plainErf(x * Math.SQRT1_2));
}

/** gelu by its tanh formula. */
export function plainGeluTanh(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

/** W x + bias, W row by row. */
export function plainLinear(weight: Float64Array, bias: Float64Array | undefined, x: Float64Array): Float64Array {
  return Float64Array.from({ length: weight.length / x.length }, (_, i) =>
    x.reduce((sum, value, j) => sum + weight[i * x.length + j]! * value, bias?.[i] ?? 0),
  );
}

/** The first half of a vector times the sigmoid of the second. */
export function plainGlu(x: Float64Array): Float64Array {
  const half = x.length / 2;
  return x.slice(0, half).map((value, i) => value * plainSigmoid(x[half + i]!));
}

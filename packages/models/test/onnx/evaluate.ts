import { plainGelu, plainGeluTanh } from "../../src/layers/plainLoops.ts";
import { fusedOperators } from "./fusedOperators.ts";
import { at, build, nd, sizeOf, stridesOf, type Nd } from "./ndArrays.ts";
import type { Graph, Node } from "./readOnnx.ts";

type Scope = Map<string, Nd>;

/** NumPy's broadcasting. */
function broadcast(arrays: readonly Nd[], f: (...values: number[]) => number): Nd {
  const rank = Math.max(...arrays.map(({ shape }) => shape.length));
  const padded = arrays.map(({ shape, data }) => ({
    data,
    shape: [...Array<number>(rank - shape.length).fill(1), ...shape],
  }));
  const shape = Array.from({ length: rank }, (_, axis) => {
    const sizes = padded.map((a) => a.shape[axis]!).filter((size) => size !== 1);
    if (sizes.some((size) => size !== sizes[0]))
      throw new Error(`shapes ${arrays.map((a) => `[${a.shape.join()}]`).join(" ")}`);
    return sizes[0] ?? 1;
  });
  return build(shape, (index) =>
    f(
      ...padded.map((a) =>
        at(
          a,
          index.map((i, axis) => (a.shape[axis] === 1 ? 0 : i)),
        ),
      ),
    ),
  );
}

function matMul(a: Nd, b: Nd): Nd {
  const [m, k] = a.shape.slice(-2) as [number, number];
  const [inner, n] = b.shape.slice(-2) as [number, number];
  if (k !== inner) throw new Error(`MatMul [${a.shape.join()}] [${b.shape.join()}]`);
  const lead = broadcast([nd(a.shape.slice(0, -2), new Array(sizeOf(a.shape.slice(0, -2))).fill(0)), nd(b.shape.slice(0, -2), new Array(sizeOf(b.shape.slice(0, -2))).fill(0))], () => 0).shape; // prettier-ignore
  const of = (x: Nd, outer: readonly number[], i: number, j: number): number => {
    const own = x.shape.slice(0, -2);
    const index = own.map((size, axis) => (size === 1 ? 0 : outer[lead.length - own.length + axis]!));
    return at(x, [...index, i, j]);
  };
  return build([...lead, m, n], (index) => {
    const [i, j] = index.slice(-2) as [number, number];
    let sum = 0;
    for (let q = 0; q < k; q++) sum += of(a, index, i, q) * of(b, index, q, j);
    return sum;
  });
}

function reduce(x: Nd, axes: readonly number[], keep: boolean, mean: boolean): Nd {
  const which = new Set(axes.map((axis) => (axis + x.shape.length) % x.shape.length));
  const shape = x.shape.map((size, axis) => (which.has(axis) ? 1 : size));
  const out = new Float64Array(sizeOf(shape));
  const strides = stridesOf(shape);
  const count = x.data.length / Math.max(1, out.length);
  build(x.shape, (index) => {
    let place = 0;
    index.forEach((i, axis) => (place += which.has(axis) ? 0 : i * strides[axis]!));
    out[place]! += at(x, index) / (mean ? count : 1);
    return 0;
  });
  return { shape: keep ? shape : shape.filter((_, axis) => !which.has(axis)), data: out };
}

const slice = (x: Nd, axis: number, from: number, to: number): Nd =>
  build(x.shape.map((size, i) => (i === axis ? to - from : size)), (index) => at(x, index.map((i, k) => (k === axis ? i + from : i)))); // prettier-ignore

const unary: Record<string, (x: number) => number> = {
  Exp: Math.exp,
  Neg: (x) => -x,
  Sqrt: Math.sqrt,
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  Softplus: (x) => Math.log1p(Math.exp(x)),
  Cos: Math.cos,
  Sin: Math.sin,
  Tanh: Math.tanh,
  Relu: (x) => Math.max(0, x),
  Identity: (x) => x,
  Cast: (x) => x,
  Sinh: Math.sinh,
  Atan: Math.atan,
  Atanh: Math.atanh,
};
const binary: Record<string, (a: number, b: number) => number> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Pow: (a, b) => a ** b,
  Greater: (a, b) => Number(a > b),
  Less: (a, b) => Number(a < b),
  Min: Math.min,
  Max: Math.max,
};

type Run = (node: Node, inputs: readonly Nd[], scope: Scope) => Nd | readonly Nd[];
const run: Record<string, Run> = {
  ...fusedOperators,
  Gather: (_, [table, ids]) => build([...ids!.shape, ...table!.shape.slice(1)], (index) => at(table!, [at(ids!, index.slice(0, ids!.shape.length)), ...index.slice(ids!.shape.length)])), // prettier-ignore
  MatMul: (_, [a, b]) => matMul(a!, b!),
  Transpose: ({ attributes }, [x]) => {
    const { ints: perm } = attributes.get("perm")!;
    return build(perm.map((axis) => x!.shape[axis]!), (index) => at(x!, x!.shape.map((_, axis) => index[perm.indexOf(axis)]!))); // prettier-ignore
  },
  Reshape: (_, [x, shape]) => {
    const given = [...shape!.data].map((size, axis) => (size === 0 ? x!.shape[axis]! : size));
    const open = x!.data.length / given.reduce((a, size) => (size === -1 ? a : a * size), 1);
    const wanted = given.map((size) => (size === -1 ? open : size));
    if (sizeOf(wanted) !== x!.data.length) throw new Error(`Reshape [${x!.shape.join()}] to [${wanted.join()}]`);
    return { shape: wanted, data: x!.data };
  },
  Unsqueeze: (_, [x, axes]) => {
    const rank = x!.shape.length + axes!.data.length;
    const added = new Set([...axes!.data].map((axis) => (axis + rank) % rank));
    const rest = [...x!.shape];
    return { shape: Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : rest.shift()!)), data: x!.data };
  },
  Squeeze: (_, [x, axes]) => ({ shape: x!.shape.filter((size, axis) => (axes === undefined ? size !== 1 : ![...axes.data].some((a) => (a + x!.shape.length) % x!.shape.length === axis))), data: x!.data }), // prettier-ignore
  Expand: (_, [x, shape]) =>
    broadcast([x!, nd([...shape!.data], new Array(sizeOf([...shape!.data])).fill(0))], (a) => a),
  Concat: ({ attributes }, parts) => {
    const axis = (attributes.get("axis")!.i + parts[0]!.shape.length) % parts[0]!.shape.length;
    const total = parts.reduce((sum, { shape }) => sum + shape[axis]!, 0);
    return build(
      parts[0]!.shape.map((size, i) => (i === axis ? total : size)),
      (index) => {
        let place = index[axis]!;
        for (const part of parts) {
          if (place < part.shape[axis]!)
            return at(
              part,
              index.map((i, k) => (k === axis ? place : i)),
            );
          place -= part.shape[axis]!;
        }
        throw new Error("unreachable");
      },
    );
  },
  Split: ({ attributes }, [x, sizes]) => {
    const axis = (attributes.get("axis")!.i + x!.shape.length) % x!.shape.length;
    let from = 0;
    return [...sizes!.data].map((size) => slice(x!, axis, from, (from += size)));
  },
  Slice: (_, [x, starts, , axes, steps]) => {
    const [axis, size] = [axes!.data[0]!, x!.shape[axes!.data[0]!]!];
    if (steps?.data[0] === -1) return build(x!.shape, (index) => at(x!, index.map((i, k) => (k === axis ? size - 1 - i : i)))); // prettier-ignore
    return slice(x!, axis, Math.max(0, size + starts!.data[0]!), size);
  },
  Tile: (_, [x, repeats]) => build(x!.shape.map((size, i) => size * repeats!.data[i]!), (index) => at(x!, index.map((i, k) => i % x!.shape[k]!))), // prettier-ignore
  Pad: (_, [x, pads]) => {
    const before = [...pads!.data].slice(0, x!.shape.length);
    if (pads!.data.slice(x!.shape.length).some((count) => count !== 0)) throw new Error("Pad");
    return build(x!.shape.map((size, i) => size + before[i]!), (index) => (index.some((i, k) => i < before[k]!) ? 0 : at(x!, index.map((i, k) => i - before[k]!)))); // prettier-ignore
  },
  LayerNormalization: ({ attributes }, [x, scale, bias]) => {
    const n = x!.shape.at(-1)!;
    const data = new Float64Array(x!.data.length);
    for (let row = 0; row < data.length; row += n) {
      const values = x!.data.subarray(row, row + n);
      const mean = values.reduce((a, b) => a + b, 0) / n;
      const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
      const size = Math.sqrt(variance + attributes.get("epsilon")!.f);
      values.forEach((value, i) => (data[row + i] = ((value - mean) / size) * scale!.data[i]! + bias!.data[i]!));
    }
    return { shape: x!.shape, data };
  },
  Conv: (_, [x, weight, bias]) => {
    const k = weight!.shape[2]!;
    const [b, d, l] = x!.shape as [number, number, number];
    return build([b, d, l - k + 1], ([i, channel, t]) => {
      let sum = bias === undefined ? 0 : bias.data[channel!]!;
      for (let tap = 0; tap < k; tap++) sum += at(weight!, [channel!, 0, tap]) * at(x!, [i!, channel!, t! + tap]);
      return sum;
    });
  },
  ReduceMean: ({ attributes }, [x, axes]) => reduce(x!, [...axes!.data], attributes.get("keepdims")!.i === 1, true),
  ReduceSum: ({ attributes }, [x, axes]) => reduce(x!, [...axes!.data], attributes.get("keepdims")!.i === 1, false),
  Clip: (_, [x, low, high]) => broadcast([x!], (v) => Math.min(Math.max(v, low!.data[0]!), high?.data[0] ?? Infinity)),
  Gelu: ({ attributes }, [x]) =>
    broadcast([x!], attributes.get("approximate")?.s === "tanh" ? plainGeluTanh : plainGelu),
  Shape: ({ attributes }, [x]) => {
    const part = x!.shape.slice(attributes.get("start")?.i, attributes.get("end")?.i);
    return nd([part.length], part);
  },
  Range: (_, [from, to, by]) => {
    const step = by!.data[0]!;
    const count = Math.max(0, Math.ceil((to!.data[0]! - from!.data[0]!) / step));
    return nd(
      [count],
      Array.from({ length: count }, (_, i) => from!.data[0]! + i * step),
    );
  },
  TopK: ({ attributes }, [x, k]) => {
    if (attributes.get("axis")!.i !== -1) throw new Error("TopK");
    const [n, count] = [x!.shape.at(-1)!, k!.data[0]!];
    const rows = x!.data.length / n;
    const ids = Array.from({ length: rows }, (_, row) => Array.from({ length: n }, (_, i) => i).sort((a, b) => x!.data[row * n + b]! - x!.data[row * n + a]! || a - b).slice(0, count)); // prettier-ignore
    const shape = [...x!.shape.slice(0, -1), count];
    return [
      nd(
        shape,
        ids.flatMap((row, r) => row.map((i) => x!.data[r * n + i]!)),
      ),
      nd(shape, ids.flat()),
    ];
  },
  GatherElements: (_, [x, ids]) => build(ids!.shape, (index) => at(x!, [...index.slice(0, -1), at(ids!, index)])),
  ScatterElements: (_, [x, ids, updates]) => {
    const out = nd(x!.shape, x!.data);
    const strides = stridesOf(x!.shape);
    build(ids!.shape, (index) => {
      const place = [...index.slice(0, -1), at(ids!, index)].reduce((sum, i, axis) => sum + i * strides[axis]!, 0);
      return (out.data[place] = at(updates!, index));
    });
    return out;
  },
  OneHot: (_, [ids, depth, values]) => build([...ids!.shape, depth!.data[0]!], (index) => values!.data[at(ids!, index.slice(0, -1)) === index.at(-1)! ? 1 : 0]!), // prettier-ignore
  Where: (_, [condition, a, b]) => broadcast([condition!, a!, b!], (c, x, y) => (c === 0 ? y : x)),
  Softmax: (_, [x]) => {
    const n = x!.shape.at(-1)!;
    const data = new Float64Array(x!.data.length);
    for (let row = 0; row < data.length; row += n) {
      const values = x!.data.subarray(row, row + n);
      const most = Math.max(...values);
      const total = values.reduce((sum, v) => sum + Math.exp(v - most), 0);
      values.forEach((v, i) => (data[row + i] = Math.exp(v - most) / total));
    }
    return { shape: x!.shape, data };
  },
  Scan: ({ attributes }, [state, ...tokens], scope) => {
    const body = attributes.get("body")!.g!;
    const count = attributes.get("num_scan_inputs")!.i;
    if (count !== tokens.length || attributes.get("scan_input_axes")!.ints.some((axis) => axis !== 1))
      throw new Error("Scan");
    const length = tokens[0]!.shape[1]!;
    let carried = state!;
    const read: Nd[] = [];
    for (let t = 0; t < length; t++) {
      const inner = new Map(scope);
      inner.set(body.inputs[0]!.name, carried);
      tokens.forEach((token, i) => {
        const { shape, data } = slice(token, 1, t, t + 1);
        inner.set(body.inputs[i + 1]!.name, { shape: shape.filter((_, axis) => axis !== 1), data });
      });
      const [after, y] = evaluate(body, inner) as [Nd, Nd];
      carried = after;
      read.push(y);
    }
    const [b, ...rest] = read[0]!.shape;
    return [carried, build([b!, length, ...rest], ([i, t, ...index]) => at(read[t!]!, [i!, ...index]))];
  },
};

/** Runs a graph by the definitions of its operators, in float64. @returns its outputs */
export function evaluate(graph: Graph, scope: Scope): readonly Nd[] {
  for (const { name, shape, type, raw } of graph.constants) {
    if (raw.byteLength === 0 && sizeOf(shape) > 0) continue; // external: given by the caller
    const bytes = new Uint8Array(raw);
    scope.set(
      name,
      nd(shape, type === 7 ? Array.from(new BigInt64Array(bytes.buffer), Number) : type === 2 ? bytes : new Float32Array(bytes.buffer)), // prettier-ignore
    );
  }
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => {
      const value = scope.get(name);
      if (name === "") return undefined!; // an optional input that is not there
      if (value === undefined) throw new Error(`${node.op}: ${name} is not there`);
      return value;
    });
    const one = unary[node.op];
    const two = binary[node.op];
    const made =
      one !== undefined
        ? broadcast(inputs, one)
        : two !== undefined
          ? broadcast(inputs, two)
          : run[node.op]!(node, inputs, scope);
    (Array.isArray(made) ? (made as readonly Nd[]) : [made as Nd]).forEach((value, i) =>
      scope.set(node.outputs[i]!, value),
    );
  }
  return graph.outputs.map(({ name }) => scope.get(name)!);
}

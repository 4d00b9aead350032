import type { GraphBuilder, Value } from "./graphBuilder.ts";

/** A complex value as two. */
export interface Complex {
  readonly re: Value;
  readonly im: Value;
}

/** Arithmetic with complex values in a graph. */
export class ComplexGraph {
  readonly #graph: GraphBuilder;

  constructor(graph: GraphBuilder) {
    this.#graph = graph;
  }

  /** A value whose last axis is (re, im), under the shape that each then has. */
  parts(x: Value, shape: readonly number[]): Complex {
    const [re, im] = this.#graph.split(x, [1, 1]).map((part) => this.#graph.reshape(part, shape)) as [Value, Value];
    return { re, im };
  }

  mul(a: Complex, b: Complex): Complex {
    const g = this.#graph;
    return {
      re: g.sub(g.mul(a.re, b.re), g.mul(a.im, b.im)),
      im: g.add(g.mul(a.re, b.im), g.mul(a.im, b.re)),
    };
  }

  scale(a: Complex, factor: Value): Complex {
    return { re: this.#graph.mul(a.re, factor), im: this.#graph.mul(a.im, factor) };
  }

  reciprocal({ re, im }: Complex): Complex {
    const g = this.#graph;
    const norm = g.add(g.mul(re, re), g.mul(im, im));
    return { re: g.op("Div", [re, norm]), im: g.op("Div", [g.op("Neg", [im]), norm]) };
  }

  exp({ re, im }: Complex): Complex {
    const g = this.#graph;
    const size = g.op("Exp", [re]);
    return { re: g.mul(size, g.op("Cos", [im])), im: g.mul(size, g.op("Sin", [im])) };
  }

  /** e^z - 1, which loses nothing where z is small: e^x - 1 = 2 e^(x/2) sinh(x/2), cos y - 1 = -2 sin^2(y/2). */
  expm1({ re, im }: Complex): Complex {
    const g = this.#graph;
    const half = g.times(re, 0.5);
    const real = g.times(g.mul(g.op("Exp", [half]), g.op("Sinh", [half])), 2);
    const sine = g.op("Sin", [g.times(im, 0.5)]);
    return {
      re: g.sub(g.mul(real, g.op("Cos", [im])), g.times(g.mul(sine, sine), 2)),
      im: g.mul(g.op("Exp", [re]), g.op("Sin", [im])),
    };
  }

  /** log((1 + h) / (1 - h)) for Re h < 0: atanh(2 Re h / (1 + |h|^2)) and the angle of 1 - |h|^2 + 2 i Im h. */
  logBilinear({ re, im }: Complex): Complex {
    const g = this.#graph;
    const one = g.float(1);
    const norm = g.add(g.mul(re, re), g.mul(im, im));
    const [x, y] = [g.sub(one, norm), g.times(im, 2)];
    const size = g.op("Sqrt", [g.add(g.mul(x, x), g.mul(y, y))]);
    // tan(angle / 2) = y / (size + x), or (size - x) / y where that would divide by nearly nothing; on the negative axis the angle is pi.
    const right = g.op("Div", [y, g.add(size, x)]);
    const left = g.op("Div", [g.sub(size, x), y]);
    const half = g.op("Where", [g.op("Less", [x, g.float(0)]), left, right]);
    return {
      re: g.op("Atanh", [g.op("Div", [g.times(re, 2), g.add(one, norm)])]),
      im: g.times(g.op("Atan", [half]), 2),
    };
  }
}

/** A diagonal system after discretization. */
export interface DiscreteSystem {
  readonly ABar: Complex;
  readonly logABar: Complex;
  /** BBar = gain B. */
  readonly gain: Complex;
}

/** Discretizes x' = A x + B u with steps delta, as the layers do. */
export function discretized(graph: GraphBuilder, rule: "zoh" | "bilinear", A: Complex, delta: Value): DiscreteSystem {
  const c = new ComplexGraph(graph);
  const z = c.scale(A, delta);
  if (rule === "zoh") return { ABar: c.exp(z), logABar: z, gain: c.mul(c.expm1(z), c.reciprocal(A)) };
  const half = c.scale(z, graph.float(0.5));
  const one = graph.float(1);
  const implicit = c.reciprocal({ re: graph.sub(one, half.re), im: graph.op("Neg", [half.im]) });
  return {
    ABar: c.mul({ re: graph.add(one, half.re), im: half.im }, implicit),
    logABar: c.logBilinear(half),
    gain: c.scale(implicit, delta),
  };
}

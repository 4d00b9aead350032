import {
  broadcastTo,
  exp,
  full,
  gatedDeltaRule,
  mul,
  reshape,
  stack,
  sum,
  tidy,
  transpose,
  zeros,
  type Tensor,
} from "@statespace/core";
import { diagonalScan, mamba3Scan, sliceAxis } from "@statespace/core/ops";
import type { GoldenCase } from "./goldenCase.ts";
import { inputArrays, toTensor } from "./inputs.ts";
import { nodeRow } from "./onnxNode.ts";
import { take } from "./opGradients.ts";
import type { GoldenRow } from "./row.ts";

/** What the operator takes, heads apart: q, k [b, l, h, n]; v [b, l, h, p]; g [b, l, h] or [b, l, h, n]; beta [b, l, h]; state [b, h, n, p]. */
interface Heads {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly g?: Tensor;
  readonly beta?: Tensor;
  readonly state?: Tensor;
}
interface Read {
  readonly y: Tensor;
  readonly state: Tensor;
}

/** Golden group `onnx-linear-attention`: ONNX's node tests of LinearAttention, each rule by the op here that has it. */
export async function compareOnnxLinearAttention(golden: GoldenCase): Promise<GoldenRow[]> {
  const attrs = golden.attrs as { q_num_heads: number; kv_num_heads: number; scale?: number; update_rule?: string };
  const inputs = inputArrays(golden);
  const { q_num_heads: h, kv_num_heads: hkv, update_rule: rule = "gated_delta" } = attrs;
  const { output, state } = tidy(() => {
    const [b, l] = inputs["query"]!.shape as [number, number];
    const at = (name: string): Tensor | undefined => inputs[name] && toTensor(inputs[name]);
    const query = reshape(at("query")!, [b, l, h, -1]);
    const n = query.shape[3]!;
    const heads: Heads = {
      q: mul(query, attrs.scale === undefined || attrs.scale === 0 ? n ** -0.5 : attrs.scale),
      k: apart(at("key")!, hkv, h),
      v: apart(at("value")!, hkv, h),
      ...optional("g", at("decay"), (x) => gate(x, hkv, h, n)),
      ...optional("beta", at("beta"), (x) => gate(broadcastTo(x, [b, l, hkv]), hkv, h, n)),
      ...optional("state", at("past_state"), (x) => repeated(x, 1, h / hkv)),
    };
    const found = rule.endsWith("delta") ? delta(heads) : heads.g?.shape.length === 4 ? byRow(heads) : byHead(heads);
    // Heads that share keys have the same state.
    const [p, own] = [found.y.shape[3]!, reshape(found.state, [b, hkv, h / hkv, -1])];
    return { output: reshape(found.y, [b, l, h * p]), state: reshape(sliceAxis(own, 2, 0, 1), [b, hkv, n, p]) };
  });
  return [nodeRow(golden, "output", await take(output)), nodeRow(golden, "present_state", await take(state))];
}

function optional<K extends string>(name: K, x: Tensor | undefined, f: (x: Tensor) => Tensor): { [key in K]?: Tensor } {
  return x === undefined ? {} : ({ [name]: f(x) } as { [key in K]?: Tensor });
}

/** Each part along an axis `times` times, one after the other. */
function repeated(x: Tensor, axis: number, times: number): Tensor {
  if (times === 1) return x;
  const [before, after] = [x.shape.slice(0, axis + 1), x.shape.slice(axis + 1)];
  const wide = broadcastTo(reshape(x, [...before, 1, ...after]), [...before, times, ...after]);
  return reshape(wide, [...before.slice(0, -1), before.at(-1)! * times, ...after]);
}

/** Heads that some queries share, once for each: [b, l, hkv * n] to [b, l, h, n]. */
function apart(x: Tensor, hkv: number, h: number): Tensor {
  const [b, l] = x.shape as [number, number];
  return repeated(reshape(x, [b, l, hkv, -1]), 2, h / hkv);
}

/** The same of a value a head, or of one a row of its state. */
function gate(x: Tensor, hkv: number, h: number, n: number): Tensor {
  const [b, l, width] = x.shape as [number, number, number];
  return width === hkv * n ? apart(x, hkv, h) : reshape(apart(x, hkv, h), [b, l, h]);
}

function delta({ q, k, v, g, beta, state }: Heads): Read {
  const decay = g ?? zeros(beta!.shape);
  const carried = state === undefined ? {} : { initialState: state };
  const { y, lastState } = gatedDeltaRule(
    { q, k, v, g: decay, beta: beta!, ...carried },
    { scale: 1, returnLastState: true },
  );
  return { y, state: lastState! };
}

/** No rule, or a decay a head: the scan of Mamba-3 by Euler's rule and with steps of one; its state is the other way round. */
function byHead({ q, k, v, g, state }: Heads): Read {
  const [b, l, h, n] = q.shape as [number, number, number, number];
  const p = v.shape[3]!;
  const { y, lastState } = mamba3Scan(
    {
      q: reshape(q, [b, l, h, 1, n]),
      k: reshape(k, [b, l, h, 1, n]),
      v: reshape(v, [b, l, h, 1, p]),
      adt: g ?? zeros([b, l, h]),
      dt: full([b, l, h], 1),
      trap: full([b, l, h], 100),
      ...(state === undefined ? {} : { initialState: transpose(state, [0, 1, 3, 2]) }),
    },
    { returnLastState: true },
  );
  return { y: reshape(y, [b, l, h, p]), state: transpose(lastState!, [0, 1, 3, 2]) };
}

/** A decay for each row of the state: every element of it is a recurrence of its own. */
function byRow({ q, k, v, g, state }: Heads): Read {
  const [b, l, h, n] = q.shape as [number, number, number, number];
  const p = v.shape[3]!;
  const real = (x: Tensor, lead: readonly number[]): Tensor => {
    const flat = reshape(broadcastTo(x, [...lead, h, n, p]), [...lead, h * n * p]);
    return stack([flat, zeros(flat.shape)], lead.length + 1);
  };
  const column = (x: Tensor): Tensor => reshape(x, [b, l, h, n, 1]);
  const { states, lastState } = diagonalScan(
    {
      ABar: real(column(exp(g!)), [b, l]),
      Bu: real(mul(column(k), reshape(v, [b, l, h, 1, p])), [b, l]),
      ...(state === undefined ? {} : { initialState: real(state, [b]) }),
    },
    { returnLastState: true },
  );
  const all = reshape(sliceAxis(states, -1, 0, 1), [b, l, h, n, p]);
  return {
    y: sum(mul(all, column(q)), 3),
    state: reshape(sliceAxis(lastState!, -1, 0, 1), [b, h, n, p]),
  };
}

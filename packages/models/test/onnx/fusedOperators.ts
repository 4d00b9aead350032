import { at, build, type Nd } from "./ndArrays.ts";
import type { Node } from "./readOnnx.ts";

type Run = (node: Node, inputs: readonly Nd[]) => Nd | readonly Nd[];

/** LinearAttention by its definition, with as many queries as keys: q, k [b, l, h n], v [b, l, h p], state [b, h, n, p], decay and beta [b, l, h]. */
const linearAttention: Run = ({ attributes }, [q, k, v, past, g, beta]) => {
  const h = attributes.get("kv_num_heads")!.i;
  const rule = attributes.get("update_rule")!.s;
  if (attributes.get("q_num_heads")!.i !== h || (rule === "gated_delta") !== (beta !== undefined))
    throw new Error("LinearAttention");
  const scale = attributes.get("scale")!.f;
  const [b, l, width] = v!.shape as [number, number, number];
  const [n, p] = [q!.shape[2]! / h, width / h];
  const state = build(past!.shape, (index) => at(past!, index));
  const y = build(v!.shape, () => 0);
  for (let row = 0; row < b; row++)
    for (let t = 0; t < l; t++)
      for (let head = 0; head < h; head++)
        for (let c = 0; c < p; c++) {
          const place = (s: number): number => ((row * h + head) * n + s) * p + c;
          const key = (s: number): number => at(k!, [row, t, head * n + s]);
          const kept = Math.exp(at(g!, [row, t, head]));
          let answer = 0;
          for (let s = 0; s < n; s++) answer += (state.data[place(s)]! *= kept) * key(s);
          const value = at(v!, [row, t, head * p + c]);
          const written = beta === undefined ? value : at(beta, [row, t, head]) * (value - answer);
          let read = 0;
          for (let s = 0; s < n; s++)
            read += (state.data[place(s)]! += key(s) * written) * at(q!, [row, t, head * n + s]);
          y.data[(row * l + t) * width + head * p + c] = scale * read;
        }
  return [y, state];
};

/** CausalConvWithState: x and state with channels first, or last where it says so. */
const causalConv: Run = ({ attributes }, [x, weight, bias, past]) => {
  const last = attributes.get("channels_last")?.i === 1;
  const turned = (a: Nd): Nd =>
    last ? a : build([a.shape[0]!, a.shape[2]!, a.shape[1]!], ([i, t, c]) => at(a, [i!, c!, t!]));
  const [own, before] = [turned(x!), turned(past!)];
  const k = weight!.shape[2]!;
  const [b, l, d] = own.shape as [number, number, number];
  const value = (i: number, t: number, c: number): number =>
    t < k - 1 ? at(before, [i, t, c]) : at(own, [i, t - k + 1, c]);
  const silu = attributes.get("activation")!.s === "silu";
  const y = build([b, l, d], ([i, t, c]) => {
    let sum = bias === undefined ? 0 : bias.data[c!]!;
    for (let tap = 0; tap < k; tap++) sum += at(weight!, [c!, 0, tap]) * value(i!, t! + tap, c!);
    return silu ? sum / (1 + Math.exp(-sum)) : sum;
  });
  return [turned(y), turned(build([b, k - 1, d], ([i, t, c]) => value(i!, t! + l, c!)))];
};

/** Values of blocks of 32: bytes, or the two halves of each, around half of what they hold. */
function unpacked(quants: Nd, scales: Nd, bits: number, rows: number, k: number): Nd {
  return build([rows, k], ([row, i]) => {
    const place = row! * k + i!;
    const byte = quants.data[bits === 8 ? place : place >> 1]!;
    const q = bits === 8 ? byte - 128 : (place % 2 === 0 ? byte & 15 : byte >> 4) - 8;
    return q * scales.data[place >> 5]!;
  });
}

const matMulNBits: Run = ({ attributes }, [x, quants, scales]) => {
  const [n, k] = ["N", "K"].map((name) => attributes.get(name)!.i) as [number, number];
  if (attributes.get("block_size")!.i !== 32 || x!.shape.at(-1) !== k) throw new Error("MatMulNBits");
  const weight = unpacked(quants!, scales!, attributes.get("bits")!.i, n, k);
  return build([...x!.shape.slice(0, -1), n], (index) => {
    let sum = 0;
    for (let i = 0; i < k; i++) sum += at(x!, [...index.slice(0, -1), i]) * weight.data[index.at(-1)! * k + i]!;
    return sum;
  });
};

const gatherBlocks: Run = ({ attributes }, [quants, ids, scales]) => {
  const [v, blocks] = scales!.shape as [number, number];
  const table = unpacked(quants!, scales!, attributes.get("bits")!.i, v, 32 * blocks);
  return build([...ids!.shape, 32 * blocks], (index) => at(table, [at(ids!, index.slice(0, -1)), index.at(-1)!]));
};

/** Operators that others could be put together of, by their definitions. */
export const fusedOperators: Readonly<Record<string, Run>> = {
  LinearAttention: linearAttention,
  CausalConvWithState: causalConv,
  MatMulNBits: matMulNBits,
  GatherBlockQuantized: gatherBlocks,
};

import type { Known } from "../config/field.ts";
import type { Fail } from "../config/schema.ts";

/** Channels of a head, where a layer is wide enough for it. */
const HEAD_DIM = 64;

/** The largest power of two up to 64 that divides a width. */
export function headDimOf(width: number): number {
  let dim = HEAD_DIM;
  while (width % dim !== 0) dim /= 2;
  return dim;
}

/** Channels of a head where a file does not say them: the width's share of one, or the largest power of two up to 64 that divides it. */
export function headDimIn(known: Known, width: number, name: string): number {
  if (!known.given("nHeads")) return headDimOf(width);
  const dim = width / known.num("nHeads");
  return Number.isInteger(dim) ? dim : known.fail("nHeads", `must divide ${name} = ${width}`);
}

/** Heads where a file does not say how many: as many as fill the width. */
export function headCountIn(known: Known, width: number, name: string): number {
  const heads = width / known.num("headDim");
  return Number.isInteger(heads) ? heads : known.fail("headDim", `must divide ${name} = ${width}`);
}

/** The inner width of a layer of the Mamba family. */
export const widthFields = {
  expand: {
    type: "number",
    shorthand: true,
    min: 0,
    above: true,
    max: 1024,
    default: 2,
    doc: "inner width as a multiple of dModel, where dInner is not given",
    names: { transformers: "expand", mamba_ssm: "expand" },
  },
  dInner: {
    type: "integer",
    default: { text: "expand * dModel", of: (known: Known): number => innerWidth(known) },
    doc: "channels inside the layer (d)",
    names: { transformers: "intermediate_size" },
  },
} as const;

function innerWidth(known: Known): number {
  const width = Math.floor(known.num("expand") * known.dModel);
  return width < 1 ? known.fail("expand", "must leave at least one channel") : width;
}

/** Heads and groups of Mamba-2 and Mamba-3. */
export const headFields = {
  headDim: {
    type: "integer",
    max: 65536,
    default: {
      text: "dInner / nHeads, or the largest power of two up to 64 that divides dInner",
      of: (known: Known): number => headDimIn(known, known.num("dInner"), "dInner"),
    },
    doc: "channels of a head (p)",
    names: { transformers: "head_dim", mamba_ssm: "headdim" },
  },
  nHeads: {
    type: "integer",
    max: 65536,
    default: {
      text: "dInner / headDim",
      of: (known: Known): number => headCountIn(known, known.num("dInner"), "dInner"),
    },
    doc: "heads (h); times headDim it is dInner",
    names: { transformers: "num_heads" },
  },
  nGroups: {
    type: "integer",
    max: 65536,
    default: 1,
    doc: "groups of heads that share B and C (g); divides nHeads",
    names: { transformers: "n_groups", mamba_ssm: "ngroups" },
  },
} as const;

/** Heads fill the inner width, and groups divide the heads. */
export function checkHeads(
  config: { readonly nHeads: number; readonly headDim: number; readonly dInner: number; readonly nGroups: number },
  fail: Fail,
): void {
  const { nHeads, headDim: p, dInner, nGroups } = config;
  if (nHeads * p !== dInner) fail("nHeads", `times headDim = ${p} must be dInner = ${dInner}`);
  if (nHeads % nGroups !== 0) fail("nGroups", `must divide nHeads = ${nHeads}`);
}

import { DTypeError, ShapeError } from "../errors.ts";
import type { Tensor } from "./types.ts";

/** Extents by symbol (`b`, `l`, `d`); a leading `...` binds to a list. */
export interface Dims {
  readonly [symbol: string]: number;
}

/** Extents that a spec's `...` matched. */
export interface BoundDims {
  readonly dims: Dims;
  readonly lead: readonly number[];
}

interface Pattern {
  readonly lead: boolean;
  readonly symbols: readonly string[];
}

/** One argument of an op: its dtype, whether it may be absent, and the shapes it may have. */
interface ArgumentSpec {
  readonly name: string;
  readonly dtype: "float32" | "int32";
  readonly optional: boolean;
  /** Arguments with the same alternatives take the same one: B and C are both grouped or neither is. */
  readonly alternatives: string;
  readonly patterns: readonly Pattern[];
}

/**
 * Reads a symbolic shape: `"b l d"`, `"... k"`, `"d?"` (optional), `"b l n | b l g n"` (either), `"int32 b l?"`,
 * `""` (scalar). A symbol may be an expression of known ones: `"b k-1 d"`.
 */
export function parseSpec(name: string, text: string): ArgumentSpec {
  const optional = text.endsWith("?");
  const dtype = text.startsWith("int32") ? "int32" : "float32";
  const body = text.replace(/\?$/, "").replace(/^int32/, "");
  const patterns = body.split("|").map((part): Pattern => {
    const symbols = part
      .trim()
      .split(/\s+/)
      .filter((symbol) => symbol !== "");
    return symbols[0] === "..." ? { lead: true, symbols: symbols.slice(1) } : { lead: false, symbols };
  });
  return { name, dtype, optional, alternatives: body.trim(), patterns };
}

function evaluate(symbol: string, dims: Readonly<Record<string, number>>): number | undefined {
  if (/^\d+$/.test(symbol)) return Number(symbol);
  const minus = /^(\w+)-(\d+)$/.exec(symbol);
  if (minus === null) return dims[symbol];
  const base = dims[minus[1]!];
  return base === undefined ? undefined : base - Number(minus[2]);
}

function fit(
  shape: readonly number[],
  pattern: Pattern,
  dims: Record<string, number>,
  lead: readonly number[] | undefined,
): { dims: Record<string, number>; lead: readonly number[] | undefined } | undefined {
  const extra = shape.length - pattern.symbols.length;
  if (extra < 0 || (!pattern.lead && extra > 0)) return undefined;
  const front = shape.slice(0, extra);
  if (pattern.lead && lead !== undefined && lead.join() !== front.join()) return undefined;
  const bound = { ...dims };
  for (const [i, symbol] of pattern.symbols.entries()) {
    const extent = shape[extra + i]!;
    const known = evaluate(symbol, bound);
    if (known !== undefined && known !== extent) return undefined;
    if (known === undefined) bound[symbol] = extent;
  }
  return { dims: bound, lead: pattern.lead ? front : lead };
}

function expected(
  spec: ArgumentSpec,
  dims: Readonly<Record<string, number>>,
  lead: readonly number[] | undefined,
): string {
  const known = (pattern: Pattern): string => {
    const values = pattern.symbols.map((symbol) => evaluate(symbol, dims) ?? symbol);
    return [...(pattern.lead ? (lead ?? ["..."]) : []), ...values].join(", ");
  };
  return spec.patterns
    .map((pattern) => {
      const symbolic = [...(pattern.lead ? ["..."] : []), ...pattern.symbols].join(", ");
      const actual = known(pattern);
      return symbolic === actual ? `[${symbolic}]` : `[${symbolic}] = [${actual}]`;
    })
    .join(" or ");
}

/**
 * Checks every argument of an op and binds the symbols.
 * @throws ShapeError `op: name must be [b, l, d] = [2, 16, 64], got [2, 64, 16]`; DTypeError likewise.
 */
export function bindDims(
  op: string,
  specs: readonly ArgumentSpec[],
  inputs: Readonly<Record<string, Tensor | undefined>>,
): BoundDims {
  let dims: Record<string, number> = {};
  let lead: readonly number[] | undefined;
  const chosen = new Map<string, Pattern>();
  for (const declared of specs) {
    const choice = chosen.get(declared.alternatives);
    const spec =
      choice === undefined || declared.patterns.length === 1 ? declared : { ...declared, patterns: [choice] };
    const input = inputs[spec.name];
    if (input === undefined) {
      if (!spec.optional)
        throw new ShapeError(`${op}: ${spec.name} is missing; it must be ${expected(spec, dims, lead)}`);
      continue;
    }
    if (input.dtype !== spec.dtype)
      throw new DTypeError(`${op}: ${spec.name} must be ${spec.dtype}, got ${input.dtype}`);
    const pattern = spec.patterns.find((p) => fit(input.shape, p, dims, lead) !== undefined);
    const bound = pattern && fit(input.shape, pattern, dims, lead);
    if (bound === undefined)
      throw new ShapeError(
        `${op}: ${spec.name} must be ${expected(spec, dims, lead)}, got [${input.shape.join(", ")}]`,
      );
    chosen.set(declared.alternatives, pattern!);
    dims = bound.dims;
    lead = bound.lead;
  }
  return { dims, lead: lead ?? [] };
}

import { DTypeError, ShapeError } from "../errors.ts";
import type { DType } from "../backend/types.ts";

/** Extents by symbol (`b`, `l`, `d`). */
export interface Dims {
  readonly [symbol: string]: number;
}

/** Extents that the symbols of an op's arguments stand for, and what `...` and `~` matched. */
export interface BoundDims<Symbols extends Dims = Dims> {
  readonly dims: Symbols;
  /** Extents of a leading `...`. */
  readonly lead: readonly number[];
  /** Shape that all arguments written `~` broadcast to. */
  readonly broadcast?: readonly number[] | undefined;
}

/** What a check needs to know of a tensor or of a kernel's operand. */
export interface Shaped {
  readonly shape: readonly number[];
  readonly dtype: string;
}

/** One place of a pattern: an extent by number, a symbol, or a symbol less a number (`k-1`). */
interface Place {
  readonly text: string;
  readonly symbol: string | undefined;
  /** The extent itself, or what is added to the symbol's. */
  readonly offset: number;
}

interface Pattern {
  readonly lead: boolean;
  readonly broadcast: boolean;
  readonly places: readonly Place[];
}

/** One argument of an op: its dtype, whether it may be absent, and the shapes it may have. */
export interface ArgumentSpec {
  readonly name: string;
  readonly dtypes: readonly DType[];
  /** The dtypes as written: arguments with the same choice of dtypes take the same one. */
  readonly dtypeText: string;
  readonly optional: boolean;
  /** Arguments with the same alternatives take the same one: B and C are both grouped or neither is. */
  readonly alternatives: string;
  readonly patterns: readonly Pattern[];
}

const SPEC = /^((?:float32|int32|bool)(?:\|(?:float32|int32|bool))*)?\s*(.*?)(\?)?$/;

/**
 * Reads a symbolic shape: `"b l d"`, `"... k"`, `"d?"` (optional), `"b l n | b l g n"` (either), `"int32 b l?"`, `"float32|int32 ..."`,
 * `"~"` (broadcast with the other arguments written so), `""` (scalar). A symbol may be one that is known less a number: `"b k-1 d"`.
 */
export function parseSpec(name: string, text: string): ArgumentSpec {
  let found = parsed.get(text);
  if (found === undefined) parsed.set(text, (found = parseText(text)));
  return { name, ...found };
}

/** What was read before: declarations are few, and read again at every call of a kernel that may have to be cut. */
const parsed = new Map<string, Omit<ArgumentSpec, "name">>();

function parseText(text: string): Omit<ArgumentSpec, "name"> {
  const [, dtypeText = "float32", body = "", mark] = SPEC.exec(text)!;
  return {
    dtypes: dtypeText.split("|") as DType[],
    dtypeText,
    optional: mark !== undefined,
    alternatives: body.trim(),
    patterns: body.split("|").map(parsePattern),
  };
}

function parsePattern(text: string): Pattern {
  const words = text
    .trim()
    .split(/\s+/)
    .filter((word) => word !== "");
  const lead = words[0] === "...";
  return { lead, broadcast: words[0] === "~", places: words.slice(lead || words[0] === "~" ? 1 : 0).map(parsePlace) };
}

function parsePlace(text: string): Place {
  if (/^\d+$/.test(text)) return { text, symbol: undefined, offset: Number(text) };
  const minus = /^(\w+)-(\d+)$/.exec(text);
  return minus ? { text, symbol: minus[1]!, offset: -Number(minus[2]) } : { text, symbol: text, offset: 0 };
}

/** A pattern's place at known extents; undefined where its symbol is not known yet. */
function evaluate({ symbol, offset }: Place, dims: Dims): number | undefined {
  if (symbol === undefined) return offset;
  const base = dims[symbol];
  return base === undefined ? undefined : base + offset;
}

/** True where the front of a shape is the bound `...`. */
function startsWith(shape: readonly number[], lead: readonly number[], count: number): boolean {
  if (lead.length !== count) return false;
  for (let i = 0; i < count; i++) if (lead[i] !== shape[i]) return false;
  return true;
}

/** Fits a shape to a pattern and adds what it tells to `dims`, which stay as they are where it does not fit. */
function fit(
  shape: readonly number[],
  { lead, places }: Pattern,
  dims: Record<string, number>,
  front: readonly number[] | undefined,
): boolean {
  const extra = shape.length - places.length;
  if (extra < 0 || (!lead && extra > 0)) return false;
  if (lead && front !== undefined && !startsWith(shape, front, extra)) return false;
  let fresh = 0; // places whose symbols were bound here, as bits
  for (let i = 0; i < places.length; i++) {
    const place = places[i]!;
    const extent = shape[extra + i]!;
    const known = evaluate(place, dims);
    if (known === undefined) {
      dims[place.text] = extent;
      fresh |= 1 << i;
    } else if (known !== extent) {
      for (let j = 0; j < i; j++) if (fresh & (1 << j)) delete dims[places[j]!.text];
      return false;
    }
  }
  return true;
}

/** The first pattern that a shape fits. */
function firstFit(
  shape: readonly number[],
  patterns: readonly Pattern[],
  dims: Record<string, number>,
  lead: readonly number[] | undefined,
): Pattern | undefined {
  for (const pattern of patterns) if (fit(shape, pattern, dims, lead)) return pattern;
  return undefined;
}

function expected(spec: ArgumentSpec, dims: Dims, lead: readonly number[] | undefined): string {
  return spec.patterns
    .map(({ lead: hasLead, places }) => {
      const symbolic = [...(hasLead ? ["..."] : []), ...places.map(({ text }) => text)].join(", ");
      const values = places.map((place) => evaluate(place, dims) ?? place.text);
      const actual = [...(hasLead ? (lead ?? ["..."]) : []), ...values].join(", ");
      return symbolic === actual ? `[${symbolic}]` : `[${symbolic}] = [${actual}]`;
    })
    .join(" or ");
}

/** @throws DTypeError unless the dtype is one of the argument's, and that of the arguments before it with the same choice. */
function checkDType(
  op: string,
  specs: readonly ArgumentSpec[],
  at: number,
  inputs: readonly (Shaped | undefined)[],
): void {
  const { name, dtypes, dtypeText } = specs[at]!;
  const { dtype } = inputs[at]!;
  if (dtypes.length === 1 ? dtypes[0] !== dtype : !dtypes.includes(dtype as DType))
    throw new DTypeError(`${op}: ${name} must be ${dtypes.join(" or ")}, got ${dtype}`);
  if (dtypes.length === 1) return;
  for (let i = 0; i < at; i++) {
    const other = specs[i]!;
    const first = inputs[i];
    if (other.dtypeText === dtypeText && first !== undefined && first.dtype !== dtype)
      throw new DTypeError(`${op}: ${other.name} and ${name} must have one dtype, got ${first.dtype} and ${dtype}`);
  }
}

/** Shape of the broadcast of two shapes. @throws ShapeError naming both. */
export function broadcastShape(op: string, a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1)
      throw new ShapeError(`${op}: a [${a.join(", ")}] and b [${b.join(", ")}] do not broadcast`);
    shape.push(x === 1 ? y : x);
  }
  return shape;
}

const NONE: readonly number[] = [];

/**
 * Checks every argument of an op and binds the symbols.
 * @throws ShapeError `op: name must be [b, l, d] = [2, 16, 64], got [2, 64, 16]`; DTypeError likewise.
 */
export function bindDims(
  op: string,
  specs: readonly ArgumentSpec[],
  inputs: Readonly<Record<string, Shaped | undefined>>,
): BoundDims {
  return bindList(
    op,
    specs,
    specs.map(({ name }) => inputs[name]),
  );
}

/** As `bindDims`, the inputs in the order of their specs. */
export function bindList(
  op: string,
  specs: readonly ArgumentSpec[],
  inputs: readonly (Shaped | undefined)[],
): BoundDims {
  const dims: Record<string, number> = {};
  let lead: readonly number[] | undefined;
  let broadcast: readonly number[] | undefined;
  let chosen: Map<string, Pattern> | undefined;
  for (let at = 0; at < specs.length; at++) {
    const spec = specs[at]!;
    const input = inputs[at];
    if (input === undefined) {
      if (!spec.optional)
        throw new ShapeError(`${op}: ${spec.name} is missing; it must be ${expected(spec, dims, lead)}`);
      continue;
    }
    checkDType(op, specs, at, inputs);
    if (spec.patterns[0]!.broadcast) {
      broadcast = broadcast === undefined ? input.shape : broadcastShape(op, broadcast, input.shape);
      continue;
    }
    const choice = spec.patterns.length === 1 ? undefined : chosen?.get(spec.alternatives);
    const patterns = choice === undefined ? spec.patterns : [choice];
    const pattern = firstFit(input.shape, patterns, dims, lead);
    if (pattern === undefined)
      throw new ShapeError(
        `${op}: ${spec.name} must be ${expected({ ...spec, patterns }, dims, lead)}, got [${input.shape.join(", ")}]`,
      );
    if (spec.patterns.length > 1) (chosen ??= new Map()).set(spec.alternatives, pattern);
    if (pattern.lead) lead ??= input.shape.slice(0, input.shape.length - pattern.places.length);
  }
  return { dims, lead: lead ?? NONE, broadcast };
}

/** A symbolic output at bound extents; a symbol that is none of theirs is the name of an attribute. */
export function shapeOf(text: string, bound: BoundDims, attrs: object): number[] {
  const { patterns } = parseSpec("", text.replace(/ if \w+$/, ""));
  const { lead, broadcast, places } = patterns[0]!;
  const known = { ...(attrs as Dims), ...bound.dims };
  return [
    ...(lead ? bound.lead : broadcast ? (bound.broadcast ?? []) : []),
    ...places.map((place) => evaluate(place, known)!),
  ];
}

/** The attribute that switches an output on: `"b d n if returnLastState"`. */
export function conditionOf(text: string): string | undefined {
  return / if (\w+)$/.exec(text)?.[1];
}

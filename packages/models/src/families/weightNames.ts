import type { Parameter } from "@statespace/core";
import type { Parts } from "../layers/parameterBuilder.ts";
import type { Model } from "../model/model.ts";

/**
 * Names of weights in a family's files, by ours. A rule is a whole name or the beginning of one, up to a dot; `*` is a number, and a
 * mixer may be named by its kind: `layers.*.attention` is `layers.*.mixer`, or `layers.*.mixer.1`, where that is attention, and
 * `layers:attention.*` is what else its layer has, `layers:shared.*` all of a layer with a shared block. What follows is kept. Where a family keeps the parts of a weight apart, or in another order, the rule says which tensor has which:
 * `{ "model.layers.*.q_proj": ["q"], ... }`. Parts in a list of their own take turns, block by block: `[["q", "gate"]]` is a head's
 * queries, then its gate, then the next head's. A `#` in such a name is the number of a block: each expert of several has tensors of its
 * own. The longest rule that fits counts; without one the names are the same.
 */
export type WeightRules = Readonly<Record<string, string | Readonly<Record<string, PartOrder>>>>;

/** Parts of a weight one after the other; those in a list take turns. */
export type PartOrder = readonly (string | readonly string[])[];

/** Where values stand: their first row in the tensor of the file, and elements of a row (along the last axis; of a vector 1). */
export interface ValuePlace {
  readonly row: number;
  readonly k: number;
}

/** How a file has other values than ours; both change whole rows in place, in the order of the file. */
export interface ValueForm {
  toFile(values: Float32Array | Float64Array, place: ValuePlace): void;
  fromFile(values: Float32Array, place: ValuePlace): void;
}

/** A tensor of a family's file, and which rows of one of our parameters it holds, in order. */
export interface PublishedTensor {
  readonly key: string;
  readonly shape: readonly number[];
  readonly parameter: Parameter;
  /** From and count, in rows: what lies along the last axis; of a vector an element. */
  readonly rows: readonly (readonly [from: number, count: number])[];
  /** Where its values are not ours. */
  readonly form?: ValueForm;
}

/** What a family's files call the weights, and how they have them. */
export interface Publishing {
  readonly weights: WeightRules;
  /** How its files have a tensor where it is not as ours: another shape, order of rows or values. */
  place?(tensor: PublishedTensor, model: Model): PublishedTensor;
}

/** Every tensor that a model's files have under such names, in the order of the forward pass. */
export function publishedTensors(model: Model, rules: WeightRules): PublishedTensor[] {
  return model.parameters.flatMap((parameter) => tensorsOf(model, parameter, rules));
}

/** Every tensor that a family's files have of a model, as they have it. */
export function familyTensors(model: Model, { weights, place }: Publishing): PublishedTensor[] {
  const tensors = publishedTensors(model, weights);
  return place === undefined ? tensors : tensors.map((tensor) => place(tensor, model));
}

/** The name that a weight without parts would have. */
export function publishedName(name: string, rules: WeightRules): string {
  const { rule, numbers, rest } = findRule([name], rules);
  return typeof rule === "string" ? fill(rule, numbers) + rest : name;
}

function tensorsOf(model: Model, parameter: Parameter, rules: WeightRules): PublishedTensor[] {
  const { name, shape } = parameter;
  const { rule, numbers, rest } = findRule([name, nameByKind(model, name)], rules);
  if (typeof rule !== "object") {
    const key = rule === undefined ? name : fill(rule, numbers) + rest;
    return [{ key, shape, parameter, rows: [[0, rowsIn(shape)]] }];
  }
  const places = placesOf(model.parts.get(parameter) ?? {});
  return Object.entries(rule).flatMap(([pattern, order]) => {
    const key = fill(pattern, numbers) + rest;
    const found = order.map((parts) =>
      (typeof parts === "string" ? [parts] : parts).map((part) => placeOf(name, part, places)),
    );
    if (!key.includes("#")) {
      const rows = found.flatMap(rowsOf);
      return [{ key, shape: shapeOf(shape, rows, found[0]![0]!), parameter, rows }];
    }
    return Array.from({ length: found[0]![0]!.blocks }, (_, i) => {
      const rows = found.flatMap((parts) => parts.map((place) => blockOf(place, i)));
      return { key: key.replace("#", String(i)), shape: [heightOf(rows), shape.at(-1)!], parameter, rows };
    });
  });
}

/** Elements of a row, and the number of rows, of a weight. */
export const rowLength = (shape: readonly number[]): number => (shape.length > 1 ? shape.at(-1)! : 1);
const rowsIn = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1) / Math.max(1, rowLength(shape));

/** Where a part begins, the blocks it has, their height, and rows from one to the next. */
interface Place {
  readonly from: number;
  readonly blocks: number;
  readonly height: number;
  readonly every: number;
  /** The weight has an axis of blocks. */
  readonly stacked: boolean;
}

function placesOf(parts: Parts): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  let from = 0;
  for (const [part, size] of Object.entries(parts)) {
    const { rows, blocks, every } =
      typeof size === "number" ? { rows: size, blocks: 1, every: undefined } : { every: undefined, ...size };
    const height = rows / blocks;
    places.set(part, { from, blocks, height, every: every ?? height, stacked: every !== undefined });
    from += every === undefined ? rows : height;
  }
  return places;
}

function placeOf(name: string, part: string, places: ReadonlyMap<string, Place>): Place {
  const place = places.get(part);
  if (place === undefined) throw new RangeError(`${name}: has no part ${part}`);
  return place;
}

const blockOf = ({ from, height, every }: Place, i: number): readonly [number, number] => [from + i * every, height];
const heightOf = (rows: PublishedTensor["rows"]): number => rows.reduce((total, [, count]) => total + count, 0);

/** Rows of one part, or of several that take turns. */
function rowsOf(places: readonly Place[]): PublishedTensor["rows"] {
  const [{ from, blocks, height, every }] = places as readonly [Place, ...Place[]];
  if (places.length === 1 && every === height) return [[from, blocks * height]];
  return Array.from({ length: blocks }, (_, i) => i).flatMap((i) => places.map((place) => blockOf(place, i)));
}

/** The shape of a tensor with such rows of a weight. */
function shapeOf(
  shape: readonly number[],
  rows: PublishedTensor["rows"],
  { blocks, stacked }: Place,
): readonly number[] {
  const height = heightOf(rows);
  return stacked ? [blocks, height / blocks, shape.at(-1)!] : [height, ...shape.slice(1)];
}

interface Found {
  readonly rule: WeightRules[string] | undefined;
  readonly numbers: readonly string[];
  readonly rest: string;
}

/**
 * `layers.3.attention.in_proj.weight` for the name of a weight of a mixer, `layers:attention.3.norm.weight` for another of its layer. Of a
 * layer with a shared block both begin with `layers:shared`.
 */
function nameByKind(model: Model, name: string): string {
  const [, layer, rest] = /^layers\.(\d+)\.(.*)$/.exec(name) ?? [];
  if (layer === undefined) return name;
  const { mixers, shared } = model.resolved.layers[Number(layer)]!;
  const [, mixer, own] = /^mixer\.(?:(\d+)\.)?(.*)$/.exec(rest!) ?? [];
  const kind = own === undefined ? mixers[0]!.kind : mixers[Number(mixer ?? 0)]!.kind;
  if (shared !== undefined) return `layers:shared.${layer}.${own === undefined ? rest : `${kind}.${own}`}`;
  return own === undefined ? `layers:${kind}.${layer}.${rest}` : `layers.${layer}.${kind}.${own}`;
}

/** The longest rule that fits one of the names of a weight; of two as long, the one of the later name. */
function findRule(names: readonly string[], rules: WeightRules): Found {
  let best: Found = { rule: undefined, numbers: [], rest: "" };
  let longest = 0;
  const [plain, ...others] = names.map((name) => name.split("."));
  for (const segments of [plain!, ...others]) {
    for (const [pattern, rule] of Object.entries(rules)) {
      const parts = pattern.split(".");
      if (!fits(parts, segments) || parts.length < longest) continue;
      if (segments !== plain && fits(parts, plain!)) continue;
      longest = parts.length;
      const rest = segments.slice(parts.length);
      best = {
        rule,
        numbers: segments.filter((_, i) => parts[i] === "*"),
        rest: rest.length === 0 ? "" : `.${rest.join(".")}`,
      };
    }
  }
  return best;
}

const fits = (parts: readonly string[], segments: readonly string[]): boolean =>
  parts.every((part, i) => part === segments[i] || (part === "*" && /^\d+$/.test(segments[i] ?? "")));

/** Another name of a tensor by a family's aliases, and whether it was one with a number. */
export function canonicalName(
  key: string,
  aliases: Readonly<Record<string, string>> = {},
): { readonly name: string; readonly numbered: boolean } {
  const exact = aliases[key];
  if (exact !== undefined) return { name: exact, numbered: false };
  const segments = key.split(".");
  for (const [pattern, name] of Object.entries(aliases)) {
    const parts = pattern.split(".");
    const numbers = segments.filter((_, i) => parts[i] === "*");
    if (numbers.length > 0 && fill(pattern, numbers) === key && numbers.every((number) => /^\d+$/.test(number)))
      return { name: fill(name, numbers), numbered: true };
  }
  return { name: key, numbered: false };
}

/** Tensors that together are one weight, cut evenly instead, in the same order. */
export function cutEvenly(tensors: readonly PublishedTensor[]): PublishedTensor[] {
  const height = tensors.reduce((total, { shape }) => total + shape[0]!, 0);
  const share = Math.ceil(height / tensors.length);
  return tensors.map((tensor, i) => {
    const count = Math.max(0, Math.min(share, height - i * share));
    return { ...tensor, shape: [count, ...tensor.shape.slice(1)], rows: [[i * share, count]] };
  });
}

/** Puts numbers where a name has stars. */
function fill(name: string, numbers: readonly string[]): string {
  let at = 0;
  return name.replaceAll("*", () => numbers[at++]!);
}

import { FormatError, type Parameter } from "@statespace/core";
import { quote, type TensorEntry } from "@statespace/files";
import type { Model } from "../model/model.ts";
import type { Family } from "./family.ts";
import { WrappedNames } from "./wrappedNames.ts";
import {
  canonicalName,
  cutEvenly,
  familyTensors,
  publishedName,
  publishedTensors,
  rowLength,
  type PublishedTensor,
  type Publishing,
} from "./weightNames.ts";

/** Weights by name. */
export type NamedWeights = Map<string, { readonly shape: readonly number[]; readonly values: Float32Array }>;

/** The beginning of a tensor's name, by which a family tells that it is no part of the language model. */
export function leftOutBy({ leftOut = {} }: Pick<Family, "leftOut">, key: string): string | undefined {
  const name = WrappedNames.unwrapped(key);
  return Object.keys(leftOut).find((beginning) => name.startsWith(beginning));
}

/**
 * Pairs the tensors of a file with a model's weights. A tied model may carry a copy of its head, which is passed over, and so is what
 * the family leaves out.
 * @param unknown told of a tensor that is none of the model's; without it that is an error
 * @throws FormatError naming the key that is missing, of another shape, unknown, or there twice.
 */
export function matchWeights(
  model: Model,
  family: Pick<Family, "name" | "weights" | "place" | "aliases" | "alternatives" | "leftOut" | "evenCuts">,
  entries: ReadonlyMap<string, Pick<TensorEntry, "shape">>,
  unknown: (key: string) => void = (key) => {
    throw new FormatError(`tensor ${quote(key)} is not part of a ${family.name} model of this configuration`);
  },
): ReadonlyMap<string, PublishedTensor> {
  const { weights: rules } = family;
  const written = canonicalNames(model, family, entries.keys());
  const matched = new Map<string, PublishedTensor>();
  const asInFile = (targets: readonly PublishedTensor[]): boolean =>
    targets.every(({ key, shape }) => {
      const entry = entries.get(written.get(key) ?? "");
      return entry !== undefined && isShape(family, entry.shape, shape);
    });
  const others = byParameter(model, { ...family, weights: { ...rules, ...family.alternatives } });
  const targets = [...byParameter(model, family)].flatMap(([parameter, parts]) => {
    if (asInFile(parts)) return parts;
    const other = others.get(parameter)!;
    if (asInFile(other)) return other;
    return family.evenCuts && asInFile(cutEvenly(parts)) ? cutEvenly(parts) : parts;
  });
  for (const target of targets) {
    const key = written.get(target.key);
    if (key === undefined)
      throw new FormatError(`tensor ${quote(target.key)} is missing${othersInstead(written, targets)}`);
    const { shape } = entries.get(key)!;
    if (!isShape(family, shape, target.shape))
      throw new FormatError(
        `tensor ${quote(key)}: shape must be [${target.shape.join(", ")}] by ${family.place === undefined ? "config.json" : "the metadata"}, got [${shape.join(", ")}]`,
      );
    matched.set(key, target);
  }
  const { head } = model.resolved;
  const tied = head.kind === "language" && head.tie === true ? publishedName("head.weight", rules) : undefined;
  for (const [canonical, key] of written) if (!matched.has(key) && canonical !== tied) unknown(key);
  return matched;
}

/** Where none of a model's tensors is there, what is: config and weights are of two models. */
function othersInstead(written: ReadonlyMap<string, string>, targets: readonly PublishedTensor[]): string {
  const [first] = written.values();
  if (first === undefined || targets.some(({ key }) => written.has(key))) return "";
  return `, and so are all others that config.json tells of: the weights, such as ${quote(first)}, are those of another model`;
}

/**
 * Whether a file's shape is the one that is looked for. Tools of llama.cpp keep no axes of one element in front of the first that has more (behind the last, in
 * their order): after `llama-quantize`, the norm [1, d] of a Mamba-2 with one group is [d].
 */
function isShape({ place }: Pick<Family, "place">, shape: readonly number[], wanted: readonly number[]): boolean {
  const kept = (axes: readonly number[]): readonly number[] =>
    place === undefined
      ? axes
      : axes.slice(
          Math.max(
            0,
            axes.findIndex((size) => size !== 1),
          ),
        );
  return kept(shape).join() === kept(wanted).join();
}

/** The keys of a file by the names that the family has for them; names that others have wrapped are found where nothing else bears theirs. */
function canonicalNames(
  model: Model,
  family: Pick<Family, "weights" | "aliases" | "alternatives" | "leftOut">,
  keys: Iterable<string>,
): ReadonlyMap<string, string> {
  const { weights: rules, aliases, alternatives } = family;
  const own = [rules, { ...rules, ...alternatives }].flatMap((all) => publishedTensors(model, all));
  const known = new Set([...own.map(({ key }) => key), publishedName("head.weight", rules)]);
  const written = new Map<string, string>();
  const others: string[] = [];
  for (const key of keys) {
    if (leftOutBy(family, key) !== undefined) continue;
    const { name: canonical } = canonicalName(key, aliases);
    const twin = written.get(canonical);
    if (twin !== undefined) throw new FormatError(`tensors ${quote(key)} and ${quote(twin)} are the same weight`);
    if (known.has(canonical)) written.set(canonical, key);
    else others.push(key);
  }
  const names = new WrappedNames(
    (name) => {
      const { name: canonical } = canonicalName(name, aliases);
      return known.has(canonical) ? canonical : undefined;
    },
    publishedName("encoder.weight", rules),
  );
  for (const key of others) {
    const found = names.find(key) ?? key;
    written.set(written.has(found) ? key : found, key);
  }
  return written;
}

/** The tensors that each parameter is in a family's files. */
function byParameter(model: Model, family: Publishing): Map<Parameter, PublishedTensor[]> {
  const found = new Map<Parameter, PublishedTensor[]>();
  for (const target of familyTensors(model, family)) {
    const parts = found.get(target.parameter);
    if (parts === undefined) found.set(target.parameter, [target]);
    else parts.push(target);
  }
  return found;
}

/** Values of a parameter (a weight, a gradient) as a family's file has them. */
export function publishedValues<A extends Float32Array | Float64Array>(
  { parameter, rows, form }: PublishedTensor,
  values: A,
): A {
  const width = rowLength(parameter.shape);
  const [[start, height]] = rows as [readonly [number, number]];
  if (rows.length === 1 && form === undefined) return values.subarray(start * width, (start + height) * width) as A;
  const out = values.slice(0, rows.reduce((total, [, count]) => total + count, 0) * width) as A;
  let at = 0;
  for (const [from, count] of rows) {
    out.set(values.subarray(from * width, (from + count) * width), at * width);
    at += count;
  }
  form?.toFile(out, { row: 0, k: width });
  return out;
}

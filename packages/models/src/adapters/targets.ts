import { ArgumentError } from "@statespace/core";
import { nearestName } from "@statespace/core/backend";
import { publishedName, publishedTensors, type PublishedTensor } from "../families/weightNames.ts";
import type { Model } from "../model/model.ts";
import { familyOfModel, lastName, linearModules, moduleKey, type LinearModule } from "./modules.ts";
import { pythonPattern, type AdapterSettings } from "./settings.ts";

export const ALL_LINEAR = "all-linear";

/** Families of whose modules PEFT refuses some: it would adapt what their kernels never see. */
const REFUSING: ReadonlySet<string> = new Set(["falcon_h1", "mamba", "mamba2", "falcon_mamba", "nemotron_h"]);
const REFUSED: ReadonlySet<string> = new Set(["out_proj", "conv1d"]);

const ends = (name: string, wanted: string): boolean => name === wanted || name.endsWith(`.${wanted}`);

/** The names of some modules that PEFT refuses to adapt, told once each. */
export function refusedByPeft(model: Model, modules: readonly LinearModule[]): string[] {
  if (!REFUSING.has(model.config.family ?? "")) return [];
  return [...new Set(modules.map(({ name }) => lastName(name)).filter((name) => REFUSED.has(name)))];
}

/**
 * The linear layers that an adapter is to change, by PEFT's rules.
 * @throws ArgumentError for a name that is of none, and where nothing is left.
 */
export function selectModules(model: Model, settings: AdapterSettings): LinearModule[] {
  const modules = linearModules(model);
  const { targetModules: wanted, excludeModules, modulesToSave = [] } = settings;
  if (Array.isArray(wanted)) for (const target of wanted as readonly string[]) expectOne(model, modules, target);
  const refused = wanted === undefined ? refusedByPeft(model, modules) : [];
  const whole = modulesToSave.map((name) => pythonPattern(`(|.*\\.)${name}(|\\..*)`));
  const chosen = modules.filter(({ name, idle }) => {
    if (excludeModules !== undefined && fits(name, excludeModules)) return false;
    if (whole.some((pattern) => pattern.test(name))) return false;
    if (wanted === undefined) return !isHead(model, name) && !refused.includes(lastName(name)) && !idle;
    if (typeof wanted === "string" && wanted.toLowerCase() === ALL_LINEAR) return !isHead(model, name);
    return fits(name, wanted) && inLayers(name, settings);
  });
  if (chosen.length === 0)
    throw new ArgumentError(
      `adapter: targetModules ${JSON.stringify(wanted)} leave no linear layer; there are ${namesOf(modules)}`,
    );
  return chosen;
}

const isHead = (model: Model, name: string): boolean =>
  name === moduleKey(familyOfModel(model), publishedName("head", familyOfModel(model).weights));

function fits(name: string, wanted: string | readonly string[]): boolean {
  return typeof wanted === "string" ? pythonPattern(wanted).test(name) : wanted.some((each) => ends(name, each));
}

function inLayers(name: string, { layersToTransform, layersPattern }: AdapterSettings): boolean {
  if (layersToTransform === undefined) return true;
  const layers = typeof layersToTransform === "number" ? [layersToTransform] : layersToTransform;
  if (layers.length === 0) return true;
  const patterns = typeof layersPattern === "string" ? [layersPattern] : (layersPattern ?? []);
  const sources = patterns.length === 0 ? [".*?\\.[^.]*"] : patterns.map((pattern) => `(?:|.*?\\.)${pattern}`);
  for (const source of sources) {
    const [, index] = pythonPattern(`${source}\\.(\\d+)\\..*`).exec(name) ?? [];
    if (index !== undefined) return layers.includes(Number(index));
  }
  return false;
}

function expectOne(model: Model, modules: readonly LinearModule[], target: string): void {
  if (modules.some(({ name }) => ends(name, target))) return;
  const tensors = publishedTensors(model, familyOfModel(model).weights);
  const there = tensors.some(({ key }) => ends(key.replace(/\.[^.]*$/, ""), target));
  if (there)
    throw new ArgumentError(
      `adapter: ${target} is no linear layer; modulesToSave trains it whole. Linear layers are ${namesOf(modules)}`,
    );
  const meant = nearestName(target, new Set(modules.map(({ name }) => lastName(name))));
  throw new ArgumentError(
    `adapter: the model has no module ${target}${meant === undefined ? "" : `; ${meant} may be meant`}; its linear layers are ${namesOf(modules)}`,
  );
}

const namesOf = (modules: readonly LinearModule[]): string =>
  [...new Set(modules.map(({ name }) => lastName(name)))].join(", ");

/** What `target_modules` of a file says for some modules: ends of names where they select those and no others, else whole names. */
export function targetNames(model: Model, chosen: readonly LinearModule[]): string[] {
  const short = [...new Set(chosen.map(({ name }) => lastName(name)))];
  const selected = linearModules(model).filter(({ name }) => short.some((each) => ends(name, each)));
  return selected.length === chosen.length ? short : chosen.map(({ name }) => name);
}

/**
 * The tensors of the modules that are trained whole, by PEFT's rule: those whose names end so.
 * @throws ArgumentError for a name that is of none, for a part of a weight of ours, and for a head that is the embedding.
 */
export function wholeModules(model: Model, names: readonly string[]): PublishedTensor[] {
  const family = familyOfModel(model);
  const tensors = publishedTensors(model, family.weights);
  const found = names.flatMap((name) => {
    const own = tensors.filter(({ key }) => ancestors(moduleKey(family, key)).some((path) => path.endsWith(name)));
    if (own.length === 0)
      throw new ArgumentError(
        name === "lm_head"
          ? "adapter: modulesToSave lm_head: the head is the embedding (tied); name that instead"
          : `adapter: modulesToSave: the model has no module ${name}`,
      );
    return own;
  });
  const chosen = [...new Set(found)];
  for (const { parameter, key } of chosen)
    if (tensors.some((other) => other.parameter === parameter && !chosen.includes(other)))
      throw new ArgumentError(`adapter: modulesToSave: ${key} is kept in one with others; name them too`);
  return chosen;
}

/** Names of the modules that hold a tensor. */
function ancestors(key: string): string[] {
  const parts = key.split(".");
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join("."));
}

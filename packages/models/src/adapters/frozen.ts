import { ArgumentError, type Parameter } from "@statespace/core";
import { publishedTensors } from "../families/weightNames.ts";
import type { Model } from "../model/model.ts";
import { familyOfModel, moduleKey } from "./modules.ts";
import { pythonPattern } from "./settings.ts";

/** Weights that are not trained: a regular expression that fits whole names, or names of modules or weights, or parts of them between dots. */
export type Freeze = string | readonly string[];

/**
 * The weights of a model that are trained when some are frozen, by the names of the model's family or ours.
 * @throws ArgumentError for a name that fits none, or where none is left.
 */
export function trainedParameters(model: Model, freeze: Freeze): readonly Parameter[] {
  const family = familyOfModel(model);
  const names = new Map<Parameter, string[]>(model.parameters.map((parameter) => [parameter, [parameter.name]]));
  for (const { key, parameter } of publishedTensors(model, family.weights))
    names.get(parameter)!.push(key, moduleKey(family, key));
  const wanted = typeof freeze === "string" ? [freeze] : freeze;
  const frozen = new Set<Parameter>();
  for (const each of wanted) {
    const fits = fitsName(each, typeof freeze === "string");
    const found = model.parameters.filter((parameter) => names.get(parameter)!.some(fits));
    if (found.length === 0) throw new ArgumentError(`freeze: no weight has a name that ${each} fits`);
    for (const parameter of found) frozen.add(parameter);
  }
  const rest = model.parameters.filter((parameter) => !frozen.has(parameter));
  if (rest.length === 0) throw new ArgumentError("freeze: no weight is left to train");
  return rest;
}

function fitsName(wanted: string, isPattern: boolean): (name: string) => boolean {
  if (!isPattern) return (name) => `.${name}.`.includes(`.${wanted}.`);
  const pattern = pythonPattern(wanted);
  return (name) => pattern.test(name);
}

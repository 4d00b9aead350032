import { familyNamed } from "../families/registry.ts";
import { publishedTensors, type PublishedTensor } from "../families/weightNames.ts";
import type { Family } from "../families/family.ts";
import type { Linear } from "../layers/linear.ts";
import type { Model } from "../model/model.ts";

/** A linear layer as the model's family has it: a whole projection of ours, or a part of one. */
export interface LinearModule {
  /** `model.layers.0.self_attn.q_proj` */
  readonly name: string;
  readonly linear: Linear;
  /** Rows of our weight that are its rows, in its order. */
  readonly rows: PublishedTensor["rows"];
  /** transformers takes its weight without calling it, so that an adapter on it does nothing before it is merged; nor does it here. */
  readonly idle: boolean;
}

/** The name of a module within the one that holds it. */
export function lastName(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

/** The family that says what a model's modules are called. */
export function familyOfModel(model: Model): Family {
  return familyNamed(model.config.family ?? "statespace");
}

/** What transformers calls a tensor, where its files call it otherwise. */
export function moduleKey({ modules = {} }: Family, key: string): string {
  const beginning = Object.keys(modules).find((name) => key.startsWith(`${name}.`));
  return beginning === undefined ? key : `${modules[beginning]!}${key.slice(beginning.length)}`;
}

/** Every linear layer of a model, in the order of the forward pass. */
export function linearModules(model: Model): LinearModule[] {
  const family = familyOfModel(model);
  const byWeight = new Map([...model.linears.values()].map((linear) => [linear.weight, linear]));
  return publishedTensors(model, family.weights).flatMap(({ key, parameter, rows }) => {
    const linear = byWeight.get(parameter);
    if (linear === undefined) return [];
    const name = moduleKey(family, key.replace(/\.weight$/, ""));
    return [{ name, linear, rows, idle: family.weightOnly?.includes(lastName(name)) ?? false }];
  });
}

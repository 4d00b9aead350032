import { Rng } from "@statespace/core";
import type { Model } from "../model/model.ts";
import { Adapter, copyWhole, wholeWeights } from "./adapter.ts";
import { LowRank } from "./lowRank.ts";
import { lastName, type LinearModule } from "./modules.ts";
import { resolveAdapterOptions, strengthOf, type AdapterOptions, type AdapterSettings } from "./settings.ts";
import { refusedByPeft, selectModules, wholeModules } from "./targets.ts";

/** Options of `addAdapter`. */
export interface AddAdapterOptions extends AdapterOptions {
  /** Told, in one line, what others may not take of it; a warning on the console unless told. */
  readonly notice?: ((line: string) => void) | undefined;
}

/**
 * Makes a new adapter for a model, which changes nothing before it is trained, and switches it on.
 * @throws ArgumentError naming the option that is unknown or out of range, or the module that is not there.
 */
export async function addAdapter(
  model: Model,
  // Whoever trains an adapter for days must not learn afterwards that PEFT does not load it.
  { notice = (line) => console.warn(line), ...options }: AddAdapterOptions = {},
): Promise<Adapter> {
  const settings = resolveAdapterOptions(options);
  const modules = selectModules(model, settings);
  const whole = wholeWeights(wholeModules(model, settings.modulesToSave ?? []));
  for (const name of refusedByPeft(model, modules))
    notice(`adapter: PEFT refuses ${name} of ${model.config.family} models, and so a saved adapter that has it`);
  const idle = [...new Set(modules.filter((module) => module.idle).map(({ name }) => lastName(name)))];
  for (const name of idle)
    notice(
      `adapter: as in transformers, what is on ${name} of ${model.config.family} models has no effect before it is merged`,
    );
  const lowRanks = makeLowRanks(modules, settings, new Rng(settings.seed ?? 0));
  const adapter = new Adapter({ model, settings, lowRanks, whole });
  try {
    for (const weight of whole) await copyWhole(weight);
    if (settings.useDora) await adapter.startMagnitudes();
    return adapter.on();
  } catch (error) {
    adapter.dispose();
    throw error;
  }
}

/** @param rng of the first values; none where a file brings them */
export function makeLowRanks(modules: readonly LinearModule[], settings: AdapterSettings, rng?: Rng): LowRank[] {
  return modules.map(
    (module) =>
      new LowRank(module, {
        ...strengthOf(settings, module.name),
        dora: settings.useDora,
        gaussian: settings.init === "gaussian",
        rng,
      }),
  );
}

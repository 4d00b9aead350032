import { ArgumentError } from "@statespace/core";
import type { FloatStorage, JsonObject, WeightsFormat } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import type { Mamba3MixerConfig } from "../mixers/mamba3/config.ts";
import type { MixerKind } from "../mixers/registry.ts";
import type { ModelConfig, ResolvedMixer, ResolvedModel } from "../model/config.ts";
import type { Publishing, WeightRules } from "./weightNames.ts";

/** What a published config leaves open. */
export interface FamilyOptions {
  /** Activation of A in Mamba-3 models, which their files do not name; the heavy-tail one, that of the current official source, unless told. */
  readonly aActivation?: Mamba3MixerConfig["aActivation"] | undefined;
  /**
   * What the gated norm of `mamba2` files takes together: all channels, as transformers does, or those of each group, as `mamba_ssm` does, with
   * which Codestral-Mamba was trained. Groups for weights of Codestral-Mamba's sizes, all for others, unless told.
   */
  readonly normGroups?: "all" | "groups" | undefined;
}

/** One published family of models: how its files say what our config says, and what they call the weights. */
export interface Family extends Publishing {
  readonly name: string;
  /** Whether a parsed `config.json` is of this family. */
  detect(config: JsonObject): boolean;
  /** Our config of theirs. @throws FormatError naming the key. */
  read(fields: ConfigFields, options: FamilyOptions): ModelConfig;
  /** Their config of ours; absent of a family that is only read. @throws ArgumentError naming the setting that it cannot express. */
  write?(model: ResolvedModel, dtype: FloatStorage): JsonObject;
  /** `config.json` as text; plain JSON unless told. */
  stringify?(config: JsonObject): string;
  /** What its files of weights are, where its loader reads another kind than `model.safetensors`, and the names that they have for a tied head. */
  readonly archive?: { readonly format: WeightsFormat; readonly tied: Readonly<Record<string, string>> };
  /** Beginnings of names of tensors that its files have beside the language model, and what they are; they are left out. */
  readonly leftOut?: Readonly<Record<string, string>>;
  /** Other names that its files have for a weight; `*` is a number. A name with a `*` is kept when the weight is saved again. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Names and cuts that its files may have in place of those in `weights`; a weight is saved as it came. */
  readonly alternatives?: WeightRules;
  /**
   * Its files may cut a weight that they keep in parts evenly, whatever the parts' sizes, as transformers 5 does when it saves a weight
   * that it had joined. It joins them again, and so do we; saved, the cuts stay as they were.
   */
  readonly evenCuts?: boolean;
  /** Beginnings of names that transformers' modules have otherwise than the files: adapters go by the modules. */
  readonly modules?: Readonly<Record<string, string>>;
  /** Last names of linear layers whose weight transformers takes without calling them: what PEFT hangs on them has no effect. */
  readonly weightOnly?: readonly string[];
}

/** @throws ArgumentError telling that a family cannot express a setting. */
export function expressible(family: string, ok: boolean, setting: string, got: unknown): void {
  if (!ok) throw new ArgumentError(`${family}: cannot express ${setting} = ${JSON.stringify(got) ?? "undefined"}`);
}

/** The settings that all layers of a kind share; `undefined` where there is none. @throws ArgumentError where they differ. */
export function sharedSettings<Config extends object>(
  family: string,
  model: ResolvedModel,
  kind: MixerKind,
): Config | undefined {
  const all = model.layers.flatMap(({ mixers }) => mixers.filter((mixer) => mixer.kind === kind));
  const [first] = all;
  const settings = ({ config, projections }: ResolvedMixer): string => JSON.stringify([config, projections]);
  const same = all.every((mixer) => settings(mixer) === settings(first!));
  expressible(family, same, `settings of ${kind} layers`, "different ones");
  return first?.config as Config | undefined;
}

/** @throws ArgumentError unless every layer is one mixer of these kinds, without factors, its norms before it unless told. */
export function expectPlainLayers(
  family: string,
  model: ResolvedModel,
  kinds: readonly MixerKind[],
  placements: Partial<Record<MixerKind, "before" | "after">> = {},
): void {
  model.layers.forEach(({ mixers, normPlacement, shared }, i) => {
    const [mixer] = mixers;
    expressible(family, shared === undefined, `layers.${i}.shared`, shared?.block);
    const { inputMultiplier, outputMultiplier, projections } = mixer!;
    const plain =
      mixers.length === 1 && inputMultiplier === 1 && outputMultiplier === 1 && Object.keys(projections).length === 0;
    expressible(
      family,
      plain && kinds.includes(mixer!.kind) && normPlacement === (placements[mixer!.kind] ?? "before"),
      `layers.${i}`,
      mixers.map(({ kind }) => kind),
    );
  });
}

import type { ConfigFields } from "../config/fields.ts";
import { mlpSchema, type MlpConfig, type MlpSettings } from "../layers/mlpConfig.ts";
import type { ResolvedModel } from "../model/config.ts";
import { expressible } from "./family.ts";
import type { WeightRules } from "./weightNames.ts";

/** What files call the projections of a gated MLP. */
interface GatedNames {
  readonly gate: string;
  readonly up: string;
  readonly down: string;
}

const USUAL: GatedNames = { gate: "gate_proj", up: "up_proj", down: "down_proj" };

/** Where such files have a gated MLP. */
export function mlpWeights(theirs: string, ours = "layers.*.mlp", { gate, up, down }: GatedNames = USUAL): WeightRules {
  return {
    [`${ours}.fc1`]: { [`${theirs}.${gate}`]: ["gate"], [`${theirs}.${up}`]: ["up"] },
    [`${ours}.fc2`]: `${theirs}.${down}`,
  };
}

/** Where such files have the matrices of gated experts, each by itself. */
export function expertWeights(theirs: string, { gate, up, down }: GatedNames = USUAL): WeightRules {
  const of = (projection: string): string => `${theirs}.#.${projection}.weight`;
  return {
    "layers.*.mlp.experts.fc1.weight": { [of(gate)]: ["gate"], [of(up)]: ["up"] },
    "layers.*.mlp.experts.fc2.weight": { [of(down)]: ["down"] },
  };
}

/** The same, those of all experts in one: as transformers 5 has them in memory, and some files. */
export function joinedExpertWeights(theirs: string): WeightRules {
  return {
    "layers.*.mlp.experts.fc1.weight": { [`${theirs}.gate_up_proj`]: [["gate", "up"]] },
    "layers.*.mlp.experts.fc2.weight": { [`${theirs}.down_proj`]: ["down"] },
  };
}

/** The MLPs of a model that are mixtures of experts, or those that are not, wherever they stand. @throws ArgumentError where they differ */
export function sharedMlp(family: string, model: ResolvedModel, mixtures: boolean): MlpConfig | undefined {
  const all = model.layers
    .flatMap(({ mlp, mixers }) => [
      mlp,
      ...mixers.flatMap(({ kind, config }) => (kind === "mlp" ? [config as MlpConfig] : [])),
    ])
    .filter((mlp) => mlp !== undefined && mlp.experts > 0 === mixtures);
  const [first] = all;
  const same = all.every((mlp) => JSON.stringify(mlp) === JSON.stringify(first));
  expressible(family, same, mixtures ? "experts" : "mlp", "different ones");
  return first;
}

/** @throws ArgumentError unless an MLP is what a family reads back of what it can say. */
export function expectMlp(family: string, mlp: MlpConfig | undefined, readBack: MlpSettings): void {
  if (mlp === undefined) return;
  const expected = mlpSchema.resolve(mlp.dModel, readBack);
  expressible(family, JSON.stringify(mlp) === JSON.stringify(expected), "mlp", mlp);
}

/** @throws ArgumentError unless every layer has an MLP. */
export function expectMlps(family: string, model: ResolvedModel): void {
  model.layers.forEach(({ mlp }, i) => expressible(family, mlp !== undefined, `layers.${i}.mlp`, mlp));
}

/** How many experts a token goes through, by the name that all such files have for it. */
export function readExpertsPerToken(fields: ConfigFields, standard: number): number {
  return fields.integer("num_experts_per_tok", standard);
}

import type { ConfigOf, GivenOf, Known } from "../../config/field.ts";
import { Schema } from "../../config/schema.ts";
import { checkHeads, headFields, widthFields } from "../heads.ts";
import { checkSteps, stepFields } from "../steps.ts";

/** The fields that only Mamba-3 has. */
const ownFields = {
  dState: { type: "integer", default: 64, doc: "state entries of a channel (n)", names: { mamba_ssm: "d_state" } },
  chunkSize: {
    type: "integer",
    max: 65536,
    default: 64,
    doc: "tokens that one matrix product of the scan takes",
    names: { mamba_ssm: "chunk_size" },
  },
  mimo: {
    type: "boolean",
    default: false,
    doc: "a head writes and reads its state mimoRank times a token",
    names: { mamba_ssm: "is_mimo" },
  },
  mimoRank: {
    type: "integer",
    max: 4096,
    default: { text: "4 with mimo, else 1", of: (known: Known): number => (known.is("mimo", true) ? 4 : 1) },
    doc: "inputs and outputs of a head (r); 1 without mimo",
  },
  ropeFraction: {
    type: "number",
    optional: true,
    min: 0,
    max: 1,
    doc: "share of the state that turns, in published files 0.5 or 1",
    names: { mamba_ssm: "rope_fraction" },
  },
  nRopeAngles: {
    type: "integer",
    default: { text: "ropeFraction, or half, of dState / 2", of: (known: Known): number => angleCount(known) },
    doc: "angles a token, shared by the heads (s); each turns two entries of the state",
  },
  aFloor: {
    type: "number",
    min: 0,
    max: 1e6,
    default: 1e-4,
    doc: "A is at most minus this",
    names: { mamba_ssm: "A_floor" },
  },
  aActivation: {
    type: "choice",
    choices: ["heavyTail", "softplus"],
    default: "heavyTail",
    doc: "what makes A of its projection: `heavyTail` is 1 + x, or 1 / (1 - x) below 0; the first release had `softplus`",
  },
  outProjNorm: {
    type: "boolean",
    default: false,
    doc: "gated RMS norm over each head before the projection back",
    names: { mamba_ssm: "is_outproj_norm" },
  },
} as const;

function angleCount(known: Known): number {
  const share = known.given("ropeFraction") ? known.num("ropeFraction") : 0.5;
  return Math.max(1, Math.floor((known.num("dState") * share) / 2));
}

type Mamba3Fields = typeof widthFields & typeof headFields & typeof ownFields & typeof stepFields;
/** What one Mamba-3 layer is made of. Sizes count elements. */
export type Mamba3MixerConfig = ConfigOf<Mamba3Fields>;

/** The settings of a Mamba-3 layer. */
export const mamba3Schema: Schema<Mamba3MixerConfig, GivenOf<Mamba3Fields>> = new Schema(
  "mamba3",
  [widthFields, headFields, ownFields, stepFields],
  (config, fail) => {
    checkHeads(config, fail);
    checkSteps(config, fail);
    if (!config.mimo && config.mimoRank !== 1) fail("mimoRank", "must be 1 without mimo");
    if (2 * config.nRopeAngles > config.dState)
      fail("nRopeAngles", `must be at most dState / 2 = ${config.dState / 2}`);
  },
);

import type { Fields } from "../config/field.ts";
import type { ConfigFields } from "../config/fields.ts";
import type { Schema } from "../config/schema.ts";
import type { Mixer } from "../layers/mixer.ts";
import type { ParameterBuilder } from "../layers/parameterBuilder.ts";
import { attentionSchema } from "./attention/config.ts";
import { AttentionMixer } from "./attention/mixer.ts";
import { gatedDeltaSchema } from "./gatedDelta/config.ts";
import { GatedDeltaMixer } from "./gatedDelta/mixer.ts";
import { lsslSchema } from "./lssl/config.ts";
import { LsslMixer } from "./lssl/mixer.ts";
import { mambaSchema } from "./mamba/config.ts";
import { MambaMixer } from "./mamba/mixer.ts";
import { mamba2Schema } from "./mamba2/config.ts";
import { Mamba2Mixer } from "./mamba2/mixer.ts";
import { mamba3Schema } from "./mamba3/config.ts";
import { Mamba3Mixer } from "./mamba3/mixer.ts";
import { mlpSchema } from "../layers/mlpConfig.ts";
import { MlpMixer } from "./mlp/mixer.ts";
import { gruSchema, lstmSchema } from "./recurrent/config.ts";
import { GruMixer } from "./recurrent/gru.ts";
import { LstmMixer } from "./recurrent/lstm.ts";
import { rgLruSchema } from "./rgLru/config.ts";
import { RgLruMixer } from "./rgLru/mixer.ts";
import { dssSchema, s4dSchema, s4Schema } from "./s4/config.ts";
import { S4Mixer } from "./s4/mixer.ts";
import { s5Schema } from "./s5/config.ts";
import { S5Mixer } from "./s5/mixer.ts";
import { shortConvSchema } from "./shortConv/config.ts";
import { ShortConvMixer } from "./shortConv/mixer.ts";

/** A kind of mixer: its settings, and how it is made of them. */
export interface MixerDefinition {
  readonly fields: Fields;
  /** Reads the settings of one layer of `dModel` channels. @throws FormatError or ArgumentError naming the setting. */
  read(fields: ConfigFields, dModel: number): ReadMixer;
}

/** Settings that were read and checked, and the mixer of them. */
export interface ReadMixer {
  /** Every setting, defaults filled in. */
  readonly config: object;
  make(build: ParameterBuilder): Mixer;
}

function define<Config extends { readonly dModel: number }, Given extends object>(
  schema: Schema<Config, Given>,
  Mixer: new (config: Config, build: ParameterBuilder) => Mixer,
): MixerDefinition {
  return {
    fields: schema.fields,
    read(fields, dModel) {
      const config = schema.read(fields, dModel);
      return { config, make: (build) => new Mixer(config, build) };
    },
  };
}

/** Every mixer of a block has a factor on its output, so that one of an MLP in a mixer's place is the block's to apply. */
const mlpMixer: MixerDefinition = {
  fields: mlpSchema.fields,
  read(fields, dModel) {
    const config = { ...mlpSchema.read(fields, dModel), outputMultiplier: 1 };
    return { config, make: (build) => new MlpMixer(config, build) };
  },
};

/** Every kind of mixer by the name that configs have for it. */
export const mixers = {
  lssl: define(lsslSchema, LsslMixer) as MixerDefinition,
  s4: define(s4Schema, S4Mixer) as MixerDefinition,
  s4d: define(s4dSchema, S4Mixer) as MixerDefinition,
  dss: define(dssSchema, S4Mixer) as MixerDefinition,
  s5: define(s5Schema, S5Mixer) as MixerDefinition,
  mamba: define(mambaSchema, MambaMixer) as MixerDefinition,
  mamba2: define(mamba2Schema, Mamba2Mixer) as MixerDefinition,
  mamba3: define(mamba3Schema, Mamba3Mixer) as MixerDefinition,
  gatedDelta: define(gatedDeltaSchema, GatedDeltaMixer) as MixerDefinition,
  shortConv: define(shortConvSchema, ShortConvMixer) as MixerDefinition,
  rgLru: define(rgLruSchema, RgLruMixer) as MixerDefinition,
  gru: define(gruSchema, GruMixer) as MixerDefinition,
  lstm: define(lstmSchema, LstmMixer) as MixerDefinition,
  attention: define(attentionSchema, AttentionMixer) as MixerDefinition,
  mlp: mlpMixer as MixerDefinition,
};

/** What a mixer can be. */
export type MixerKind = keyof typeof mixers;

/** The names of all kinds. */
export const mixerKinds: readonly MixerKind[] = Object.keys(mixers) as MixerKind[];

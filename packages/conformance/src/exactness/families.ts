import { readdirSync } from "node:fs";
import { fromPretrained, Model, type ModelConfig } from "@statespace/models";

/** A model to try sessions on. */
export interface Family {
  readonly name: string;
  /** Made anew on a backend, by name. */
  make(backend: string): Promise<Model>;
}

const GOLDEN = new URL("../golden/hf/", import.meta.url);
/** From the sources this file is a folder deeper than from the build. */
const GOLDEN_OF_SOURCES = new URL("../../golden/hf/", import.meta.url);

function folders(): { from: URL; names: string[] } {
  for (const from of [GOLDEN, GOLDEN_OF_SOURCES]) {
    try {
      return { from, names: readdirSync(from).toSorted() };
    } catch {
      // The other place then.
    }
  }
  throw new Error("exactness: the folder of golden checkpoints is not there");
}

const shared = {
  dModel: 16,
  encoder: { kind: "embedding", vocabSize: 97 },
  head: { kind: "language" },
  norm: "rms",
  initializerRange: 0.5,
} as const;

/** Mixers that no published family has. */
const OWN: Readonly<Record<string, ModelConfig>> = {
  mamba3: {
    ...shared,
    layers: [
      { kind: "mamba3", nHeads: 4, headDim: 8, dState: 8, chunkSize: 16 },
      { kind: "mamba3", nHeads: 4, headDim: 8, dState: 8, mimo: true, mimoRank: 2, chunkSize: 16 },
    ],
  },
  lti: {
    ...shared,
    layers: [
      { kind: "s4d", dState: 4 },
      { kind: "s4", dState: 4, kernelLength: 16 },
      { kind: "dss", dState: 4, kernelLength: 16 },
      { kind: "s5", dState: 8, blocks: 2 },
      { kind: "lssl", dState: 4 },
    ],
  },
  windows: {
    ...shared,
    layers: [
      { kind: "attention", nHeads: 4, nHeadsKv: 2, rotaryDim: 4, window: 5, sinks: true },
      { kind: "mamba", dState: 4, mlp: { hidden: 16, experts: 4, expertsPerToken: 2 } },
      { kind: "attention", nHeads: 2, rotaryDim: 8, sinks: true, softCap: 9 },
      { kind: "attention", nHeads: 2, nHeadsKv: 1, window: 20, rotaryScaling: { type: "llama3", factor: 4 } },
    ],
  },
  recurrent: { ...shared, layers: [{ kind: "gru" }, { kind: "lstm" }] },
};

/** Every family there is a small checkpoint of, and models of the mixers that none of them has. */
export function exactnessFamilies(): Family[] {
  const { from, names } = folders();
  return [
    ...names.map((name) => ({
      name,
      make: (backend: string) => fromPretrained(new URL(`${name}/`, from), { backend }),
    })),
    ...Object.entries(OWN).map(([name, config]) => ({
      name,
      make: async (backend: string) => new Model(config, 11, { backend }),
    })),
  ];
}

import { readdirSync, readFileSync } from "node:fs";
import { Rng, StatespaceError } from "@statespace/core";
import { expect, test } from "vitest";
import { Model, parseModelConfig } from "../../src/index.ts";

const golden = new URL("../../../conformance/golden/hf/", import.meta.url);
const mambaSsm = `{"d_model": 32, "n_layer": 2, "vocab_size": 90, "ssm_cfg": {"layer": "Mamba3", "headdim": 16, "is_mimo": true, "mimo_rank": 2},
 "attn_layer_idx": [1], "attn_cfg": {"num_heads": 4, "causal": true}, "rms_norm": true, "d_intermediate": 40, "pad_vocab_size_multiple": 8}`;
const ROUNDS = 10_000;

/** What attackers and broken disks write: JSON's own characters, numbers at the edges, keys that objects treat specially. */
const fragments = [
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  '"',
  "\\",
  "\\u",
  "null",
  "true",
  "-1",
  "-0",
  "0",
  "1e999",
  "1e308",
  "9007199254740993",
  "18446744073709551616",
  "0.5",
  "NaN",
  "Infinity",
  '"__proto__":',
  '"constructor"',
  '"F64"',
  '"auto"',
  '{"__float__":"Infinity"}',
  "\0",
  "é",
  "[".repeat(500),
];

function mutate(text: string, rng: Rng): string {
  const at = (): number => Math.floor(rng.uniform(0, text.length + 1));
  for (let edits = 1 + Math.floor(rng.uniform(0, 3)); edits > 0; edits--) {
    const from = at();
    const length = Math.floor(rng.uniform(0, 12));
    switch (Math.floor(rng.uniform(0, 5))) {
      case 0:
        text = text.slice(0, from) + text.slice(from + length);
        break;
      case 1:
        text = text.slice(0, from) + fragments[Math.floor(rng.uniform(0, fragments.length))] + text.slice(from);
        break;
      case 2: {
        const copied = at();
        text = text.slice(0, from) + text.slice(copied, copied + 40) + text.slice(from);
        break;
      }
      case 3:
        text = text.slice(0, from) + String.fromCharCode(Math.floor(rng.uniform(0, 256))) + text.slice(from + 1);
        break;
      default: {
        // One number becomes another: the mutation most likely to stay valid JSON and lie.
        const numbers = [...text.matchAll(/\d+/g)];
        const hit = numbers[Math.floor(rng.uniform(0, numbers.length))];
        if (hit === undefined) break;
        const number = [0, 1, 3, 7, 255, 2 ** 31, 2 ** 53, Number(hit[0]) + 1, Number(hit[0]) * 2][
          Math.floor(rng.uniform(0, 9))
        ];
        text = text.slice(0, hit.index) + String(number) + text.slice(hit.index + hit[0].length);
      }
    }
  }
  return text;
}

/** Runs `parse`; the only throw allowed is a typed error with a message. */
function survive(parse: () => unknown, input: string): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    if (!(error instanceof StatespaceError) || error.message.length === 0)
      throw new Error(`untyped ${String(error)} for ${input.slice(0, 300)}`, { cause: error });
    return false;
  }
}

/** Every number of the settings of a layer's mixers. */
function numbersOf(layer: unknown): number[] {
  const { mixers = [layer] } = layer as { mixers?: readonly unknown[] };
  return mixers.flatMap((mixer) => Object.values(mixer as object)).filter((value) => typeof value === "number");
}

test(`${ROUNDS} mutated configs of every family: parsed into sane numbers or refused with a typed error`, () => {
  const rng = new Rng(12);
  const all = readdirSync(golden).map((model) => readFileSync(new URL(`${model}/config.json`, golden), "utf8"));
  const texts = [...all, mambaSsm];
  let accepted = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const text = mutate(texts[round % texts.length]!, rng);
    const ok = survive(() => {
      const config = parseModelConfig(text);
      const { encoder, dModel, layers } = config;
      const vocabSize = encoder.kind === "embedding" ? encoder.vocabSize : 0;
      for (const size of [vocabSize, dModel, layers.length])
        if (!Number.isInteger(size) || size < 1 || size > 2 ** 35) throw new Error(`size ${size}`);
      for (const value of layers.slice(0, 4).flatMap(numbersOf))
        if (Number.isNaN(value) || Math.abs(value) > 1e308) throw new Error(`value ${value}`);
      if (layers.length < 100) expect(new Model(config, "empty").config.dModel).toBe(dModel); // takes no memory
    }, text);
    if (ok) accepted++;
  }
  expect(accepted).toBeGreaterThan(0);
  expect(accepted).toBeLessThan(ROUNDS);
});

import { readFileSync } from "node:fs";
import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { memory, registerBackend, setBackend } from "@statespace/core";
import { beamSearch, fromPretrained, Session } from "@statespace/models";
import { beforeAll, describe, expect, it } from "vitest";

/** As `generate_beams.py` writes it. */
interface Golden {
  readonly family: string;
  readonly options: {
    readonly num_beams: number;
    readonly max_new_tokens: number;
    readonly length_penalty?: number;
    readonly num_return_sequences?: number;
    readonly early_stopping?: boolean | "never";
    readonly eos_token_id?: readonly number[];
    readonly no_repeat_ngram_size?: number;
  };
  readonly sequences: readonly (readonly number[])[];
  readonly scores: readonly number[];
}

const GOLDEN = new URL("../golden/", import.meta.url);
const cases = JSON.parse(readFileSync(new URL("beams/beams.json", GOLDEN), "utf8")) as Golden[];

describe.each(["cpu", "wasm"])("beam search on %s", (backend) => {
  beforeAll(async () => {
    registerBackend(cpuBackend());
    registerBackend(wasmBackend({ threads: 1 }));
    await setBackend(backend);
  });

  it.each(cases.map((golden) => [`${golden.family} ${JSON.stringify(golden.options)}`, golden] as const))(
    "%s: the texts and scores of transformers",
    async (_, { family, options, sequences, scores }) => {
      const before = memory().tensors;
      const model = await fromPretrained(new URL(`hf/${family}/`, GOLDEN));
      const session = new Session(model);
      await session.read([1, 7, 3, 11]);
      const eosTokenIds = options.eos_token_id ?? [];
      const beams = await beamSearch(session, {
        numBeams: options.num_beams,
        maxNewTokens: options.max_new_tokens,
        lengthPenalty: options.length_penalty ?? 1,
        numReturnSequences: options.num_return_sequences ?? 1,
        earlyStopping: options.early_stopping ?? false,
        noRepeatNgramSize: options.no_repeat_ngram_size ?? 0,
        eosTokenIds,
      });
      // Theirs are padded behind their end.
      const untilEos = (ids: readonly number[]): readonly number[] => {
        const at = ids.findIndex((id) => eosTokenIds.includes(id));
        return at < 0 ? ids : ids.slice(0, at + 1);
      };
      expect(beams.map(({ ids }) => ids)).toEqual(sequences.map(untilEos));
      // Float32 against float64: log probabilities of up to 16 tokens, each some units off in its seventh digit.
      beams.forEach(({ score }, i) => expect(Math.abs(score - scores[i]!)).toBeLessThan(1e-5));
      expect(session.ids).toEqual([1, 7, 3, 11]);
      for (const thing of [session, model]) thing.dispose();
      expect(memory().tensors).toBe(before);
    },
  );
});

it("refuses options that are none or out of range", async () => {
  registerBackend(cpuBackend());
  await setBackend("cpu");
  const model = await fromPretrained(new URL("hf/mamba-tiny/", GOLDEN));
  const session = new Session(model);
  await session.read([1]);
  const refused: [object, string][] = [
    [{ numBeams: 0 }, "beamSearch: numBeams must be a whole number in 1.."],
    [{ numReturnSequences: 5 }, "beamSearch: numReturnSequences must be a whole number in 1..4, got 5"],
    [{ lengthPenalty: Number.NaN }, "lengthPenalty must be a finite number"],
    [{ earlyStopping: "no" }, "earlyStopping must be true, false"],
    [{ num_beams: 3 }, "numBeams may be meant"],
    [{ temperature: 1 }, "beamSearch: has no option temperature"],
  ];
  for (const [options, message] of refused) await expect(beamSearch(session, options)).rejects.toThrow(message);
  expect(await beamSearch(session, { maxNewTokens: 0 })).toEqual([]);
  await expect(beamSearch(session, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortedError" });
  for (const thing of [session, model]) thing.dispose();
});

import { FormatError } from "@statespace/core";
import { describe, expect, it } from "vitest";
import { loadGenerationConfig, parseGenerationConfig, withDefaults } from "../../src/index.ts";

describe("generation_config.json", () => {
  it("says what sampling does unless told, and nothing more", () => {
    expect(
      parseGenerationConfig({
        _from_model_config: true,
        bos_token_id: 1,
        do_sample: true,
        temperature: 0.8,
        top_k: 50,
        top_p: 0.95,
        min_p: 0.05,
        repetition_penalty: 1.1,
        max_new_tokens: 200,
        eos_token_id: [2, 107],
        transformers_version: "5.18.0",
      }),
    ).toEqual({
      greedy: false,
      temperature: 0.8,
      topK: 50,
      topP: 0.95,
      minP: 0.05,
      repetitionPenalty: 1.1,
      maxNewTokens: 200,
      eosTokenIds: [2, 107],
    });
    expect(parseGenerationConfig({ eos_token_id: 0, top_p: null })).toEqual({ eosTokenIds: [0] });
    expect(parseGenerationConfig({ do_sample: false, temperature: 0.6 })).toEqual({ greedy: true, temperature: 0.6 });
  });

  it.each([
    ["top_p", 0],
    ["top_p", "0.9"],
    ["temperature", -1],
    ["top_k", 1.5],
    ["repetition_penalty", 0],
    ["eos_token_id", [-1]],
    ["do_sample", "yes"],
  ])("refuses %s = %j by name", (key, value) => {
    expect(() => parseGenerationConfig({ [key]: value })).toThrow(FormatError);
    expect(() => parseGenerationConfig({ [key]: value })).toThrow(`generation_config.json: ${key} must be`);
  });

  it("is read from a folder, where there is one", async () => {
    const bytes = new TextEncoder().encode('{"do_sample": true, "temperature": 0.5}');
    expect(await loadGenerationConfig({ "generation_config.json": bytes })).toEqual({
      greedy: false,
      temperature: 0.5,
    });
    expect(await loadGenerationConfig({ "config.json": bytes })).toEqual({});
  });

  it("gives way to what is asked for", () => {
    const defaults = { greedy: true, topP: 0.9, maxNewTokens: 5 };
    expect(withDefaults(defaults, {})).toEqual(defaults);
    expect(withDefaults(defaults, { temperature: 0.7 })).toEqual({ temperature: 0.7, topP: 0.9, maxNewTokens: 5 });
    expect(withDefaults(defaults, { greedy: false, maxNewTokens: 9 })).toEqual({
      greedy: false,
      topP: 0.9,
      maxNewTokens: 9,
    });
  });
});

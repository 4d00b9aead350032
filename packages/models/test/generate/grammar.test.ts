import { cpuBackend } from "@statespace/backend-cpu";
import { Rng, setBackend } from "@statespace/core";
import { ByteTokenizer, type Tokenizer } from "@statespace/text";
import { beforeAll, describe, expect, it } from "vitest";
import { compileGrammar } from "../../src/grammar/index.ts";
import { Model, Scheduler, Session } from "../../src/index.ts";

const tokenizer = new ByteTokenizer();
const EOS = 256;

const make = (): Model =>
  new Model(
    {
      dModel: 8,
      encoder: { kind: "embedding", vocabSize: 264 },
      layers: [{ kind: "mamba", dState: 4 }],
      head: { kind: "language" },
      norm: "rms",
      initializerRange: 0.7,
    },
    7,
  );

type Schema = Readonly<Record<string, unknown>>;

function randomSchema(rng: Rng, depth = 0): Schema {
  const kind = rng.integer(depth > 2 ? 4 : 6);
  if (kind === 0) return { type: "integer" };
  if (kind === 1) return { type: "boolean" };
  if (kind === 2) return { enum: ["red", "green", 7, null].slice(rng.integer(3)) };
  if (kind === 3) return rng.uniform() < 0.5 ? { type: "string" } : { type: "string", pattern: "^[a-z]{1,4}$" };
  if (kind === 4)
    return { type: "array", items: randomSchema(rng, depth + 1), minItems: 1, maxItems: 1 + rng.integer(3) };
  const names = ["name", "age", "tags", "größe"].slice(0, 1 + rng.integer(4));
  const properties = Object.fromEntries(names.map((name) => [name, randomSchema(rng, depth + 1)]));
  return { type: "object", properties, required: names.filter(() => rng.uniform() < 0.7), additionalProperties: false };
}

/** Whether a value is what a schema of `randomSchema` says. */
function fits(value: unknown, schema: Schema): boolean {
  const { type, items, properties, required } = schema as {
    type?: string;
    items?: Schema;
    properties?: Record<string, Schema>;
    required?: string[];
  };
  if ("enum" in schema) return (schema["enum"] as unknown[]).includes(value);
  if (type === "integer") return Number.isInteger(value);
  if (type === "boolean") return typeof value === "boolean";
  if (type === "string")
    return typeof value === "string" && new RegExp((schema["pattern"] as string) ?? "").test(value);
  if (type === "array")
    return (
      Array.isArray(value) &&
      value.length >= 1 &&
      value.length <= (schema["maxItems"] as number) &&
      value.every((item) => fits(item, items!))
    );
  const entries = Object.entries(value as object);
  return (
    required!.every((name) => name in (value as object)) &&
    entries.every(([name, own]) => properties![name] !== undefined && fits(own, properties![name]!))
  );
}

describe("texts that follow a grammar", () => {
  beforeAll(() => setBackend(cpuBackend()));

  it("JSON by random schemas is valid, from a model that knows nothing", async () => {
    const model = make();
    const session = new Session(model, { tokenizer });
    await session.read("x");
    const point = session.keep();
    for (let seed = 0; seed < 40; seed++) {
      const schema = randomSchema(new Rng(seed));
      const grammar = await compileGrammar(tokenizer, { jsonSchema: schema }, { vocabSize: 264, eosTokenIds: [EOS] });
      session.rewind(point);
      let text = "";
      for await (const piece of session.stream({
        seed,
        guide: grammar.guide,
        maxNewTokens: 4000,
        eosTokenIds: [EOS],
        temperature: 1.5,
      }))
        text += piece;
      expect(session.finish).toBe("eos");
      expect(fits(JSON.parse(text), schema), `${JSON.stringify(schema)} ${text}`).toBe(true);
      grammar.dispose();
    }
    for (const thing of [session, model]) thing.dispose();
  });

  it("regular expressions and grammars, of several texts at once", async () => {
    const model = make();
    const options = { vocabSize: 264, eosTokenIds: [EOS] };
    const date = await compileGrammar(tokenizer, { regex: "[0-9]{4}-(0[1-9]|1[0-2])-[0-3][0-9]" }, options);
    const sum = await compileGrammar(tokenizer, { ebnf: 'root ::= digit ("+" digit)* \n digit ::= [0-9]' }, options);
    const any = await compileGrammar(tokenizer, { jsonSchema: true }, options);
    const scheduler = new Scheduler(model, {
      slots: 3,
      tokenizer,
      defaults: { eosTokenIds: [EOS], maxNewTokens: 3000 },
    });
    const texts = await Promise.all(
      [date, sum, any, date, sum].map(({ guide }, seed) => scheduler.submit("x", { guide, seed }).text()),
    );
    for (const i of [0, 3]) expect(texts[i]).toMatch(/^\d{4}-(0[1-9]|1[0-2])-[0-3]\d$/);
    for (const i of [1, 4]) expect(texts[i]).toMatch(/^\d(\+\d)*$/);
    expect(texts[0]).not.toBe(texts[3]);
    scheduler.dispose();
    for (const thing of [date, sum, any, model]) thing.dispose();
  });

  it("without a token that ends texts, a text ends where it is complete", async () => {
    const model = make();
    const grammar = await compileGrammar(tokenizer, { regex: "(yes|no)" }, { vocabSize: 264, eosTokenIds: [] });
    const session = new Session(model, { tokenizer });
    await session.read("x");
    let text = "";
    for await (const piece of session.stream({ guide: grammar.guide, eosTokenIds: [] })) text += piece;
    expect(["yes", "no"]).toContain(text);
    for (const thing of [session, grammar, model]) thing.dispose();
  });

  it("of tokenizers that do not tell their tokens' bytes", async () => {
    // Words behind a space, as SentencePiece has them: the first one of a text stands without.
    const words = ["▁a", "▁true", "▁false", "tr", "ue", "▁", "fal", "se", "<0xE2>", "▁maybe"];
    const spaced: Tokenizer = {
      vocabSize: words.length,
      encode: (text) => Int32Array.from(text.trim().split(" "), (word) => words.indexOf(`▁${word}`)),
      decode: (ids) =>
        Array.from(ids, (id) => (words[id] === "<0xE2>" ? "\ufffd" : words[id]!.replaceAll("▁", " ")))
          .join("")
          .replace(/^ /, ""),
      toJson: () => JSON.stringify(words),
    };
    const model = new Model({ ...make().config, encoder: { kind: "embedding", vocabSize: words.length } }, 3);
    const grammar = await compileGrammar(spaced, { regex: " ?(true|false)" }, { eosTokenIds: [] });
    const session = new Session(model, { tokenizer: spaced });
    const seen = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      session.clear();
      await session.read("a");
      let text = "";
      for await (const piece of session.stream({ guide: grammar.guide, seed, eosTokenIds: [] })) text += piece;
      expect(text).toMatch(/^ ?(true|false)$/);
      seen.add(session.ids.slice(1).join());
    }
    expect(seen.size).toBeGreaterThan(3);
    for (const thing of [session, grammar, model]) thing.dispose();
  });

  it("refuses what is no grammar", async () => {
    await expect(compileGrammar(tokenizer, {})).rejects.toThrow("must get one of jsonSchema, regex and ebnf");
    await expect(compileGrammar(tokenizer, { schema: {} } as object)).rejects.toThrow("jsonSchema may be meant");
    await expect(compileGrammar(tokenizer, { ebnf: "root ::= (" })).rejects.toThrow("the grammar cannot be used");
    await expect(compileGrammar(tokenizer, { regex: "(" })).rejects.toThrow("the grammar cannot be used");
    // The library aborts on these, and goes on all the same.
    const after = await compileGrammar(tokenizer, { jsonSchema: { type: "integer" } });
    after.dispose();
  });
});

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

/** Draws a schema of what people ask for: scalars with and without bounds, enumerations, lists, objects, choices, references. */
function randomSchema(rng: Rng, depth = 0): Schema {
  const kind = rng.integer(depth > 2 ? 8 : 12);
  switch (kind) {
    case 0:
      return { type: "integer" };
    case 1:
      return { type: "boolean" };
    case 2:
      return { enum: ["red", "green", 7, null].slice(rng.integer(3)) };
    case 3:
      return rng.uniform() < 0.5 ? { type: "string" } : { type: "string", pattern: "^[a-z]{1,4}$" };
    case 4:
      return { type: "integer", minimum: -3 + rng.integer(5), maximum: 10 + rng.integer(3000) };
    case 5:
      return { type: "number" };
    case 6:
      return { type: "string", minLength: rng.integer(3), maxLength: 3 + rng.integer(5) };
    case 7:
      return rng.uniform() < 0.5 ? { const: 'a "quoted" word' } : { type: "null" };
    case 8:
      return { type: "array", items: randomSchema(rng, depth + 1), minItems: 1, maxItems: 1 + rng.integer(3) };
    case 9:
      return { anyOf: [randomSchema(rng, depth + 1), { type: "null" }] };
    default: {
      const names = ["name", "age", "tags", "größe"].slice(0, 1 + rng.integer(4));
      const properties = Object.fromEntries(names.map((name) => [name, randomSchema(rng, depth + 1)]));
      const required = names.filter(() => rng.uniform() < 0.7);
      return { type: "object", properties, required, additionalProperties: false };
    }
  }
}

/** The keywords that `randomSchema` uses, each read as the specification has it. */
const KEYWORDS: Readonly<Record<string, (value: unknown, said: never, schema: Schema) => boolean>> = {
  enum: (value, said: readonly unknown[]) => said.includes(value),
  const: (value, said: unknown) => value === said,
  type: (value, said: string) =>
    said === "integer"
      ? Number.isInteger(value)
      : said === "null"
        ? value === null
        : said === "array"
          ? Array.isArray(value)
          : said === "object"
            ? typeof value === "object" && value !== null && !Array.isArray(value)
            : typeof value === said,
  minimum: (value, said: number) => (value as number) >= said,
  maximum: (value, said: number) => (value as number) <= said,
  pattern: (value, said: string) => new RegExp(said).test(value as string),
  minLength: (value, said: number) => [...(value as string)].length >= said,
  maxLength: (value, said: number) => [...(value as string)].length <= said,
  minItems: (value, said: number) => (value as unknown[]).length >= said,
  maxItems: (value, said: number) => (value as unknown[]).length <= said,
  items: (value, said: Schema) => (value as unknown[]).every((item) => fits(item, said)),
  anyOf: (value, said: readonly Schema[]) => said.some((one) => fits(value, one)),
  required: (value, said: readonly string[]) => said.every((name) => Object.hasOwn(value as object, name)),
  properties: (value, said: Readonly<Record<string, Schema>>) =>
    Object.entries(value as object).every(([name, own]) => said[name] === undefined || fits(own, said[name])),
  additionalProperties: (value, _: false, schema) =>
    Object.keys(value as object).every((name) => Object.hasOwn(schema["properties"] as object, name)),
};

/** Whether a value is what a schema of `randomSchema` says. */
function fits(value: unknown, schema: Schema): boolean {
  return Object.entries(schema).every(([name, said]) => KEYWORDS[name]!(value, said as never, schema));
}

describe("texts that follow a grammar", () => {
  beforeAll(() => setBackend(cpuBackend()));

  it("JSON by 200 random schemas is valid, from a model that knows nothing", async () => {
    const model = make();
    const session = new Session(model, { tokenizer });
    await session.read("x");
    const point = session.keep();
    for (let seed = 0; seed < 200; seed++) {
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

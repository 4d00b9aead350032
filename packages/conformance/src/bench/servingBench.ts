import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readFloats } from "@statespace/core";
import type { WeightFormat } from "@statespace/core/backend";
import {
  Model,
  parseModelConfig,
  Scheduler,
  Session,
  StateStore,
  type Generation,
  type TokenOptions,
} from "@statespace/models";
import { compileGrammar } from "@statespace/models/grammar";
import type { ModelShape } from "./modelBench.ts";
import { wordTokenizer } from "./wordTokenizer.ts";

/** What a measurement found, beside its bar. */
export interface ServingRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it shall be. */
  readonly bar: string;
  readonly holds: boolean;
  /** The figures it is made of. */
  readonly of: Readonly<Record<string, number>>;
}

/** How much is measured. */
export interface ServingOptions {
  readonly shape: ModelShape;
  readonly weights: WeightFormat;
  /** Tokens of the long conversation; the bar's are 4,000. */
  readonly tokens: number;
  /** Conversations at once; the bar's are 16. */
  readonly texts: number;
  /** Tokens of a prompt between two steps; the scheduler's own unless told. */
  readonly chunk?: number;
}

const median = (xs: readonly number[]): number => xs.toSorted((a, b) => a - b)[Math.floor(xs.length / 2)]!;
const textOf = (model: Model, length: number, seed = 1): number[] =>
  Array.from({ length }, (_, i) => (seed * 104_729 + i * 7919) % model.vocabSize);
const GREEDY: TokenOptions = { temperature: 0, eosTokenIds: [] };

async function makeModel({ shape, weights }: ServingOptions): Promise<Model> {
  return new Model(parseModelConfig({ ...shape.config }), 0).quantize(weights);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

/** Says tokens, and how long each took in milliseconds. */
async function say(session: Session, options: TokenOptions): Promise<number[]> {
  const times: number[] = [];
  let from = performance.now();
  for await (const _ of session.tokens({ ...GREEDY, ...options })) {
    times.push(performance.now() - from);
    from = performance.now();
  }
  return times;
}

const sum = (xs: readonly number[]): number => xs.reduce((x, y) => x + y, 0);

/** The second turn of a long conversation: until its first token, against reading all of it; from memory, and from a folder as after a restart. */
async function* secondTurn(options: ServingOptions): AsyncGenerator<ServingRow> {
  const model = await makeModel(options);
  const folder = await mkdtemp(join(tmpdir(), "serving-"));
  try {
    const text = textOf(model, options.tokens);
    const next = textOf(model, 24, 3);
    const untilFirst = async (store: StateStore | undefined, prompt: readonly number[]): Promise<number> => {
      const session = new Session(model, { store });
      const time = await timed(async () => {
        await session.read(prompt);
        for await (const _ of session.tokens({ ...GREEDY, maxNewTokens: 1 })) break;
      });
      session.dispose();
      return time;
    };
    await untilFirst(undefined, text.slice(0, 600)); // warm-up
    const memory = new StateStore();
    const disk = await StateStore.open(folder);
    for (const store of [memory, disk]) {
      const first = new Session(model, { store });
      await first.read(text);
      await say(first, { maxNewTokens: 16 });
      await store.settled();
      first.dispose();
    }
    const said = new Session(model, { store: memory });
    await said.read(text);
    await say(said, { maxNewTokens: 16 });
    const prompt = [...said.ids, ...next];
    said.dispose();
    const whole = await untilFirst(undefined, prompt);
    const kept = await untilFirst(memory, prompt);
    const opened = performance.now();
    const restarted = await StateStore.open(folder);
    const fromDisk = performance.now() - opened + (await untilFirst(restarted, prompt));
    const row = (name: string, ms: number, most: number): ServingRow => ({
      name,
      value: (100 * ms) / whole,
      unit: "% of reading it all",
      bar: `<= ${most} %`,
      holds: ms / whole <= most / 100,
      of: { ms, whole, tokens: prompt.length },
    });
    yield row("second turn, first token", kept, 3);
    yield row("second turn after a restart, first token", fromDisk, 5);
  } finally {
    await rm(folder, { recursive: true });
    model.dispose();
  }
}

/** Milliseconds that all of the process's threads computed: what a busy machine does not change, if there is one that never waits for another. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Conversations a text of the crowd has one after the other. */
const TURNS = 4;

/**
 * Many conversations that come and go, against one. Prompts are 16 to 79 tokens, all different, and answers 24 to 71. The rate is that from
 * the first prompt on as long as there are so many conversations; gaps are those of all.
 */
async function* crowd(options: ServingOptions): AsyncGenerator<ServingRow> {
  const model = await makeModel(options);
  const { texts, chunk } = options;
  const length = 48;
  const session = new Session(model);
  await session.read(textOf(model, 64));
  await say(session, { maxNewTokens: 4 });
  const alone = processorTime();
  const times = await say(session, { maxNewTokens: length });
  const workAlone = (processorTime() - alone) / times.length;
  session.dispose();
  const single = (1000 * times.length) / sum(times);
  const scheduler = new Scheduler(model, { slots: texts, ...(chunk !== undefined && { prefillChunk: chunk }) });
  await scheduler.submit([1], { ...GREEDY, maxNewTokens: 2 }).text();
  let made = 0;
  const gaps: number[][] = [];
  const follow = async (generation: Generation): Promise<void> => {
    const own: number[] = [];
    let last: number | undefined;
    for await (const _ of generation) {
      made++;
      const now = performance.now();
      if (last !== undefined) own.push(now - last);
      last = now;
    }
    gaps.push(own);
  };
  const [begin, idle] = [performance.now(), processorTime()];
  let whole: { readonly made: number; readonly ms: number; readonly work: number } | undefined;
  const rest = Array.from({ length: TURNS * texts }, (_, i) => i);
  const one = async (): Promise<void> => {
    for (let i = rest.shift(); i !== undefined; i = rest.shift())
      await follow(
        scheduler.submit(textOf(model, 16 + ((i * 37) % 64), i), {
          ...GREEDY,
          maxNewTokens: length / 2 + ((i * 29) % length),
        }),
      );
    whole ??= { made, ms: performance.now() - begin, work: processorTime() - idle };
  };
  await Promise.all(Array.from({ length: texts }, one));
  const ms = performance.now() - begin;
  scheduler.dispose();
  const total = (1000 * whole!.made) / whole!.ms;
  yield {
    name: `${texts} conversations, tokens a second`,
    value: total / single,
    unit: "times one's",
    bar: ">= 4 times",
    holds: total / single >= 4,
    of: { total, single, toTheLastText: (1000 * made) / ms, byProcessorTime: (workAlone * whole!.made) / whole!.work },
  };
  const worst = Math.max(...gaps.filter((own) => own.length > 2).map((own) => Math.max(...own) / median(own)));
  yield {
    name: `${texts} conversations, longest gap between a text's tokens while prompts are read`,
    value: worst,
    unit: "times its median",
    bar: "<= 3 times",
    holds: worst <= 3,
    of: { medianMs: median(gaps.flat()), longestMs: Math.max(...gaps.flat()) },
  };
  model.dispose();
}

/** What people ask for: texts of any length, numbers, choices, lists of things. */
const PERSON = {
  type: "object",
  properties: {
    name: { type: "string" },
    age: { type: "integer" },
    kind: { enum: ["friend", "colleague", "stranger"] },
    notes: { type: "array", items: { type: "string" } },
  },
  required: ["name", "age", "kind", "notes"],
  additionalProperties: false,
};
const CODES = {
  type: "array",
  items: { type: "string", pattern: "^[a-z]{8}$" },
  minItems: 20,
  maxItems: 20,
};

/** Text by a JSON schema, against free text, of the same number of tokens, in turns. */
async function* schema(options: ServingOptions): AsyncGenerator<ServingRow> {
  const model = await makeModel(options);
  const { vocabSize } = model;
  const tokenizer = wordTokenizer(vocabSize);
  const session = new Session(model);
  await session.read(textOf(model, 64));
  const point = session.keep();
  for (const [name, jsonSchema] of Object.entries({ person: PERSON, codes: CODES })) {
    const grammar = await compileGrammar(tokenizer, { jsonSchema }, { vocabSize, eosTokenIds: [] });
    const ratios: number[] = [];
    const [free, held]: [number[], number[]] = [[], []];
    for (let round = 0; round < 7; round++) {
      const once = async (own: TokenOptions): Promise<number[]> => {
        session.rewind(point);
        return (await say(session, { ...own, maxNewTokens: 40, temperature: 1, seed: round })).slice(4);
      };
      const plain = await once({});
      const guided = await once({ guide: grammar.guide });
      free.push(...plain);
      held.push(...guided);
      ratios.push(median(guided) / median(plain));
    }
    const slower = 100 * (median(ratios) - 1);
    yield {
      name: `JSON by a schema (${name}), time a token`,
      value: slower,
      unit: "% more than free text",
      bar: "<= 15 %",
      holds: slower <= 15,
      of: { heldMs: median(held), freeMs: median(free), ofMedians: median(held) / median(free) },
    };
    grammar.dispose();
  }
  for (const thing of [session, model]) thing.dispose();
}

/** Guesses from the text itself, on a text that repeats. */
async function* lookup(options: ServingOptions): AsyncGenerator<ServingRow> {
  const model = await makeModel(options);
  const session = new Session(model);
  const loop = textOf(model, 12);
  await session.read(Array.from({ length: 20 }, () => loop).flat());
  await say(session, { maxNewTokens: 32 }); // a model of random weights soon says the same again
  const point = session.keep();
  const length = 96;
  const times: Record<"plain" | "guessed", number[]> = { plain: [], guessed: [] };
  const texts: Record<"plain" | "guessed", string> = { plain: "", guessed: "" };
  for (let round = 0; round < 3; round++)
    for (const kind of ["plain", "guessed"] as const) {
      session.rewind(point);
      const own = await say(session, {
        maxNewTokens: length,
        ...(kind === "plain" ? {} : { promptLookupNumTokens: 7 }),
      });
      times[kind].push(sum(own));
      texts[kind] = session.ids.slice(-length).join();
    }
  const faster = median(times.plain) / median(times.guessed);
  yield {
    name: "guesses from the text, on a text that repeats",
    value: faster,
    unit: "times as fast",
    bar: ">= 1.6 times, same tokens",
    holds: faster >= 1.6 && texts.plain === texts.guessed,
    of: {
      plainMs: median(times.plain) / length,
      guessedMs: median(times.guessed) / length,
      sameTokens: Number(texts.plain === texts.guessed),
    },
  };
  for (const thing of [session, model]) thing.dispose();
}

/** The longest time that the event loop stood still while tokens were said. */
async function* stall(options: ServingOptions): AsyncGenerator<ServingRow> {
  const model = await makeModel(options);
  const session = new Session(model);
  await session.read(textOf(model, 64));
  await say(session, { maxNewTokens: 4 });
  let [longest, last, open] = [0, performance.now(), true];
  const tick = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (open) setImmediate(tick);
  };
  setImmediate(tick);
  const times = await say(session, { maxNewTokens: 48 });
  open = false;
  await readFloats(session.state.layers[0]![Object.keys(session.state.layers[0]!)[0]!]!);
  const most = Math.max(16, Math.max(...times));
  yield {
    name: "longest stall of the event loop",
    value: longest,
    unit: "ms",
    bar: `<= ${most.toFixed(1)} ms: 16, or a token`,
    holds: longest <= most,
    of: { longestTokenMs: Math.max(...times), medianTokenMs: median(times) },
  };
  for (const thing of [session, model]) thing.dispose();
}

/** The measurements by name. */
export const SERVING_BENCHES: Readonly<Record<string, (options: ServingOptions) => AsyncGenerator<ServingRow>>> = {
  "second-turn": secondTurn,
  crowd,
  schema,
  lookup,
  stall,
};

// `node --conditions=statespace-source bench/serverLoad.ts [--url URL] [--clients 64] [--seconds 60] [--json]`: many clients at once ask a server that
// speaks OpenAI's API, for whole answers, streams, several answers at once and answers by a schema, and some leave in the middle. Tells what went
// wrong and how memory went; exit 1 where a request failed, a text stayed behind, or what is held grew by more than a twentieth from the second
// quarter to the last. Without an address it starts a server of the bundled model in this process, and what is held is what garbage
// collection leaves, the clients' own included; else it is the server's tensors.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parseArgs } from "node:util";
import OpenAI from "openai";
import { bundledCheckpoint } from "../src/bundledCheckpoint.ts";
import { load } from "../src/load.ts";
import { serve } from "../src/server/serve.ts";

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    clients: { type: "string", default: "64" },
    seconds: { type: "string", default: "60" },
    tokens: { type: "string", default: "24" },
    backend: { type: "string", default: "wasm" },
    json: { type: "boolean", default: false },
  },
});
const [clients, seconds, tokens] = [Number(values.clients), Number(values.seconds), Number(values.tokens)];

async function ownServer(): Promise<{ url: string; close(): Promise<void> }> {
  const lm = await load(bundledCheckpoint(), { backend: values.backend });
  return serve({ models: [{ name: "bundled", lm }], port: 0, slots: 16, maxWaiting: 2 * clients, cacheBytes: 2 ** 24 });
}

const server = values.url === undefined ? await ownServer() : undefined;
const url = values.url ?? server!.url;
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
const model = (await client.models.list()).data[0]!.id;

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "m").exec(text)?.[1]);
}

const SCHEMA = {
  type: "object",
  properties: { kind: { enum: ["small", "large"] }, count: { type: "integer", minimum: 0, maximum: 99 } },
  required: ["kind", "count"],
  additionalProperties: false,
};

/** What a client may want. */
const WISHES: Readonly<Record<string, (prompt: string, seed: number) => Promise<void>>> = {
  whole: async (prompt, seed) => {
    const { choices } = await client.completions.create({ model, prompt, max_tokens: tokens, seed });
    if (choices.length !== 1) throw new Error("no choice");
  },
  streamed: async (prompt, seed) => {
    let finish: string | null = null;
    const stream = await client.completions.create({ model, prompt, max_tokens: tokens, seed, stream: true });
    for await (const { choices } of stream) finish = choices[0]?.finish_reason ?? finish;
    if (finish === null) throw new Error("a stream had no end");
  },
  several: async (prompt, seed) => {
    const { choices } = await client.completions.create({ model, prompt, max_tokens: tokens, seed, n: 3 });
    if (choices.length !== 3) throw new Error(`${choices.length} of 3 choices`);
  },
  schema: async (prompt, seed) => {
    const { choices } = await client.completions.create({
      model,
      prompt,
      max_tokens: 200,
      seed,
      response_format: { type: "json_schema", json_schema: { name: "s", schema: SCHEMA } },
    } as OpenAI.CompletionCreateParamsNonStreaming);
    const { kind, count } = JSON.parse(choices[0]!.text) as { kind: string; count: number };
    if (!["small", "large"].includes(kind) || !(count >= 0 && count <= 99)) throw new Error("not by the schema");
  },
  left: async (prompt, seed) => {
    let seen = 0;
    const stream = await client.completions.create({ model, prompt, max_tokens: 1000, seed, stream: true });
    for await (const _ of stream) if (++seen === 3) break;
  },
};

const failures = new Map<string, number>();
const counts: Record<string, number> = {};
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes that are held, in this process after a garbage collection. */
async function held(): Promise<number> {
  if (server === undefined) return metric("statespace_tensor_bytes");
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const resident: number[] = [];
const holds: number[] = [];
const until = performance.now() + 1000 * seconds;
const sampling = setInterval(() => {
  void metric("process_resident_memory_bytes").then((bytes) => resident.push(bytes));
  void held().then((bytes) => holds.push(bytes));
}, 2000);

async function one(number: number): Promise<void> {
  const names = Object.keys(WISHES);
  for (let i = 0; performance.now() < until; i++) {
    const name = names[(number + i) % names.length]!;
    try {
      await WISHES[name]!(`client ${number} asks for the ${i}. time about the state of`, 1000 * number + i);
      counts[name] = (counts[name] ?? 0) + 1;
    } catch (error) {
      const what = `${name}: ${(error as Error).message}`;
      failures.set(what, (failures.get(what) ?? 0) + 1);
    }
  }
}

await Promise.all(Array.from({ length: clients }, (_, number) => one(number)));
clearInterval(sampling);
let running = Number.NaN;
for (let i = 0; i < 100; i++) {
  running = (await metric("statespace_texts_running")) + (await metric("statespace_texts_waiting"));
  if (running === 0) break;
  await new Promise((resolve) => setTimeout(resolve, 50));
}
const newTokens = await metric("statespace_new_tokens_total");
await server?.close();

/** The largest of the second quarter and of the last, in MB: before that the server warms up. */
function quarters(bytes: readonly number[]): { second: number; last: number } {
  const quarter = Math.floor(bytes.length / 4);
  const largestOf = (part: readonly number[]): number => Math.round((10 * Math.max(...part)) / 2 ** 20) / 10;
  return { second: largestOf(bytes.slice(quarter, 2 * quarter)), last: largestOf(bytes.slice(-quarter)) };
}

const [residentMb, heldMb] = [quarters(resident), quarters(holds)];
const requests = Object.values(counts).reduce((a, b) => a + b, 0);
const result = {
  clients,
  seconds,
  requests,
  counts,
  failures: Object.fromEntries(failures),
  textsLeftBehind: running,
  newTokens,
  residentMb,
  heldMb,
};
console.log(values.json ? JSON.stringify(result) : result);
process.exit(failures.size === 0 && running === 0 && heldMb.last <= 1.05 * heldMb.second ? 0 : 1);

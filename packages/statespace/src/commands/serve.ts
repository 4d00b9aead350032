import { existsSync } from "node:fs";
import { basename } from "node:path";
import { bundledCheckpoint } from "../bundledCheckpoint.ts";
import { load } from "../load.ts";
import type { ServedModel } from "../server/config.ts";
import { serve as startServer } from "../server/serve.ts";
import { chooseBackend } from "./backendOption.ts";
import {
  cacheTypeOption,
  readArguments,
  countOption,
  numberOption,
  UsageError,
  weightsOption,
  type Command,
} from "./command.ts";
import { megabytes, ProgressLine } from "./terminal.ts";

const USAGE = `usage: statespace serve [--model [NAME=]DIR|URL|OWNER/NAME ...] [options]

Answers HTTP requests as OpenAI's API does: /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/models; /health and /metrics beside them.

  --model [NAME=]FROM    a model, by the name that requests ask for; may be given more than once; the bundled model if left out
  --weights F            keep matrices as f16, bf16, q8 or q4; f32 is the plain format
  --cache-type F         keep keys and values of attention as f16, in half the memory; f32 unless told
  --backend B            webgpu, wasm or cpu; the best there is unless told
  --host H  --port P     where to listen: 127.0.0.1 and 8080 unless told; port 0 takes a free one
  --api-key KEY          requests must bear it; or the environment variable STATESPACE_API_KEY
  --cors ORIGIN          pages of this origin may ask, * for all; none unless told
  --slots N              texts of a model that go on at once, 8 unless told
  --prefill-chunk N      tokens of a prompt read at once, 64 unless told; the others step in between, after some layers each
  --cache-mb N           states of earlier texts to keep, 256 MB unless told; 0 keeps none
  --cache-dir DIR        keep them in a folder, for the next start too
  --max-waiting N        prompts of a model that may wait, 64 unless told; more are answered 429
  --max-new-tokens N     of an answer, 1024 unless told
  --max-body-mb N        of a request, 4 unless told
  --receive-timeout S    seconds within which a request must have come, 30 unless told
  --timeout S            seconds that an answer may take, 600 unless told
  --json                 the address as a JSON object

Ctrl-C takes no more requests, lets running answers end, and stops; a second one stops at once.`;

const OPTIONS = {
  model: { type: "string", multiple: true },
  weights: { type: "string" },
  "cache-type": { type: "string" },
  backend: { type: "string" },
  host: { type: "string" },
  port: { type: "string" },
  "api-key": { type: "string" },
  cors: { type: "string" },
  slots: { type: "string" },
  "prefill-chunk": { type: "string" },
  "cache-mb": { type: "string" },
  "cache-dir": { type: "string" },
  "max-waiting": { type: "string" },
  "max-new-tokens": { type: "string" },
  "max-body-mb": { type: "string" },
  "receive-timeout": { type: "string" },
  timeout: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

type Values = ReturnType<typeof readArguments<typeof OPTIONS>>;

/** Names and places of the models. @throws UsageError for a name that comes twice. */
function sources(values: Values): { name: string; from: string | URL }[] {
  const given = values.model ?? [];
  if (given.length === 0) return [{ name: "bundled", from: bundledCheckpoint() }];
  const all = given.map((text) => {
    const [, name, from] = /^([\w.:/-]+)=(.+)$/.exec(text) ?? [];
    if (name !== undefined && !existsSync(text)) return { name, from: from! };
    return { name: existsSync(text) ? basename(text.replace(/[/\\]+$/, "")) : text, from: text };
  });
  const twice = all.find(({ name }, i) => all.findIndex((other) => other.name === name) !== i);
  if (twice !== undefined) throw new UsageError(`--model: two are named ${twice.name}; give one as NAME=FROM`);
  return all;
}

/** Reads a number that may be 0. */
function least(name: string, text: string | undefined, min: number): number | undefined {
  const value = numberOption(name, text);
  if (value !== undefined && !(value >= min && Number.isFinite(value)))
    throw new UsageError(`--${name} must be a number >= ${min}, got "${text}"`);
  return value;
}

function serverOptions(values: Values): Omit<Parameters<typeof startServer>[0], "models"> {
  const port = least("port", values.port, 0);
  if (port !== undefined && !(Number.isInteger(port) && port < 65_536))
    throw new UsageError("--port must be a whole number in 0..65535");
  const megabyte = (value: number | undefined): number | undefined => value && Math.round(value * 2 ** 20);
  const all = {
    host: values.host,
    port,
    apiKey: values["api-key"] ?? (process.env["STATESPACE_API_KEY"] || undefined),
    corsOrigin: values.cors,
    slots: countOption("slots", values.slots),
    prefillChunk: countOption("prefill-chunk", values["prefill-chunk"]),
    cacheBytes: megabyte(least("cache-mb", values["cache-mb"], 0)),
    cacheFolder: values["cache-dir"],
    maxWaiting: countOption("max-waiting", values["max-waiting"]),
    maxNewTokens: countOption("max-new-tokens", values["max-new-tokens"]),
    maxBodyBytes: megabyte(least("max-body-mb", values["max-body-mb"], 0.001)),
    receiveTimeoutSeconds: least("receive-timeout", values["receive-timeout"], 0.1),
    timeoutSeconds: least("timeout", values.timeout, 1),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const values = readArguments(args, OPTIONS);
  const options = serverOptions(values);
  const weights = weightsOption(values.weights);
  const cacheType = cacheTypeOption(values["cache-type"]);
  const places = sources(values);
  const backend = await chooseBackend(values.backend);
  const models: ServedModel[] = [];
  const line = new ProgressLine();
  for (const { name, from } of places) {
    const progress = ({ loaded, total }: { loaded: number; total: number }): void =>
      line.show(`${name}: ${megabytes(loaded)} of ${megabytes(total)}`);
    models.push({ name, lm: await load(from, { signal, weights, cacheType, progress, recover: true }) });
  }
  line.clear();
  const server = await startServer({ ...options, models });
  const names = models.map(({ name }) => name);
  console.log(
    values.json
      ? JSON.stringify({ url: server.url, models: names, backend })
      : `${server.url} serves ${names.join(", ")} on ${backend}`,
  );
  await stopped(signal);
  if (!values.json) console.error("letting running answers end");
  await server.close();
  for (const { lm } of models) lm.dispose();
  return 0;
}

/** Until somebody wants it to stop. */
function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
    process.once("SIGTERM", () => resolve());
  });
}

/** `statespace serve`: an HTTP server that OpenAI's clients talk to. */
export const serve: Command = { summary: "answers HTTP requests as OpenAI's API does", usage: USAGE, run };

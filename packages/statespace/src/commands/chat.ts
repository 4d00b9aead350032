import { createInterface, type Interface } from "node:readline";
import { StatespaceError } from "@statespace/core";
import { checkSampling, type StreamOptions } from "@statespace/models";
import { bundledCheckpoint } from "../bundledCheckpoint.ts";
import { load } from "../load.ts";
import { chooseBackend } from "./backendOption.ts";
import { loadInto, SLASH_COMMANDS, slashHelp, standing } from "./chat/commands.ts";
import { ChatRoom } from "./chat/room.ts";
import {
  checkedOptions,
  countOption,
  numberOption,
  readArguments,
  cacheTypeOption,
  weightsOption,
  wholeOption,
  type Command,
} from "./command.ts";
import { megabytes, ProgressLine } from "./terminal.ts";

const USAGE = `usage: statespace chat [--model DIR|URL|OWNER/NAME] [options]

  --model FROM           the bundled model if left out
  --system TEXT          the first message
  --load FILE            goes on from a conversation that was kept
  --max-new-tokens N     of an answer, 512 unless told
  --temperature T  --top-k K  --top-p P  --min-p P  --seed S
  --weights F            keep matrices as f16, bf16, q8 or q4; f32 is the plain format
  --cache-type F         keep keys and values of attention as f16, in half the memory; f32 unless told
  --backend B            webgpu, wasm or cpu; the best there is unless told

A model without a chat template goes on from what is written. Ctrl-C stops an answer, and ends where there is none. Lines that begin with a slash:
${slashHelp()}`;

const OPTIONS = {
  model: { type: "string" },
  system: { type: "string" },
  load: { type: "string" },
  "max-new-tokens": { type: "string" },
  temperature: { type: "string" },
  "top-k": { type: "string" },
  "top-p": { type: "string" },
  "min-p": { type: "string" },
  seed: { type: "string" },
  weights: { type: "string" },
  "cache-type": { type: "string" },
  backend: { type: "string" },
} as const;

type Values = ReturnType<typeof readArguments<typeof OPTIONS>>;

function streamOptions(values: Values): StreamOptions {
  const all = {
    maxNewTokens: countOption("max-new-tokens", values["max-new-tokens"]) ?? 512,
    temperature: numberOption("temperature", values.temperature),
    topK: numberOption("top-k", values["top-k"]),
    topP: numberOption("top-p", values["top-p"]),
    minP: numberOption("min-p", values["min-p"]),
  };
  const options: StreamOptions = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  checkedOptions(() => checkSampling(options));
  return options;
}

/** The conversation on a terminal, or with a pipe. */
class Conversation {
  readonly #room: ChatRoom;
  readonly #options: StreamOptions;
  #answering: AbortController | undefined;

  constructor(room: ChatRoom, options: StreamOptions) {
    this.#room = room;
    this.#options = options;
  }

  /** Stops the answer; whether there was one. */
  stop(): boolean {
    this.#answering?.abort();
    return this.#answering !== undefined;
  }

  /** Takes a line. @returns false where it ends the conversation */
  async take(line: string): Promise<boolean> {
    try {
      if (!line.startsWith("/")) await this.#answer(line);
      else if (/^\/(quit|exit|bye)\b/.test(line)) return false;
      else await this.#command(line);
    } catch (error) {
      if (!(error instanceof StatespaceError) && (error as { code?: unknown }).code === undefined) throw error;
      note((error as Error).message);
    }
    return true;
  }

  async #command(line: string): Promise<void> {
    const [, name = "", argument = ""] = /^\/(\S*)\s*(.*)$/.exec(line) ?? [];
    const command = Object.hasOwn(SLASH_COMMANDS, name) ? SLASH_COMMANDS[name] : undefined;
    note(command === undefined ? `commands:\n${slashHelp()}` : await command.run(this.#room, argument.trim()));
  }

  async #answer(text: string): Promise<void> {
    if (text.trim() === "") return;
    const abort = (this.#answering = new AbortController());
    const started = performance.now();
    let first = 0;
    const before = this.#room.session.ids.length;
    try {
      for await (const piece of this.#room.say(text, { ...this.#options, signal: abort.signal })) {
        first ||= performance.now();
        process.stdout.write(piece);
      }
    } catch (error) {
      if ((error as Error).name !== "AbortedError") throw error;
    } finally {
      this.#answering = undefined;
      process.stdout.write("\n");
    }
    const { session } = this.#room;
    const made = session.ids.length - before;
    const rate = made / ((performance.now() - started) / 1000);
    note(
      `${first === 0 ? "-" : ((first - started) / 1000).toFixed(2)} s to the first word, ${rate.toFixed(0)} tokens/s read and said, ${standing(this.#room)}`,
    );
  }
}

const note = (text: string): void => void process.stderr.write(`[${text}]\n`);

async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const values = readArguments(args, OPTIONS);
  const options = streamOptions(values);
  const seed = wholeOption("seed", values.seed);
  const weights = weightsOption(values.weights);
  const cacheType = cacheTypeOption(values["cache-type"]);
  const backend = await chooseBackend(values.backend);
  const line = new ProgressLine();
  const lm = await load(values.model ?? bundledCheckpoint(), {
    signal,
    weights,
    cacheType,
    progress: ({ loaded, total }) => line.show(`${megabytes(loaded)} of ${megabytes(total)}`),
  });
  line.clear();
  const room = new ChatRoom(lm, { system: values.system, seed });
  try {
    note(
      `on ${backend}; ${room.hasTemplate ? "write something" : "the model has no chat template: it goes on from what you write"}; /help tells more`,
    );
    const conversation = new Conversation(room, options);
    // Whoever wants to go on from a file does not want to begin anew without it.
    if (values.load !== undefined) note(await loadInto(room, values.load));
    await converse(conversation, signal);
  } finally {
    room.dispose();
    lm.dispose();
  }
  return 0;
}

/** Line after line, until one ends it, or there is none. */
async function converse(conversation: Conversation, signal: AbortSignal): Promise<void> {
  const lines = createInterface({
    input: process.stdin,
    output: process.stderr,
    prompt: "> ",
    terminal: process.stdin.isTTY === true,
  });
  const interrupt = (): void => {
    if (!conversation.stop()) lines.close();
  };
  lines.on("SIGINT", interrupt);
  signal.addEventListener("abort", interrupt, { once: true });
  ask(lines);
  for await (const line of lines) {
    if (!(await conversation.take(line)) || signal.aborted) break;
    ask(lines);
  }
  lines.close();
}

function ask(lines: Interface): void {
  if (process.stdin.isTTY) lines.prompt();
}

/** `statespace chat`: a conversation on the terminal. */
export const chat: Command = { summary: "talks with a model on the terminal", usage: USAGE, run };

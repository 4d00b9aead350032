import { Rng, tensor, tidy } from "@statespace/core";
import { parseSafetensors } from "@statespace/files";
import { Session, StateStore, type Model, type TokenOptions } from "@statespace/models";

/** Where a program runs: two equal models on one backend, and another backend to go to and come back from. */
export interface Stage {
  /** Of the session that nothing happens to. */
  readonly still: Model;
  /** Of the session that is saved, moved, forked and so on. */
  readonly tried: Model;
  readonly backend: string;
  readonly elsewhere: string;
  /** Whether a captured step rounds as one that is not; where several ops are replayed as one, it does not. */
  readonly eagerIsCaptured: boolean;
}

/** Tokens a piece of reading: small, so that short texts have several. */
const CHUNK = 16;

/** What both sessions do. */
type Deed = (session: Session) => Promise<void>;

/** What happens to one of them between two deeds, which must not show. */
type Detour = (program: Program) => Promise<void>;

interface Program {
  readonly rng: Rng;
  readonly stage: Stage;
  readonly still: Session;
  tried: Session;
  /** The tried session was read anew from kept states: its generators and what it said are those of a new one. */
  renewed: boolean;
  readonly store: StateStore;
}

const idsOf = (rng: Rng, model: Model, most: number): number[] =>
  Array.from({ length: 1 + rng.integer(most) }, () => rng.integer(model.vocabSize));

function readDeed(rng: Rng, model: Model): Deed {
  const ids = idsOf(rng, model, rng.uniform() < 0.2 ? 40 : 6);
  return async (session) => void (await session.read(ids));
}

function sayDeed(rng: Rng, renewed: boolean): Deed {
  const maxNewTokens = 1 + rng.integer(5);
  const options: TokenOptions = {
    maxNewTokens,
    temperature: rng.uniform() < 0.3 ? 0 : rng.uniform(0.5, 2),
    eosTokenIds: [],
    ...(renewed || rng.uniform() < 0.3 ? { seed: rng.integer(1000) } : {}),
    ...(!renewed && rng.uniform() < 0.3 ? { repetitionPenalty: 1.5, frequencyPenalty: 0.2 } : {}),
    ...(rng.uniform() < 0.3 ? { topK: 5 } : {}),
    ...(rng.uniform() < 0.3 ? { topP: 0.8, minP: 0.02 } : {}),
    ...(rng.uniform() < 0.3 ? { logprobs: true } : {}),
  };
  const leave = rng.uniform() < 0.3 ? 1 + rng.integer(maxNewTokens) : Number.POSITIVE_INFINITY;
  return async (session) => {
    let made = 0;
    for await (const _ of session.tokens(options)) if (++made === leave) break;
  };
}

const anyDeed = (rng: Rng, model: Model, renewed: boolean): Deed =>
  rng.uniform() < 0.4 ? readDeed(rng, model) : sayDeed(rng, renewed);

/** The detours by name. */
export const DETOURS: Readonly<Record<string, Detour>> = {
  restore: async (program) => {
    const bytes = await program.tried.save();
    program.tried.dispose();
    program.tried = open(program).restore(bytes);
  },
  fork: async (program) => {
    const fork = program.tried.fork();
    await anyDeed(program.rng, program.stage.tried, program.renewed)(program.tried);
    program.tried.dispose();
    program.tried = fork;
  },
  rewind: async (program) => {
    const { rng, stage, tried, renewed } = program;
    const point = tried.keep();
    await anyDeed(rng, stage.tried, renewed)(tried);
    await anyDeed(rng, stage.tried, renewed)(tried);
    tried.rewind(point);
    if (rng.uniform() < 0.5) tried.forget(point);
  },
  move: async ({ stage, tried }) => {
    const point = tried.keep();
    await tried.to(stage.elsewhere);
    await tried.to(stage.backend);
    tried.rewind(point);
    tried.forget(point);
  },
  reuse: async (program) => {
    // All of the text is kept; another session that reads it must come to the very place.
    const { ids } = program.tried;
    const again = open(program);
    await again.read(ids);
    if (again.cachedTokens !== ids.length)
      throw new Error(`only ${again.cachedTokens} of ${ids.length} tokens were kept`);
    program.tried.dispose();
    program.tried = again;
    program.renewed = true;
  },
  abort: async ({ rng, stage, tried }) => {
    const abort = new AbortController();
    const ids = Array.from({ length: 2 * CHUNK + rng.integer(9) }, () => rng.integer(stage.tried.vocabSize));
    // Before it begins, or after the first of its pieces.
    if (rng.uniform() < 0.5) abort.abort();
    const reading = tried.read(ids, { signal: abort.signal, onProgress: () => abort.abort() });
    const point = await reading.then(
      () => undefined,
      (error: unknown) => {
        if ((error as Error).name !== "AbortedError") throw error;
        return "stopped";
      },
    );
    if (point === undefined) throw new Error("the reading was not stopped");
  },
};

function open({ stage, store }: Pick<Program, "stage" | "store">): Session {
  return new Session(stage.tried, { store, prefillChunk: CHUNK });
}

/** What a session is, to the last bit. */
async function contentOf(session: Session, renewed: boolean): Promise<Map<string, string>> {
  const { tensors, metadata } = parseSafetensors(await session.save());
  const out = new Map([...tensors].map(([name, { shape, bytes }]) => [name, `${shape.join("x")} ${hex(bytes)}`]));
  out.set("tokens", session.ids.join());
  out.set("position", String(session.state.position));
  if (!renewed) out.set("streams", metadata.get("streams")!);
  return out;
}

function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** Names of what differs between two sessions. */
async function differences({ still, tried, renewed }: Program): Promise<string[]> {
  const [want, got] = [await contentOf(still, renewed), await contentOf(tried, renewed)];
  return [...new Set([...want.keys(), ...got.keys()])].filter((name) => want.get(name) !== got.get(name));
}

/** The tokens that were said go through the model one by one, not captured: the state must be that of the captured steps. */
async function differsFromEager(model: Model, session: Session, deed: Deed): Promise<string[]> {
  const state = session.state.clone();
  // As sessions do: a step that grows a state as it goes is another kernel, which rounds otherwise.
  model.reserve(state, 1, state.position + 8);
  const from = session.ids.length;
  await deed(session);
  try {
    for (const id of session.ids.slice(from))
      tidy(() => void model.step(tensor(Int32Array.of(id), [1], { backend: model.backend }), state));
    const [want, got] = [hex(await session.state.toBytes()), hex(await state.toBytes())];
    return want === got ? [] : ["the state of steps that were not captured"];
  } finally {
    state.dispose();
  }
}

/** What a program came to. */
export interface ProgramResult {
  readonly steps: readonly string[];
  /** The first step after which something differed, and what. */
  readonly difference: string | undefined;
}

/** One random program, the same for the same seed. */
export async function runProgram(stage: Stage, seed: number, length = 6): Promise<ProgramResult> {
  const rng = new Rng(seed);
  const store = new StateStore({ every: CHUNK });
  const program: Program = {
    rng,
    stage,
    store,
    renewed: false,
    still: new Session(stage.still, { seed, prefillChunk: CHUNK }),
    tried: new Session(stage.tried, { seed, store, prefillChunk: CHUNK }),
  };
  const steps: string[] = [];
  try {
    const first = idsOf(rng, stage.still, 50);
    for (const session of [program.still, program.tried]) await session.read(first);
    const names = Object.keys(DETOURS);
    for (let i = 0; i < length; i++) {
      const name = names[rng.integer(names.length)]!;
      steps.push(name);
      const eager = stage.eagerIsCaptured && rng.uniform() < 0.2;
      await DETOURS[name]!(program);
      const deed = eager ? sayDeed(rng, program.renewed) : anyDeed(rng, stage.still, program.renewed);
      await deed(program.still);
      const wrong = eager ? await differsFromEager(stage.tried, program.tried, deed) : (await deed(program.tried), []);
      wrong.push(...(await differences(program)));
      if (wrong.length > 0) return { steps, difference: `step ${i}, after ${name}: ${wrong.slice(0, 4).join(", ")}` };
    }
    return { steps, difference: undefined };
  } catch (error) {
    return { steps, difference: `step ${steps.length - 1}, ${steps.at(-1)}: ${(error as Error).message}` };
  } finally {
    for (const session of [program.still, program.tried]) session.dispose();
  }
}

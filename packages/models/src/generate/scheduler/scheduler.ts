import { ArgumentError, NonFiniteError, StatespaceError } from "@statespace/core";
import { sampleStreams } from "@statespace/core/ops";
import { StreamDecoder, type Tokenizer } from "@statespace/text";
import type { Model } from "../../model/model.ts";
import { FrameKeeper } from "../../eventLoop.ts";
import { guidesOf, samplerSettings } from "../guides/guidesOf.ts";
import { History } from "../history.ts";
import { logprobsOf } from "../logprobs.ts";
import {
  checkTokenOptions,
  countsTokens,
  refuseUnknownOptions,
  STREAM_OPTIONS,
  withDefaults,
  type StreamOptions,
} from "../options.ts";
import type { Standing } from "../places.ts";
import { encodePrompt, type Prompt } from "../prompts.ts";
import { checkPromptIds } from "../promptReader.ts";
import { bannedAsIds, stopsOf } from "../textOptions.ts";
import { afterSaying, type Pieces } from "../states/pieces.ts";
import type { StateStore } from "../states/stateStore.ts";
import { Generation } from "./generation.ts";
import { PromptQueue, type ReadyPrompt } from "./promptQueue.ts";
import { SlotLoop } from "./slotLoop.ts";

/** Options of a `Scheduler`. */
export interface SchedulerOptions {
  readonly tokenizer?: Tokenizer | undefined;
  /** Texts that go on at once; default 8. On webgpu and cpu each step costs as much whether they are all taken or not. */
  readonly slots?: number;
  /** Tokens of a prompt that are read at once; default 64. The others step in between, after some of the layers each. */
  readonly prefillChunk?: number;
  /** States of earlier texts, see `StateStore`. */
  readonly store?: StateStore | undefined;
  /** As a session's. */
  readonly reproducible?: boolean;
  /** What texts do unless told otherwise. */
  readonly defaults?: StreamOptions;
  /** Prompts that may wait; more are refused. Default no bound. */
  readonly maxWaiting?: number;
}

/** What a scheduler is doing. */
export interface SchedulerStats {
  /** Texts that are going on. */
  readonly running: number;
  /** Texts whose prompt is in and that wait for a slot, and prompts that are not in. */
  readonly waiting: number;
  readonly promptTokens: number;
  readonly newTokens: number;
  /** Tokens of prompts that were found, not read. */
  readonly cachedTokens: number;
}

/** More texts are asked for than may wait. */
export class BusyError extends StatespaceError {
  override readonly name: string = "BusyError";
}

interface Slot {
  readonly generation: Generation;
  pieces: Pieces;
}

const OPTIONS = ["tokenizer", "slots", "prefillChunk", "store", "reproducible", "defaults", "maxWaiting"];

/**
 * Many texts of one model at once: they come and go between steps, prompts are read piece by piece between the steps of the others, and
 * each has its own options, generator and `AbortSignal`. What one gets does not depend on who else is there: a step is one of all slots,
 * or a row of it has the same bits in one of fewer, and a prompt is read alone.
 */
export class Scheduler {
  readonly model: Model;
  readonly tokenizer: Tokenizer | undefined;
  readonly slots: number;
  readonly #options: SchedulerOptions;
  #loop: SlotLoop;
  readonly #prompts: PromptQueue;
  readonly #ready: { readonly from: ReadyPrompt; readonly left: Generation[] }[] = [];
  readonly #taken: (Slot | undefined)[];
  #run: Promise<void> | undefined;
  #closed: string | undefined;
  #promptTokens = 0;
  #newTokens = 0;
  #cachedTokens = 0;

  /** @throws ArgumentError naming the option that is unknown or out of range. */
  constructor(model: Model, options: SchedulerOptions = {}) {
    refuseUnknownOptions("Scheduler", options, OPTIONS);
    const { slots = 8, prefillChunk: chunk = 64, store, reproducible = false, maxWaiting = 1, defaults = {} } = options;
    for (const [name, value] of Object.entries({ slots, prefillChunk: chunk, maxWaiting }))
      if (!Number.isSafeInteger(value) || value < 1)
        throw new ArgumentError(`Scheduler: ${name} must be a whole number >= 1, got ${value}`);
    checkTokenOptions("Scheduler: defaults", defaults, model.vocabSize);
    this.model = model;
    this.tokenizer = options.tokenizer;
    this.slots = slots;
    this.#options = options;
    this.#loop = new SlotLoop(model, slots);
    this.#prompts = new PromptQueue(model, { chunk, store, reproducible });
    this.#taken = Array.from({ length: slots }, () => undefined);
  }

  get stats(): SchedulerStats {
    const ready = this.#ready.reduce((sum, { left }) => sum + left.length, 0);
    return {
      running: this.#taken.filter((slot) => slot !== undefined).length,
      waiting: ready + this.#prompts.length,
      promptTokens: this.#promptTokens,
      newTokens: this.#newTokens,
      cachedTokens: this.#cachedTokens,
    };
  }

  /**
   * Takes a text up. Its pieces come as the scheduler gets to them.
   * @throws ArgumentError naming the option that is unknown or out of range, for an empty prompt or an id out of range; BusyError
   * where too many wait.
   */
  submit(prompt: Prompt, options: StreamOptions = {}): Generation {
    return this.submitAll(prompt, 1, options)[0]!;
  }

  /** So many texts of one prompt, which is read once; each has a generator of its own, of the seed and its number. @throws as `submit`. */
  submitAll(prompt: Prompt, n: number, options: StreamOptions = {}): Generation[] {
    if (this.#closed !== undefined) throw new ArgumentError(`submit: ${this.#closed}`);
    if (!Number.isSafeInteger(n) || n < 1) throw new ArgumentError(`submit: n must be a whole number >= 1, got ${n}`);
    if (this.#prompts.length >= (this.#options.maxWaiting ?? Number.POSITIVE_INFINITY))
      throw new BusyError(`${this.#prompts.length} prompts wait already`);
    refuseUnknownOptions("submit", options, STREAM_OPTIONS);
    const { tokenizer, model } = this;
    const need = (): Tokenizer => {
      if (tokenizer === undefined) throw new ArgumentError("submit: text needs a tokenizer; use ids");
      return tokenizer;
    };
    const { stop, ...own } = bannedAsIds(withDefaults(this.#options.defaults ?? {}, options), need);
    checkTokenOptions("submit", own, model.vocabSize);
    if ((own.promptLookupNumTokens ?? 0) > 0 || own.assistantModel !== undefined)
      throw new ArgumentError("submit: guesses are for a session of its own; here many texts step at once");
    const ids = Array.from(typeof prompt === "string" ? encodePrompt("submit", need(), prompt) : prompt);
    checkPromptIds("submit", ids, model.vocabSize);
    const streams = sampleStreams(own.seed ?? 0, n);
    const generations = Array.from({ length: n }, (_, row) => {
      const decoder = tokenizer && new StreamDecoder(tokenizer, { stop: stopsOf(stop), prompt: ids });
      return new Generation({
        prompt: ids,
        options: own,
        eosTokenIds: own.eosTokenIds ?? model.resolved.eosTokenIds,
        stream: streams.slice(4 * row, 4 * row + 4),
        decoder,
      });
    });
    if (own.maxNewTokens === 0) for (const generation of generations) generation.end("length");
    else {
      this.#prompts.add({ prompt: ids, generations });
      this.#run ??= this.#work();
    }
    return generations;
  }

  /** Takes no more texts, and waits until those that were taken up are done. */
  async close(): Promise<void> {
    this.#closed ??= "the scheduler is closed";
    while (this.#run !== undefined) await this.#run;
  }

  /** Ends all texts at once and frees everything but the model. */
  dispose(): void {
    this.#closed = "the scheduler was disposed";
    const error = new ArgumentError("the scheduler was disposed");
    this.#failAll(error);
    const free = (): void => this.#loop.dispose();
    if (this.#run === undefined) free();
    else void this.#run.finally(free);
  }

  /** As long as there is something to do. */
  async #work(): Promise<void> {
    const frames = new FrameKeeper();
    // Whoever submits several at once gets them all in before the first is read.
    await Promise.resolve();
    let begun = false;
    try {
      await this.#present();
      begun = true;
      while (this.#prompts.length > 0 || this.#ready.length > 0 || this.#taken.some((slot) => slot !== undefined)) {
        await this.#dropOver();
        await this.#fill();
        // One prompt is read ahead of the slots, not more: its state takes memory.
        if (this.#prompts.length > 0 && this.#ready.length === 0) this.#becomesReady(await this.#prompts.next());
        await this.#fill();
        await this.#closeRanks();
        if (this.#taken.some((slot) => slot !== undefined)) await this.#step();
        await frames.breathe();
      }
    } catch (error) {
      // Prompts that were not begun have lost nothing with the device: they wait for the next one, if that comes by itself.
      this.#failAll(error, begun && this.#loop.isLost && this.model.comeBack !== undefined);
      await this.#dropOver();
    } finally {
      this.#run = this.#prompts.length > 0 ? this.#work() : undefined;
    }
  }

  /** After the device was lost: waits for the weights, where they come back by themselves, and begins with empty slots. */
  async #present(): Promise<void> {
    await this.model.present();
    if (!this.#loop.isLost) return;
    this.#loop.dispose();
    this.#loop = new SlotLoop(this.model, this.slots);
  }

  #becomesReady(from: ReadyPrompt | undefined): void {
    if (from === undefined) return;
    this.#promptTokens += from.prompt.length;
    this.#cachedTokens += from.generations[0]!.cachedTokens;
    this.#ready.push({ from, left: [...from.generations] });
  }

  /** Puts texts whose prompt is in into free slots. */
  async #fill(): Promise<void> {
    while (this.#ready.length > 0) {
      const { from, left } = this.#ready[0]!;
      while (left[0]?.over === true) left.shift();
      const slot = this.#taken.indexOf(undefined);
      if (left.length > 0 && slot < 0) return;
      const generation = left.shift();
      if (generation !== undefined) await this.#join(slot, generation, from);
      if (left.length > 0) continue;
      this.#ready.shift();
      disposeStanding(from.standing);
    }
  }

  async #join(slot: number, generation: Generation, { standing, pieces, prompt }: ReadyPrompt): Promise<void> {
    const { options, eosTokenIds, stream } = generation.parts;
    const history = new History(1);
    history.read(0, prompt);
    const counts = countsTokens(options) ? history.counts(this.model.vocabSize) : undefined;
    const seen = (): ReturnType<History["seen"]> => {
      const all = new History(1);
      all.read(0, prompt);
      for (const id of generation.ids.slice(prompt.length)) all.said(0, id);
      return all.seen(0);
    };
    try {
      generation.guides = guidesOf(options, eosTokenIds, { ids: generation.ids, seen });
    } catch (error) {
      generation.fail(error);
      return;
    }
    await this.#loop.join(slot, standing, { settings: samplerSettings(options), stream, counts });
    this.#taken[slot] = { generation, pieces };
  }

  /** Moves the last texts into empty slots before them, where that makes steps of fewer rows. */
  async #closeRanks(): Promise<void> {
    const taken = this.#taken.filter((slot) => slot !== undefined).length;
    const last = (): number => this.#taken.findLastIndex((slot) => slot !== undefined);
    if (this.#loop.width(taken) >= this.#loop.width(last() + 1)) return;
    while (last() >= taken) {
      const [from, to] = [last(), this.#taken.indexOf(undefined)];
      await this.#loop.move(from, to);
      this.#taken[to] = this.#taken[from];
      this.#taken[from] = undefined;
    }
  }

  /** One token of each text. */
  async #step(): Promise<void> {
    const { vocabSize } = this.model;
    const taken = [...this.#taken.entries()].filter((entry): entry is [number, Slot] => entry[1] !== undefined);
    const generations = taken.map(([, { generation }]) => generation);
    const tells = (g: Generation): boolean => g.options.logprobs === true || (g.options.topLogprobs ?? 0) > 0;
    const ofSlot = (values: Float32Array, slot: number): Float32Array =>
      values.subarray(slot * vocabSize, (slot + 1) * vocabSize);
    const guided = taken.filter(([, { generation }]) => generation.guides.length > 0);
    const { ids, logits } = await this.#loop.choose({
      needsLogits: generations.some((g) => tells(g) || g.guides.some(({ needsLogits }) => needsLogits === true)),
      steer:
        guided.length === 0
          ? undefined
          : async (bias, scores) => {
              for (const [slot, { generation }] of guided)
                await guideText(generation, ofSlot(bias, slot), scores && ofSlot(scores, slot));
            },
    });
    this.#loop.step(ids);
    for (const [slot, own] of taken) {
      const { generation } = own;
      const scores = tells(generation) ? ofSlot(logits!, slot) : undefined;
      takeToken(generation, ids[slot]!, scores);
      own.pieces = afterSaying(own.pieces, generation.ids.length, this.slots);
      this.#newTokens++;
    }
    await this.#dropOver();
  }

  /** Gives back the slots of texts that are over; their states are kept in the store. */
  async #dropOver(): Promise<void> {
    const { store } = this.#options;
    for (const [slot, own] of this.#taken.entries()) {
      if (own?.generation.over !== true) continue;
      const { generation, pieces } = own;
      this.#taken[slot] = undefined;
      for (const guide of generation.guides) guide.dispose?.();
      if (this.#loop.isLost) continue;
      // One that ended while the others stepped stepped along, on a token that is not its own.
      if (store !== undefined && generation.made > 0 && this.#loop.length(slot) === generation.ids.length) {
        const standing = this.#loop.standing(slot);
        await store.add(this.model, standing, { tokens: [...generation.ids], pieces });
        disposeStanding(standing);
      }
      this.#loop.leave(slot);
    }
  }

  #failAll(error: unknown, waitOn = false): void {
    this.#prompts.fail(error, waitOn);
    for (const { from, left } of this.#ready.splice(0)) {
      for (const generation of left) generation.fail(error);
      disposeStanding(from.standing);
    }
    for (const slot of this.#taken) slot?.generation.fail(error);
  }
}

/** Lets the guides of a text have their say; what one of them throws ends this text alone. */
async function guideText(generation: Generation, bias: Float32Array, logits: Float32Array | undefined): Promise<void> {
  try {
    for (const guide of generation.guides) {
      await guide.prepare?.();
      guide.guide(bias, { ids: generation.ids, made: generation.made, logits });
    }
  } catch (error) {
    generation.fail(error);
  }
}

/** A token of a text came. */
function takeToken(generation: Generation, id: number, scores: Float32Array | undefined): void {
  if (generation.over) return;
  const { options, decoder, eosTokenIds } = generation.parts;
  if (id < 0) {
    generation.fail(
      new NonFiniteError("sampling: no token is left that the text may go on with, or its logits hold a NaN"),
    );
    return;
  }
  generation.ids.push(id);
  let complete = false;
  try {
    for (const guide of generation.guides) complete = guide.accept?.(id) === true || complete;
  } catch (error) {
    generation.fail(error);
    return;
  }
  const isEos = eosTokenIds.includes(id) || complete;
  const isLast = generation.made === (options.maxNewTokens ?? 64);
  let text = decoder?.push(id) ?? "";
  const done = isEos || isLast || decoder?.stopped === true;
  if (done) text += decoder?.flush() ?? "";
  const told = scores && logprobsOf(scores, id, options.topLogprobs ?? 0);
  generation.push({
    id,
    text,
    done,
    ...(told === undefined ? {} : { logprob: told.logprob }),
    ...((options.topLogprobs ?? 0) > 0 ? { topLogprobs: told!.top } : {}),
  });
  if (done) generation.end(decoder?.stopped === true ? "stop" : isEos ? "eos" : "length");
}

function disposeStanding({ state, logits }: Standing): void {
  state.dispose();
  logits.dispose();
}

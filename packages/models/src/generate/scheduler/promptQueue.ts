import { readFloats, tidy, type Tensor } from "@statespace/core";
import { sliceAxis } from "@statespace/core/ops";
import type { Model } from "../../model/model.ts";
import type { Standing } from "../places.ts";
import { PromptReader } from "../promptReader.ts";
import { afterReading, type Pieces } from "../states/pieces.ts";
import type { FoundState, StateStore } from "../states/stateStore.ts";
import type { Generation } from "./generation.ts";

/** Texts of one prompt, which is read once. */
export interface PromptJob {
  readonly prompt: readonly number[];
  readonly generations: readonly Generation[];
}

/** A prompt that is in: each of its texts goes on from here. */
export interface ReadyPrompt extends PromptJob {
  readonly standing: Standing;
  readonly pieces: Pieces;
}

/** How prompts are read. */
export interface PromptQueueOptions {
  readonly chunk: number;
  readonly store: StateStore | undefined;
  readonly reproducible: boolean;
}

/**
 * What of a prompt is read between two steps of the others, in tokens: a piece that is longer goes through some of the layers at a time. Its
 * bits are a matter of pieces alone, and longer ones cost less a token.
 */
const PART_TOKENS = 24;

interface Reading {
  readonly job: PromptJob;
  readonly reader: PromptReader;
  readonly from: number;
  readonly found: Standing | undefined;
  pieces: Pieces;
  /** The piece that is under way. */
  piece: Generator<Tensor, void, undefined> | undefined;
}

/** Prompts that wait to be read, one after the other, a part of a piece at a time. */
export class PromptQueue {
  readonly #model: Model;
  readonly #options: PromptQueueOptions;
  readonly #waiting: PromptJob[] = [];
  #reading: Reading | undefined;

  constructor(model: Model, options: PromptQueueOptions) {
    this.#model = model;
    this.#options = options;
  }

  /** Prompts that are not in yet. */
  get length(): number {
    return this.#waiting.length + (this.#reading === undefined ? 0 : 1);
  }

  add(job: PromptJob): void {
    this.#waiting.push(job);
  }

  /** Reads a part of the prompt whose turn it is. @returns a prompt that is in with it */
  async next(): Promise<ReadyPrompt | undefined> {
    if (this.#reading !== undefined && isOver(this.#reading.job)) this.#drop();
    if (this.#reading === undefined) {
      const begun = await this.#begin();
      if (begun !== undefined) return begun;
    }
    return this.#piece();
  }

  /** Takes up the next prompt that somebody still waits for; it is in at once where all of it was kept. */
  async #begin(): Promise<ReadyPrompt | undefined> {
    let job = this.#waiting.shift();
    while (job !== undefined && isOver(job)) job = this.#waiting.shift();
    if (job === undefined) return undefined;
    const { store, reproducible, chunk } = this.#options;
    const found = await this.#find(job, store, reproducible ? chunk : undefined);
    const from = found?.tokens.length ?? 0;
    for (const generation of job.generations) generation.cachedTokens = from;
    if (found !== undefined && from === job.prompt.length) return { ...job, standing: found, pieces: found.pieces };
    const reader = new PromptReader(this.#model, [job.prompt.slice(from)], { initialState: found?.state, chunk });
    this.#reading = { job, reader, pieces: found?.pieces ?? [], from, found, piece: undefined };
    return undefined;
  }

  /** What fails here is told: the prompt waits no longer, and is not being read yet. */
  async #find(
    { prompt, generations }: PromptJob,
    store: StateStore | undefined,
    chunk: number | undefined,
  ): Promise<FoundState | undefined> {
    try {
      return await store?.find(this.#model, prompt, chunk);
    } catch (error) {
      for (const generation of generations) generation.fail(error);
      throw error;
    }
  }

  async #piece(): Promise<ReadyPrompt | undefined> {
    const reading = this.#reading;
    if (reading === undefined) return undefined;
    const { job, reader } = reading;
    const { store } = this.#options;
    // Waited for here, so that the part's time is not that of the step behind it.
    reading.piece ??= reader.inParts(PART_TOKENS);
    const { done, value: under } = reading.piece.next();
    if (done !== true) {
      const one = tidy(() => sliceAxis(under, 1, 0, 1));
      await readFloats(one);
      one.dispose();
      return undefined;
    }
    reading.piece = undefined;
    await readFloats(reader.standing.logits);
    reading.pieces = afterReading(reading.pieces, reader.position);
    const whole = reader.done === reader.total;
    const { pieces } = reading;
    if (store !== undefined && (whole || reader.position % store.every === 0))
      await store.add(this.#model, reader.standing, { tokens: job.prompt.slice(0, reader.position), pieces });
    if (!whole) return undefined;
    const standing = reader.take();
    this.#drop();
    return { ...job, standing, pieces };
  }

  #drop(): void {
    this.#reading?.piece?.return();
    this.#reading?.reader.dispose();
    this.#reading?.found?.state.dispose();
    this.#reading?.found?.logits.dispose();
    this.#reading = undefined;
  }

  /** Tells whoever waits for the prompt that is being read, and for those that are not begun unless these may wait on, and forgets them. */
  fail(error: unknown, waitOn = false): void {
    const jobs = [
      ...(waitOn ? [] : this.#waiting.splice(0)),
      ...(this.#reading === undefined ? [] : [this.#reading.job]),
    ];
    this.#drop();
    for (const { generations } of jobs) for (const generation of generations) generation.fail(error);
  }
}

/** Nobody waits for it any more. */
function isOver({ generations }: PromptJob): boolean {
  return generations.every(({ over }) => over);
}

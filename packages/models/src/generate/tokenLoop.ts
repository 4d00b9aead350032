import {
  add,
  capture,
  keep,
  NonFiniteError,
  readFloats,
  readInts,
  tensor,
  tidy,
  writeInto,
  type Captured,
  type Tensor,
} from "@statespace/core";
import { copy, sampleSettings, sampleToken } from "@statespace/core/ops";
import type { ModelState } from "../model/state.ts";
import { capacityFor } from "./decoder.ts";
import type { SamplingSettings } from "./options.ts";
import type { Model } from "../model/model.ts";

/** What a round of tokens begins with. */
export interface Round {
  readonly settings: SamplingSettings;
  /** Each row's generator, see `sampleStreams`: int32 [b, 4]. */
  readonly streams: Int32Array;
  /** Present where penalties need it, see `sampleToken`: int32 [b, v]. */
  readonly counts: Int32Array | undefined;
  readonly logprobs: boolean;
}

/** One token of each row. */
export interface Drawn {
  readonly ids: Int32Array;
  readonly logprobs: Float32Array | undefined;
}

/** One token of each row that the host had its say in. */
export interface DrawnByHost {
  readonly ids: Int32Array;
  /** The model's own scores, [b * v], where they were asked for. */
  readonly logits: Float32Array | undefined;
}

/** The host's say. */
export interface Steering {
  readonly needsLogits: boolean;
  /** Adds to the scores, [b * v]. */
  readonly steer: ((bias: Float32Array, logits: Float32Array | undefined) => Promise<void>) | undefined;
}

/** A captured step: the model reads the last tokens, and the sampler, unless the host waits for it, puts the next ones in their place. */
type Step = Captured<{ readonly logits: Tensor; readonly logprob?: Tensor }>;

/** What of a step is captured: the model alone, or the sampler too, which may tell log probabilities. */
type Kind = "model" | "sampled" | "told";

/**
 * Draws tokens with nothing but their ids coming back: the step and the sampler are one captured graph, and while the host reads a
 * token, the device already reads it into the state. So the state is that after the last token drawn, and the token sampled
 * behind it leaves no trace: generators and counts are set at the beginning of each round.
 */
export class TokenLoop {
  readonly model: Model;
  readonly rows: number;
  readonly state: ModelState;
  readonly #ids: Tensor; // int32 [b]
  readonly #settings: Tensor; // [b, 8]
  readonly #random: Tensor; // int32 [b, 4]
  #counts: Tensor | undefined; // int32 [b, v]
  /** Scores of the next tokens: those of the step where there is one that is newer. */
  #logits: Tensor; // [b, v]
  #step: Step | undefined;
  /** What the step was captured for. */
  #captured:
    | { readonly layout: number; readonly wiring: number; readonly counts: Tensor | undefined; readonly kind: Kind }
    | undefined;
  #bias: Tensor | undefined; // [b, v]
  #fresh = true;

  /** @param state and logits [b, v] after its last tokens; both are taken over. */
  constructor(model: Model, rows: number, state: ModelState, logits: Tensor) {
    this.model = model;
    this.rows = rows;
    this.state = state;
    this.#logits = keep(logits);
    const place = { backend: model.backend };
    this.#ids = keep(tensor(new Int32Array(rows), [rows], place));
    this.#settings = keep(tensor(new Float32Array(8 * rows), [rows, 8], place));
    this.#random = keep(tensor(new Int32Array(4 * rows), [rows, 4], place));
  }

  /** Scores of the next tokens, [b, v]; overwritten by the next step. */
  get logits(): Tensor {
    return this.#fresh || this.#step === undefined ? this.#logits : this.#step.result.logits;
  }

  /** Whether its state went with its device. */
  get isLost(): boolean {
    return this.#ids.backend.lost !== undefined;
  }

  /** Kernel launches a token takes; 0 before the first. */
  get launches(): number {
    return this.#step?.launches ?? 0;
  }

  /** Goes on from another state, given up by its owner. Captured steps stay where the state fits. */
  replace(state: ModelState, logits: Tensor): void {
    this.state.copyFrom(state);
    state.dispose();
    this.#logits.dispose();
    this.#logits = keep(logits);
    this.#fresh = true;
  }

  /**
   * One token of each row after the other, without end. Between two of them the state is that after the last one.
   * @throws NonFiniteError where logits are not to be sampled from; what a lost or full device throws.
   */
  async *draw(round: Round): AsyncGenerator<Drawn, void, undefined> {
    this.#begin(round);
    const kind = round.logprobs ? "told" : "sampled";
    const first = this.#sample(this.logits, round.logprobs).logprob;
    let logprob = first && keep(first);
    try {
      for (;;) {
        // Reads are ordered before the replay that overwrites what they read.
        const reads = Promise.all([readInts(this.#ids), logprob && readFloats(logprob)] as const);
        reads.catch(() => undefined); // it is awaited below, unless the step throws
        if (!this.#fits(kind)) await this.#capture(kind);
        this.#advance();
        const [ids, logprobs] = await reads;
        this.#check(ids);
        if (this.#step!.result.logprob !== logprob) logprob?.dispose();
        logprob = this.#step!.result.logprob;
        yield { ids, logprobs };
      }
    } finally {
      if (logprob !== undefined && logprob !== this.#step?.result.logprob) logprob.dispose();
    }
  }

  /**
   * As `draw`, where the host has its say before each choice: it sees the scores of the next tokens, and adds to them.
   * @throws as `draw`
   */
  async *drawGuided(
    round: Omit<Round, "logprobs">,
    { needsLogits, steer }: Steering,
  ): AsyncGenerator<DrawnByHost, void, undefined> {
    this.#begin(round);
    const shape = [this.rows, this.model.vocabSize];
    const bias = steer && new Float32Array(this.rows * this.model.vocabSize);
    if (bias !== undefined) this.#bias ??= keep(tensor(bias, shape, { backend: this.model.backend }));
    for (;;) {
      const logits = needsLogits ? await readFloats(this.logits) : undefined;
      if (bias !== undefined) {
        await steer!(bias.fill(0), logits);
        writeInto(this.#bias!, bias);
      }
      tidy(() => void this.#sample(bias === undefined ? this.logits : add(this.logits, this.#bias!), false));
      const ids = await readInts(this.#ids);
      this.#check(ids, bias !== undefined);
      if (!this.#fits("model")) await this.#capture("model");
      this.#advance();
      yield { ids, logits };
    }
  }

  /** The model takes a token of each row, [rows]; a captured step. */
  async take(ids: Int32Array): Promise<void> {
    writeInto(this.#ids, ids);
    if (!this.#fits("model")) await this.#capture("model");
    this.#advance();
  }

  /** Sets the sampler. */
  #begin({ settings, streams, counts }: Omit<Round, "logprobs">): void {
    const own = sampleSettings(settings.greedy ? { ...settings, temperature: 0 } : settings);
    writeInto(
      this.#settings,
      Float32Array.from({ length: 8 * this.rows }, (_, i) => own[i % 8]!),
    );
    writeInto(this.#random, streams);
    this.#count(counts);
  }

  #count(counts: Int32Array | undefined): void {
    if (counts === undefined) {
      this.#counts?.dispose();
      this.#counts = undefined;
    } else if (this.#counts === undefined) {
      this.#counts = keep(tensor(counts, [this.rows, this.model.vocabSize], { backend: this.model.backend }));
    } else writeInto(this.#counts, counts);
  }

  #sample(logits: Tensor, logprobs: boolean): { logprob?: Tensor } {
    return sampleToken(
      { logits, settings: this.#settings, random: this.#random, id: this.#ids, counts: this.#counts },
      { logprob: logprobs },
    );
  }

  /** Whether the captured step is that of this round, and has room for a token. */
  #fits(kind: Kind): boolean {
    const { state } = this;
    const had = this.#captured;
    const sampler = kind === "model" || had?.counts === this.#counts;
    const same = had?.layout === state.layout && had.wiring === this.model.wiring;
    const valid = same && sampler && had.kind === kind;
    return valid && state.position < state.capacity;
  }

  /** Takes the last tokens into the state and draws the next. */
  #advance(): void {
    this.#step!.replay();
    this.state.position++;
    this.#fresh = false;
  }

  /**
   * Captures the step, and undoes it: a device may replay several ops as one, which rounds otherwise than the ops did while they were
   * captured. So every token is a replay, and where a step was captured does not show.
   */
  async #capture(kind: Kind): Promise<void> {
    const { model, rows, state } = this;
    const capacity = capacityFor(state.position + 1);
    const held = [this.#ids, this.#random, ...(this.#counts ? [this.#counts] : [])];
    const values = await Promise.all(held.map(readInts));
    const before = state.clone();
    this.#keepLogits();
    this.#release();
    model.reserve(state, rows, capacity);
    // What models derive from weights must exist before the capture, or every replay would compute it again.
    const scratch = model.initialState(rows);
    model.reserve(scratch, rows, capacity);
    tidy(() => void model.step(this.#ids, scratch));
    scratch.dispose();
    this.#step = capture(() => {
      const logits = model.step(this.#ids, state);
      return kind === "model" ? { logits } : { logits, ...this.#sample(logits, kind === "told") };
    });
    state.copyFrom(before);
    before.dispose();
    held.forEach((t, i) => writeInto(t, values[i]!));
    this.#captured = { layout: state.layout, wiring: model.wiring, counts: this.#counts, kind };
  }

  /** The newest scores are a step's own, and go with it: a copy stays. */
  #keepLogits(): void {
    if (this.#fresh || this.#step === undefined) return;
    copy({ destination: this.#logits, source: this.#step.result.logits });
    this.#fresh = true;
  }

  /** A row's logits had no largest one that is finite: tells it, and nothing of it is kept. */
  #check(ids: Int32Array, steered = false): void {
    const row = ids.indexOf(-1);
    if (row >= 0 && steered)
      throw new NonFiniteError(`sampling: no token is left that text ${row} may go on with, or its logits hold a NaN`);
    if (row >= 0)
      throw new NonFiniteError(`sampling: the logits of text ${row} hold a NaN, are infinite, or are all -infinity`);
  }

  #release(): void {
    this.#step?.dispose();
    this.#step = undefined;
    this.#captured = undefined;
  }

  dispose(): void {
    this.#release();
    for (const t of [this.#ids, this.#settings, this.#random, this.#logits]) t.dispose();
    this.#counts?.dispose();
    this.#bias?.dispose();
    this.state.dispose();
  }
}

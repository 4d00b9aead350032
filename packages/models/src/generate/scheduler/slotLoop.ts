import {
  add,
  capture,
  keep,
  readFloats,
  readInts,
  tensor,
  tidy,
  writeInto,
  zeros,
  type Captured,
  type Tensor,
} from "@statespace/core";
import { copy, sampleSettings, sampleToken } from "@statespace/core/ops";
import { POSITION } from "../../layers/reservedState.ts";
import type { Model } from "../../model/model.ts";
import type { ModelState } from "../../model/state.ts";
import { capacityFor } from "../decoder.ts";
import type { SamplingSettings } from "../options.ts";
import type { Standing } from "../places.ts";
import { copyOfRow, readStateRow, writeRow, writeStateRow } from "./rowsOfState.ts";

/** What the host says of each choice. */
export interface SlotSteering {
  readonly needsLogits: boolean;
  /** Adds to the scores, [slots * v]. */
  readonly steer: ((bias: Float32Array, logits: Float32Array | undefined) => Promise<void>) | undefined;
}

/**
 * Steps of a fixed number of texts at once, which come and go between steps. An empty slot steps too, on nothing: so every step is the
 * same launches on the same shapes, and what a text gets does not depend on the others.
 */
export class SlotLoop {
  readonly model: Model;
  readonly slots: number;
  readonly #state: ModelState;
  /** Tokens that each slot's text has; 0 where there is none. */
  readonly #lengths: Int32Array;
  readonly #ids: Tensor; // int32 [slots]
  readonly #logits: Tensor; // [slots, v]
  readonly #settings: Tensor; // [slots, 8]
  readonly #ownSettings: Float32Array;
  readonly #random: Tensor; // int32 [slots, 4]
  readonly #streams: Int32Array;
  #counts: Tensor | undefined; // int32 [slots, v]
  #bias: Tensor | undefined; // [slots, v]
  #graph: Captured<Tensor> | undefined;
  #layout = -1;

  constructor(model: Model, slots: number) {
    const { backend, vocabSize } = model;
    this.model = model;
    this.slots = slots;
    this.#state = model.initialState(slots);
    this.#lengths = new Int32Array(slots);
    this.#ownSettings = new Float32Array(8 * slots);
    this.#streams = new Int32Array(4 * slots);
    this.#ids = keep(tensor(new Int32Array(slots), [slots], { backend }));
    this.#logits = keep(zeros([slots, vocabSize], { backend }));
    this.#settings = keep(tensor(this.#ownSettings, [slots, 8], { backend }));
    this.#random = keep(tensor(this.#streams, [slots, 4], { backend }));
    for (let slot = 0; slot < slots; slot++) this.#set(slot, { temperature: 0 });
  }

  /** Whether its state went with its device. */
  get isLost(): boolean {
    return this.#ids.backend.lost !== undefined;
  }

  /** Kernel launches that a step takes; 0 before the first. */
  get launches(): number {
    return this.#graph?.launches ?? 0;
  }

  /** Puts a text in a slot: copies of its state and scores, its generator (int32 [4]), and what penalties count of it. */
  async join(
    slot: number,
    { state, logits }: Standing,
    own: { settings: SamplingSettings; stream: Int32Array; counts: Int32Array | undefined },
  ): Promise<void> {
    this.#makeRoom(state.position + 1);
    writeStateRow(this.#state, slot, state);
    writeRow(this.#logits, slot, logits);
    this.#lengths[slot] = state.position;
    this.#set(slot, own.settings);
    this.#streams.set(own.stream, 4 * slot);
    await this.#count(slot, own.counts);
  }

  /** Empties a slot. */
  leave(slot: number): void {
    this.#lengths[slot] = 0;
    this.#set(slot, { temperature: 0 });
  }

  /** Tokens that a slot's text has. */
  length(slot: number): number {
    return this.#lengths[slot]!;
  }

  /** A copy of a slot's state and scores. */
  standing(slot: number): Standing {
    return {
      state: readStateRow(this.#state, slot, this.#lengths[slot]!),
      logits: copyOfRow(this.#logits, slot),
    };
  }

  /** Chooses the next token of each slot; -1 where there is none to choose. The scores, where they are asked for, are the model's own. */
  async choose({ needsLogits, steer }: SlotSteering): Promise<{ ids: Int32Array; logits: Float32Array | undefined }> {
    const logits = needsLogits ? await readFloats(this.#logits) : undefined;
    writeInto(this.#random, this.#streams);
    let bias: Tensor | undefined;
    if (steer !== undefined) {
      const values = new Float32Array(this.slots * this.model.vocabSize);
      await steer(values, logits);
      this.#bias ??= keep(zeros(this.#logits.shape, { backend: this.model.backend }));
      writeInto(this.#bias, values);
      bias = this.#bias;
    }
    tidy(
      () =>
        void sampleToken({
          logits: bias === undefined ? this.#logits : add(this.#logits, bias),
          settings: this.#settings,
          random: this.#random,
          id: this.#ids,
          counts: this.#counts,
        }),
    );
    for (let slot = 0; slot < this.slots; slot++) {
      const at = 4 * slot + 2;
      this.#streams[at]!++;
      if (this.#streams[at] === 0) this.#streams[at + 1]!++;
    }
    return { ids: await readInts(this.#ids), logits };
  }

  /** Every slot takes its token [slots]; those of empty slots do not matter. */
  step(ids: Int32Array): void {
    this.#makeRoom(Math.max(...this.#lengths) + 1);
    if (this.#graph === undefined || this.#layout !== this.#state.layout) this.#capture();
    writeInto(
      this.#ids,
      ids.map((id) => Math.max(0, id)),
    );
    this.#writePositions();
    this.#graph!.replay();
    for (let slot = 0; slot < this.slots; slot++) if (this.#lengths[slot]! > 0) this.#lengths[slot]!++;
  }

  /** Captured on a copy of what is there, and undone: a replay may round otherwise, so every step is one. */
  #capture(): void {
    const { model, slots } = this;
    const state = this.#state;
    this.#graph?.dispose();
    const scratch = model.initialState(slots);
    model.reserve(scratch, slots, capacityFor(Math.max(...this.#lengths) + 1));
    tidy(() => void model.step(this.#ids, scratch));
    scratch.dispose();
    const held = [...state.tensors()].map(([, t]) => t).filter(({ dtype }) => dtype === "float32");
    held.push(this.#logits);
    const before = held.map((t) => copyOf(t));
    this.#graph = capture(() => {
      copy({ destination: this.#logits, source: model.step(this.#ids, state) });
      return this.#logits;
    });
    held.forEach((destination, i) => {
      copy({ destination, source: before[i]! });
      before[i]!.dispose();
    });
    this.#layout = state.layout;
  }

  #makeRoom(tokens: number): void {
    const state = this.#state;
    if (state.capacity === Number.POSITIVE_INFINITY && this.model.constantState) return;
    if (state.capacity !== Number.POSITIVE_INFINITY && state.capacity >= tokens) return;
    state.position = Math.max(...this.#lengths);
    this.model.reserve(state, this.slots, capacityFor(tokens));
  }

  /** The counters on the device go on with every step, those of empty slots too: the host knows better. */
  #writePositions(): void {
    for (const layer of this.#state.layers) {
      const position = layer[POSITION];
      if (position !== undefined) writeInto(position, this.#lengths);
    }
  }

  #set(slot: number, settings: SamplingSettings): void {
    this.#ownSettings.set(sampleSettings(settings.greedy ? { ...settings, temperature: 0 } : settings), 8 * slot);
    writeInto(this.#settings, this.#ownSettings);
  }

  /** Sets what penalties count of a slot; nothing is counted until the first text asks for it. */
  async #count(slot: number, own: Int32Array | undefined): Promise<void> {
    const { vocabSize, backend } = this.model;
    if (own === undefined && this.#counts === undefined) return;
    const all = this.#counts === undefined ? new Int32Array(this.slots * vocabSize) : await readInts(this.#counts);
    all.subarray(slot * vocabSize, (slot + 1) * vocabSize).fill(0);
    if (own !== undefined) all.set(own, slot * vocabSize);
    if (this.#counts === undefined) this.#counts = keep(tensor(all, [this.slots, vocabSize], { backend }));
    else writeInto(this.#counts, all);
  }

  dispose(): void {
    this.#graph?.dispose();
    for (const t of [this.#ids, this.#logits, this.#settings, this.#random]) t.dispose();
    this.#counts?.dispose();
    this.#bias?.dispose();
    this.#state.dispose();
  }
}

function copyOf(source: Tensor): Tensor {
  const destination = keep(zeros(source.shape, { backend: source.backend }));
  copy({ destination, source });
  return destination;
}

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
import { ModelState } from "../../model/state.ts";
import { capacityFor } from "../decoder.ts";
import type { SamplingSettings } from "../options.ts";
import type { Standing } from "../places.ts";
import { copyOfRow, firstRows, moveRow, readStateRow, writeRow, writeStateRow } from "./rowsOfState.ts";

/** What the host says of each choice. */
export interface SlotSteering {
  readonly needsLogits: boolean;
  /** Adds to the scores, [slots * v]. */
  readonly steer: ((bias: Float32Array, logits: Float32Array | undefined) => Promise<void>) | undefined;
}

/**
 * Steps of several texts at once, which come and go between steps. Where a row's bits do not depend on how many rows there are, a step has
 * the first rows only, about as many as are taken; elsewhere always all of them. An empty slot among them steps too, on nothing. So what a
 * text gets does not depend on the others.
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
  /** Steps by their rows. */
  readonly #graphs: Map<number, Captured<Tensor>> = new Map();
  #launches = 0;
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
    return this.#launches;
  }

  /** Rows of a step where the first so many slots are taken. */
  width(slots: number): number {
    return this.slots > this.#ids.backend.rowsAlike ? this.slots : Math.min(this.slots, widthFor(slots));
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

  /** Puts a slot's text into an empty one. */
  async move(from: number, to: number): Promise<void> {
    for (const layer of this.#state.layers)
      for (const [name, t] of Object.entries(layer)) if (name !== POSITION) moveRow(t, from, to);
    moveRow(this.#logits, from, to);
    this.#lengths[to] = this.#lengths[from]!;
    this.#ownSettings.copyWithin(8 * to, 8 * from, 8 * from + 8);
    this.#streams.copyWithin(4 * to, 4 * from, 4 * from + 4);
    writeInto(this.#settings, this.#ownSettings);
    if (this.#counts !== undefined) {
      const { vocabSize } = this.model;
      const all = await readInts(this.#counts);
      writeInto(this.#counts, all.copyWithin(to * vocabSize, from * vocabSize, (from + 1) * vocabSize));
    }
    this.leave(from);
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
    if (this.#layout !== this.#state.layout) this.#forgetGraphs();
    const rows = this.width(this.#lengths.findLastIndex((tokens) => tokens > 0) + 1);
    const graph = this.#graphs.get(rows) ?? this.#capture(rows);
    writeInto(
      this.#ids,
      ids.map((id) => Math.max(0, id)),
    );
    this.#writePositions();
    graph.replay();
    for (let slot = 0; slot < this.slots; slot++) if (this.#lengths[slot]! > 0) this.#lengths[slot]!++;
  }

  #forgetGraphs(): void {
    for (const graph of this.#graphs.values()) graph.dispose();
    this.#graphs.clear();
    this.#layout = this.#state.layout;
  }

  /** Captured on a copy of what is there, and undone: a replay may round otherwise, so every step is one. */
  #capture(rows: number): Captured<Tensor> {
    const { model } = this;
    if (this.#graphs.size === 0) this.#prime();
    const [state, ids, logits] = tidy(() => {
      const first = (t: Tensor): Tensor => keep(firstRows(t, rows));
      const layers = this.#state.layers.map((layer) =>
        Object.fromEntries(Object.entries(layer).map(([name, t]) => [name, first(t)])),
      );
      return [new ModelState(layers, this.#state.position), first(this.#ids), first(this.#logits)] as const;
    });
    const held = [...state.tensors()].filter(([name]) => !name.endsWith(`.${POSITION}`)).map(([, t]) => t);
    held.push(logits);
    const before = held.map((t) => copyOf(t));
    const graph = capture(() => {
      copy({ destination: logits, source: model.step(ids, state) });
      return logits;
    });
    held.forEach((destination, i) => {
      copy({ destination, source: before[i]! });
      before[i]!.dispose();
    });
    for (const thing of [state, ids, logits]) thing.dispose();
    this.#graphs.set(rows, graph);
    this.#launches = graph.launches;
    return graph;
  }

  /** What is computed from weights alone must be there before a capture, or every replay would compute it again. */
  #prime(): void {
    const { model, slots } = this;
    const scratch = model.initialState(slots);
    model.reserve(scratch, slots, capacityFor(Math.max(...this.#lengths) + 1));
    tidy(() => void model.step(this.#ids, scratch));
    scratch.dispose();
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
    this.#forgetGraphs();
    for (const t of [this.#ids, this.#logits, this.#settings, this.#random]) t.dispose();
    this.#counts?.dispose();
    this.#bias?.dispose();
    this.#state.dispose();
  }
}

/** 1, 2, 3, 4, 6, 8, 12, 16, ...: few enough to keep a captured step of each, and at most a third of the rows are nobody's. */
function widthFor(rows: number): number {
  let width = 1;
  while (width < rows) width = width === 1 ? 2 : (width & (width - 1)) === 0 ? 1.5 * width : (4 * width) / 3;
  return width;
}

function copyOf(source: Tensor): Tensor {
  const destination = keep(zeros(source.shape, { dtype: source.dtype, backend: source.backend }));
  copy({ destination, source });
  return destination;
}

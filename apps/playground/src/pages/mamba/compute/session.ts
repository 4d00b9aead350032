import { FormatError, Rng, setBackend } from "@statespace/core";
import type { Tokenizer } from "@statespace/text";
import { Decoder, ModelState, prefill, chooseToken, type Model, type SamplingSettings } from "@statespace/models";
import { loadBackend } from "../../../workers/backend.ts";
import type { BackendName } from "../../../workers/backendNames.ts";

/** Everything needed to go on from a place in a text, on any backend: the tokens, the state, and the scores of the next token. */
export interface Snapshot {
  readonly ids: readonly number[];
  /** How many of them were the prompt. */
  readonly promptLength: number;
  readonly state: Uint8Array; // a safetensors file
  readonly logits: Float32Array; // [v]
}

/** Tokens between two snapshots that rewinding starts from. */
const SNAPSHOT_EVERY = 8;

/** A model that writes, whose state can be saved, put back and moved to another backend between two tokens. */
export class Session {
  readonly model: Model;
  readonly tokenizer: Tokenizer;
  /** Prompt and continuation. */
  ids: number[] = [];
  promptLength = 0;
  #decoder: Decoder | undefined;
  #logits: Float32Array | undefined;
  #snapshots: Snapshot[] = [];
  #rng = new Rng(0);

  constructor(model: Model, tokenizer: Tokenizer) {
    this.model = model;
    this.tokenizer = tokenizer;
  }

  get state(): ModelState | undefined {
    return this.#decoder?.state;
  }

  /** Reads a prompt. */
  async begin(prompt: string, seed: number, signal: AbortSignal): Promise<void> {
    const encoded = Array.from(this.tokenizer.encode(prompt));
    const ids = encoded.length > 0 ? encoded : [this.tokenizer.bosId ?? this.tokenizer.eosId ?? 0];
    const { logits, state } = await prefill(this.model, [ids], { signal });
    this.#decoder?.dispose();
    this.#decoder = new Decoder(this.model, state, 1);
    this.#logits = logits;
    this.ids = ids;
    this.promptLength = ids.length;
    this.#rng = new Rng(seed);
    this.#snapshots = [await this.save()];
  }

  /** Chooses and feeds one token. */
  async step(sampling: SamplingSettings): Promise<number> {
    const id = chooseToken(this.#logits!, sampling, () => this.#rng.uniform(), this.ids);
    await this.#feed(id);
    if (this.ids.length % SNAPSHOT_EVERY === 0) this.#snapshots.push(await this.save());
    return id;
  }

  async #feed(id: number): Promise<void> {
    this.#logits = await this.#decoder!.next([id]);
    this.ids.push(id);
  }

  async save(): Promise<Snapshot> {
    return {
      ids: [...this.ids],
      promptLength: this.promptLength,
      state: await this.#decoder!.state.toBytes(),
      logits: this.#logits!.slice(),
    };
  }

  /** The shortest text that rewinding can reach. */
  get earliest(): number {
    return Math.max(this.promptLength, this.#snapshots[0]?.ids.length ?? 0);
  }

  /** Goes on from a snapshot; with another seed this is a fork. @throws FormatError for one of another model; nothing changes then. */
  restore(snapshot: Snapshot, seed: number): void {
    const state = ModelState.fromBytes(snapshot.state, { backend: this.model.backend });
    try {
      this.check(snapshot, state);
    } catch (error) {
      state.dispose();
      throw error;
    }
    this.#put(state);
    this.ids = [...snapshot.ids];
    this.promptLength = snapshot.promptLength;
    this.#logits = snapshot.logits.slice();
    this.#rng = new Rng(seed);
    // only what this text went through: the snapshot may be of another one
    this.#snapshots = this.#snapshots.filter(
      ({ ids }) => ids.length <= snapshot.ids.length && ids.every((id, i) => id === snapshot.ids[i]),
    );
    if (this.#snapshots.length === 0) this.#snapshots = [snapshot];
  }

  /** @throws FormatError unless a snapshot and its state can be of this model. */
  check({ ids, logits }: Snapshot, state: ModelState): void {
    const { vocabSize } = this.model;
    if (logits.length !== vocabSize)
      throw new FormatError(`state: must score ${vocabSize} tokens, got ${logits.length}: it belongs to another model`);
    const stranger = ids.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabSize));
    if (stranger !== undefined)
      throw new FormatError(`state: token ${stranger} is not one of this model's ${vocabSize}`);
    if (state.position !== ids.length)
      throw new FormatError(`state: saw ${state.position} tokens, but the file lists ${ids.length}`);
    const fresh = this.model.initialState();
    const found = new Map([...state.tensors()].map(([name, { shape }]) => [name, String(shape)]));
    // what grows with the text is not in a fresh state, and may have any length
    const other = [...fresh.tensors()].find(([name, { shape }]) => found.get(name) !== String(shape));
    fresh.dispose();
    if (other !== undefined)
      throw new FormatError(
        `state: ${other[0]} must be [${other[1].shape}], got [${found.get(other[0]) ?? "nothing"}]: it belongs to another model`,
      );
  }

  /** Goes back to `length` tokens: from the last snapshot before, the rest is fed again. */
  async rewind(length: number): Promise<void> {
    const ids = this.ids.slice(0, Math.max(this.earliest, length));
    const from = this.#snapshots.findLast((snapshot) => snapshot.ids.length <= ids.length)!;
    this.restore(from, ids.length);
    for (const id of ids.slice(from.ids.length)) await this.#feed(id);
  }

  /** Moves weights and state to another backend. Nothing changes when it cannot start. */
  async moveTo(backend: BackendName): Promise<void> {
    await loadBackend(backend);
    const bytes = await this.#decoder?.state.toBytes();
    const previous = this.#decoder;
    await this.model.to(backend);
    previous?.dispose();
    this.#decoder = undefined;
    if (bytes !== undefined) this.#put(ModelState.fromBytes(bytes, { backend }));
    await setBackend(backend);
  }

  #put(state: ModelState): void {
    this.#decoder?.dispose();
    this.#decoder = new Decoder(this.model, state, 1);
  }

  dispose(): void {
    this.#decoder?.dispose();
    this.model.dispose();
  }
}

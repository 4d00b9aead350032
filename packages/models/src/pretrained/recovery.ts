import { DeviceLostError } from "@statespace/core";
import { onRecovery, type AnyBackend } from "@statespace/core/backend";
import { activeAdapter, type Adapter } from "../adapters/adapter.ts";
import type { Model } from "../model/model.ts";

/** Loads the weights once more, as a model on a backend. */
export type Reload = (backend: AnyBackend) => Promise<Model>;

/** An adapter that lies in files, as it was when it came from them. */
interface KnownAdapter {
  readonly changes: number;
  /** Loads it once more, and switches that one on. */
  load(): Promise<Adapter>;
}

/** How a model that was loaded comes back after its device was lost: its weights from their source, its adapters from theirs. */
export class Recovery {
  readonly #model: Model;
  readonly #reload: Reload | undefined;
  /** Of the model's weights, when they had just come from the source. */
  readonly #changes: number;
  readonly #adapters = new Map<Adapter, KnownAdapter>();
  #running: Promise<void> | undefined;
  #forget: (() => void) | undefined;

  constructor(model: Model, reload: Reload | undefined) {
    this.#model = model;
    this.#reload = reload;
    this.#changes = model.changes;
  }

  /** From now on the model comes back by itself. */
  begin(): void {
    const own = (): Promise<void> => this.recover();
    this.#model.comeBack = own;
    // Unless another has taken that over, as `fit` does while it trains.
    this.#forget = onRecovery(async () => {
      if (this.#model.comeBack === own) await this.#comeBack();
    });
  }

  /** Remembers where an adapter is from. */
  know(adapter: Adapter, load: () => Promise<Adapter>): void {
    this.#adapters.set(adapter, { changes: adapter.changes, load });
  }

  /** A fresh device where there is none, then everything that is lost. @throws DeviceLostError for what cannot come back */
  async recover(): Promise<void> {
    if (!this.#model.isLost) return;
    const { backend } = this.#model;
    if (!backend.running) await backend.recover();
    await this.#comeBack();
  }

  /** What is lost, if there is a device for it; two calls at once are one. */
  #comeBack(): Promise<void> {
    this.#running ??= this.#restore().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #restore(): Promise<void> {
    const model = this.#model;
    if (!model.isLost || !model.backend.running) return;
    const on = activeAdapter(model);
    const merged = on?.isMerged === true;
    on?.off();
    try {
      if (model.changes !== this.#changes && model.parameters.some((p) => p.isLost))
        throw new DeviceLostError(
          "recover: the weights were trained since they were loaded, and went with their device: load what was saved of them (fit with checkpoints and recover goes on by itself)",
        );
      await this.#restoreWeights();
      for (const [adapter, known] of this.#adapters) if (adapter.isLost) await this.#restoreAdapter(adapter, known);
    } finally {
      on?.on();
    }
    if (on?.isLost === true)
      throw new DeviceLostError(
        "recover: the adapter that is on was made or trained here and never saved, and went with its device: useAdapter() goes on without it",
      );
    if (merged) await on!.merge();
  }

  /** Puts the weights of the source in the place of lost ones, whether or not they were trained since; an adapter that is on stays on, lost or not. */
  async restoreBase(): Promise<void> {
    const on = activeAdapter(this.#model);
    on?.off();
    try {
      await this.#restoreWeights();
    } finally {
      on?.on();
    }
  }

  /** Adapters are off. */
  async #restoreWeights(): Promise<void> {
    const model = this.#model;
    if (!model.parameters.some((p) => p.isLost)) return;
    if (this.#reload === undefined)
      throw new DeviceLostError("recover: the model was made here, not loaded, and its weights went with their device");
    const fresh = await this.#reload(model.backend);
    try {
      await model.takeWeights(fresh);
    } finally {
      fresh.dispose();
    }
  }

  async #restoreAdapter(adapter: Adapter, { changes, load }: KnownAdapter): Promise<void> {
    if (adapter.isDisposed) {
      this.#adapters.delete(adapter);
      return;
    }
    // One that was trained since is not that of the file.
    if (adapter.changes !== changes) return;
    const fresh = (await load()).off();
    try {
      adapter.takeValues(fresh);
      this.#adapters.set(adapter, { changes: adapter.changes, load });
    } finally {
      fresh.dispose();
    }
  }

  /** Forgets the model, which is freed. */
  end(): void {
    this.#forget?.();
    this.#model.comeBack = undefined;
  }
}

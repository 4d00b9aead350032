import { Scheduler, StateStore, type Generation, type LoadedModel, type StreamOptions } from "@statespace/models";
import type { ServerOptions } from "./config.ts";

/** A model as the server runs it. */
export interface ModelHost {
  readonly name: string;
  readonly lm: LoadedModel;
  readonly scheduler: Scheduler;
}

/** The models of a server, and the states that they share a budget for. */
export class ModelHosts {
  readonly hosts: ReadonlyMap<string, ModelHost>;
  readonly store: StateStore | undefined;

  private constructor(hosts: ReadonlyMap<string, ModelHost>, store: StateStore | undefined) {
    this.hosts = hosts;
    this.store = store;
  }

  static async start(options: ServerOptions): Promise<ModelHosts> {
    const { models, slots = 8, prefillChunk = 64, cacheBytes = 2 ** 28, cacheFolder, maxWaiting = 64 } = options;
    const budget = { bytes: cacheBytes };
    const store =
      cacheBytes === 0
        ? undefined
        : cacheFolder === undefined
          ? new StateStore(budget)
          : await StateStore.open(cacheFolder, budget);
    const hosts = models.map(({ name, lm }): [string, ModelHost] => {
      const { model, tokenizer, defaults } = lm;
      const scheduler = new Scheduler(model, { tokenizer, defaults, slots, prefillChunk, store, maxWaiting });
      return [name, { name, lm, scheduler }];
    });
    return new ModelHosts(new Map(hosts), store);
  }

  /** Waits until running answers are done. */
  async close(): Promise<void> {
    await Promise.all([...this.hosts.values()].map(({ scheduler }) => scheduler.close()));
    await this.store?.settled();
  }

  /** Ends running answers at once. */
  dispose(): void {
    for (const { scheduler } of this.hosts.values()) scheduler.dispose();
  }
}

/** One answer to a request that asks for several. */
export interface Choice {
  readonly index: number;
  readonly generation: Generation;
}

/** Takes up `n` texts of each prompt. */
export function submitPrompts(
  { scheduler }: ModelHost,
  prompts: readonly (string | readonly number[])[],
  n: number,
  options: StreamOptions,
): Choice[] {
  const generations: Generation[] = [];
  try {
    for (const prompt of prompts) generations.push(...scheduler.submitAll(prompt, n, options));
  } catch (error) {
    for (const generation of generations) generation.cancel();
    throw error;
  }
  return generations.map((generation, index) => ({ index, generation }));
}

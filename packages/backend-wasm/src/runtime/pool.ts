import { BackendError } from "@statespace/core";
import { startWorker, type WorkerHandle } from "./startWorker.ts";
import type { WorkerStart } from "./worker.ts";

/** Workers that stay in the kernel's `serve` loop. `lost` tells why the pool can no longer be used, once it cannot. */
export class Pool {
  readonly #workers: WorkerHandle[] = [];
  #lost: string | undefined;
  #closed = false;

  get lost(): string | undefined {
    return this.#lost;
  }

  /** Told once, when the pool is lost. */
  onLost: ((reason: string) => void) | undefined;

  /** Records why the pool is dead; the first reason stays. */
  lose(reason: string): void {
    if (this.#closed || this.#lost !== undefined) return;
    this.#lost = reason;
    this.onLost?.(reason);
  }

  /** Starts one worker a description and waits until all serve. @throws BackendError when one does not start. */
  async start(descriptions: readonly WorkerStart[], workerUrl?: string): Promise<void> {
    await Promise.all(
      descriptions.map(
        (description) =>
          new Promise<void>((resolve, reject) => {
            const failed = (reason: string): void => {
              this.lose(`worker ${description.thread}: ${reason}`);
              reject(new BackendError(`wasm: worker ${description.thread} did not start: ${reason}`));
            };
            const message = (text: unknown): void => {
              worker.hold(false); // a pool that idles must not keep the process alive; one that starts must
              if (text === "ready") resolve();
              else failed(String(text));
            };
            const worker = startWorker(description, { message, failed }, workerUrl);
            this.#workers.push(worker);
          }),
      ),
    );
  }

  close(): void {
    this.#closed = true;
    for (const worker of this.#workers) worker.terminate();
    this.#workers.length = 0;
  }

  /** Ends one worker from outside: how tests make a worker die. */
  terminate(index: number): void {
    this.#workers[index]!.terminate();
  }
}

import { BackendError, DeviceLostError, OutOfMemoryError } from "@statespace/core";

/**
 * What goes wrong on a device, told at the next read: WebGPU reports faults of commands later than they were given.
 * A lost device stays lost and rejects what is in flight.
 */
export class DeviceFaults {
  readonly #device: GPUDevice;
  #fault: BackendError | undefined;
  readonly #inFlight: Set<(fault: BackendError) => void> = new Set();

  /** @param lose told once when the device goes away, before anything is rejected; gives what every call throws then */
  constructor(device: GPUDevice, lose: (reason: string) => DeviceLostError) {
    this.#device = device;
    // Replays run without error scopes: their launches were checked when they were captured.
    device.onuncapturederror = ({ error }) =>
      this.report(error instanceof GPUOutOfMemoryError ? "out-of-memory" : "validation", error.message);
    void device.lost.then(({ message, reason }) => this.#lose(lose(`${reason}: ${message || "no reason given"}`)));
  }

  #lose(fault: DeviceLostError): void {
    this.#fault = fault;
    for (const reject of this.#inFlight) reject(fault);
    this.#inFlight.clear();
  }

  /** Runs commands under error scopes; what they report rejects the next read. */
  guard(commands: () => void): void {
    const filters: GPUErrorFilter[] = ["out-of-memory", "internal", "validation"];
    for (const filter of filters) this.#device.pushErrorScope(filter);
    commands();
    for (const filter of filters.reverse()) {
      this.#device.popErrorScope().then(
        (error) => error && this.report(filter, error.message),
        () => {},
      );
    }
  }

  /** Notes a fault. */
  report(filter: GPUErrorFilter, message: string): void {
    if (this.#fault instanceof DeviceLostError || this.#fault instanceof OutOfMemoryError) return;
    // Commands with a buffer that could not be made are refused: the cause is told, not the consequence, whichever comes first.
    if (filter === "out-of-memory")
      this.#fault = new OutOfMemoryError(`webgpu: the device is out of memory: ${message}`);
    else this.#fault ??= new BackendError(`webgpu: the device refused a command (${filter}): ${message}`);
  }

  /** Throws what went wrong since the last call; a lost device stays lost. */
  throwAny(): void {
    const fault = this.#fault;
    if (!fault) return;
    if (!(fault instanceof DeviceLostError)) this.#fault = undefined;
    throw fault;
  }

  throwIfLost(): void {
    if (this.#fault instanceof DeviceLostError) throw this.#fault;
  }

  /** Waits for a promise, or for the device to be lost. */
  async orLost<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const settle = (finish: () => void): void => {
        this.#inFlight.delete(reject);
        finish();
      };
      this.#inFlight.add(reject);
      const failed = (cause: unknown): BackendError =>
        this.#fault ?? new BackendError(`webgpu: read failed: ${(cause as Error).message}`, { cause });
      work.then(
        (value) => settle(() => resolve(value)),
        // A map that fails because the device goes away rejects a moment before `lost` resolves.
        (error: unknown) => setTimeout(() => settle(() => reject(failed(error))), 10),
      );
    });
  }
}

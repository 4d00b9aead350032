import type { DeviceFaults } from "./faults.ts";
import { GPUBufferUsage, GPUMapMode } from "./flags.ts";
import type { Recorder } from "./recorder.ts";

/** Bytes up to which a read goes through the one staging buffer that is kept. */
const smallRead = 256 * 1024;

/** Reads of buffers, after everything that was recorded before. */
export class Readback {
  readonly #device: GPUDevice;
  readonly #recorder: Recorder;
  readonly #faults: DeviceFaults;
  /** One buffer is kept for the small reads of a decode loop. */
  #spare: GPUBuffer | undefined;

  constructor(device: GPUDevice, recorder: Recorder, faults: DeviceFaults) {
    this.#device = device;
    this.#recorder = recorder;
    this.#faults = faults;
  }

  /** The bytes of a range. @throws BackendError for what went wrong on the device until then. */
  async read(from: GPUBuffer, fromOffset: number, bytes: number): Promise<Uint8Array> {
    // Other faults at the end: by then their causes are known too.
    this.#faults.throwIfLost();
    const size = Math.ceil(bytes / 4) * 4;
    if (size === 0) return new Uint8Array(0);
    const staging = this.#take(size);
    this.#recorder.run({ kind: "copy", from, fromOffset, to: staging, toOffset: 0, bytes: size });
    this.#recorder.flush();
    await this.#faults.orLost(staging.mapAsync(GPUMapMode.READ, 0, size));
    const copied = new Uint8Array(staging.getMappedRange(0, size).slice(0)).subarray(0, bytes);
    staging.unmap();
    if (staging.size <= smallRead && !this.#spare) this.#spare = staging;
    else staging.destroy();
    this.#faults.throwAny();
    return copied;
  }

  #take(size: number): GPUBuffer {
    const spare = this.#spare;
    if (size <= smallRead && spare) {
      this.#spare = undefined;
      return spare;
    }
    return this.#device.createBuffer({
      size: Math.max(size, smallRead),
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
  }
}

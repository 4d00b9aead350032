import { GPUBufferUsage } from "./flags.ts";
import type { Dispatch, Launch } from "./launch.ts";
import type { Binding } from "../shader/binding.ts";
import type { Profiler } from "./profiler.ts";

const slotBytes = 256;
const slotsPerArena = 512;
const slotWords = slotBytes / 4;
/**
 * Submit by itself after so many launches, so that the device starts while JavaScript goes on: at 128 a prompt of some hundred launches
 * waits a quarter of its time for the first of them, and a submission costs no more than four launches do: 32 to 64 are alike.
 */
const launchesPerSubmit = 48;

/** Dispatches of a replay that are submitted together: a decode step is one submission, which costs the host as much as several dispatches do. */
const replayPart = 128;

/** A dispatch with its bind group made, ready to be encoded any number of times. */
export interface Prepared {
  readonly dispatch: Dispatch;
  readonly group: GPUBindGroup;
}

/**
 * Encodes launches, in order, into as few compute passes and submissions as possible.
 * Parameters of the dispatches share one uniform buffer at dynamic offsets, written once before a submission.
 */
export class Recorder {
  readonly #device: GPUDevice;
  readonly #profiler: Profiler | undefined;
  readonly #arena: GPUBuffer;
  readonly #words: Uint32Array<ArrayBuffer> = new Uint32Array(slotsPerArena * slotWords);
  #slots = 0;
  #launches = 0;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  #lastPipeline: GPUComputePipeline | undefined;
  readonly #groups: Map<string, GPUBindGroup> = new Map();
  readonly #ids: WeakMap<GPUBuffer, number> = new WeakMap();
  #nextId = 0;
  readonly #pending: Set<GPUBuffer> = new Set();
  /** Called around each submission, to catch what goes wrong in it. */
  onSubmit: ((submit: () => void) => void) | undefined;
  /** Submissions and dispatches so far. */
  readonly counts: { submissions: number; dispatches: number } = { submissions: 0, dispatches: 0 };

  constructor(device: GPUDevice, profiler?: Profiler) {
    this.#device = device;
    this.#profiler = profiler;
    this.#arena = this.#uniformBuffer(slotsPerArena * slotBytes);
  }

  #uniformBuffer(size: number): GPUBuffer {
    return this.#device.createBuffer({ size, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  }

  /** True if a launch that was not submitted yet uses this buffer. */
  isPending(buffer: GPUBuffer): boolean {
    return this.#pending.has(buffer);
  }

  run(launch: Launch): void {
    if (launch.kind === "copy") {
      this.#endPass();
      this.#encode().copyBufferToBuffer(launch.from, launch.fromOffset, launch.to, launch.toOffset, launch.bytes);
      this.#pending.add(launch.from).add(launch.to);
    } else {
      const slot = this.#slots++;
      // Parameters that a kernel leaves out are 0, not what the slot held before.
      this.#words.fill(0, slot * slotWords, (slot + 1) * slotWords).set(launch.params, slot * slotWords);
      this.#dispatch(launch, this.#groupOf(launch), slot * slotBytes);
      for (const { buffer } of launch.bindings) this.#pending.add(buffer);
    }
    this.#launches++;
    if (this.#slots === slotsPerArena || this.#launches >= launchesPerSubmit) this.flush();
  }

  #dispatch(dispatch: Dispatch, group: GPUBindGroup, uniformOffset?: number): void {
    const pass = this.#openPass(dispatch.pipeline.label);
    const { pipeline } = dispatch.pipeline;
    if (pipeline !== this.#lastPipeline) pass.setPipeline((this.#lastPipeline = pipeline));
    if (uniformOffset === undefined) pass.setBindGroup(0, group);
    else pass.setBindGroup(0, group, [uniformOffset]);
    const [x, y, z] = dispatch.grid;
    pass.dispatchWorkgroups(x, y, z);
    this.counts.dispatches++;
    if (this.#profiler?.mode === "dispatches") this.#endPass();
  }

  #encode(): GPUCommandEncoder {
    return (this.#encoder ??= this.#device.createCommandEncoder());
  }

  #openPass(label: string): GPUComputePassEncoder {
    if (this.#pass) return this.#pass;
    const timestampWrites = this.#profiler?.begin(label);
    this.#lastPipeline = undefined;
    return (this.#pass = this.#encode().beginComputePass(timestampWrites ? { timestampWrites } : {}));
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
  }

  /** Submits what was recorded; `checked` through `onSubmit`. */
  flush(checked = true): void {
    if (!this.#encoder) return;
    this.#endPass();
    const encoder = this.#encoder;
    const used = this.#slots * slotWords;
    this.#encoder = undefined;
    this.#slots = 0;
    this.#launches = 0;
    this.#pending.clear();
    this.counts.submissions++;
    const submit = (): void => {
      if (used > 0) this.#device.queue.writeBuffer(this.#arena, 0, this.#words, 0, used);
      this.#device.queue.submit([encoder.finish()]);
    };
    if (this.onSubmit && checked) this.onSubmit(submit);
    else submit();
  }

  #groupOf(dispatch: Dispatch): GPUBindGroup {
    // Kernels with the same binding types share a layout, so the layout's id and the ranges name a bind group.
    let key = `${this.#idOf(dispatch.pipeline.layout as unknown as GPUBuffer)}`;
    for (const { buffer, offset, size } of dispatch.bindings) key += `,${this.#idOf(buffer)}:${offset}:${size}`;
    let group = this.#groups.get(key);
    if (!group) {
      if (this.#groups.size >= 8192) this.#groups.clear();
      this.#groups.set(key, (group = this.#makeGroup(dispatch, this.#arena, 0)));
    }
    return group;
  }

  #idOf(buffer: GPUBuffer): number {
    let id = this.#ids.get(buffer);
    if (id === undefined) this.#ids.set(buffer, (id = this.#nextId++));
    return id;
  }

  /** Forgets bind groups, so that destroyed buffers can be collected. */
  forgetGroups(): void {
    this.#groups.clear();
  }

  #makeGroup(dispatch: Dispatch, uniforms: GPUBuffer, offset: number): GPUBindGroup {
    const entries: GPUBindGroupEntry[] = dispatch.pipeline.baked
      ? []
      : [{ binding: 0, resource: { buffer: uniforms, offset, size: slotBytes } }];
    dispatch.bindings.forEach((resource: Binding, i) =>
      entries.push({ binding: dispatch.pipeline.slots[i]!.number, resource }),
    );
    return this.#device.createBindGroup({ layout: dispatch.pipeline.layout, entries });
  }

  /** Makes a list of launches (of `fixed` pipelines) ready for replay: bind groups and parameters are made, a replay only encodes. */
  prepare(launches: readonly Launch[]): { replay(): void; dispose(): void } {
    const dispatches = launches.filter((launch) => launch.kind === "dispatch");
    const uniforms = this.#uniformBuffer(Math.max(1, dispatches.length) * slotBytes);
    const words = new Uint32Array(dispatches.length * slotWords);
    let slot = 0;
    const steps: (Prepared | Launch)[] = launches.map((launch) => {
      if (launch.kind === "copy") return launch;
      words.set(launch.params, slot * slotWords);
      return { dispatch: launch, group: this.#makeGroup(launch, uniforms, slot++ * slotBytes) };
    });
    this.#device.queue.writeBuffer(uniforms, 0, words);
    return {
      replay: (): void => {
        steps.forEach((step, i) => {
          if ("group" in step) this.#dispatch(step.dispatch, step.group);
          else this.run(step);
          // The device starts on the first part while the rest is still being encoded.
          if (i % replayPart === replayPart - 1) this.flush(false);
        });
        this.flush(false);
      },
      dispose: (): void => uniforms.destroy(),
    };
  }
}

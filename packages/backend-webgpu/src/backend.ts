import { BackendError, OutOfMemoryError, type DType, type PackedFormat } from "@statespace/core";
import {
  StatespaceBackend,
  type KernelAttrs,
  type KernelInputs,
  type PackedRows,
  type PlacedBytes,
  type Recording,
  type TensorInfo,
} from "@statespace/core/backend";
import { BufferPool } from "./device/bufferPool.ts";
import type { DeviceTraits, Precision } from "./device/device.ts";
import { DeviceFaults } from "./device/faults.ts";
import { GPUBufferUsage } from "./device/flags.ts";
import type { Device, DeviceBuffer } from "./shader/gpuTypes.ts";
import { gridParts } from "./device/gridParts.ts";
import { foldGrid, type Copy, type Launch } from "./device/launch.ts";
import type { Binding } from "./shader/binding.ts";
import { PipelineCache } from "./device/pipelines.ts";
import { Profiler, summarise, type KernelTime, type PassTime, type ProfileMode } from "./device/profiler.ts";
import { Readback } from "./device/readback.ts";
import { Recorder } from "./device/recorder.ts";
import { fuse, type Pattern } from "./fusion/pattern.ts";
import { ReplayLowering } from "./fusion/lowering.ts";
import { OpTrace, type Operand } from "./fusion/record.ts";
import { arrangedBytes, arrangePacked, restoreCanonical } from "./ops/linear/formats.ts";
import type { Part } from "./selfTests/part.ts";
import { encodeParams, mapBuffers } from "./shader/checkRequest.ts";
import { ShaderLibrary } from "./shader/library.ts";
import type { AnyRequest, DispatchRequest, ShaderName, ShaderRequest } from "./shader/types.ts";

/** Traits of a device without a part; matrix units rest on half floats and on subgroups. */
const WITHOUT: Readonly<Record<Part, Partial<DeviceTraits>>> = {
  matrix: { matrix: false, matrixScans: false },
  matrixScans: { matrixScans: false },
  f16: { f16: false, matrix: false, matrixScans: false },
  subgroups: { subgroupMin: 0, subgroupMax: 0, matrix: false, matrixScans: false },
  exp: {},
};

/** Fused WGSL kernels on a WebGPU device. Kernels enqueue; only `read` waits, and always asynchronously. */
export class WebGpuBackend extends StatespaceBackend<DeviceBuffer, Launch> {
  readonly device: Device;
  /** How exactly matrices are multiplied. */
  readonly precision: Precision;
  #traits: DeviceTraits;
  override readonly emulated: boolean;
  readonly #pool: BufferPool;
  readonly #shaders: ShaderLibrary = new ShaderLibrary();
  readonly #pipelines: PipelineCache;
  readonly #recorder: Recorder;
  readonly #profiler: Profiler | undefined;
  /** Stand in for absent operands: one to read, one to write, a range of its own for each binding. */
  readonly #absent: Record<"read-only-storage" | "storage", GPUBuffer>;
  readonly #patterns: readonly Pattern[];
  readonly #faults: DeviceFaults;
  readonly #readback: Readback;

  /** @param patterns of ops that a captured graph may run as one */
  constructor(device: Device, traits: DeviceTraits, patterns: readonly Pattern[], precision: Precision = "highest") {
    super("webgpu");
    this.#patterns = patterns;
    this.device = device;
    this.#traits = traits;
    this.precision = precision;
    this.emulated = traits.software;
    this.#faults = new DeviceFaults(device, (reason) => this.lose(reason));
    this.#pool = new BufferPool(device, traits.maxBufferSize, {
      beforeDrop: () => this.#recorder.flush(),
      outOfMemory: (message) => this.#faults.report("out-of-memory", message),
    });
    this.#pipelines = new PipelineCache(device);
    this.#profiler = traits.timestamps ? new Profiler(device) : undefined;
    this.#recorder = new Recorder(device, this.#profiler);
    this.#recorder.onSubmit = (submit) => this.#faults.guard(submit);
    this.#readback = new Readback(device, this.#recorder, this.#faults);
    const standIn = (): GPUBuffer => device.createBuffer({ size: 256 * 16, usage: GPUBufferUsage.STORAGE });
    this.#absent = { "read-only-storage": standIn(), storage: standIn() };
  }

  /** What the kernels choose their paths by. */
  get traits(): DeviceTraits {
    return this.#traits;
  }

  /** Goes on without what a check found wrong; `why` is told among the traits. */
  refuse(part: Part, why: string): void {
    this.#traits = { ...this.#traits, ...WITHOUT[part], refused: [...this.#traits.refused, why] };
  }

  protected override allocate(bytes: number): DeviceBuffer {
    this.#faults.throwIfLost();
    return this.#pool.take(bytes);
  }

  protected override free(buffer: DeviceBuffer): void {
    this.#pool.giveBack(buffer);
  }

  protected override heldBytes(): number {
    return this.#pool.heldBytes;
  }

  /** Buffers handed out and not given back, the most bytes that were out and that were held at once, and submissions and dispatches so far. */
  get counters(): {
    buffersInUse: number;
    peakBytes: number;
    peakHeldBytes: number;
    submissions: number;
    dispatches: number;
    pipelines: number;
  } {
    return {
      buffersInUse: this.#pool.inUse,
      peakBytes: this.#pool.peakBytes,
      peakHeldBytes: this.#pool.peakHeldBytes,
      ...this.#recorder.counts,
      pipelines: this.#pipelines.size,
    };
  }

  /** Gives the free buffers back to the device. */
  trim(): void {
    this.#recorder.forgetGroups();
    this.#pool.trim();
  }

  protected override upload(buffer: DeviceBuffer, byteOffset: number, source: Uint8Array): void {
    this.#faults.throwIfLost();
    // A queue write overtakes launches that are only recorded; those that use this buffer must go first.
    if (this.#recorder.isPending(buffer)) this.#recorder.flush();
    let bytes = source as Uint8Array<ArrayBuffer>;
    if (bytes.byteLength % 4 !== 0) {
      // Writes go by whole words; buffers have room for the last one.
      bytes = new Uint8Array(Math.ceil(source.byteLength / 4) * 4);
      bytes.set(source);
    }
    this.device.queue.writeBuffer(buffer, byteOffset, bytes);
  }

  protected override download(buffer: DeviceBuffer, byteOffset: number, bytes: number): Promise<Uint8Array> {
    return this.#readback.read(buffer, byteOffset, bytes);
  }

  protected override execute(launch: Launch): void {
    this.#faults.throwIfLost();
    this.#recorder.run(launch);
  }

  /** The ops of the graph being captured. */
  #trace: OpTrace | undefined;

  override beginCapture(): void {
    super.beginCapture();
    this.#trace = new OpTrace();
  }

  override launch(launch: Launch): void {
    super.launch(launch);
    this.#trace?.add(launch);
  }

  #operand(x: TensorInfo): Operand {
    const { block, byteOffset, bytes, format } = this.storage.get(x.dataId);
    const size = Math.max(4, Math.ceil(bytes / 4) * 4);
    return { buffer: block.buffer, offset: byteOffset, size, shape: x.shape, dtype: x.dtype as DType, format };
  }

  /** Runs an op; while a graph is captured, it is noted with its operands and the launches it makes. */
  record<T extends TensorInfo | readonly TensorInfo[]>(
    op: string,
    inputs: KernelInputs,
    attrs: KernelAttrs,
    run: () => T,
  ): T {
    if (!this.#trace) return run();
    const operands = Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, this.#operand(x)]));
    return this.#trace.record(op, operands, attrs, run, (result) =>
      [result].flat().map((x) => this.#operand(x as TensorInfo)),
    );
  }

  protected override compile(): { replay(): void; dispose(): void } {
    this.#recorder.flush();
    const lowering = new ReplayLowering(this.traits, this.#shaders, this.#pipelines, (size) =>
      this.device.createBuffer({ size, usage: GPUBufferUsage.STORAGE }),
    );
    const launches = fuse(this.#trace!.records, this.#patterns, lowering, (launch) => lowering.keep(launch));
    const prepared = this.#recorder.prepare(launches);
    return {
      replay: (): void => {
        this.#faults.throwIfLost();
        prepared.replay();
      },
      dispose: (): void => {
        prepared.dispose();
        lowering.dispose();
      },
    };
  }

  /** Two, so that the scales and half floats of each part begin at a whole word. */
  override readonly packedRows: number = 2;

  protected override packedBytes(shape: readonly number[], format: PackedFormat): number {
    return arrangedBytes(shape, format);
  }

  protected override layoutPacked(canonical: Uint8Array, rows: PackedRows): PlacedBytes[] {
    return arrangePacked(canonical, rows);
  }

  protected override unlayoutPacked(bytes: Uint8Array, shape: readonly number[], format: PackedFormat): Uint8Array {
    return restoreCanonical(bytes, shape, format);
  }

  /** Submits what was recorded, without waiting. */
  flush(): void {
    this.#recorder.flush();
  }

  /** Waits until the device has done everything enqueued so far. */
  override async finish(): Promise<void> {
    this.#recorder.flush();
    await this.#faults.orLost(this.device.queue.onSubmittedWorkDone());
    this.#faults.throwAny();
  }

  /** Device time by kernel of what `run` enqueues, gaps between dispatches not counted. @throws BackendError without timestamp queries. */
  async profile(run: () => void | Promise<void>): Promise<KernelTime[]> {
    return summarise(await this.#timed("dispatches", run));
  }

  /**
   * Milliseconds on the device from the first pass that `run` enqueues to the end of the last, gaps included, and the sum of the passes alone.
   * @throws BackendError without timestamp queries.
   */
  async deviceSpan(run: () => void | Promise<void>): Promise<{ spanMs: number; passMs: number }> {
    const passes = await this.#timed("passes", run);
    const passMs = passes.reduce((sum, { begin, end }) => sum + end - begin, 0);
    return { spanMs: (passes.at(-1)?.end ?? 0) - (passes[0]?.begin ?? 0), passMs };
  }

  async #timed(mode: ProfileMode, run: () => void | Promise<void>): Promise<PassTime[]> {
    const profiler = this.#profiler;
    if (!profiler) throw new BackendError("webgpu: this device offers no timestamp queries");
    this.#recorder.flush();
    await profiler.collect();
    profiler.mode = mode;
    try {
      await run();
      this.#recorder.flush();
    } finally {
      profiler.mode = "off";
    }
    return profiler.collect();
  }

  /** Where a tensor lies, as a shader can bind it (`packed`: also a packed weight): a view at an offset the device cannot bind is copied first. */
  bind(x: TensorInfo, packed = false): Binding {
    const { block, byteOffset, bytes } = packed ? this.locatePacked(x) : this.locate(x);
    const size = Math.max(4, Math.ceil(bytes / 4) * 4);
    if (byteOffset % this.traits.offsetAlignment === 0) return { buffer: block.buffer, offset: byteOffset, size };
    const copied = this.output([size / 4]);
    const target = this.locate(copied).block.buffer;
    this.launch({ kind: "copy", from: block.buffer, fromOffset: byteOffset, to: target, toOffset: 0, bytes: size });
    this.#copies.push({
      copied,
      back: { kind: "copy", from: target, fromOffset: 0, to: block.buffer, toOffset: byteOffset, bytes: size },
    });
    return { buffer: target, offset: 0, size };
  }

  /** Copies that stand in for unaligned views until the next dispatch has been enqueued. */
  #copies: { readonly copied: TensorInfo; readonly back: Copy }[] = [];

  /** A kernel failed: its copies went with its outputs. */
  protected override abandon(): void {
    this.#copies.length = 0;
  }

  #dropCopies(written: ReadonlySet<GPUBuffer>): void {
    const copies = this.#copies.splice(0);
    for (const { copied, back } of copies) {
      if (written.has(back.from)) this.launch(back);
      this.disposeData(copied.dataId);
    }
  }

  /** As `bind`, without a copy: from the last offset the device can bind, and how many elements after it the tensor begins. */
  bindFrom(x: TensorInfo): { binding: Binding; shift: number } {
    const { block, byteOffset, bytes } = this.locate(x);
    const offset = byteOffset - (byteOffset % this.traits.offsetAlignment);
    return {
      binding: { buffer: block.buffer, offset, size: byteOffset - offset + bytes },
      shift: (byteOffset - offset) / 4,
    };
  }

  /** Part of a tensor, in elements; `offset` must suit the device's alignment. */
  bindPart(x: TensorInfo, offset: number, length: number): Binding {
    const whole = this.bind(x);
    return { buffer: whole.buffer, offset: whole.offset + 4 * offset, size: 4 * length };
  }

  /** Scratch memory for the launches of one kernel; give it back with `release` after the last of them. */
  scratch(elements: number): TensorInfo {
    return this.output([elements]);
  }

  release(...tensors: TensorInfo[]): void {
    for (const { dataId } of tensors) this.disposeData(dataId);
  }

  /** Copies a whole tensor to an element offset of another. */
  copyInto(target: TensorInfo, elementOffset: number, source: TensorInfo): void {
    const from = this.locate(source);
    const to = this.locate(target);
    this.launch({
      kind: "copy",
      from: from.block.buffer,
      fromOffset: from.byteOffset,
      to: to.block.buffer,
      toOffset: to.byteOffset + 4 * elementOffset,
      bytes: from.bytes,
    });
  }

  /** Small operands of a graph being captured: holding them keeps their buffers apart, so that neighbours can be fused. */
  #held: TensorInfo[] = [];

  #holdSmall(x: TensorInfo): void {
    const entry = this.storage.get(x.dataId);
    if (entry.bytes > 1 << 20) return;
    entry.refs++;
    this.#held.push(x);
  }

  override endCapture(keep: boolean): Recording | undefined {
    try {
      return super.endCapture(keep);
    } finally {
      this.#trace = undefined;
      this.release(...this.#held.splice(0));
    }
  }

  #standIn(written: boolean, index: number): Binding {
    return { buffer: this.#absent[written ? "storage" : "read-only-storage"], offset: 256 * index, size: 256 };
  }

  /**
   * Dispatches a shader with operands by the names that its WGSL declares.
   * @throws ArgumentError for a name that is missing or not declared, OutOfMemoryError for an operand that cannot be bound.
   */
  run<S extends ShaderName>(shader: S, request: DispatchRequest<S>): void;
  run(shader: ShaderName, given: AnyRequest): void {
    const loaded = this.#shaders.load(shader, given.variant);
    const params = encodeParams(loaded, given.params);
    const written = new Set<GPUBuffer>();
    const bindings = mapBuffers(loaded, given.buffers, (operand, slot, i) => {
      if (operand === undefined) return this.#standIn(slot.written, i);
      const binding = "dataId" in operand ? this.bind(operand, slot.packed) : operand;
      if (this.capturing && "dataId" in operand) this.#holdSmall(operand);
      if (slot.written) written.add(binding.buffer);
      if (binding.size > this.traits.maxBinding) {
        throw new OutOfMemoryError(
          `${shader}: ${slot.name} has ${binding.size} bytes, this device binds at most ${this.traits.maxBinding}`,
        );
      }
      return binding;
    });
    for (const { grid, origin } of gridParts(given.grid, this.traits.maxGrid))
      this.launch({ kind: "dispatch", pipeline: this.#pipelines.get(loaded, given, origin), params, bindings, grid });
    this.#dropCopies(written);
  }

  /** A dispatch with one thread an element, `perGroup` threads a workgroup, folded into two grid axes. */
  runOver<S extends ShaderName>(shader: S, elements: number, perGroup: number, request: ShaderRequest<S>): void;
  runOver<S extends ShaderName>(shader: S, elements: number, perGroup: number, request: DispatchRequest<S>): void {
    if (elements === 0) return;
    this.run(shader, { ...request, grid: foldGrid(Math.ceil(elements / perGroup)) });
  }

  override dispose(): void {
    this.device.destroy();
  }
}

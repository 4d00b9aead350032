import { BackendError } from "@statespace/core";
import type { DeviceTraits } from "../device/device.ts";
import type { Dispatch, Launch } from "../device/launch.ts";
import type { Binding } from "../shader/binding.ts";
import type { PipelineCache } from "../device/pipelines.ts";
import { constantsOf, encodeParams, mapBuffers } from "../shader/checkRequest.ts";
import type { BufferSlot } from "../shader/declaration.ts";
import type { LoadedShader, ShaderLibrary } from "../shader/library.ts";
import type { AnyRequest, DispatchRequest, ShaderName } from "../shader/types.ts";
import type { Lowering } from "./pattern.ts";
import { replayWishes } from "./replayWishes.ts";

interface Bound {
  readonly absent: readonly BufferSlot[];
  readonly bindings: readonly Binding[];
  /** Bound buffers that the shader writes. */
  readonly written: readonly GPUBuffer[];
}

function boundOf(loaded: LoadedShader, buffers: AnyRequest["buffers"]): Bound {
  const [absent, bindings, written]: [BufferSlot[], Binding[], GPUBuffer[]] = [[], [], []];
  mapBuffers(loaded, buffers, (operand, slot) => {
    if (operand === undefined) {
      absent.push(slot);
      return;
    }
    if ("dataId" in operand)
      throw new BackendError(`${loaded.name}: ${slot.name} of a fused dispatch must be an operand of its ops`);
    bindings.push(operand);
    if (slot.written) written.push(operand.buffer);
  });
  return { absent, bindings, written };
}

/** Makes the dispatches of captured graphs: what is absent is not bound at all, and parameters may be written into the shader. */
export class ReplayLowering implements Lowering {
  readonly traits: DeviceTraits;
  readonly #shaders: ShaderLibrary;
  readonly #pipelines: PipelineCache;

  readonly #make: (bytes: number) => GPUBuffer;
  readonly #scratch: Map<number, GPUBuffer> = new Map();

  /** @param make a buffer for scratch memory */
  constructor(
    traits: DeviceTraits,
    shaders: ShaderLibrary,
    pipelines: PipelineCache,
    make: (bytes: number) => GPUBuffer,
  ) {
    this.traits = traits;
    this.#make = make;
    this.#shaders = shaders;
    this.#pipelines = pipelines;
  }

  dispatch<S extends ShaderName>(shader: S, request: DispatchRequest<S>): Dispatch | undefined;
  dispatch(shader: ShaderName, request: AnyRequest): Dispatch | undefined {
    const loaded = this.#shaders.load(shader, request.variant);
    const { absent, bindings, written } = boundOf(loaded, request.buffers);
    if (!this.#fits(bindings, written) || request.grid.some((extent) => extent > this.traits.maxGrid)) return undefined;
    const params = encodeParams(loaded, request.params);
    const constants = constantsOf(loaded, request);
    const pipeline = this.#pipelines.replay(loaded, constants, params, absent, replayWishes.bake);
    return { kind: "dispatch", pipeline, params, bindings, grid: request.grid };
  }

  scratch(bytes: number): Binding {
    let buffer = this.#scratch.get(bytes);
    if (!buffer) this.#scratch.set(bytes, (buffer = this.#make(bytes)));
    return { buffer, offset: 0, size: bytes };
  }

  /** Frees what `scratch` gave. */
  dispose(): void {
    for (const buffer of this.#scratch.values()) buffer.destroy();
  }

  /** True where the device can bind all of it, and no buffer that is written is bound twice. */
  #fits(bindings: readonly Binding[], written: readonly GPUBuffer[]): boolean {
    const { maxBinding, maxStorageBuffers, offsetAlignment } = this.traits;
    return (
      bindings.length <= maxStorageBuffers &&
      bindings.every(({ offset, size }) => offset % offsetAlignment === 0 && size <= maxBinding) &&
      written.every((buffer) => bindings.filter((other) => other.buffer === buffer).length === 1)
    );
  }

  /** A launch as it was, with a pipeline for replays. */
  keep(launch: Launch): Launch {
    if (launch.kind === "copy") return launch;
    const { shader, constants, origin } = launch.pipeline;
    const pipeline = this.#pipelines.replay(shader, constants, launch.params, [], replayWishes.bake, origin);
    return { ...launch, pipeline };
  }
}

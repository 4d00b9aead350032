import type { BindGroupLayout, ComputePipeline } from "../shader/gpuTypes.ts";
import { BackendError } from "@statespace/core";
import { constantsKey, constantsOf } from "../shader/checkRequest.ts";
import type { BufferSlot } from "../shader/declaration.ts";
import type { LoadedShader } from "../shader/library.ts";
import type { AnyRequest } from "../shader/types.ts";
import { bakeParams } from "./bakeParams.ts";
import { dropAbsent } from "./dropAbsent.ts";
import { GPUShaderStage } from "./flags.ts";
import { nameOfOrigin, startingAt, type Origin } from "./gridParts.ts";
import { unroll } from "./unroll.ts";

/** Values for `override` declarations (pipeline constants) and for `const` declarations that size arrays (replaced in the text). */
export type Constants = Readonly<Record<string, number | boolean>>;

export interface Pipeline {
  readonly label: string;
  readonly shader: LoadedShader;
  readonly constants: Constants;
  readonly pipeline: ComputePipeline;
  readonly layout: BindGroupLayout;
  /** Its storage buffers, by number; binding 0 is the uniform block of parameters, unless they are baked in. */
  readonly slots: readonly BufferSlot[];
  readonly baked: boolean;
  /** Of which part of a dispatch it is; absent where it is whole. */
  readonly origin: Origin | undefined;
}

interface Specialised {
  readonly code: string;
  readonly overrides: Record<string, number>;
}

/** Replaces `const NAME[: T] = default;` for the given names; the rest are pipeline constants. */
export function specialise(shader: Pick<LoadedShader, "label" | "code">, constants: Constants): Specialised {
  let { code } = shader;
  const overrides: Record<string, number> = {};
  for (const [name, value] of Object.entries(constants)) {
    const declaration = new RegExp(`(const ${name}\\b[^=;]*=)[^;]*;`);
    if (declaration.test(code)) {
      const literal =
        typeof value === "boolean"
          ? String(value)
          : /const \w+\s*:\s*f32/.test(code.match(declaration)![0])
            ? `f32(${value})`
            : `${value}u`;
      code = code.replace(declaration, `$1 ${literal};`);
    } else if (new RegExp(`override ${name}\\b`).test(code)) overrides[name] = Number(value);
    else throw new BackendError(`webgpu: shader ${shader.label} has no constant ${name}`);
  }
  return { code: unroll(code), overrides };
}

/** One pipeline per shader and set of constants, made once. */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #pipelines: Map<string, Pipeline> = new Map();
  /** Those of `get`, by shader and the key of their constants: found without a name being put together. */
  readonly #direct: Map<LoadedShader, Map<string, Pipeline>> = new Map();
  readonly #layouts: Map<string, { layout: GPUBindGroupLayout; pipelineLayout: GPUPipelineLayout }> = new Map();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  get size(): number {
    return this.#pipelines.size;
  }

  /** The pipeline of a request, or of a part of it. @throws ArgumentError for an unknown constant. */
  get(shader: LoadedShader, request: Pick<AnyRequest, "constants" | "buffers">, origin?: Origin): Pipeline {
    if (origin !== undefined) {
      const constants = constantsOf(shader, request);
      const name = nameOf(shader, constants) + nameOfOrigin(origin);
      const { code, overrides } = specialise(shader, constants);
      const part = { code: startingAt(code, origin), overrides };
      return this.#cached(name, () =>
        this.#make(name, shader, constants, part, "offset", shader.declaration.buffers, origin),
      );
    }
    let ofShader = this.#direct.get(shader);
    if (!ofShader) this.#direct.set(shader, (ofShader = new Map()));
    const key = constantsKey(shader, request);
    let found = ofShader.get(key);
    if (!found) {
      const constants = constantsOf(shader, request);
      const label = nameOf(shader, constants);
      found = this.#cached(label, () =>
        this.#make(label, shader, constants, specialise(shader, constants), "offset", shader.declaration.buffers),
      );
      ofShader.set(key, found);
    }
    return found;
  }

  /** A pipeline for replays: without the buffers in `absent`, its parameters in the bind group, or in the shader itself where `bake` is set and it can be. */
  replay(
    shader: LoadedShader,
    constants: Constants,
    params: readonly number[],
    absent: readonly BufferSlot[],
    bake: boolean,
    origin?: Origin,
  ): Pipeline {
    const without = absent.length > 0 ? ` without ${absent.map(({ name }) => name).join()}` : "";
    const label = `${bake ? `baked ${params.join()}` : "fixed"} ${nameOf(shader, constants)}${without}${nameOfOrigin(origin)}`;
    return this.#cached(label, () => {
      const { code, overrides } = specialise(shader, constants);
      const present = dropAbsent(
        origin === undefined ? code : startingAt(code, origin),
        absent.map(({ number }) => number),
      );
      const baked = bake ? bakeParams(present, params) : undefined;
      const slots = shader.declaration.buffers.filter((slot) => !absent.includes(slot));
      return this.#make(
        label,
        shader,
        constants,
        { code: baked ?? present, overrides },
        baked === undefined ? "group" : "code",
        slots,
        origin,
      );
    });
  }

  #cached(label: string, make: () => Pipeline): Pipeline {
    let found = this.#pipelines.get(label);
    if (!found) this.#pipelines.set(label, (found = make()));
    return found;
  }

  #make(
    label: string,
    shader: LoadedShader,
    constants: Constants,
    { code, overrides }: Specialised,
    place: ParamsPlace,
    slots: readonly BufferSlot[],
    origin?: Origin,
  ): Pipeline {
    const { layout, pipelineLayout } = this.#layoutOf(slots, place);
    const module = this.#device.createShaderModule({ label, code });
    const pipeline = this.#device.createComputePipeline({
      label,
      layout: pipelineLayout,
      compute: { module, entryPoint: "main", constants: overrides },
    });
    return { label, shader, constants, pipeline, layout, slots, baked: place === "code", origin };
  }

  #layoutOf(
    slots: readonly BufferSlot[],
    place: ParamsPlace,
  ): { layout: GPUBindGroupLayout; pipelineLayout: GPUPipelineLayout } {
    const key = `${place} ${slots.map(({ number, written }) => `${number} ${written}`).join()}`;
    let found = this.#layouts.get(key);
    if (!found) {
      const entry = (binding: number, buffer: GPUBufferBindingLayout): GPUBindGroupLayoutEntry => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer,
      });
      const layout = this.#device.createBindGroupLayout({
        entries: [
          ...(place === "code" ? [] : [entry(0, { type: "uniform", hasDynamicOffset: place === "offset" })]),
          ...slots.map(({ number, written }) => entry(number, { type: written ? "storage" : "read-only-storage" })),
        ],
      });
      found = { layout, pipelineLayout: this.#device.createPipelineLayout({ bindGroupLayouts: [layout] }) };
      this.#layouts.set(key, found);
    }
    return found;
  }
}

/** Where a dispatch finds its parameters: in a block at an offset given with it, in one that its bind group names, or in its code. */
type ParamsPlace = "offset" | "group" | "code";

function nameOf(shader: LoadedShader, constants: Constants): string {
  let name = shader.label;
  for (const constant in constants) name += `,${constant}=${constants[constant]}`;
  return name;
}

// WebGPU's own types where a public declaration names them. TypeScript's DOM library has them from 6.0 on; programs that are checked with an older
// one, and without `@webgpu/types`, see `unknown`.

type Known<Name extends string> =
  typeof globalThis extends Record<Name, { readonly prototype: infer Type }> ? Type : unknown;

/** `GPUDevice`. */
export type Device = Known<"GPUDevice">;
/** `GPUBuffer`. */
export type DeviceBuffer = Known<"GPUBuffer">;
/** `GPUComputePipeline`. */
export type ComputePipeline = Known<"GPUComputePipeline">;
/** `GPUBindGroupLayout`. */
export type BindGroupLayout = Known<"GPUBindGroupLayout">;

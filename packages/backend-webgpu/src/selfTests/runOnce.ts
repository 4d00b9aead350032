import { GPUBufferUsage, GPUMapMode } from "../device/flags.ts";
import type { Device, DeviceBuffer } from "../shader/gpuTypes.ts";

/** Threads of one workgroup, and values of each array that `runOnce` gives a shader. */
export const THREADS = 64;

/**
 * Runs a shader once, in one workgroup of 64 threads, with `x: array<f32, 64>` at binding 0 to read and `y: array<f32, 256>` at binding 1 to write.
 * Made of nothing but the device, so that a check does not rest on what it checks.
 * @param code WGSL after its `enable` lines and the two arrays: `fn main(...)` with its attributes
 * @throws what the device says of the shader.
 */
export async function runOnce(device: Device, enable: string, code: string, x: Float32Array): Promise<Float32Array> {
  // What goes wrong here is told by the check, and is no fault of what runs next.
  device.pushErrorScope("validation");
  const [result] = await Promise.allSettled([attempt(device, enable, code, x)]);
  const error = await device.popErrorScope();
  if (error !== null) throw new Error(error.message);
  if (result.status === "rejected") throw result.reason;
  return result.value;
}

async function attempt(device: Device, enable: string, code: string, x: Float32Array): Promise<Float32Array> {
  const module = device.createShaderModule({
    code: `${enable}
@group(0) @binding(0) var<storage, read> x: array<f32, ${THREADS}>;
@group(0) @binding(1) var<storage, read_write> y: array<f32, ${4 * THREADS}>;
@compute @workgroup_size(${THREADS}) ${code}`,
  });
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
  const buffers: DeviceBuffer[] = [];
  const make = (size: number, usage: number): DeviceBuffer => {
    const buffer = device.createBuffer({ size, usage });
    buffers.push(buffer);
    return buffer;
  };
  try {
    const bytes = 16 * THREADS;
    const input = make(4 * THREADS, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST);
    const output = make(bytes, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC);
    const staging = make(bytes, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
    device.queue.writeBuffer(input, 0, Float32Array.from(x));
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    const entries = [input, output].map((buffer, binding) => ({ binding, resource: { buffer } }));
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(output, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    return new Float32Array(staging.getMappedRange().slice(0));
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}

// The flags of the WebGPU specification, under its names: TypeScript's DOM library declares their types and not their values.

/** What a buffer may be used for. */
export const GPUBufferUsage = {
  MAP_READ: 0x0001,
  MAP_WRITE: 0x0002,
  COPY_SRC: 0x0004,
  COPY_DST: 0x0008,
  UNIFORM: 0x0040,
  STORAGE: 0x0080,
  QUERY_RESOLVE: 0x0200,
} as const;

/** How a buffer is mapped. */
export const GPUMapMode = { READ: 1, WRITE: 2 } as const;

/** Which stages of a pipeline see a binding. */
export const GPUShaderStage = { COMPUTE: 4 } as const;

import type { TensorInfo } from "@statespace/core/backend";
import type { DispatchRequest, WebGpuBackend } from "../src/index.ts";

/** Never called: the type check fails if TypeScript lets one of the wrong requests through, or refuses the right one. */
export function requests(backend: WebGpuBackend, x: TensorInfo): void {
  const right: DispatchRequest<"linear/gemv"> = {
    variant: { FORMAT: "q8", SUMS: "workgroup" },
    constants: { M: 1 },
    params: { n: 1, k: 4, scales: 0 },
    buffers: { x, W: x, y: x },
    grid: [1, 1, 1],
  };
  backend.run("linear/gemv", right);
  backend.run("linear/gemv", { ...right, buffers: { x, W: x, bias: undefined, y: x } });
  // @ts-expect-error an unknown shader
  backend.run("linear/gem", right);
  // @ts-expect-error a parameter is missing
  backend.run("linear/gemv", { ...right, params: { n: 1, k: 4 } });
  // @ts-expect-error an unknown parameter
  backend.run("linear/gemv", { ...right, params: { n: 1, k: 4, scales: 0, m: 1 } });
  // @ts-expect-error a buffer is missing
  backend.run("linear/gemv", { ...right, buffers: { x, W: x } });
  // @ts-expect-error an unknown buffer
  backend.run("linear/gemv", { ...right, buffers: { x, W: x, y: x, weight: x } });
  // @ts-expect-error a buffer that may not be absent
  backend.run("linear/gemv", { ...right, buffers: { x, W: undefined, y: x } });
  // @ts-expect-error an unknown constant
  backend.run("linear/gemv", { ...right, constants: { N: 1 } });
  // @ts-expect-error a constant that the buffers decide
  backend.run("linear/gemv", { ...right, constants: { HAS_BIAS: true } });
  // @ts-expect-error an unknown variant
  backend.run("linear/gemv", { ...right, variant: { FORMAT: "q5", SUMS: "workgroup" } });
  // @ts-expect-error a variant that is not named
  backend.run("linear/gemv", { ...right, variant: { FORMAT: "q8" } });
  // @ts-expect-error no variant at all
  backend.run("linear/gemv", { params: right.params, buffers: right.buffers, grid: right.grid });
  // @ts-expect-error a variant of a shader that has none
  backend.run("make/fill", { variant: {}, params: { size: 1, bits: 0 }, buffers: { out: x }, grid: [1, 1, 1] });
}

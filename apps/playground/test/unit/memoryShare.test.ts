import { Rng } from "@statespace/core";
import { expect, it } from "vitest";
import { tokenShares } from "../../src/pages/selection/compute/memoryShare.ts";

it("a token's share is the state that it alone would leave", () => {
  const [l, d, n, until] = [9, 3, 4, 7];
  const rng = new Rng(5);
  const u = rng.normals(l * d);
  const delta = rng.uniforms(l * d, 0.01, 0.5);
  const A = rng.uniforms(d * n, -3, -0.1);
  const B = rng.normals(l * n);
  const { written, remembered } = tokenShares({ l, d, n, u, delta, A, B }, until);
  for (let s = 0; s < l; s++) {
    // the recurrence with every other token's input set to zero
    const state = new Float64Array(d * n);
    let first = 0;
    for (let t = 0; t <= until; t++) {
      for (let i = 0; i < d * n; i++) {
        const c = Math.floor(i / n);
        const input = t === s ? delta[t * d + c]! * B[t * n + (i % n)]! * u[t * d + c]! : 0;
        state[i] = Math.exp(delta[t * d + c]! * A[i]!) * state[i]! + input;
      }
      if (t === s) first = Math.hypot(...state);
    }
    expect(remembered[s]).toBeCloseTo(Math.hypot(...state), 12);
    expect(written[s]).toBeCloseTo(first, 12);
  }
});

import { registerBackend, setBackend, readFloats, memory } from "@statespace/core";
import { wasmBackend } from "@statespace/backend-wasm";
import { Trainer } from "./trainer.ts"; import { inspect } from "./inspect.ts"; import { MAMBA, TIME_INVARIANT } from "./ablatedMixer.ts";
registerBackend(wasmBackend({ threads: 1 })); await setBackend("wasm");
const a = Object.fromEntries(process.argv.slice(2).map(s => s.split("=")));
const sel = a.sel ? { delta: a.sel.includes("d"), B: a.sel.includes("b"), C: a.sel.includes("c"), gate: a.sel.includes("g") } : MAMBA;
const K = +(a.k ?? 4), L = +(a.l ?? 36);
const tr = new Trainer({ selects: sel, letters: +(a.v ?? 6), nTokens: K, seqLen: L, seed: +(a.seed ?? 1) });
const t0 = performance.now(); let hit = 0;
while (performance.now() - t0 < +(a.secs ?? 40) * 1000) { const v = tr.step(); const loss = tr.steps % 25 === 0 ? (await readFloats(v))[0] : 0; v.dispose();
  if (tr.steps % 25 === 0) { const acc = await tr.accuracy(); if (tr.steps % 200 === 0) console.log(a.sel ?? "mamba", tr.steps, ((performance.now() - t0) / 1000).toFixed(1), loss.toFixed(3), acc.toFixed(3)); if (acc >= 0.95 && !hit) { hit = 1; console.log("HIT", tr.steps, ((performance.now() - t0) / 1000).toFixed(1)); } if (hit && a.stop) break; if (acc > 0.995) break; } }
const ids = new Int32Array(L + K); [3, 9, 17, 30].forEach((p, i) => ids[p] = [2, 5, 1, 4][i]); ids.fill(7, L);
const r = await inspect(tr, ids);
console.log(r.answers);
for (const v of r.layers) console.log([...v.meanDelta].map((x, t) => `${ids[t]}:${x.toFixed(2)}`).join(" "), "\nB", [...Array(L+K)].map((_, t) => Math.hypot(...v.B.subarray(t*v.n,(t+1)*v.n)).toFixed(1)).join(" "));
console.log(memory()); process.exit(0);

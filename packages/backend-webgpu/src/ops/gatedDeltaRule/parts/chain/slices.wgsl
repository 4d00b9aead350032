// Slices of W and of the keys: how a thread brings its words of the next one, and places them.
const WRITTEN_OUT = true;
const CB = 32u; // columns of the block
const KB = 64u; // columns of a slice of W
const TB = 32u; // tokens of a slice of keys
const CQ = CB / 4u;
const N4 = (N + 3u) / 4u;
const HALF = Q / 4u * CQ;
const WG = 2u * HALF;
const PER = (N4 * CQ + WG - 1u) / WG; // tiles a thread
const KQ = KB / 4u;
const PITCH = KQ + 1u;
const SLICES_W = (N4 + KQ - 1u) / KQ;
const SLICES_K = Q / TB;
const EACH = (max(Q * KQ, TB * N4) + WG - 1u) / WG; // words of a slice a thread brings
var<workgroup> state: array<vec4f, 4u * N4 * CQ>;
var<workgroup> errors: array<vec4f, Q * CQ>;
var<workgroup> slice: array<vec4f, max(Q * PITCH, TB * N4)>;
var<private> next: array<vec4f, EACH>;

fn bringW(part: u32, lid: u32) {
  //: unroll if WRITTEN_OUT
  for (var e = 0u; e < EACH; e++) {
    let i = lid + e * WG;
    next[e] = vec4f(0.0f);
    if (i < Q * KQ && part * KQ + i % KQ < N4 && inside(i / KQ)) {
      next[e] = weightFour(rowAt(i / KQ, params.h, own.z), part * KQ + i % KQ);
    }
  }
}
fn bringK(part: u32, lid: u32) {
  //: unroll if WRITTEN_OUT
  for (var e = 0u; e < EACH; e++) {
    let i = lid + e * WG;
    next[e] = vec4f(0.0f);
    if (i < TB * N4 && inside(part * TB + i / N4)) {
      next[e] = keyFour(rowAt(part * TB + i / N4, params.h, own.z), i % N4);
    }
  }
}
fn placeW(lid: u32) {
  //: unroll if WRITTEN_OUT
  for (var e = 0u; e < EACH; e++) {
    let i = lid + e * WG;
    if (i < Q * KQ) {
      slice[i / KQ * PITCH + i % KQ] = next[e];
    }
  }
}
fn placeK(lid: u32) {
  //: unroll if WRITTEN_OUT
  for (var e = 0u; e < EACH; e++) {
    if (lid + e * WG < TB * N4) {
      slice[lid + e * WG] = next[e];
    }
  }
}

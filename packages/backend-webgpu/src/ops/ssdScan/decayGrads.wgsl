// Gradients of log decays and weights. Every pair (read at t, written at s) passes the decays of the tokens s < u <= t, so a
// token's is the sum over the pairs that straddle it: summed as such, since differences of whole sums would cancel.
//: include parts/chunks.wgsl
//: include ../shared/math.wgsl
@group(0) @binding(1) var<storage, read> dots: array<vec4f>; // [b, l, h], see rowGrads.wgsl
@group(0) @binding(2) var<storage, read> decays: array<vec4f>;
@group(0) @binding(3) var<storage, read> states: array<f32>; // before each chunk [b, chunks, h, p, n]
@group(0) @binding(4) var<storage, read> adjoints: array<f32>; // after each chunk [b, chunks, h, p, n]
@group(0) @binding(5) var<storage, read> scores: array<f32>; // q k^T [b, chunks, g, ROWS, ROWS]
// dout v^T [b, chunks, h, ROWS, ROWS]; overwritten by sums over the tokens from t on.
@group(0) @binding(6) var<storage, read_write> upstream: array<f32>;
@group(0) @binding(7) var<storage, read_write> grads: array<vec4f>; // [b, l, h]: log decay, weight, own weight, dout . v
const WG = 64u;
const TX = WG; // tokens.wgsl brings decays by TX TY threads
const TY = 1u;
const AHEAD = 8u; // elements that a thread waits for at once
var<workgroup> parts: array<f32, WG>;
var<workgroup> dotted: array<vec4f, Q>; // dots of the chunk's tokens
//: include parts/decays.wgsl
//: include parts/tokens.wgsl

// The product of the two score matrices, summed over the ranks of tokens t and s.
fn pair(t: u32, s: u32) -> f32 {
  let group = block / params.h * params.g + own.z * params.g / params.h;
  var sum = 0.0f;
  for (var j = 0u; j < R; j++) {
    for (var i = 0u; i < R; i++) {
      let at = (t * R + j) * ROWS + s * R + i;
      sum += scores[group * ROWS * ROWS + at] * upstream[block * ROWS * ROWS + at];
    }
  }
  return sum;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let id = group.x + group.y * groups.x;
  if (id >= params.batch) {
    return;
  }
  begin(id, params.h);
  let first = firstToken();
  let count = min(Q, params.l - first);
  var sums: array<f32, AHEAD>;
  for (var e = lid; e < P * N; e += AHEAD * WG) {
    //: unroll
    for (var a = 0u; a < AHEAD; a++) {
      if (e + a * WG < P * N) {
        sums[a] += adjoints[id * P * N + e + a * WG] * states[id * P * N + e + a * WG];
      }
    }
  }
  parts[lid] = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
  for (var q = lid; q < count; q += WG) {
    dotted[q] = dots[(own.x * params.l + first + q) * params.h + own.z];
  }
  stageTokens(id, lid);
  for (var s = lid; s < count; s += WG) {
    let writer = stagedToken(s);
    var written = 0.0f;
    for (var top = count - 1u; top > s; top -= min(AHEAD, top - s)) {
      var next: array<f32, AHEAD>;
      //: unroll
      for (var a = 0u; a < AHEAD; a++) {
        next[a] = pair(max(top, s + a) - a, s);
      }
      //: unroll
      for (var a = 0u; a < AHEAD; a++) {
        if (top > s + a) {
          let reader = stagedToken(top - a);
          written = select(written, fma(decayBetween(reader, writer), next[a], written), reader.restarts == writer.restarts);
          upstream[id * ROWS * ROWS + (top - a) * R * ROWS + s * R] = written * writer.weight;
        }
      }
    }
    let at = (own.x * params.l + first + s) * params.h + own.z;
    grads[at] = vec4f(0.0f, written + dotted[s].y, pair(s, s), dotted[s].z);
  }
  workgroupBarrier();
  storageBarrier();
  var through = 0.0f;
  for (var i = 0u; i < WG; i++) {
    through += parts[i];
  }
  let last = stagedToken(Q - 1u);
  through = select(0.0f, through * last.fromStart, last.restarts == 0.0f);
  for (var u = lid; u < count; u += WG) {
    let at = (own.x * params.l + first + u) * params.h + own.z;
    // A token that begins a sequence has no pair across it.
    let restarts = stagedToken(u).restarts;
    let begins = restarts != select(0.0f, stagedToken(max(u, 1u) - 1u).restarts, u > 0u);
    var total = through;
    // Of the own sequence: from before the chunk to tokens of it, from tokens of it to after the chunk, from token to token.
    for (var t = u; t < count; t++) {
      total += select(0.0f, dotted[t].x, restarts == 0.0f && stagedToken(t).restarts == 0.0f);
    }
    for (var begin = 0u; begin < u; begin += AHEAD) {
      var next: array<f32, AHEAD>;
      //: unroll
      for (var a = 0u; a < AHEAD; a++) {
        next[a] = upstream[id * ROWS * ROWS + u * R * ROWS + min(begin + a, u) * R];
      }
      //: unroll
      for (var a = 0u; a < AHEAD; a++) {
        if (begin + a < u) {
          let writer = stagedToken(begin + a);
          let outer = select(0.0f, writer.weight * dotted[begin + a].y, last.restarts == restarts);
          total += select(0.0f, next[a] + outer, writer.restarts == restarts);
        }
      }
    }
    grads[at].x = select(total, 0.0f, begins);
  }
}

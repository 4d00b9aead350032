// Gradients of the log decays: every pair (read at t, written at s) passes the decays of the tokens s < u <= t, so a token
// gets what is read from it on, less what is written from it on, and what leaves the chunk.
//: include parts/chunks.wgsl
@group(0) @binding(1) var<storage, read> dots: array<vec4f>; // [b, l, h], see rowGrads.wgsl
@group(0) @binding(2) var<storage, read> decays: array<vec4f>;
@group(0) @binding(3) var<storage, read> states: array<f32>; // before each chunk [b, chunks, h, p, n]
@group(0) @binding(4) var<storage, read> last: array<f32>; // after the last [b, h, p, n]
@group(0) @binding(5) var<storage, read> adjoints: array<f32>; // after each chunk [b, chunks, h, p, n]
@group(0) @binding(6) var<storage, read_write> dLogDecay: array<f32>; // [b, l, h]
const WG = 64u;
var<workgroup> parts: array<f32, WG>;
var<workgroup> gains: array<f32, Q>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let id = group.x + group.y * groups.x;
  if (id >= params.batch) {
    return;
  }
  begin(id, params.h);
  const size = P * N;
  var sum = 0.0f;
  for (var e = lid; e < size; e += WG) {
    if (own.y + 1u < params.chunks) {
      sum += adjoints[id * size + e] * states[(id + params.h) * size + e];
    } else {
      sum += adjoints[id * size + e] * last[(own.x * params.h + own.z) * size + e];
    }
  }
  parts[lid] = sum;
  for (var q = lid; q < Q; q += WG) {
    let t = own.y * Q + q;
    var gain = 0.0f;
    if (t < params.l) {
      let dot = dots[(own.x * params.l + t) * params.h + own.z];
      gain = dot.x - decays[2u * (id * Q + q)].w * dot.y;
    }
    gains[q] = gain;
  }
  workgroupBarrier();
  sum = 0.0f;
  for (var i = 0u; i < WG; i++) {
    sum += parts[i];
  }
  for (var q = lid; q < Q; q += WG) {
    let t = own.y * Q + q;
    let before = select(0.0f, decays[2u * (id * Q + max(q, 1u) - 1u)].z, q > 0u);
    if (t < params.l) {
      var total = 0.0f;
      for (var later = Q - 1u; later > q; later--) {
        total += gains[later];
      }
      // The first token of a sequence forgets what was before it, whatever its decay.
      dLogDecay[(own.x * params.l + t) * params.h + own.z] = select(0.0f, sum + (total + gains[q]), decays[2u * (id * Q + q)].z == before);
    }
  }
}

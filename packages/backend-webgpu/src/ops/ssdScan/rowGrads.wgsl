// Per token and head: joins the parts of outputs and value gradients, adds what the token's own rows give, and takes the dot
// products that the gradients of decays and weights are made of. LANES threads a token.
//: include parts/chunks.wgsl
//: include ../shared/math.wgsl
@group(0) @binding(1) var<storage, read> v: array<f32>; // [b, l, h, r, p]
@group(0) @binding(2) var<storage, read> dY: array<f32>; // [b, l, h, r, p]
@group(0) @binding(3) var<storage, read> z: array<f32>; //: if HAS_Z // [b, l, h, r, p]
@group(0) @binding(4) var<storage, read> scores: array<f32>; // q k^T [b, chunks, g, ROWS, ROWS]
@group(0) @binding(5) var<storage, read> decays: array<vec4f>;
@group(0) @binding(6) var<storage, read> D: array<f32>; //: optional // [h] or [h, p]
// Parts [b, l, h, r, p] at multiples of offset. In: outputs from states; value gradients from adjoint states, without w;
// value gradients from the chunk, likewise; outputs from the chunk (HAS_Z). Out: dz; dv; dout v of every element (SKIP 2).
@group(0) @binding(7) var<storage, read_write> work: array<f32>;
@group(0) @binding(8) var<storage, read_write> dots: array<vec4f>; // [b, l, h]: dout . y from states, v . dv from adjoints, dout . v
const SKIP = 0u; // 1: D [h], 2: D [h, p]
const HAS_Z = false;
const LANES = 16u;
const WG = 64u;
var<workgroup> parts: array<vec4f, WG>;
//: include parts/decays.wgsl

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let id = (group.x + group.y * groups.x) * (WG / LANES) + lid / LANES;
  var sums = vec4f(0.0f);
  if (id < params.batch) {
    let head = id % params.h;
    let t = id / params.h % params.l;
    let chunk = id / (params.h * params.l) * params.chunks + t / Q;
    let token = tokenAt((chunk * params.h + head) * Q + t % Q);
    let scoresAt = (chunk * params.g + head * params.g / params.h) * ROWS * ROWS + t % Q * R * (ROWS + 1u);
    for (var c = lid % LANES; c < P; c += LANES) {
      var skip = 0.0f;
      if (SKIP > 0u) {
        skip = D[select(head, head * P + c, SKIP == 2u)];
      }
      for (var j = 0u; j < R; j++) {
        let at = (id * R + j) * P + c;
        var ownY = 0.0f;
        var ownV = 0.0f;
        for (var i = 0u; i < R; i++) {
          let other = (id * R + i) * P + c;
          ownY += scores[scoresAt + j * ROWS + i] * v[other];
          ownV += scores[scoresAt + i * ROWS + j] * upstreamAt(other);
        }
        let upstream = upstreamAt(at);
        let value = v[at];
        let fromStates = work[at];
        let fromAdjoints = work[params.offset + at];
        let fromChunk = work[2u * params.offset + at];
        sums += vec4f(upstream * fromStates, value * fromAdjoints, upstream * value, 0.0f);
        work[params.offset + at] = token.weight * (fromAdjoints + fromChunk) + token.ownWeight * ownV + skip * upstream;
        if (HAS_Z) {
          let y = fromStates + work[3u * params.offset + at] + token.ownWeight * ownY + skip * value;
          work[at] = dY[at] * siluSlope(z[at]) * y;
        }
        if (SKIP == 2u) {
          work[2u * params.offset + at] = upstream * value;
        }
      }
    }
  }
  parts[lid] = sums;
  workgroupBarrier();
  if (lid % LANES == 0u && id < params.batch) {
    for (var i = 1u; i < LANES; i++) {
      sums += parts[lid + i];
    }
    dots[id] = sums;
  }
}

fn upstreamAt(at: u32) -> f32 {
  if (HAS_Z) {
    return dY[at] * silu(z[at]);
  }
  return dY[at];
}

// What each row of a head's state gives to query, key and g at a token of a chunk: sums over columns, LANES threads a row.
// With D the decayed state, e = beta missing, dr = dv: (D + key e^T) dy, G e - D dr, (G - key dr^T) . D.
struct Params { rows: u32, l: u32, h: u32, n: u32, p: u32, heads: u32, begin: u32 } // rows = count heads n, heads = b h
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> tokens: array<vec4f>;
@group(0) @binding(2) var<storage, read> dY: array<f32>; //: if HAS_DY // [b, l, h, p]
@group(0) @binding(3) var<storage, read> missing: array<f32>; // [b, l, h, p]
@group(0) @binding(4) var<storage, read> dv: array<f32>; // [b, l, h, p]
@group(0) @binding(5) var<storage, read> decayed: array<f32>; // [count, b, h, n, p]
@group(0) @binding(6) var<storage, read> adjoints: array<f32>; // [count, b, h, n, p]
@group(0) @binding(7) var<storage, read_write> sums: array<vec4f>; // [count, b, h, n]
override HAS_DY = false;
const LANES = 16u;
const WG = 64u;
var<workgroup> parts: array<vec3f, WG>;

//: include parts/token.wgsl

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = (group.x + group.y * groups.x) * (WG / LANES) + lid / LANES;
  let lane = lid % LANES;
  var sum = vec3f(0.0f);
  if (row < params.rows) {
    let i = row % params.n;
    let head = row / params.n % params.heads;
    let t = row / (params.n * params.heads);
    let at = (head / params.h * params.l + params.begin + t) * params.h + head % params.h;
    let key = tokens[keyOf(at) + i / 4u][i % 4u];
    let beta = tokens[scalarsOf(at)].x;
    for (var j = lane; j < params.p; j += LANES) {
      let place = at * params.p + j;
      let d = decayed[row * params.p + j];
      let g = adjoints[row * params.p + j];
      let error = beta * missing[place];
      let dr = dv[place];
      if (HAS_DY) {
        sum.x = fma(fma(key, error, d), dY[place], sum.x);
      }
      sum.y += g * error - d * dr;
      sum.z = fma(g - key * dr, d, sum.z);
    }
  }
  parts[lid] = sum;
  workgroupBarrier();
  if (lane == 0u && row < params.rows) {
    for (var i = 1u; i < LANES; i++) {
      sum += parts[lid + i];
    }
    sums[row] = vec4f(sum, 0.0f);
  }
}

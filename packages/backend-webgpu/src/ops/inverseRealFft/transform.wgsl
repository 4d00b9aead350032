// Real sequences from the first half of their spectra, summed directly: y_t = (1/l) sum_k c_k Re(x_k exp(2 pi i k t / l)),
// c_k = 2 but for the frequencies 0 and l/2. GRAD: dx_k = (c_k / l) sum_t dy_t exp(-2 pi i k t / l).
struct Params { h: u32, m: u32, l: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [h, m, 2], or dy [h, l]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [h, l], or dx [h, m, 2]
const GRAD = false;

//: include ../shared/math.wgsl
//: include ../shared/special.wgsl

// cos and sin of 2 pi k t / l; whole turns are taken out in integers.
fn root(k: u32, t: u32) -> vec2f {
  // k t mod l without overflow: l is below 2^24, so each part of t keeps the product below 2^32 (8 bits at a time).
  var rest = 0u;
  for (var shift = 16u; shift <= 16u; shift -= 8u) {
    rest = (rest * 256u + k * ((t >> shift) & 255u)) % params.l;
  }
  // The nearest quarter turn, and what is left: an eighth of a turn at most, so that rounding it costs little.
  let quarters = i32((8u * rest + params.l) / (2u * params.l));
  let left = i32(4u * rest) - quarters * i32(params.l);
  let radians = f32(left) / f32(params.l) * 1.5707963267948966f;
  return vec2f(sinQuarter(radians, quarters + 1), sinQuarter(radians, quarters));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  let width = select(params.l, params.m, GRAD);
  if (i >= params.h * width) {
    return;
  }
  let row = i / width;
  let own = i % width;
  let size = f32(params.l);
  if (GRAD) {
    var sum = vec2f(0.0f);
    for (var t = 0u; t < params.l; t++) {
      let e = root(own, t);
      sum += x[row * params.l + t] * vec2f(e.x, -e.y);
    }
    let alone = own == 0u || 2u * own == params.l;
    y[2u * i] = select(2.0f, 1.0f, alone) * sum.x / size;
    y[2u * i + 1u] = select(2.0f * sum.y / size, 0.0f, alone);
  } else {
    var sum = 0.0f;
    for (var k = 0u; k < params.m; k++) {
      let e = root(k, own);
      let at = 2u * (row * params.m + k);
      let alone = k == 0u || 2u * k == params.l;
      sum += select(2.0f * (x[at] * e.x - x[at + 1u] * e.y), x[at] * e.x, alone);
    }
    y[i] = sum / size;
  }
}

// One pass of Stockham's transform along the slow axis of [N, rows]: R points a thread, in registers; neighbouring threads
// take neighbouring rows, so that every access is in order. FROM says what the first pass reads.
const FROM = 0u; // 0 complex [N, rows]; 1 pairs of real rows; 2 filters; 3 a product; 4 a product summed over pairs; 5 a half spectrum
const R = 16u;
const INVERSE = false;
const CONJUGATE = false; // of the second factor of a product
struct Params { N: u32, rows: u32, ns: u32, b: u32, l: u32, d: u32, m: u32, firstPair: u32, pairs: u32 } // ns: points already joined
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> reals: array<f32>; //: optional // FROM 1: [b, l, d]; 2: [rows, m], of which l count
@group(0) @binding(2) var<storage, read> source: array<vec2f>; //: optional // FROM 5: [rows, N/2 + 1]
@group(0) @binding(3) var<storage, read> factor: array<vec2f>; //: optional // FROM 3: [N, d]; 4: [N, pairs d], as is source
@group(0) @binding(4) var<storage, read_write> out: array<vec2f>; // [N, rows]
@group(0) @binding(5) var<storage, read> peaks: array<f32>; //: optional // FROM 1 with LEVEL: [b, d], largest absolute values
const LEVEL = 0u; // 0: rows as they are; 1: brought to one level; 2: multiplied with what brings others back

//: include ../shared/math.wgsl
//: include ../shared/special.wgsl

fn times(a: vec2f, b: vec2f) -> vec2f {
  return vec2f(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

// exp(2 pi i turns), the other way round in a forward transform.
fn unit(turns: f32) -> vec2f {
  let radians = (turns - round(turns)) * 6.283185307179586f;
  return vec2f(sinQuarter(radians, 1), select(-1.0f, 1.0f, INVERSE) * sinQuarter(radians, 0));
}

//: include parts/level.wgsl

fn levelled(value: f32, row: u32, channel: u32) -> f32 {
  if (LEVEL == 0u) {
    return value;
  }
  let level = levelOf(peaks[min(row, params.b - 1u) * params.d + channel]);
  let factor = select(level.y, level.x, LEVEL == 1u);
  return select(value * factor, 0.0f, factor == 0.0f);
}

fn point(t: u32, row: u32) -> vec2f {
  if (FROM == 1u) {
    let first = 2u * (params.firstPair + row / params.d);
    let at = (first * params.l + min(t, params.l - 1u)) * params.d + row % params.d;
    let inside = t < params.l;
    let second = inside && first + 1u < params.b;
    let own = levelled(reals[at], first, row % params.d);
    let other = levelled(reals[select(at, at + params.l * params.d, second)], first + 1u, row % params.d);
    return vec2f(select(0.0f, own, inside), select(0.0f, other, second));
  }
  if (FROM == 2u) {
    return vec2f(select(0.0f, reals[row * params.m + min(t, params.m - 1u)], t < params.l), 0.0f);
  }
  if (FROM == 3u) {
    let other = factor[t * params.d + row % params.d];
    return times(source[t * params.rows + row], select(other, vec2f(other.x, -other.y), CONJUGATE));
  }
  if (FROM == 4u) {
    var sum = vec2f(0.0f);
    for (var pair = 0u; pair < params.pairs; pair++) {
      let at = (t * params.pairs + pair) * params.d + row;
      sum += times(source[at], select(factor[at], vec2f(factor[at].x, -factor[at].y), CONJUGATE));
    }
    return sum;
  }
  if (FROM == 5u) {
    let mirrored = t > params.N / 2u;
    let value = source[row * (params.N / 2u + 1u) + select(t, params.N - t, mirrored)];
    let alone = t == 0u || 2u * t == params.N;
    return vec2f(value.x, select(select(value.y, -value.y, mirrored), 0.0f, alone));
  }
  return source[t * params.rows + row];
}

fn four(a: vec2f, b: vec2f, c: vec2f, d: vec2f) -> array<vec2f, 4> {
  let turned = select(vec2f(b.y - d.y, d.x - b.x), vec2f(d.y - b.y, b.x - d.x), INVERSE);
  return array((a + c) + (b + d), (a - c) + turned, (a + c) - (b + d), (a - c) - turned);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lid;
  let stride = params.N / R;
  if (i >= params.rows * stride) {
    return;
  }
  let row = i % params.rows;
  let j = i / params.rows;
  let within = j % params.ns;
  var w: array<vec2f, R>;
  var v: array<vec2f, R>;
  w[0] = vec2f(1.0f, 0.0f);
  w[1] = unit(f32(within) / f32(params.ns * R));
  v[0] = point(j, row);
  v[1] = times(w[1], point(j + stride, row));
  //: unroll
  for (var r = 2u; r < R; r++) {
    w[r] = times(w[r / 2u], w[r - r / 2u]);
    v[r] = times(w[r], point(j + r * stride, row));
  }
  let at = ((j - within) * R + within) * params.rows + row;
  let step = params.ns * params.rows;
  if (R == 2u) {
    out[at] = v[0] + v[1];
    out[at + step] = v[0] - v[1];
  }
  if (R == 4u) {
    let all = four(v[0], v[1], v[2 % R], v[3 % R]);
    out[at] = all[0];
    out[at + step] = all[1];
    out[at + 2u * step] = all[2];
    out[at + 3u * step] = all[3];
  }
  if (R == 16u) {
    //: unroll
    for (var a = 0u; a < 4u; a++) {
      let part = four(v[a % R], v[(a + 4u) % R], v[(a + 8u) % R], v[(a + 12u) % R]);
      v[a % R] = part[0];
      v[(a + 4u) % R] = times(part[1], unit(f32(a) / 16.0f));
      v[(a + 8u) % R] = times(part[2], unit(f32(a) / 8.0f));
      v[(a + 12u) % R] = times(part[3], unit(3.0f * f32(a) / 16.0f));
    }
    //: unroll
    for (var q = 0u; q < 4u; q++) {
      let all = four(v[(4u * q) % R], v[(4u * q + 1u) % R], v[(4u * q + 2u) % R], v[(4u * q + 3u) % R]);
      out[at + q * step] = all[0];
      out[at + (q + 4u) * step] = all[1];
      out[at + (q + 8u) * step] = all[2];
      out[at + (q + 12u) * step] = all[3];
    }
  }
}

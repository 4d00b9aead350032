// Elementwise functions of one operand; OP picks one (see index.ts).
struct Params { size: u32, low: f32, high: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
const OP = 0u;
const INT = false;

//: include ../shared/math.wgsl
//: include ../shared/special.wgsl

fn apply(v: f32) -> f32 {
  switch OP {
    case 0u: { return -v; }
    case 1u: { return abs(v); }
    case 2u: { return expAccurate(v); }
    case 3u: { return expm1(v); }
    case 5u: { return log1p(v); }
    case 6u: { return sqrt(v); }
    case 7u: { return inverseSqrt(v); }
    case 8u: { return v * v; }
    case 9u: { return 1.0f / v; }
    case 10u: { return sigmoid(v); }
    case 11u: { return tanhAccurate(v); }
    case 12u: { return softplus(v); }
    case 13u: { return max(v, 0.0f); }
    case 14u: { return silu(v); }
    case 15u: { return gelu(v); }
    case 16u: { return sinQuarter(v, 0); }
    case 17u: { return sinQuarter(v, 1); }
    case 18u: { return erf(v); }
    case 19u: { return sign(v); }
    case 20u: { return floor(v); }
    case 21u: { return round(v); }
    case 22u: { return clamp(v, params.low, params.high); }
    default: { return v; }
  }
}

fn applyInt(v: i32) -> i32 {
  switch OP {
    case 0u: { return -v; }
    case 1u: { return abs(v); }
    case 8u: { return v * v; }
    case 19u: { return sign(v); }
    case 22u: { return clamp(v, i32(params.low), i32(params.high)); }
    case 23u: { return select(0, 1, v == 0); }
    default: { return v; }
  }
}

// NaN stays NaN, there is none where the function has none, and e^x leaves the range of float32 as it should: infinite above, 0 below
// (denormal numbers are not made). By bits: a driver may take it that there is no NaN and no infinity.
fn bits(v: u32) -> u32 {
  let value = bitcast<f32>(v);
  if (isNan(value)) {
    return v;
  }
  let result = bitcast<u32>(apply(value));
  let negative = v > 0x80000000u;
  switch OP {
    case 2u: { return select(select(result, 0u, value < -87.336544f), INFINITY, value > 88.722839f); }
    case 3u: { return select(result, INFINITY, value > 88.722839f); }
    case 4u: { return bitsOfLog(v); }
    case 5u: { return select(result, bitsOfLog(bitcast<u32>(1.0f + value)), value <= -1.0f || v == INFINITY); }
    case 6u, 7u: { return select(result, NOT_A_NUMBER, negative); }
    case 12u, 15u: { return select(result, 0u, v == (0x80000000u | INFINITY)); }
    default: { return result; }
  }
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 256u + lane;
  if (i < params.size) {
    if (INT) {
      y[i] = bitcast<u32>(applyInt(bitcast<i32>(x[i])));
    } else {
      y[i] = bits(x[i]);
    }
  }
}

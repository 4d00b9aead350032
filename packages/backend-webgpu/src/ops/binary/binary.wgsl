// Functions of two operands, broadcast; OP picks one (see index.ts).
struct Params {
  size: u32,
  dims: array<vec4u, 6>, // extent, stride of a, stride of b; outermost first, RANK of them
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<u32>;
@group(0) @binding(2) var<storage, read> b: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<u32>;
const OP = 0u;
const INT = false;
const RANK = 1u;

fn apply(p: f32, q: f32) -> u32 {
  if (OP >= 4u && (isNan(p) || isNan(q))) {
    return ofNan(p, q);
  }
  switch OP {
    case 0u: { return bitcast<u32>(p + q); }
    case 1u: { return bitcast<u32>(p - q); }
    case 2u: { return bitcast<u32>(p * q); }
    case 3u: { return bitcast<u32>(p / q); }
    case 4u: { return bitcast<u32>(max(p, q)); }
    case 5u: { return bitcast<u32>(min(p, q)); }
    case 6u: { return power(p, q); }
    case 7u: { return u32(p == q); }
    case 8u: { return u32(p != q); }
    case 9u: { return u32(p < q); }
    case 10u: { return u32(p <= q); }
    case 11u: { return u32(p > q); }
    case 12u: { return u32(p >= q); }
    default: { return 0u; }
  }
}

// Maximum, minimum and power are NaN then (but for x^0 and 1^x), and of comparisons only != holds.
fn ofNan(p: f32, q: f32) -> u32 {
  if (OP == 6u && ((q == 0.0f && !isNan(q)) || (p == 1.0f && !isNan(p)))) {
    return bitcast<u32>(1.0f);
  }
  if (OP >= 7u) {
    return u32(OP == 8u);
  }
  return select(bitcast<u32>(q), bitcast<u32>(p), isNan(p));
}

fn applyInt(p: i32, q: i32) -> u32 {
  switch OP {
    case 0u: { return bitcast<u32>(p + q); }
    case 1u: { return bitcast<u32>(p - q); }
    case 2u: { return bitcast<u32>(p * q); }
    case 3u: { return select(bitcast<u32>(p / select(q, 1, q == 0)), 0u, q == 0); }
    case 4u: { return bitcast<u32>(max(p, q)); }
    case 5u: { return bitcast<u32>(min(p, q)); }
    case 6u: { return bitcast<u32>(powerInt(p, q)); }
    case 7u: { return u32(p == q); }
    case 8u: { return u32(p != q); }
    case 9u: { return u32(p < q); }
    case 10u: { return u32(p <= q); }
    case 11u: { return u32(p > q); }
    case 12u: { return u32(p >= q); }
    case 13u: { return u32(p != 0 && q != 0); }
    default: { return 0u; }
  }
}

//: include ../shared/math.wgsl
//: include ../shared/special.wgsl

// The bits of p^q, as C's pow: negative p only to whole powers; edges by bits, since a driver may take it that there are none.
fn power(p: f32, q: f32) -> u32 {
  let size = abs(p);
  if (q == 0.0f || p == 1.0f || (p == -1.0f && isInfinite(q))) {
    return bitcast<u32>(1.0f);
  }
  if (size == 0.0f || isInfinite(p) || isInfinite(q)) {
    return select(0u, INFINITY, (size > 1.0f) == (q > 0.0f)) | select(0u, bitcast<u32>(p) & 0x80000000u, isOdd(q));
  }
  if (p < 0.0f && q != floor(q)) {
    return NOT_A_NUMBER;
  }
  if (abs(q) <= 32.0f && q == floor(q)) {
    // Whole powers by squaring, exact where the product is.
    var result = 1.0f;
    var square = p;
    for (var rest = u32(abs(q)); rest > 0u; rest >>= 1u) {
      result *= select(1.0f, square, (rest & 1u) != 0u);
      square *= square;
    }
    return bitcast<u32>(select(result, 1.0f / result, q < 0.0f));
  }
  let exponent = q * logAccurate(size);
  let magnitude = select(bitcast<u32>(expAccurate(exponent)), select(0u, INFINITY, exponent > 0.0f), exponent > 88.722839f || exponent < -87.336544f);
  return magnitude | select(0u, 0x80000000u, p < 0.0f && isOdd(q));
}

fn isInfinite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) == INFINITY;
}

fn isOdd(q: f32) -> bool {
  return q == floor(q) && abs(q) % 2.0f == 1.0f;
}

// By squaring, wrapping around; cut toward zero where q < 0.
fn powerInt(p: i32, q: i32) -> i32 {
  if (q < 0) {
    return select(0, select(1, p, (q & 1) != 0), abs(p) == 1);
  }
  var result = 1;
  var square = p;
  for (var rest = u32(q); rest > 0u; rest >>= 1u) {
    result *= select(1, square, (rest & 1u) != 0u);
    square *= square;
  }
  return result;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 256u + lane;
  if (i >= params.size) {
    return;
  }
  var rest = i;
  var atA = 0u;
  var atB = 0u;
  for (var k = RANK; k > 0u; k--) {
    let dim = params.dims[k - 1u];
    let coordinate = rest % dim.x;
    rest /= dim.x;
    atA += coordinate * dim.y;
    atB += coordinate * dim.z;
  }
  if (INT) {
    y[i] = applyInt(bitcast<i32>(a[atA]), bitcast<i32>(b[atB]));
  } else {
    y[i] = apply(bitcast<f32>(a[atA]), bitcast<f32>(b[atB]));
  }
}

// What the tokens of a chunk are to each other. With k of length one, G_ts the decay from s to t and L_ts = beta_t G_ts k_t.k_s for s < t,
// the errors E of a chunk that begins with the state S solve (I + L) E = beta (v - G_t0 k S): E = U - W S, with
// (I + L) U = beta v and (I + L) W = beta G_t0 k. And the attention of its queries: A_ts = G_ts q_t.k_s for s <= t.
//: variant WIDTHS = vector | scalar
//: include ../ssdScan/parts/chunks.wgsl
//: include ../shared/math.wgsl
@group(0) @binding(4) var<storage, read> decays: array<vec4f>; // weight: 1 / length of the key, own weight: beta
@group(0) @binding(5) var<storage, read> factors: array<f32>; // [b, l, h]
@group(0) @binding(6) var<storage, read_write> attention: array<f32>; // [b, chunks, h, Q, Q]
@group(0) @binding(7) var<storage, read_write> W: array<f32>; // [b, l, h, n]
@group(0) @binding(8) var<storage, read_write> U: array<f32>; // [b, l, h, p]
//: include ../ssdScan/parts/decays.wgsl
//: include ../ssdScan/parts/tokens.wgsl

const Q4 = Q / 4u;
var<workgroup> lower: array<vec4f, Q * Q4>; // L, zeros from the diagonal on
var<private> ofQueries: bool; // the product that is being made: q k^T, or k k^T
//: include parts/inChunk/$WIDTHS.wgsl

fn store(m: u32, n: u32, value: f32) {
  if (m >= Q || n >= Q) {
    return;
  }
  let mine = stagedToken(m);
  let other = stagedToken(n);
  let joined = inside(m) && mine.restarts == other.restarts && select(n < m, n <= m, ofQueries);
  let factor = select(mine.ownWeight * mine.weight, factors[rowAt(m, params.h, own.z)], ofQueries);
  let scaled = select(0.0f, factor * other.weight * decayBetween(mine, other) * value, joined);
  if (ofQueries) {
    attention[(block * Q + m) * Q + n] = scaled;
  } else {
    lower[m * Q4 + n / 4u][n % 4u] = scaled;
  }
}
const MASKED = false;
fn reaches(m: u32, k0: u32) -> bool {
  return true;
}
fn concerns(m: u32, k: u32) -> bool {
  return true;
}
//: include ../ssdScan/parts/product.wgsl

// The right sides of rows m .. m + 3: beta G k, then beta v.
fn sides(c: u32, m: u32) -> vec4f {
  var four = vec4f(0.0f);
  //: unroll if WRITTEN_OUT
  for (var j = 0u; j < 4u; j++) {
    let token = stagedToken(m + j);
    let row = rowAt(m + j, params.h, own.z);
    if (inside(m + j)) {
      if (c < N) {
        four[j] = select(0.0f, token.ownWeight * token.weight * token.fromStart * keyAt(row * N + c), ofStates(m + j, false));
      } else {
        four[j] = token.ownWeight * valueAt(row * P + c - N);
      }
    }
  }
  return four;
}

fn write(c: u32, m: u32, value: f32) {
  if (inside(m)) {
    let row = rowAt(m, params.h, own.z);
    if (c < N) {
      W[row * N + c] = value;
    } else {
      U[row * P + c - N] = value;
    }
  }
}
fn written(c: u32, m: u32) -> f32 {
  let row = rowAt(m, params.h, own.z);
  if (c < N) {
    return W[row * N + c];
  }
  return U[row * P + c - N];
}

// A column, by rows of four.
fn solve(c: u32) {
  var x: array<vec4f, Q4>;
  //: unroll if WRITTEN_OUT
  for (var i = 0u; i < Q4; i++) {
    var own = sides(c, 4u * i);
    //: unroll if WRITTEN_OUT
    for (var k = 0u; k < i; k++) {
      own -= vec4f(
        dot(lower[4u * i * Q4 + k], x[k]), dot(lower[(4u * i + 1u) * Q4 + k], x[k]),
        dot(lower[(4u * i + 2u) * Q4 + k], x[k]), dot(lower[(4u * i + 3u) * Q4 + k], x[k]),
      );
    }
    own.y -= lower[(4u * i + 1u) * Q4 + i].x * own.x;
    own.z -= dot(lower[(4u * i + 2u) * Q4 + i].xy, own.xy);
    own.w -= dot(lower[(4u * i + 3u) * Q4 + i].xyz, own.xyz);
    x[i] = own;
    write(c, 4u * i, own.x);
    write(c, 4u * i + 1u, own.y);
    write(c, 4u * i + 2u, own.z);
    write(c, 4u * i + 3u, own.w);
  }
}

// The same where another sequence begins in the chunk: what is no number there concerns its own sequence alone.
fn solveApart(c: u32) {
  var begins = 0u;
  for (var m = 0u; m < Q && inside(m); m++) {
    if (!sameSequence(m, begins)) {
      begins = m;
    }
    var own = sides(c, m / 4u * 4u)[m % 4u];
    for (var s = begins; s < m; s++) {
      own = fma(-lower[m * Q4 + s / 4u][s % 4u], written(c, s), own);
    }
    write(c, m, own);
  }
}

@compute @workgroup_size(TX * TY)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let id = group.y + group.z * groups.y;
  if (id >= params.batch) {
    return;
  }
  begin(id, params.h);
  stageTokens(id, lid);
  for (var part = 0u; part < 2u; part++) {
    ofQueries = part == 1u;
    var sums = array<vec4f, 4>();
    accumulate(&sums, vec2u(0u), 0u, N, true, true, lid);
    finish(sums, vec2u(0u), lid);
  }
  workgroupBarrier();
  let apart = !sameSequence(0u, Q - 1u);
  for (var c = lid; c < N + P; c += TX * TY) {
    if (apart) {
      solveApart(c);
    } else {
      solve(c);
    }
  }
}

// Whole numbers of 64 bits as (low, high), and the weights of `sampleToken` in units of 2^-31: the same on every machine.
fn add64(a: vec2u, b: vec2u) -> vec2u {
  let low = a.x + b.x;
  return vec2u(low, a.y + b.y + select(0u, 1u, low < a.x));
}

fn sub64(a: vec2u, b: vec2u) -> vec2u {
  return vec2u(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}

fn less64(a: vec2u, b: vec2u) -> bool {
  return a.y < b.y || (a.y == b.y && a.x < b.x);
}

fn product(a: u32, b: u32) -> vec2u {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let cross = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let other = (a & 0xffffu) * (b >> 16u) + (cross & 0xffffu);
  return vec2u(a * b, (a >> 16u) * (b >> 16u) + (cross >> 16u) + (other >> 16u));
}

// floor(mass word / 2^32)
fn shareOf(mass: vec2u, word: u32) -> vec2u {
  return add64(product(mass.y, word), vec2u(product(mass.x, word).y, 0u));
}

const POWER = array<u32, 7>(2147483653u, 1488521704u, 515890973u, 119143746u, 20796632u, 2661018u, 469564u);

// 2^-octaves: 2^h = sum c_i h^i for h in [0, 1), halved as often as whole octaves say; 0 from 32 octaves on.
fn fixedWeight(octaves: f32) -> u32 {
  if (!(octaves < 32.0f)) {
    return 0u;
  }
  let n = u32(octaves * 16777216.0f);
  let h = ~(n << 8u);
  var power = POWER[6];
  power = POWER[5] + product(power, h).y;
  power = POWER[4] + product(power, h).y;
  power = POWER[3] + product(power, h).y;
  power = POWER[2] + product(power, h).y;
  power = POWER[1] + product(power, h).y;
  power = POWER[0] + product(power, h).y;
  return (power >> 1u) >> (n >> 24u);
}

// Larger scores have larger keys; both zeros have one.
fn keyOf(score: f32) -> u32 {
  let bits = bitcast<u32>(score);
  if (bits == 0x80000000u) {
    return 0x80000000u;
  }
  return select(bits | 0x80000000u, ~bits, bits >> 31u == 1u);
}

fn scoreOf(key: u32) -> f32 {
  return bitcast<f32>(select(~key, key & 0x7fffffffu, key >> 31u == 1u));
}

fn rotateLeft(x: u32, by: u32) -> u32 {
  return (x << by) | (x >> (32u - by));
}

// First word of Threefry-2x32-20 (Salmon et al. 2011) for a key and a counter.
fn threefry(random: vec4u) -> u32 {
  var rotations = array<u32, 8>(13u, 15u, 26u, 6u, 17u, 29u, 16u, 24u);
  var keys = array<u32, 3>(random.x, random.y, random.x ^ random.y ^ 0x1bd11bdau);
  var x = random.z + keys[0];
  var y = random.w + keys[1];
  for (var round = 0u; round < 20u; round++) {
    x += y;
    y = rotateLeft(y, rotations[round % 8u]) ^ x;
    if (round % 4u == 3u) {
      let turn = (round + 1u) / 4u;
      x += keys[turn % 3u];
      y += keys[(turn + 1u) % 3u] + turn;
    }
  }
  return x;
}

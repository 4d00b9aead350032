// What gemvFused.wgsl's product reads: x, gated and normalised.
fn gate(q: u32) -> vec4f {
  let g = z[q];
  return vec4f(silu(g.x), silu(g.y), silu(g.z), silu(g.w));
}

// What the norm takes the mean square of.
fn inputAt(q: u32) -> vec4f {
  if (GATED && !GATE_LAST) {
    return x[q] * gate(q);
  }
  return x[q];
}

// That times what the norm multiplies it by, but for its scale.
fn weighted(input: vec4f, q: u32) -> vec4f {
  var value = input;
  if (NORM_WEIGHT) {
    value *= normWeight[q];
  }
  if (GATED && GATE_LAST) {
    value *= gate(q);
  }
  return value;
}

fn writeInput(scale: f32, lane: u32) {
  for (var q = lane; q < params.k / 4u; q += LANES) {
    normed[q] = weighted(inputAt(q), q) * scale;
    if (ACTIVATED) {
      activated[q] = gate(q);
    }
  }
}

// Brings the B and C of a tile's steps, zero past the end, and the restart flags into workgroup memory.
var<workgroup> bc: array<array<vec4f, TS * 2u * V + 1u>, L>; // [lane][B then C of a step][V]; padded against bank conflicts
var<workgroup> restart: array<f32, TS>;

fn stageBC(lid: u32, t0: u32, end: u32, row: u32, group: u32) {
  const quads = 2u * V * L; // vec4s a step
  for (var i = lid; i < TS * quads; i += WG) {
    let t = t0 + i / quads;
    let quad = i % quads; // B [lane, V], then C [lane, V]
    let value = bcQuad(row * params.l + min(t, params.l - 1u), group, quad);
    bc[quad / V % L][i / quads * 2u * V + quad / (V * L) * V + quad % V] = select(vec4f(0.0f), value, t < end);
  }
  if (HAS_SEQ) {
    for (var s = lid; s < TS; s += WG) {
      restart[s] = select(0.0f, 1.0f, t0 + s < end && restartsAt(row * params.l + min(t0 + s, params.l - 1u)));
    }
  }
}

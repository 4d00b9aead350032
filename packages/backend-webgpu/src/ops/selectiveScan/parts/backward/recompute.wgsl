// Of backward.wgsl: the states and decays of SUB steps, into registers.
// The first state: what the chunk made of zero, plus what is left of the chunk's own first state.
var h: array<vec4f, P * V * (SUB + 1u)>;
var decays: array<vec4f, P * V * SUB>;
//: unroll
for (var p = 0u; p < P; p++) {
  //: unroll
  for (var v = 0u; v < V; v++) {
    let kept = vec4f(firsts[((part * P + p) * V + v) * 4u], firsts[((part * P + p) * V + v) * 4u + 1u], firsts[((part * P + p) * V + v) * 4u + 2u], firsts[((part * P + p) * V + v) * 4u + 3u]);
    let carried = exp2(a[p * V + v] * cums[part * P + p]) * start[p * V + v];
    h[p * V + v] = kept + select(carried, vec4f(0.0f), cums[part * P + p] > 1.0e38f);
  }
}
//: unroll
for (var i = 0u; i < SUB; i++) {
  let fresh = HAS_SEQ && restart[part * SUB + i] != 0.0f;
  var sum = array<vec4f, P>();
  //: unroll
  for (var v = 0u; v < V; v++) {
    let B = (*mine)[(part * SUB + i) * 2u * V + v];
    let C = (*mine)[((part * SUB + i) * 2u + 1u) * V + v];
    //: unroll
    for (var p = 0u; p < P; p++) {
      let pair = (*steps)[p * T1 + part * SUB + i];
      // What is forgotten may have been anything: it is not multiplied by 0.
      let decay = exp2(pair.x * a[p * V + v]);
      let before = select(h[(i * P + p) * V + v], vec4f(0.0f), fresh);
      decays[(i * P + p) * V + v] = decay;
      h[((i + 1u) * P + p) * V + v] = fma(decay, before, pair.y * B);
      sum[p] = fma(h[((i + 1u) * P + p) * V + v], C, sum[p]);
    }
  }
  if (HAS_Z) {
    //: unroll
    for (var p = 0u; p < P; p++) {
      addStates(2u, part * SUB + i, lane, local + p * CT, (sum[p].x + sum[p].y) + (sum[p].z + sum[p].w));
    }
  }
}

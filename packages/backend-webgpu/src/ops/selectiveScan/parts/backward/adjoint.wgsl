// Of backward.wgsl: the adjoint state over SUB steps, from the right, with what each step adds to the gradients.
//: unroll
for (var i = SUB - 1u; i < SUB; i--) {
  let fresh = HAS_SEQ && restart[part * SUB + i] != 0.0f;
  var sumB = array<vec4f, P>(); // g B
  var sumA = array<vec4f, P>(); // g d(decay)/d(delta) h
  //: unroll
  for (var v = 0u; v < V; v++) {
    let B = (*mine)[(part * SUB + i) * 2u * V + v];
    let C = (*mine)[((part * SUB + i) * 2u + 1u) * V + v];
    var dB = vec4f(0.0f);
    var dC = vec4f(0.0f);
    //: unroll
    for (var p = 0u; p < P; p++) {
      let pair = (*steps)[p * T1 + part * SUB + i];
      let upstream = (*upstreams)[p * T1 + part * SUB + i];
      var adjoint = fma(C, vec4f(upstream), g[p * V + v]);
      dB = fma(adjoint, vec4f(pair.y), dB);
      dC = fma(h[((i + 1u) * P + p) * V + v], vec4f(upstream), dC);
      sumB[p] = fma(adjoint, B, sumB[p]);
      adjoint = select(adjoint * decays[(i * P + p) * V + v], vec4f(0.0f), fresh);
      let ofDecay = adjoint * select(h[(i * P + p) * V + v], vec4f(0.0f), fresh);
      sumA[p] = fma(ofDecay, a[p * V + v], sumA[p]);
      dA[p * V + v] = fma(ofDecay, vec4f(pair.x), dA[p * V + v]);
      g[p * V + v] = adjoint;
    }
    addBC(part * SUB + i, lid, v, dB, dC);
  }
  //: unroll
  for (var p = 0u; p < P; p++) {
    addStates(0u, part * SUB + i, lane, local + p * CT, (sumB[p].x + sumB[p].y) + (sumB[p].z + sumB[p].w));
    addStates(1u, part * SUB + i, lane, local + p * CT, (sumA[p].x + sumA[p].y) + (sumA[p].z + sumA[p].w));
  }
  endStep(part * SUB + i, lid);
}

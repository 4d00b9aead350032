// Of forward.wgsl: the steps of a tile, states in registers; what each gives y goes to `partial`.
//: unroll
for (var t = 0u; t < TS; t++) {
  let pair = (*steps)[t];
  let fresh = HAS_SEQ && restart[t] != 0.0f;
  var sum = vec4f(0.0f);
  //: unroll
  for (var v = 0u; v < V; v++) {
    // What is forgotten may have been anything: it is not multiplied by 0.
    h[v] = fma(exp2(pair.x * a[v]), select(h[v], none[v], fresh), pair.y * (*mine)[t * 2u * V + v]);
    if (!REDUCE) {
      sum = fma(h[v], (*mine)[(t * 2u + 1u) * V + v], sum);
    }
  }
  if (REDUCE) {
    total += pair.x;
    restarted = restarted || fresh;
  } else {
    partial[local * PS + lane * (TS + 1u) + t] = (sum.x + sum.y) + (sum.z + sum.w);
  }
}

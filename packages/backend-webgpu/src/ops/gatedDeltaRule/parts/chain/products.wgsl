// The two products of a chunk, a slice of the depth at a time.

// What the state answers to rows ty, ty + Q / 4, .. of W, in one half of the slice's depth.
fn addAnswers(answers: ptr<function, array<vec4f, 4>>, part: u32, half: u32, ty: u32, cq: u32) {
  //: unroll if WRITTEN_OUT
  for (var k = 0u; k < KQ / 2u; k++) {
    let quad = part * KQ + 2u * k + half;
    if (quad < N4) {
      let b0 = state[4u * quad * CQ + cq];
      let b1 = state[(4u * quad + 1u) * CQ + cq];
      let b2 = state[(4u * quad + 2u) * CQ + cq];
      let b3 = state[(4u * quad + 3u) * CQ + cq];
      //: unroll if WRITTEN_OUT
      for (var i = 0u; i < 4u; i++) {
        let a = slice[(ty + i * (Q / 4u)) * PITCH + 2u * k + half];
        (*answers)[i] = fma(vec4f(a.w), b3, fma(vec4f(a.z), b2, fma(vec4f(a.y), b1, fma(vec4f(a.x), b0, (*answers)[i]))));
      }
    }
  }
}

// What the errors at a slice of tokens write to the thread's part of the state.
fn addErrors(sums: ptr<function, array<vec4f, 4u * PER>>, part: u32, lid: u32) {
  let cq = lid % CQ;
  //: unroll if WRITTEN_OUT
  for (var t = 0u; t < TB; t++) {
    let e = errors[(part * TB + t) * CQ + cq];
    //: unroll if WRITTEN_OUT
    for (var m = 0u; m < PER; m++) {
      let key = slice[t * N4 + min((lid + m * WG) / CQ, N4 - 1u)];
      (*sums)[4u * m] = fma(vec4f(key.x), e, (*sums)[4u * m]);
      (*sums)[4u * m + 1u] = fma(vec4f(key.y), e, (*sums)[4u * m + 1u]);
      (*sums)[4u * m + 2u] = fma(vec4f(key.z), e, (*sums)[4u * m + 2u]);
      (*sums)[4u * m + 3u] = fma(vec4f(key.w), e, (*sums)[4u * m + 3u]);
    }
  }
}

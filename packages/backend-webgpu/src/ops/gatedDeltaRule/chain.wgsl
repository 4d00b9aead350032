// From chunk to chunk, a block of the state's columns a workgroup: E = U - W S, then S := decay S + (decay to the end k)^T E.
// The state lies in registers, 4 by 4 elements a thread and tile, and for the first product in workgroup memory; that product's
// depth is shared by two halves of the threads. Slices of W and of the keys travel to registers while the last ones are multiplied.
//: variant WIDTHS = vector | scalar
//: include ../ssdScan/parts/chunks.wgsl
@group(0) @binding(1) var<storage, read> decays: array<vec4f>; // weight: 1 / length of the key
//: include parts/chain/$WIDTHS.wgsl
override HAS_INITIAL = false;
override KEEP_LAST = false;
//: include parts/chain/slices.wgsl
//: include parts/chain/products.wgsl

fn goTo(row: u32, chunk: u32, head: u32) {
  own = vec3u(row, chunk, head);
  block = (row * params.chunks + chunk) * params.h + head;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  const BLOCKS = (P + CB - 1u) / CB;
  let id = group.x + group.y * groups.x;
  if (id >= params.batch) {
    return;
  }
  let row = id / BLOCKS / params.h;
  let head = id / BLOCKS % params.h;
  let c = id % BLOCKS * CB + lid % CQ * 4u;
  let cq = lid % CQ;
  let half = lid / HALF;
  let ty = lid % HALF / CQ;
  var sums: array<vec4f, 4u * PER>; // the thread's part of the state
  //: unroll if WRITTEN_OUT
  for (var m = 0u; m < PER; m++) {
    let nq = (lid + m * WG) / CQ;
    //: unroll if WRITTEN_OUT
    for (var j = 0u; j < 4u; j++) {
      if (HAS_INITIAL && 4u * nq + j < N && c < P) {
        sums[4u * m + j] = initialFour(((row * params.h + head) * N + 4u * nq + j) * P + c, c);
      }
      if (nq < N4) {
        state[(4u * nq + j) * CQ + cq] = sums[4u * m + j];
      }
    }
  }
  goTo(row, 0u, head);
  bringW(0u, lid);
  for (var chunk = 0u; chunk < params.chunks; chunk++) {
    goTo(row, chunk, head);
    // Of the thread's rows ty, ty + Q / 4, ..: what is needed after the product.
    var lacks: array<vec4f, 4>;
    var scales: array<vec4f, 4>;
    //: unroll if WRITTEN_OUT
    for (var i = 0u; i < 4u; i++) {
      let t = ty + i * (Q / 4u);
      if (half == 0u && inside(t) && c < P) {
        lacks[i] = lackFour(rowAt(t, params.h, head) * P + c, c);
      } else {
        lacks[i] = vec4f(0.0f);
      }
      scales[i] = decays[2u * (block * Q + t) + 1u] * vec4f(1.0f, 1.0f, decays[2u * (block * Q + t)].w, 1.0f);
    }
    let last = decays[2u * (block * Q + Q - 1u) + 1u];
    var answers = array<vec4f, 4>();
    for (var part = 0u; part < SLICES_W; part++) {
      workgroupBarrier();
      placeW(lid);
      workgroupBarrier();
      if (part + 1u < SLICES_W) {
        bringW(part + 1u, lid);
      } else {
        bringK(0u, lid);
      }
      addAnswers(&answers, part, half, ty, cq);
    }
    if (half == 1u) {
      //: unroll if WRITTEN_OUT
      for (var i = 0u; i < 4u; i++) {
        errors[(ty + i * (Q / 4u)) * CQ + cq] = answers[i];
      }
    }
    //: unroll if WRITTEN_OUT
    for (var m = 0u; m < PER; m++) {
      //: unroll if WRITTEN_OUT
      for (var j = 0u; j < 4u; j++) {
        let n = (lid + m * WG) / CQ * 4u + j;
        if (n < N && c < P) {
          storeState((block * N + n) * P + c, c, sums[4u * m + j]);
        }
        sums[4u * m + j] = select(vec4f(0.0f), last.y * sums[4u * m + j], last.w > 0.0f);
      }
    }
    workgroupBarrier();
    if (half == 0u) {
      //: unroll if WRITTEN_OUT
      for (var i = 0u; i < 4u; i++) {
        let t = ty + i * (Q / 4u);
        let answer = answers[i] + errors[t * CQ + cq];
        let error = lacks[i] - select(vec4f(0.0f), answer, scales[i].w > 0.0f);
        if (inside(t) && c < P) {
          storeLack(rowAt(t, params.h, head) * P + c, c, error);
        }
        // By its bits: what decays most to the chunk's end is still no zero there, unless another sequence begins before it.
        errors[t * CQ + cq] = select(vec4f(0.0f), scales[i].z * error, inside(t) && bitcast<u32>(decays[2u * (block * Q + t) + 1u].z) != 0u);
      }
    }
    for (var part = 0u; part < SLICES_K; part++) {
      workgroupBarrier();
      placeK(lid);
      workgroupBarrier();
      if (part + 1u < SLICES_K) {
        bringK(part + 1u, lid);
      } else if (chunk + 1u < params.chunks) {
        goTo(row, chunk + 1u, head);
        bringW(0u, lid);
        goTo(row, chunk, head);
      }
      addErrors(&sums, part, lid);
    }
    //: unroll if WRITTEN_OUT
    for (var m = 0u; m < PER; m++) {
      let nq = (lid + m * WG) / CQ;
      //: unroll if WRITTEN_OUT
      for (var j = 0u; j < 4u; j++) {
        if (nq < N4) {
          state[(4u * nq + j) * CQ + cq] = sums[4u * m + j];
        }
      }
    }
  }
  //: unroll if WRITTEN_OUT
  for (var m = 0u; m < PER; m++) {
    //: unroll if WRITTEN_OUT
    for (var j = 0u; j < 4u; j++) {
      let n = (lid + m * WG) / CQ * 4u + j;
      if (KEEP_LAST && n < N && c < P) {
        storeLast(((row * params.h + head) * N + n) * P + c, c, sums[4u * m + j]);
      }
    }
  }
}

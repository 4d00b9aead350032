// Cross entropy of each row, or (GRAD) its gradient dLoss (softmax - one hot); a workgroup a row.
struct Params { rows: u32, v: u32, ignoreIndex: i32, none: u32 } // none: the bits for a target that is no class
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>; // [rows, v]
@group(0) @binding(2) var<storage, read> targets: array<i32>; // [rows]
@group(0) @binding(3) var<storage, read> dLosses: array<f32>; //: if GRAD // [rows]
@group(0) @binding(4) var<storage, read_write> out: array<f32>; // losses [rows] or dLogits [rows, v]
const GRAD = false;
const WG = 256u;
const LANES = WG;
const AHEAD = 4u; // logits of a thread on their way

//: include ../shared/math.wgsl
//: include ../shared/special.wgsl
//: include ../shared/lanes/workgroup.wgsl

// Logits from i on, WG apart, the row's last in place of those past it.
fn ahead(base: u32, i: u32) -> array<f32, AHEAD> {
  var values: array<f32, AHEAD>;
  //: unroll
  for (var a = 0u; a < AHEAD; a++) {
    values[a] = logits[base + min(i + a * WG, params.v - 1u)];
  }
  return values;
}

// A class that is ruled out by -Infinity has no share at all.
fn share(below: f32) -> f32 {
  return select(expAccurate(below), 0.0f, below < -87.0f);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let id = group.x + group.y * groups.x;
  let row = min(id, params.rows - 1u);
  let base = row * params.v;
  let label = targets[row];
  // One pass for the sum, rescaled whenever a thread meets a larger value; its largest, whose share is 1, is not in it.
  let some = lid < params.v;
  var place = select(0u, lid, some);
  var peak = logits[base + place];
  var others = 0.0f;
  for (var i = lid + WG; i < params.v; i += AHEAD * WG) {
    let values = ahead(base, i);
    //: unroll
    for (var a = 0u; a < AHEAD; a++) {
      if (i + a * WG < params.v) {
        let isLarger = values[a] > peak;
        let less = share(select(values[a] - peak, peak - values[a], isLarger));
        others = select(others + less, (others + 1.0f) * less, isLarger);
        peak = select(peak, values[a], isLarger);
        place = select(place, i + a * WG, isLarger);
      }
    }
  }
  let highest = maxLanes(peak, lid);
  // Of the threads that have the highest value one leaves it out: beside it small ones would be lost.
  let first = maxLanes(select(0.0f, f32(WG - lid), some && peak == highest), lid) == f32(WG - lid);
  let own = select(0.0f, 1.0f, some && !first);
  others = sumLanes((others + own) * share(peak - highest), lid);
  if (id >= params.rows) {
    return;
  }
  if (GRAD) {
    var scale = dLosses[row];
    if (u32(label) >= params.v) {
      scale = bitcast<f32>(params.none);
    }
    if (label == params.ignoreIndex) {
      scale = 0.0f;
    }
    for (var i = lid; i < params.v; i += AHEAD * WG) {
      let values = ahead(base, i);
      //: unroll
      for (var a = 0u; a < AHEAD; a++) {
        let at = i + a * WG;
        var p = share(values[a] - highest);
        var less = select(0.0f, 1.0f, i32(at) == label);
        if (less > 0.0f && first && at == place) {
          p = -others; // the target is the largest: softmax - 1 is what the others have, however little
          less = 0.0f;
        }
        if (at < params.v) {
          out[base + at] = scale * (p / (1.0f + others) - less);
        }
      }
    }
  } else if (lid == 0u) {
    var loss = bitcast<f32>(params.none);
    if (u32(label) < params.v) {
      loss = (highest - logits[base + u32(label)]) + log1p(others);
    }
    if (label == params.ignoreIndex) {
      loss = 0.0f;
    }
    out[row] = loss;
  }
}

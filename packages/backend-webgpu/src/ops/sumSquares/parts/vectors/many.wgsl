// 15 vectors, bound side by side; four entries of one of them.
@group(0) @binding(1) var<storage, read> x0: array<f32>;
@group(0) @binding(2) var<storage, read> x1: array<f32>; //: optional
@group(0) @binding(3) var<storage, read> x2: array<f32>; //: optional
@group(0) @binding(4) var<storage, read> x3: array<f32>; //: optional
@group(0) @binding(5) var<storage, read> x4: array<f32>; //: optional
@group(0) @binding(6) var<storage, read> x5: array<f32>; //: optional
@group(0) @binding(7) var<storage, read> x6: array<f32>; //: optional
@group(0) @binding(8) var<storage, read> x7: array<f32>; //: optional
@group(0) @binding(9) var<storage, read> x8: array<f32>; //: optional
@group(0) @binding(10) var<storage, read> x9: array<f32>; //: optional
@group(0) @binding(11) var<storage, read> x10: array<f32>; //: optional
@group(0) @binding(12) var<storage, read> x11: array<f32>; //: optional
@group(0) @binding(13) var<storage, read> x12: array<f32>; //: optional
@group(0) @binding(14) var<storage, read> x13: array<f32>; //: optional
@group(0) @binding(15) var<storage, read> x14: array<f32>; //: optional

fn fourOf(which: u32, i: vec4u) -> vec4f {
  switch (which) {
    case 1u: {
      return vec4f(x1[i.x], x1[i.y], x1[i.z], x1[i.w]);
    }
    case 2u: {
      return vec4f(x2[i.x], x2[i.y], x2[i.z], x2[i.w]);
    }
    case 3u: {
      return vec4f(x3[i.x], x3[i.y], x3[i.z], x3[i.w]);
    }
    case 4u: {
      return vec4f(x4[i.x], x4[i.y], x4[i.z], x4[i.w]);
    }
    case 5u: {
      return vec4f(x5[i.x], x5[i.y], x5[i.z], x5[i.w]);
    }
    case 6u: {
      return vec4f(x6[i.x], x6[i.y], x6[i.z], x6[i.w]);
    }
    case 7u: {
      return vec4f(x7[i.x], x7[i.y], x7[i.z], x7[i.w]);
    }
    case 8u: {
      return vec4f(x8[i.x], x8[i.y], x8[i.z], x8[i.w]);
    }
    case 9u: {
      return vec4f(x9[i.x], x9[i.y], x9[i.z], x9[i.w]);
    }
    case 10u: {
      return vec4f(x10[i.x], x10[i.y], x10[i.z], x10[i.w]);
    }
    case 11u: {
      return vec4f(x11[i.x], x11[i.y], x11[i.z], x11[i.w]);
    }
    case 12u: {
      return vec4f(x12[i.x], x12[i.y], x12[i.z], x12[i.w]);
    }
    case 13u: {
      return vec4f(x13[i.x], x13[i.y], x13[i.z], x13[i.w]);
    }
    case 14u: {
      return vec4f(x14[i.x], x14[i.y], x14[i.z], x14[i.w]);
    }
    default: {
      return vec4f(x0[i.x], x0[i.y], x0[i.z], x0[i.w]);
    }
  }
}

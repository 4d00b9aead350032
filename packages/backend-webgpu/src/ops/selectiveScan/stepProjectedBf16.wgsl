//: include stepProjected.wgsl replacing weightsF32 weightsBf16

//: include gemvFused.wgsl replacing weightsF32 weightsBf16

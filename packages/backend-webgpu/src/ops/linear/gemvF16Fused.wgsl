//: include gemvFused.wgsl replacing weightsF32 weightsF16

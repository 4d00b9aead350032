//: include stepProjected.wgsl replacing weightsF32 weightsF16

//: include gemv.wgsl replacing weightsF32 weightsF16

//: include gemv.wgsl replacing weightsF32 weightsQ4

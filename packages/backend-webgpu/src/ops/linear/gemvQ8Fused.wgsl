//: include gemvFused.wgsl replacing weightsF32 weightsQ8

//: include gemv.wgsl replacing weightsF32 weightsBf16

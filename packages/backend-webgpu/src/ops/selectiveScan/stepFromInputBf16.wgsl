//: include stepFromInput.wgsl replacing weightsF32 weightsBf16

//: include stepFromInput.wgsl replacing weightsF32 weightsF16

//: include unpack.wgsl replacing weightsF32 weightsF16

//: include unpack.wgsl replacing weightsF32 weightsBf16

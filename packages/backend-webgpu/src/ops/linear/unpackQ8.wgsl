//: include unpack.wgsl replacing weightsF32 weightsQ8

//: include gemvSubgroups.wgsl replacing weightsF32 weightsBf16

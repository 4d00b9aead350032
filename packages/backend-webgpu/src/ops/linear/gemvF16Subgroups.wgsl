//: include gemvSubgroups.wgsl replacing weightsF32 weightsF16

//: include gemvFusedSubgroups.wgsl replacing weightsF32 weightsF16

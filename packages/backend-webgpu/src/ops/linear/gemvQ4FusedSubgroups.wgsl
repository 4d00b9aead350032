//: include gemvFusedSubgroups.wgsl replacing weightsF32 weightsQ4

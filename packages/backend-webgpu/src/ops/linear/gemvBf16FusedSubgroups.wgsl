//: include gemvFusedSubgroups.wgsl replacing weightsF32 weightsBf16

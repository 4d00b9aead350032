//: include gemvSubgroups.wgsl replacing weightsF32 weightsQ8

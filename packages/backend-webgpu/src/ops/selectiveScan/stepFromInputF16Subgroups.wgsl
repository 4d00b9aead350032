//: include stepFromInputSubgroups.wgsl replacing weightsF32 weightsF16

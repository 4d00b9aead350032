//: include stepFromInputSubgroups.wgsl replacing weightsF32 weightsBf16

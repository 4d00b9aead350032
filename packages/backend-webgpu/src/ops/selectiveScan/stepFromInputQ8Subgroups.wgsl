//: include stepFromInputSubgroups.wgsl replacing linear/parts/weightsF32 linear/parts/weightsQ8

//: include backward.wgsl replacing operandsPacked operandsApart

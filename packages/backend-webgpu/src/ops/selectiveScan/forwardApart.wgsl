//: include forward.wgsl replacing operandsPacked operandsApart

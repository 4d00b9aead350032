//: include states.wgsl replacing operandsPacked operandsApart

//: include gemm.wgsl replacing vectorIo scalarIo

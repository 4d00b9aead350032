enable subgroups;
//: include gemv.wgsl replacing lanesWorkgroup lanesSubgroup

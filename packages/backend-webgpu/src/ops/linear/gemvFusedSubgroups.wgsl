enable subgroups;
//: include gemvFused.wgsl replacing lanesWorkgroup lanesSubgroup

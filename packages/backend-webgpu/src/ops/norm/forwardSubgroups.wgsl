enable subgroups;
//: include forward.wgsl replacing lanesWorkgroup lanesSubgroup

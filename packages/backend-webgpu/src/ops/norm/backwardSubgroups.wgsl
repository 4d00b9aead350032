enable subgroups;
//: include backward.wgsl replacing lanesWorkgroup lanesSubgroup

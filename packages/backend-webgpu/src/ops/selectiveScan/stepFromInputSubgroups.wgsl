enable subgroups;
//: include stepFromInput.wgsl replacing sumOverWorkgroup sumOverSubgroup

enable subgroups;
//: include backward.wgsl replacing channelSumsWorkgroup channelSumsSubgroup

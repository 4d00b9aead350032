enable subgroups;
//: include backwardApart.wgsl replacing channelSumsWorkgroup channelSumsSubgroup

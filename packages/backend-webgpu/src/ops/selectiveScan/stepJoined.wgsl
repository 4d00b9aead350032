//: include step.wgsl replacing stepOperandsApart stepOperandsJoined

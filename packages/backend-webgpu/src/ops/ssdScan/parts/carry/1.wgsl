alias Carried = f32;
const WIDTH = 1u;

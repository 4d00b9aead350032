alias Carried = vec2f;
const WIDTH = 2u;

import { render } from "solid-js/web";
import { Frame } from "./shell/Frame.tsx";

render(() => <Frame />, document.getElementById("app")!);

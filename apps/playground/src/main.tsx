import { render } from "solid-js/web";
import { startOffline } from "./offline/offline.ts";
import { Frame } from "./shell/Frame.tsx";

render(() => <Frame />, document.getElementById("app")!);
startOffline();

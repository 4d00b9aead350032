import { createEffect } from "solid-js";
import { render } from "solid-js/web";
import { Frame } from "./shell/Frame.tsx";
import { page } from "./shell/route.ts";

render(() => {
  createEffect(() => {
    page();
    window.scrollTo({ top: 0 });
  });
  return <Frame />;
}, document.getElementById("app")!);

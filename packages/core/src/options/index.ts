export { nearestName } from "./nearestName.ts";
export { refuseUnknown } from "./refuseUnknown.ts";

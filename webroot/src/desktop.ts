import Guacamole from "@glokon/guacamole-common-js";
import { startIdleClock } from "./idle";
console.log(Guacamole);
startIdleClock();

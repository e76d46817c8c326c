// The page's parts, put together.

import { startAsking } from "./ask-view.js";
import { startChecking } from "./check-view.js";
import { takeDrops } from "./files.js";
import { startOperating } from "./operate-view.js";
import { start } from "./views.js";

startChecking();
startAsking();
startOperating();
takeDrops();
start();

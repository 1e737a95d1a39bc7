// Sentry's Spotlight on the loopback interface: the routes of its sidecar alone, since its command
// reports to Sentry on itself. Says where it listens; ends with its standard input.
// node spotlight.mjs FOLDER-OF-NODE_MODULES

import { join } from "node:path";
import { pathToFileURL } from "node:url";

const load = (file) => import(pathToFileURL(join(process.argv[2], file)).href);
const { serve } = await load("@hono/node-server/dist/index.mjs");
const { default: routes } = await load("@spotlightjs/spotlight/dist/server/routes/index.js");

serve({ fetch: routes.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => {
  console.log(`listening 127.0.0.1:${port}`);
});
process.stdin.on("end", () => process.exit(0)).resume();

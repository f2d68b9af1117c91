// What runs in the page: the near end of the compliance kit's remote cases, with servers outside of the browser.
import { remoteCases, type RemotePair } from "@sluice/transport/compliance";
import { kinds, type KindName } from "../transports/kinds.ts";

/** How `main.ts` and the page speak: it puts `serverUrl` there, the page `runCase`. */
export interface PageGlobals {
  /** Where a server of this kind listens. */
  serverUrl(kind: KindName): Promise<string>;
  /** Runs one case; settles with the reason where it fails. */
  runCase(kind: KindName, name: string): Promise<string | undefined>;
}

const page = globalThis as unknown as PageGlobals;

async function pair(name: KindName): Promise<RemotePair> {
  const kind = kinds[name];
  const near = kind.asCase(await kind.dial(await page.serverUrl(name)), "client");
  // A browser's WebSocket cannot be paused.
  const holdsBack = name.startsWith("http");
  return { near, holdsBack, halfCloses: kind.halfCloses, dispose: async () => near.abort() };
}

page.runCase = async (kind, name) => {
  try {
    await remoteCases.find((one) => one.name === name)!.run(() => pair(kind));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

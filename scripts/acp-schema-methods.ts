// The methods of each side as tables, by method.
import type { Definition } from "./acp-schema-model.ts";

const SIDES: Readonly<Record<string, string>> = {
  agent: "What an agent handles.",
  client: "What a client handles.",
  protocol: "What both handle.",
  proxy: "What a conductor and a proxy say to each other.",
};

/** A table for each side; where a side's method is both a request and a notification, one for each kind. */
export function tablesOf(edition: string, version: number, definitions: readonly Definition[]): string {
  const messages = definitions.flatMap(({ name, message }) =>
    message === undefined || name.endsWith("Response") ? [] : [{ name, ...message }],
  );
  const tables: string[] = [];
  for (const [side, doc] of Object.entries(SIDES)) {
    const of = messages.filter((message) => message.side === side);
    const isNotification = ({ name }: { readonly name: string }): boolean => name.endsWith("Notification");
    const twice = new Set(of.map(({ method }) => method)).size < of.length;
    if (!twice) tables.push(tableOf(`${side}Methods`, doc, of));
    else {
      tables.push(
        tableOf(
          `${side}Requests`,
          `${doc} Requests.`,
          of.filter((message) => !isNotification(message)),
        ),
      );
      tables.push(tableOf(`${side}Notifications`, `${doc} Notifications.`, of.filter(isNotification)));
    }
  }
  const unknown = messages.find(({ side }) => SIDES[side] === undefined);
  if (unknown !== undefined)
    throw new Error(`${unknown.name} is for ${unknown.side}, a side that is not known`);
  const number = `\n/** What \`initialize\` says. */\nexport const PROTOCOL_VERSION: ${version} = ${version};\n`;
  return `import * as messages from "./${edition}.ts";\n${number}${tables.join("")}`;
}

function tableOf(
  table: string,
  doc: string,
  messages: readonly { readonly name: string; readonly method: string }[],
): string {
  if (messages.length === 0) return "";
  const sorted = messages.toSorted((a, b) => (a.method < b.method ? -1 : 1));
  const types = sorted.map(
    ({ name, method }) => `\n  readonly ${JSON.stringify(method)}: typeof messages.${name};`,
  );
  const values = sorted.map(({ name, method }) => `\n  ${JSON.stringify(method)}: messages.${name},`);
  return `\n/** ${doc} */\nexport const ${table}: {${types.join("")}\n} = {${values.join("")}\n};\n`;
}

interface Snapshot {
  readonly snapshot: {
    readonly meta: { readonly node_fields: string[]; readonly node_types: [string[]] };
  };
  readonly nodes: readonly number[];
  readonly strings: readonly string[];
}

/** What code makes: all else there is of a heap belongs to the engine, or to one of these. */
const KINDS = new Set(['object', 'closure', 'native', 'regexp']);

/** The variables that functions share. What else is so called is the engine's own. */
const CONTEXT = 'system / Context';

/** How many objects of each class, functions of each name and things of the browser a heap holds. */
export type Census = ReadonlyMap<string, number>;

/** Reads a heap snapshot of V8, which lists only what is reachable. */
export function censusOf(snapshot: string): Census {
  const { snapshot: about, nodes, strings } = JSON.parse(snapshot) as Snapshot;
  const { node_fields: fields, node_types: types } = about.meta;
  const [type, name] = [fields.indexOf('type'), fields.indexOf('name')];
  const census = new Map<string, number>();
  for (let at = 0; at < nodes.length; at += fields.length) {
    const kind = types[0][nodes[at + type] ?? 0] ?? '';
    if (!KINDS.has(kind)) continue;
    const title = strings[nodes[at + name] ?? 0] ?? '';
    if (title.startsWith('system / ') && title !== CONTEXT) continue;
    const key = `${kind} ${title}`;
    census.set(key, (census.get(key) ?? 0) + 1);
  }
  return census;
}

/** What a heap holds at least `least` more of. */
export function grown(before: Census, after: Census, least: number): string[] {
  const all = [...after].filter(([key, count]) => count - (before.get(key) ?? 0) >= least);
  return all.map(([key]) => key).sort();
}

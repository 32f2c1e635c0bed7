// What may happen to a fleet, for the model runner of fast-check.
import fc from 'fast-check';
import { FleetModel, type RegistryMaker, type Weather } from './fleet-model.ts';

const NODES = 3;
const CLIENTS = 4;

type Command = fc.AsyncCommand<object, FleetModel>;

class Step implements Command {
  readonly #text: string;
  readonly #act: (fleet: FleetModel) => unknown;

  constructor(text: string, act: (fleet: FleetModel) => unknown) {
    this.#text = text;
    this.#act = act;
  }

  check(): boolean {
    return true;
  }

  async run(_model: object, fleet: FleetModel): Promise<void> {
    await this.#act(fleet);
    fleet.check();
  }

  toString(): string {
    return this.#text;
  }
}

export const connect = (client: number, node: number): Step =>
  new Step(`client ${client} to node ${node}`, (fleet) => fleet.connect(client, node));

/** Two nodes claim the same session at once. */
export const race = (client: number, node: number): Step =>
  new Step(`client ${client} to nodes ${node} and ${node + 1} at once`, (fleet) => {
    fleet.connect(client, node);
    fleet.connect(client, node + 1);
  });

export const end = (index: number): Step =>
  new Step(`connection ${index} ends`, (fleet) => {
    const { open } = fleet;
    open[index % Math.max(1, open.length)]?.end();
  });

export const die = (index: number): Step =>
  new Step(`the client of connection ${index} dies`, (fleet) => {
    const { open } = fleet;
    open[index % Math.max(1, open.length)]?.die();
  });

export const pass = (time: number): Step =>
  new Step(`${time} ms pass`, (fleet) => fleet.advance(time));

export const weather = (node: number, kind: Weather): Step =>
  new Step(`node ${node}: ${kind}`, (fleet) => {
    fleet.node(node).registry.weather = kind;
    trouble(fleet, node);
  });

export const away = (time: number): Step =>
  new Step(`the registry is away for ${time} ms`, (fleet) => fleet.beAway(time));

export const messages = (node: number, isLost: boolean): Step =>
  new Step(`node ${node} ${isLost ? 'loses' : 'receives'} messages`, (fleet) => {
    fleet.node(node).registry.losesMessages = isLost;
  });

export const stop = (node: number): Step =>
  new Step(`node ${node} stops`, (fleet) => {
    fleet.node(node).stop();
    trouble(fleet, node);
  });

export const goOn = (node: number): Step =>
  new Step(`node ${node} goes on`, async (fleet) => {
    trouble(fleet, node);
    if (!fleet.node(node).scheduler.isStopped) return;
    fleet.node(node).goOn();
    fleet.check(); // before any answer arrives
    await fleet.settle();
  });

const nobodyLeft = new Step('nobody has left', ({ seen }) => {
  const left = seen.filter(({ type }) => type === 'leave').map(({ user }) => user);
  if (left.length > 0) throw new Error(`${left.join(', ')} left`);
});

function trouble(fleet: FleetModel, node: number): void {
  fleet.node(node).troubledAt = fleet.clock.now();
}

const node = fc.nat({ max: NODES - 1 });
const client = fc.nat({ max: CLIENTS - 1 });
const ANY = [
  fc.tuple(client, node).map(([of, to]) => connect(of, to)),
  fc.tuple(client, node).map(([of, to]) => race(of, to)),
  fc.nat({ max: 9 }).map(end),
  fc.nat({ max: 9 }).map(die),
  fc.constantFrom(10, 25, 100, 1_000, 4_000, 14_000, 21_000).map(pass),
  fc.constantFrom(10, 25, 100, 1_000, 4_000, 14_000, 21_000).map(pass),
  fc
    .tuple(node, fc.constantFrom<Weather>('fine', 'cut', 'answers lost', 'slow'))
    .map(([of, kind]) => weather(of, kind)),
  fc.tuple(node, fc.boolean()).map(([of, isLost]) => messages(of, isLost)),
  fc.constantFrom(4_000, 8_000, 11_000, 21_000).map(away),
  node.map(stop),
  node.map(goOn),
];

/** Runs steps on a new fleet, then heals it and checks that all agree. */
export async function play(make: RegistryMaker, steps: Iterable<Command>): Promise<FleetModel> {
  const fleet = await FleetModel.make(make, NODES);
  await fc.asyncModelRun(() => ({ model: {}, real: fleet }), steps);
  await fleet.checkEnd();
  return fleet;
}

/** Any steps must leave a fleet in order. */
export function property(make: RegistryMaker): fc.IAsyncProperty<[Iterable<Command>]> {
  return fc.asyncProperty(fc.commands(ANY, { maxCommands: 40, size: 'max' }), async (steps) => {
    await play(make, steps);
  });
}

/** Steps that once went wrong, or are named in the design, by what must hold. */
export const SCENARIOS: Readonly<Record<string, readonly Step[]>> = {
  'of two claims at once, one ends the other': [race(0, 0), pass(1_000), race(0, 1), pass(100)],
  'a revocation that arrives late ends nothing else': [
    connect(0, 0),
    pass(100),
    stop(0),
    connect(0, 1),
    pass(100),
    connect(0, 2), // revokes the second while the first has not heard
    goOn(0),
    connect(0, 0),
    pass(1_000),
  ],
  'a node whose lease has lapsed gives way to what came meanwhile': [
    connect(0, 0),
    connect(1, 0),
    pass(100),
    weather(0, 'cut'),
    pass(21_000),
    connect(0, 1),
    pass(21_000),
    weather(0, 'fine'),
    pass(21_000),
  ],
  'a node that was stopped longer than its lease is current for nobody': [
    connect(0, 0),
    pass(100),
    stop(0),
    pass(21_000),
    connect(0, 1),
    pass(4_000),
    goOn(0),
    pass(1_000),
  ],
  'a connection of a stopped node returns if all that came after it have ended': [
    stop(0),
    race(0, 0),
    race(0, 1),
    pass(10),
    messages(1, true),
    pass(10),
    stop(1),
    messages(0, true),
    pass(21_000),
    goOn(0),
    end(0),
    messages(0, false),
  ],
  'a lost revocation is made up for by the next renewal': [
    connect(0, 0),
    pass(100),
    messages(0, true),
    messages(1, true),
    connect(0, 1),
    pass(4_000),
    pass(4_000),
  ],
  'a claim that is repeated after a lost answer changes nothing': [
    weather(0, 'answers lost'),
    connect(0, 0),
    pass(25),
    connect(0, 1), // newer: it must keep the session
    pass(1_000),
    weather(0, 'fine'),
    pass(4_000),
  ],
  'a release that is repeated after a lost answer changes nothing': [
    connect(0, 0),
    pass(100),
    weather(0, 'answers lost'),
    end(0),
    pass(25),
    connect(0, 0),
    pass(1_000),
    weather(0, 'fine'),
    pass(4_000),
  ],
  'a renewal that is repeated after a lost answer changes nothing': [
    connect(0, 0),
    pass(100),
    weather(0, 'answers lost'),
    pass(14_000),
    weather(0, 'fine'),
    pass(4_000),
    connect(0, 1),
    pass(100),
  ],
  'a client that dies while its node is stopped does not return with it': [
    connect(0, 0),
    pass(4_000),
    stop(0),
    die(0),
    pass(21_000),
    pass(21_000),
    goOn(0),
    pass(21_000),
    pass(21_000),
  ],
  'a client that dies leaves though its node hears no answer of the registry': [
    connect(0, 1),
    die(0),
    pass(14_000),
    weather(1, 'answers lost'),
    pass(21_000),
    pass(21_000),
  ],
  'a client that dies before its node leaves in time, also if the registry was away for a moment': [
    connect(0, 0),
    pass(100),
    weather(2, 'cut'), // so that only node 1 watches
    pass(300),
    die(0),
    pass(3_700),
    weather(1, 'cut'), // so that it renews its lease just before that of node 0 ends
    pass(4_500),
    weather(1, 'fine'),
    pass(11_650),
    stop(0), // for good, after a renewal and just before it detects the death
    pass(14_150),
    away(11_000), // before its lease ends
    pass(21_000),
    pass(21_000),
  ],
  'nobody leaves because nobody could reach the registry': [
    connect(0, 0),
    connect(2, 1),
    pass(100),
    weather(0, 'cut'),
    weather(1, 'cut'),
    weather(2, 'cut'),
    pass(21_000),
    weather(2, 'fine'),
    pass(4_000),
    weather(0, 'fine'),
    weather(1, 'fine'),
    pass(21_000),
    nobodyLeft,
  ],
};

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

export const pass = (time: number): Step =>
  new Step(`${time} ms pass`, (fleet) => fleet.advance(time));

export const weather = (node: number, kind: Weather): Step =>
  new Step(`node ${node}: ${kind}`, (fleet) => {
    fleet.node(node).registry.weather = kind;
    trouble(fleet, node);
  });

export const messages = (node: number, isLost: boolean): Step =>
  new Step(`node ${node} ${isLost ? 'loses' : 'receives'} messages`, (fleet) => {
    fleet.node(node).registry.losesMessages = isLost;
  });

export const stop = (node: number): Step =>
  new Step(`node ${node} stops`, (fleet) => {
    fleet.node(node).scheduler.stop();
    trouble(fleet, node);
  });

export const goOn = (node: number): Step =>
  new Step(`node ${node} goes on`, async (fleet) => {
    trouble(fleet, node);
    const { scheduler } = fleet.node(node);
    if (!scheduler.isStopped) return;
    scheduler.goOn();
    fleet.check(); // before any answer arrives
    await fleet.settle();
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
  fc.constantFrom(10, 25, 100, 1_000, 4_000, 14_000, 21_000).map(pass),
  fc.constantFrom(10, 25, 100, 1_000, 4_000, 14_000, 21_000).map(pass),
  fc
    .tuple(node, fc.constantFrom<Weather>('fine', 'cut', 'answers lost', 'slow'))
    .map(([of, kind]) => weather(of, kind)),
  fc.tuple(node, fc.boolean()).map(([of, isLost]) => messages(of, isLost)),
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

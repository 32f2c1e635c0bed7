import { execFileSync } from 'node:child_process';

/** From the first host to the second, or back. */
export type NetworkDirection = 'there' | 'back';

/** The program and arguments that run a program on a host. */
export type HostCommand = readonly [program: string, ...args: string[]];

/** RFC 2544 §C.2.2: reserved for network benchmarks. */
const NETWORK = '198.18.0';
const WIRE = 'wire';

let made = 0;

/** One end of the link, with its own address. */
export class TestHost {
  readonly name: string;
  #number: number;

  constructor(name: string, number: number) {
    this.name = name;
    this.#number = number;
  }

  get address(): string {
    return `${NETWORK}.${this.#number}`;
  }

  /**
   * Returns the command that runs a program on this host. The program has the id of the process started
   * so.
   */
  command(program: string, ...args: string[]): HostCommand {
    return ['ip', 'netns', 'exec', this.name, program, ...args];
  }

  /** Changes to another address, as a phone does between two networks. The old address is gone. */
  move(): void {
    this.ip('address', 'flush', 'dev', WIRE);
    this.#number += 2;
    this.ip('address', 'add', `${this.address}/24`, 'dev', WIRE);
  }

  /** Runs `ip` on this host. */
  ip(...args: string[]): void {
    run(['ip', '-netns', this.name, ...args]);
  }

  /** Runs `iptables` on this host. */
  filter(...args: string[]): void {
    run(this.command('iptables', ...args));
  }
}

/**
 * Two hosts with a link between them on this machine: Linux network namespaces and a veth pair. Their
 * kernels lose packets and time out as on a real network, unlike those next to a proxy. Needs root,
 * `ip` and `iptables`. {@link remove} deletes everything that it creates; it changes nothing else.
 */
export class TestNetwork {
  readonly first: TestHost;
  readonly second: TestHost;

  constructor() {
    made += 1;
    const name = `wb${process.pid}-${made}`;
    this.first = new TestHost(`${name}a`, 1);
    this.second = new TestHost(`${name}b`, 2);
    run(['ip', 'netns', 'add', this.first.name]);
    run(['ip', 'netns', 'add', this.second.name]);
    const veth = ['link', 'add', WIRE, 'type', 'veth', 'peer', 'name', WIRE];
    this.first.ip(...veth, 'netns', this.second.name);
    for (const host of this.#hosts) {
      host.ip('address', 'add', `${host.address}/24`, 'dev', WIRE);
      host.ip('link', 'set', 'lo', 'up');
      host.ip('link', 'set', WIRE, 'up');
    }
  }

  get #hosts(): readonly TestHost[] {
    return [this.first, this.second];
  }

  /**
   * Takes down the link of the first host. Its kernel knows; the kernel of the second host does not.
   */
  takeDown(): void {
    this.first.ip('link', 'set', WIRE, 'down');
  }

  bringUp(): void {
    this.first.ip('link', 'set', WIRE, 'up');
  }

  /** Drops every packet in one or both directions silently. */
  drop(direction?: NetworkDirection): void {
    this.lose(1, direction);
  }

  /** Drops this random fraction of the packets, in [0, 1]. */
  lose(share: number, direction?: NetworkDirection): void {
    const match = ['-m', 'statistic', '--mode', 'random', '--probability', String(share)];
    const rule = ['-i', WIRE, ...(share < 1 ? match : []), '-j', 'DROP'];
    if (direction !== 'back') this.second.filter('-A', 'INPUT', ...rule);
    if (direction !== 'there') this.first.filter('-A', 'INPUT', ...rule);
  }

  /** Undoes {@link drop} and {@link lose}. */
  heal(): void {
    for (const host of this.#hosts) host.filter('-F');
  }

  /** Deletes both hosts. Programs that still run there lose their network: end them before. */
  remove(): void {
    for (const { name } of this.#hosts) run(['ip', 'netns', 'delete', name]);
  }
}

function run([program, ...args]: HostCommand): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

import { execFileSync } from 'node:child_process';

/** What passes from the first host to the second, or back. */
export type NetworkDirection = 'there' | 'back';

/** The program and the arguments that run a program on a host. */
export type HostCommand = readonly [program: string, ...args: string[]];

/** RFC 2544 §C.2.2: for benchmarks of networks, and nobody's. */
const NETWORK = '198.18.0';
const WIRE = 'wire';

let made = 0;

/** One end of the wire, with an address of its own. */
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

  /** How a program is run here. It has the id of the process that is started so. */
  command(program: string, ...args: string[]): HostCommand {
    return ['ip', 'netns', 'exec', this.name, program, ...args];
  }

  /** Goes over to another address, as a phone does between two networks. The old one is gone. */
  move(): void {
    this.ip('address', 'flush', 'dev', WIRE);
    this.#number += 2;
    this.ip('address', 'add', `${this.address}/24`, 'dev', WIRE);
  }

  /** Runs `ip` here. */
  ip(...args: string[]): void {
    run(['ip', '-netns', this.name, ...args]);
  }

  /** Runs `iptables` here. */
  filter(...args: string[]): void {
    run(this.command('iptables', ...args));
  }
}

/**
 * Two hosts with a wire between them, on this machine: network namespaces of Linux and a pair of veth.
 * Their kernels lose packets and time out as others do, which those beside a proxy do not. Needs root,
 * `ip` and `iptables`. What it makes is gone with {@link remove}; nothing outside of it is touched.
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

  /** Pulls the plug of the first host. Its kernel knows, that of the second does not. */
  takeDown(): void {
    this.first.ip('link', 'set', WIRE, 'down');
  }

  bringUp(): void {
    this.first.ip('link', 'set', WIRE, 'up');
  }

  /** Loses every packet that goes that way, or both, and tells nobody. */
  drop(direction?: NetworkDirection): void {
    this.lose(1, direction);
  }

  /** Loses that share of the packets, in [0, 1], by chance. */
  lose(share: number, direction?: NetworkDirection): void {
    const match = ['-m', 'statistic', '--mode', 'random', '--probability', String(share)];
    const rule = [...(share < 1 ? match : []), '-j', 'DROP'];
    if (direction !== 'back') this.second.filter('-A', 'INPUT', ...rule);
    if (direction !== 'there') this.first.filter('-A', 'INPUT', ...rule);
  }

  /** Ends {@link drop} and {@link lose}. */
  heal(): void {
    for (const host of this.#hosts) host.filter('-F');
  }

  /** Takes both hosts away. What runs there goes on without a network: end it before. */
  remove(): void {
    for (const { name } of this.#hosts) run(['ip', 'netns', 'delete', name]);
  }
}

function run([program, ...args]: HostCommand): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

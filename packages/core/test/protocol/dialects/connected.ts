import { HeartbeatDriver } from '../../../src/driver/heartbeat-driver.ts';
import { PeerMemory } from '../../../src/machine/peer-memory.ts';
import type { HeartbeatOptions } from '../../../src/options.ts';
import type {
  DialectChoice,
  DialectConnection,
  DialectEnd,
  Wire,
} from '../../../src/protocol/dialects/index.ts';
import { VirtualScheduler } from '../../../src/testing/virtual-scheduler.ts';

/** A dialect, connected with the heartbeat of a socket that notes what it sends. */
export class Connected {
  readonly scheduler = new VirtualScheduler();
  readonly driver: HeartbeatDriver;
  /** What the heartbeat sent. */
  readonly sent: Wire[] = [];
  readonly events: [name: string, event: object][] = [];
  readonly dialect: DialectConnection | undefined;

  constructor(
    choice: DialectChoice,
    options: HeartbeatOptions = {},
    { end = 'client' as DialectEnd, protocol = '' } = {},
  ) {
    const emit = (name: string, event: object) => this.events.push([name, event]);
    this.driver = new HeartbeatDriver(
      options,
      this.scheduler,
      {
        sendPing: ({ id }) => {
          const ping = this.dialect?.ping(id);
          if (ping !== undefined) this.sent.push(ping);
        },
        sendPong: () => emit('pong sent', {}),
        emit,
      },
      new PeerMemory(),
    );
    this.dialect = choice.connect({
      end,
      protocol,
      driver: this.driver,
      maxSilence: options.maxSilence || Number.POSITIVE_INFINITY,
      now: () => this.scheduler.now(),
      send: (message) => this.sent.push(message),
      emit,
    });
    this.dialect?.open();
  }

  /** The peer sends a message. Returns what the application receives. */
  receive(data: unknown): unknown {
    return this.dialect?.receive(data);
  }

  /** The application sends a message. */
  send(data: unknown): void {
    this.dialect?.sending(data);
    this.dialect?.sent();
  }

  get status(): string {
    return this.driver.heartbeat.status;
  }

  named(name: string): object[] {
    return this.events.filter(([other]) => other === name).map(([, event]) => event);
  }
}

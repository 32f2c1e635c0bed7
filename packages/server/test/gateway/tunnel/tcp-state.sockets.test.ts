import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { platform } from 'node:os';
import { describe, expect, it } from 'vitest';
import { hexOf, parseTcpTable, tcpStateOf } from '../../../src/gateway/tunnel/tcp-state.ts';

const isLinux = platform() === 'linux';

/** Rows as in proc(5): well, retransmitting, and with a full buffer at the other end. */
const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 1
   1: 0100007F:1F90 0100007F:C351 01 0000002A:00000000 01:00000064 00000003     0        0 2
   2: 0100007F:1F90 0100007F:C352 01 00010000:00000000 04:00000064 00000001     0        0 3
`;

describe('parseTcpTable', () => {
  it('reads what is unacknowledged, and which timer runs', () => {
    expect(new Map(parseTcpTable(TABLE))).toEqual(
      new Map([
        ['0100007F:1F90 0100007F:C350', { unacknowledged: 0, timer: '00', retransmits: 0 }],
        ['0100007F:1F90 0100007F:C351', { unacknowledged: 42, timer: '01', retransmits: 3 }],
        ['0100007F:1F90 0100007F:C352', { unacknowledged: 65_536, timer: '04', retransmits: 1 }],
      ]),
    );
  });

  it('reads nothing from a text that is not a table', () => {
    expect(parseTcpTable('')).toEqual([]);
    expect(parseTcpTable('x\ny z')).toEqual([]);
  });
});

describe('hexOf', () => {
  it.each([
    ['127.0.0.1', '0100007F'],
    ['192.168.1.20', '1401A8C0'],
    ['::1', '00000000000000000000000001000000'],
    ['::ffff:127.0.0.1', '0000000000000000FFFF00000100007F'],
    ['2001:db8::1', 'B80D0120000000000000000001000000'],
    ['fe80::1%eth0', '000080FE000000000000000001000000'],
  ])('writes %s as the kernel does', (address, hex) => {
    expect(hexOf(address)).toBe(hex);
  });
});

describe.runIf(isLinux)('tcpStateOf', () => {
  async function pair(host: string): Promise<{ near: Socket; far: Socket; close: () => void }> {
    const server = createServer().listen(0, host);
    await once(server, 'listening');
    const near = connect((server.address() as AddressInfo).port, host);
    const [far] = (await once(server, 'connection')) as [Socket];
    const close = () => {
      near.destroy();
      far.destroy();
      server.close();
    };
    return { near, far, close };
  }

  it.each(['127.0.0.1', '::'])('detects that the peer acknowledges, at %s', async (host) => {
    const { near, far, close } = await pair(host);
    near.write('hello');
    await once(far, 'data');
    await expect.poll(() => tcpStateOf(near)).toBe('acknowledged');
    close();
    expect(tcpStateOf(near)).toBeUndefined();
  });

  it('detects that the peer does not read', async () => {
    const { near, far, close } = await pair('127.0.0.1');
    far.pause();
    near.write(Buffer.alloc(32_000_000));
    await expect.poll(() => tcpStateOf(near), { timeout: 20_000 }).toBe('full');
    close();
  });
});

// @vitest-environment node
import { it } from 'vitest';
import { seePong } from './pong.js';

it('sees a pong in the environment node', () => seePong(process.env.SERVER_URL));

/** @jest-environment node */
import { seePong } from './pong.js';

test('a pong is seen in the environment node', seePong);

/** @jest-environment jsdom */
import { seePong } from './pong.js';

test('a pong is seen in the environment jsdom', seePong);

// Runs the conformance suite as a program: Node, Bun, Deno.
import process from 'node:process';
import { run } from './conformance.mjs';

const result = await run(JSON.parse(process.argv[2]));
console.log(JSON.stringify(result));
// And ends by itself: nothing is left that would hold it.

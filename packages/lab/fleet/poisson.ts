/** The accepted probability that a test fails by chance. */
const RARE = 1e-9;

/**
 * Returns how many of very many independent events the fullest of `places` may contain if `mean` are
 * expected in each: more occur less often than once in 10⁹ runs.
 *
 * The count is a sum of independent trials of unequal probability. Its upper tail is no heavier than
 * that of the Poisson distribution with the same mean: W. Hoeffding, "On the Distribution of the Number
 * of Successes in Independent Trials", Ann. Math. Stat. 27(3), 1956.
 */
export function mostByChance(mean: number, places: number): number {
  let count = Math.ceil(mean);
  while (places * tail(mean, count) > RARE) count += 1;
  return count;
}

/**
 * Returns the probability of more than `count`: sums the terms beyond, each computed from the one
 * before.
 */
function tail(mean: number, count: number): number {
  let logarithm = -mean;
  for (let k = 1; k <= count + 1; k += 1) logarithm += Math.log(mean / k);
  let term = Math.exp(logarithm);
  let sum = 0;
  for (let k = count + 1; term > sum * Number.EPSILON; k += 1) {
    sum += term;
    term *= mean / (k + 1);
  }
  return sum;
}

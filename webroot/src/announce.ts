// When the idle dialog is to be read aloud: at four moments, and not each second.
const moments = [120, 60, 30, 10]; // seconds left

/**
 * The moment to announce with this many seconds left, if any: each is said once,
 * and one that is more than 10 s past no more. last is what was said before.
 */
export function announcement(seconds: number, last: number): number | undefined {
  return moments.find((at) => seconds <= at && seconds > at - 10 && at < last);
}

/** ms, some 24 days: a timer that is set to more fires at once (HTML, "Timers"). */
export const LONGEST: number = 2 ** 31 - 1;

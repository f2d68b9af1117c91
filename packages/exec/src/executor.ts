// The executor.
export {};
